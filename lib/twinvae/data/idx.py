"""Reader of MNIST and EMNIST: the IDX format, which is 0, 0, type, number of dimensions, sizes (big-endian), bytes."""

import gzip
import zipfile
from pathlib import Path

import numpy as np

from .files import unpacked


def parse(raw: bytes) -> np.ndarray:
    """Return the uint8 array of an IDX file's bytes, of as many dimensions as its fourth byte says."""
    shape = np.frombuffer(raw, ">u4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def read(paths: tuple[Path, ...], half: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a file of images and one of labels.  -> x uint8 [N, 28, 28, 1], y int64 [N]"""
    x, y = (parse(unpacked(path)) for path in paths)
    return x[..., None], y.astype(np.int64)


def read_keras(paths: tuple[Path, ...], half: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one half of the archive that Keras keeps.  -> x uint8 [N, 28, 28, 1], y int64 [N]"""
    with np.load(paths[0], allow_pickle=False) as file:
        return file[f"x_{half}"][..., None], file[f"y_{half}"].astype(np.int64)


def read_emnist(paths: tuple[Path, ...], half: str, first_label: int = 0, subset: str = ""):
    """Read the same of EMNIST, which stores images transposed; a subset is read from the archive of all, gzip.zip."""
    raws = map(unpacked, paths)
    if subset:
        with zipfile.ZipFile(paths[0]) as archive:
            names = (f"gzip/emnist-{subset}-{half}-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1"))
            raws = [gzip.decompress(archive.read(name)) for name in names]
    x, y = map(parse, raws)
    return np.ascontiguousarray(x.swapaxes(1, 2))[..., None], y.astype(np.int64) - first_label
