"""The IDX format of MNIST and EMNIST: 0, 0, type, number of dimensions, sizes (big-endian), bytes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from .files import gunzip, gunzip_head
from .images import DataError

UINT8 = 0x08
# Deflate packs at most 1,032 bytes into one, so a larger promise cannot be kept.
MOST_PACKED = 1_032


def _header(head: bytes, ndim: int, name: str) -> tuple[int, ...]:
    """The sizes that an IDX header promises; `head` holds at least the header, if the file does."""
    magic = bytes([0, 0, UINT8, ndim])
    if head[:4] != magic:
        raise DataError(
            f"{name} begins with bytes {head[:4].hex(' ') or '(none)'}; "
            f"an IDX file of {ndim} dimension(s) begins with {magic.hex(' ')}."
        )
    if len(head) < 4 + 4 * ndim:
        raise DataError(f"{name} ends at byte {len(head)}, inside its header of {4 + 4 * ndim} bytes.")
    return tuple(int(size) for size in np.frombuffer(head, ">u4", ndim, offset=4))


def parse_idx(raw: bytes, ndim: int, name: str) -> np.ndarray:
    """IDX bytes, packed with gzip or not -> uint8 array of `ndim` dimensions.

    Raises DataError on a wrong magic number, a broken or truncated gzip stream, and a header that promises
    more or less than the file holds.
    """
    start, packed = 4 + 4 * ndim, raw[:2] == b"\x1f\x8b"
    shape = _header(gunzip_head(raw, start, name) if packed else raw[:start], ndim, name)
    promised = start + math.prod(shape)
    promise = f"{name} promises {' x '.join(map(str, shape))} bytes after its header, {promised:,} in all"
    if packed and promised > MOST_PACKED * len(raw):
        raise DataError(f"{promise}; {len(raw):,} packed bytes cannot hold them.")
    body = gunzip(raw, promised, name) if packed else raw
    if len(body) != promised:
        raise DataError(f"{promise}; it holds {len(body):,}.")
    return np.frombuffer(body, np.uint8, offset=start).reshape(shape)


def read_pair(images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read an IDX file of images and one of labels -> x uint8 [N, H, W], y uint8 [N]."""
    x = parse_idx(images.read_bytes(), 3, images.name)
    y = parse_idx(labels.read_bytes(), 1, labels.name)
    if len(x) != len(y):
        raise DataError(f"{images.name} holds {len(x):,} images but {labels.name} {len(y):,} labels.")
    return x, y


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write a uint8 array as gzip-packed IDX, the same bytes for the same array."""
    import gzip

    header = bytes([0, 0, UINT8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes(), compresslevel=6, mtime=0))
