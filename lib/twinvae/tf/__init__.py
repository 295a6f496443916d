"""The TensorFlow twin.  Its files, names and docstrings are those of `twinvae.pt`: read the two side by side."""

from twinvae.tf import gan, layers, losses, models, train

__all__ = ["gan", "layers", "losses", "models", "train"]
