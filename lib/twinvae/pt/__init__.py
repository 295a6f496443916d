"""The PyTorch twin.  Its files, names and docstrings are those of `twinvae.tf`: read the two side by side."""

from twinvae.pt import events, gan, layers, losses, mistakes, models, train

__all__ = ["events", "gan", "layers", "losses", "mistakes", "models", "train"]
