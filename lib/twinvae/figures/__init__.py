"""Figures: pure plotting onto given axes, schematics drawn by code, and how all of them look."""

from importlib import import_module

__all__ = ["diagrams", "overview", "plots", "style"]


def __getattr__(name: str):
    """Import a part when it is first asked for (PEP 562): what no part needs is never loaded."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its parts are {', '.join(__all__)}")
