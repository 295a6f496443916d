"""The TensorFlow twin.  Its files, names and docstrings are those of `twinvae.pt`: read the two side by side."""

from twinvae.tf import layers, losses, models, train

__all__ = ["layers", "losses", "models", "train"]
