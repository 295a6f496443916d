"""Data sets: official files, checked, as uint8 arrays; knows no framework.

`load` and `splits` give images; `SETS` is the table of what there is. Files are looked for in the folder that
the environment variable TWINVAE_DATA names (one sub-folder a data set), then in pooch's cache, then a small
official download is tried, then a labelled stand-in serves. TWINVAE_OFFLINE=1 forbids downloads.
"""

from .images import DataError, Images, Recipe, Source, Splits
from .loading import from_recipe, load, made, splits, transformed
from .prepare import binarise, dequantise, one_hot, scale
from .sets import SETS
from .splitting import shared_images
from .table import DataSet

__all__ = [
    "SETS",
    "DataError",
    "DataSet",
    "Images",
    "Recipe",
    "Source",
    "Splits",
    "binarise",
    "dequantise",
    "from_recipe",
    "load",
    "made",
    "one_hot",
    "scale",
    "shared_images",
    "splits",
    "transformed",
]
