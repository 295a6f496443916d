"""The PyTorch twin.  Its files, names and docstrings are those of `twinvae.tf`: read the two side by side."""

from twinvae import parts_on_demand
from twinvae.pt import layers

__all__ = ["gan", "layers", "losses", "models", "train"]
__getattr__ = parts_on_demand(__name__, __all__)
