"""The part of MATLAB's version 5 format that SVHN uses: numeric arrays, packed with zlib or not."""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np

from .images import DataError

HEADER = 128
MATRIX, COMPRESSED = 14, 15
TYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 9: "<f8"}


def parse_mat5(raw: bytes, name: str, limit: int) -> dict[str, np.ndarray]:
    """MAT-file bytes -> its arrays by name.

    Raises DataError, naming the byte, for another version or byte order, a broken or truncated element, an
    array that is not numeric, and more than `limit` unpacked bytes.
    """
    if len(raw) < HEADER or raw[124:128] != b"\x00\x01IM":
        raise DataError(f"{name}, byte 124: no MATLAB version 5 header (little-endian) is there.")
    arrays, at = {}, HEADER
    while at < len(raw):
        kind, body, after = _element(raw, at, name)
        if kind == COMPRESSED:
            unpacked = _unzip(body, limit, name, at)
            kind, body, _ = _element(unpacked, 0, name)
        if kind != MATRIX:
            raise DataError(f"{name}, byte {at}: element type {kind}; only arrays (type {MATRIX}) are read.")
        key, array = _matrix(body, name)
        arrays[key] = array
        at = after
    return arrays


def _unzip(body: bytes, limit: int, name: str, at: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise DataError(f"{name}, byte {at}: the packed element does not unpack ({error}).") from None
    if len(raw) > limit or not stream.eof:
        raise DataError(f"{name}, byte {at}: the packed element is cut short or above {limit:,} bytes.")
    return raw


def _element(raw: bytes, at: int, name: str) -> tuple[int, bytes, int]:
    """Type and bytes of the element at `at`, and where the next one begins."""
    if at + 8 > len(raw):
        raise DataError(f"{name}, byte {at}: the file ends inside an element's tag.")
    kind, size = struct.unpack_from("<II", raw, at)
    if kind >> 16:
        # Small element: size and type share four bytes, up to four bytes of data follow.
        kind, size = kind & 0xFFFF, kind >> 16
        start, after = at + 4, at + 8
        if size > 4:
            raise DataError(f"{name}, byte {at}: a small element of {size} bytes; 4 is the most.")
    else:
        start = at + 8
        after = start + size if kind == COMPRESSED else start + -(-size // 8) * 8
    if start + size > len(raw):
        raise DataError(f"{name}, byte {at}: an element of {size:,} bytes, more than the file holds.")
    return kind, raw[start : start + size], after


def _matrix(body: bytes, name: str) -> tuple[str, np.ndarray]:
    """Flags, dimensions, name and values of one array."""
    parts, at = [], 0
    for _ in range(4):
        kind, data, at = _element(body, at, name)
        parts.append((kind, data))
    (_, _), (_, dims), (_, key), (kind, values) = parts
    if kind not in TYPES or len(dims) % 4 or len(values) % np.dtype(TYPES.get(kind, "u1")).itemsize:
        raise DataError(f"{name}: array {key[:20]!r} is not stored as plain numbers (type {kind}).")
    shape = tuple(int(size) for size in np.frombuffer(dims, "<i4"))
    array = np.frombuffer(values, TYPES[kind])
    if min(shape, default=-1) < 0 or math.prod(shape) != array.size:
        raise DataError(f"{name}: array {key[:20]!r} promises {shape} values but holds {array.size:,}.")
    return key.decode("ascii", "replace"), array.reshape(shape, order="F")
