"""The TensorFlow twin.  Its files, names and docstrings are those of `twinvae.pt`: read the two side by side."""

from twinvae import import_triton, parts_on_demand

import_triton()

from twinvae.tf import layers  # noqa: E402

__all__ = ["gan", "layers", "losses", "models", "train"]
__getattr__ = parts_on_demand(__name__, __all__)
