"""Figures: pure plotting onto given axes, schematics drawn by code, and how all of them look."""

from twinvae import parts_on_demand

__all__ = ["diagrams", "overview", "plots", "style"]
__getattr__ = parts_on_demand(__name__, __all__)
