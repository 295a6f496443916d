"""The PyTorch twin.  Its files, names and docstrings are those of `twinvae.tf`: read the two side by side."""

from twinvae.pt import layers, losses, models, train

__all__ = ["layers", "losses", "models", "train"]
