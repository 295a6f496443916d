"""Checks of the fields of a spec: each raises ValueError with what is allowed."""

from __future__ import annotations

import dataclasses
import math
from typing import Any


def python_numbers(record: Any) -> None:
    """Turn the NumPy numbers among the fields of a frozen record into Python's, which JSON can hold."""
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, tuple):
            value = tuple(part.item() if hasattr(part, "item") else part for part in value)
        object.__setattr__(record, field.name, value.item() if hasattr(value, "item") else value)


def one_of(field: str, value: Any, allowed: tuple) -> None:
    """Raise ValueError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{field} is {value!r}; allowed are {', '.join(map(repr, allowed))}")


def whole(field: str, value: Any, least: int = 1) -> None:
    """Raise ValueError unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{field} is {value!r}; it must be a whole number of at least {least}")


def real(field: str, value: Any, above: float | None = None, least: float | None = None) -> None:
    """Raise ValueError unless `value` is a finite number greater than `above`, or not smaller than `least`."""
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not ok or (above is not None and value <= above) or (least is not None and value < least):
        bound = f"greater than {above}" if above is not None else f"of at least {least}"
        raise ValueError(f"{field} is {value!r}; it must be a finite number {bound}")
