"""Small files in the formats of the official ones, for tests."""

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from twinvae.data.files import digest, unpacked
from twinvae.data.table import DataSet


def idx(array: np.ndarray) -> bytes:
    """A uint8 array as an IDX file."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def records(x: np.ndarray, labels: np.ndarray) -> bytes:
    """Images [N, 32, 32, 3] and labels [N, label bytes] as CIFAR's records."""
    return np.concatenate([labels, x.transpose(0, 3, 1, 2).reshape(len(x), -1)], axis=1).astype(np.uint8).tobytes()


def known_as(dataset: DataSet, folder: Path, **fields: object) -> DataSet:
    """The data set whose published files are those of a folder; editions that need others are left out."""
    known = {}
    for file in dataset.files:
        if (path := folder / file.name).is_file():
            inside = f"sha256:{hashlib.sha256(unpacked(path)).hexdigest()}" if file.unpacked else ""
            megabytes = path.stat().st_size / 1e6
            known[file.name] = replace(file, checksum=f"sha256:{digest(path)}", megabytes=megabytes, unpacked=inside)
    editions = tuple(
        replace(edition, halves={half: tuple(known[f.name] for f in files) for half, files in edition.halves.items()})
        for edition in dataset.editions
        if all(file.name in known for file in edition.files())
    )
    return replace(dataset, files=tuple(known.values()), editions=editions, **fields)


def write_mnist(folder: Path) -> None:
    """MNIST's four files: 40 images a class to train on, 10 a class to test."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for half, count in (("train", 400), ("t10k", 100)):
        x, y = rng.integers(0, 256, (count, 28, 28), np.uint8), (np.arange(count) % 10).astype(np.uint8)
        for what, array in (("images-idx3", x), ("labels-idx1", y)):
            (folder / f"{half}-{what}-ubyte.gz").write_bytes(gzip.compress(idx(array), mtime=0))
