"""The PyTorch twin.  Its files, names and docstrings are those of `twinvae.tf`: read the two side by side."""

from twinvae.pt import gan, layers, losses, models, train

__all__ = ["gan", "layers", "losses", "models", "train"]
