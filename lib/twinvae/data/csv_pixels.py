"""CSV of images: a header line `label,pixel1,...`, then one image a row, whole numbers 0..255."""

from __future__ import annotations

import re

import numpy as np

from .images import DataError

_DIGITS = re.compile(rb"[0-9]{1,3}")


def parse_csv(raw: bytes, name: str, pixels: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """CSV bytes -> x uint8 [N, D], y uint8 [N]; `pixels` is the D that the header must have, None for any.

    Raises DataError, naming the row (the header is row 1), for a wrong header, missing or surplus columns,
    anything but whole numbers, and values outside 0..255.
    """
    header, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n")
    columns = header.split(b",")
    count = len(columns) - 1
    if columns != [b"label", *(f"pixel{at}".encode() for at in range(1, len(columns)))] or count < 1:
        raise DataError(f"{name}, row 1: the header begins {_shown(header)}; it must be label,pixel1,pixel2,...")
    if pixels is not None and count != pixels:
        raise DataError(f"{name}, row 1: the header has {count} pixel columns; {pixels} are needed.")
    lines = body.removesuffix(b"\n").split(b"\n")
    if lines == [b""]:
        raise DataError(f"{name} has a header but no rows.")
    table = _fast(lines, count + 1)
    if table is None:
        raise DataError(_what_is_wrong(lines, count + 1, name))
    return np.ascontiguousarray(table[:, 1:]), table[:, 0].copy()


def _fast(lines: list[bytes], columns: int) -> np.ndarray | None:
    """All rows at once, or None if anything is wrong with one of them."""
    if any(line.count(b",") != columns - 1 for line in lines):
        return None
    text = b",".join(lines)
    if text.translate(None, b"0123456789,") or b",," in text or text[:1] == b"," or text[-1:] == b",":
        return None
    table = np.fromstring(text, np.float64, sep=",")
    return table.astype(np.uint8).reshape(-1, columns) if table.max() <= 255 else None


def _what_is_wrong(lines: list[bytes], columns: int, name: str) -> str:
    """One sentence on the first bad row."""
    for row, line in enumerate(lines, start=2):
        fields = line.split(b",")
        if len(fields) != columns:
            return f"{name}, row {row}: {len(fields)} columns; the header promises {columns}."
        for at, value in enumerate(fields):
            if not _DIGITS.fullmatch(value) or int(value) > 255:
                column = f"pixel{at}" if at else "label"
                return f"{name}, row {row}, column {column}: {_shown(value)}; whole numbers 0..255 are allowed."
    # Only numbers of many digits and a small value, such as 0001, are left.
    return f"{name}: a number is written with more than three digits; 0..255 are allowed."


def _shown(value: bytes) -> str:
    return repr(value[:40].decode("ascii", "replace"))
