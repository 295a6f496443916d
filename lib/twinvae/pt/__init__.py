"""The PyTorch twin.  Its files, names and docstrings are those of `twinvae.tf`: read the two side by side."""

import os

from twinvae import import_triton, parts_on_demand

# Threads that wait for work spin for a moment only, read when PyTorch is first imported: beside one busy process a step
# otherwise falls to a quarter of its speed, beside two to a twentieth. It costs 7 % of a small step on an idle machine.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")
import_triton()

from twinvae.pt import layers  # noqa: E402

__all__ = ["gan", "layers", "losses", "models", "train"]
__getattr__ = parts_on_demand(__name__, __all__)
