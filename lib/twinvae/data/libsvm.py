"""The sparse text format of libsvm: `label index:value index:value ...`, one image a line."""

from __future__ import annotations

import numpy as np

from .images import DataError

NUMERALS = b"0123456789.+-eE"


def parse_libsvm(raw: bytes, features: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """libsvm bytes -> values float32 [N, features], labels int64 [N]; an index that is left out has value 0.

    Raises DataError, naming the row, for anything that is not in the format, indices that do not rise
    within 1..features, and values outside -1..1.
    """
    lines = raw.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    x = np.zeros((len(lines), features), np.float32)
    y = np.zeros(len(lines), np.int64)
    for row, line in enumerate(lines):
        numbers = _numbers(line.rstrip(b" "))
        if numbers is None:
            shown = line[:40].decode("ascii", "replace")
            raise DataError(f"{name}, row {row + 1} begins {shown!r}; it must read 'label index:value ...'.")
        index, value = numbers[1::2], numbers[2::2]
        if index.size and (index[0] < 1 or index[-1] > features or np.any(np.diff(index) < 1)):
            raise DataError(f"{name}, row {row + 1}: its indices do not rise within 1..{features}.")
        if value.size and np.abs(value).max() > 1:
            raise DataError(f"{name}, row {row + 1}: a value of {value[np.abs(value).argmax()]:g}; -1..1 is allowed.")
        x[row, index.astype(np.int64) - 1], y[row] = value, numbers[0]
    return x, y


def _numbers(line: bytes) -> np.ndarray | None:
    """Label, index, value, index, value, ...; None if the line is not made so or one is not whole."""
    marks = line.translate(None, NUMERALS)
    pairs = len(marks) // 2
    if marks != b" :" * pairs or not line:
        return None
    try:
        numbers = np.fromstring(line.replace(b":", b" "), np.float64, sep=" ")
    except ValueError:
        return None
    whole = np.append(numbers[1::2], numbers[:1])
    # A missing number between two marks makes the count wrong; 1e9 keeps labels and indices in int64.
    if len(numbers) != 1 + 2 * pairs or np.any(whole != np.floor(whole)) or np.abs(whole).max() > 1e9:
        return None
    return numbers
