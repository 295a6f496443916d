"""Data sets: official files, checked, as uint8 arrays; knows no framework.

`load` and `splits` give images; `SETS` is the table of what there is. Files are looked for in the folder that
the environment variable TWINVAE_DATA names (one sub-folder a data set), then in the user's cache, then a small
official download is tried, then a labelled stand-in serves. TWINVAE_OFFLINE=1 forbids downloads.
"""

from . import table
from .images import DataError, Images, Recipe, Source, Splits
from .loading import from_recipe, load, made, splits, transformed
from .prepare import binarise, dequantise, one_hot, scale
from .splitting import shared_images


def __getattr__(name: str) -> object:
    """Return SETS, the data sets by name, whose table is read when it is first asked for."""
    if name == "SETS":
        return table.sets()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
