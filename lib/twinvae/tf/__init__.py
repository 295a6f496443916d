"""The TensorFlow twin.  Its files, names and docstrings are those of `twinvae.pt`: read the two side by side."""

from twinvae.tf import events, gan, layers, losses, mistakes, models, train

__all__ = ["events", "gan", "layers", "losses", "mistakes", "models", "train"]
