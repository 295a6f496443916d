"""Small files in the formats of the official ones, for tests."""

import gzip
from pathlib import Path

import numpy as np


def idx(array: np.ndarray) -> bytes:
    """A uint8 array as an IDX file."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def records(x: np.ndarray, labels: np.ndarray) -> bytes:
    """Images [N, 32, 32, 3] and labels [N, label bytes] as CIFAR's records."""
    return np.concatenate([labels, x.transpose(0, 3, 1, 2).reshape(len(x), -1)], axis=1).astype(np.uint8).tobytes()


def write_mnist(folder: Path) -> None:
    """MNIST's four files: 40 images a class to train on, 10 a class to test."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for half, count in (("train", 400), ("t10k", 100)):
        x, y = rng.integers(0, 256, (count, 28, 28), np.uint8), (np.arange(count) % 10).astype(np.uint8)
        for what, array in (("images-idx3", x), ("labels-idx1", y)):
            (folder / f"{half}-{what}-ubyte.gz").write_bytes(gzip.compress(idx(array), mtime=0))
