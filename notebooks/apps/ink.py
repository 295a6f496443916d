"""Ink cut out of an image and put into a square, as the makers of the data sets did."""

from __future__ import annotations

import cv2
import numpy as np


def ink_box(ink: np.ndarray, least: float) -> tuple[slice, slice] | None:
    """Return the smallest rectangle around what is darker than `least`; None where nothing is.

    [H, W] -> rows, columns
    """
    lit = ink > least
    rows, columns = np.flatnonzero(lit.any(1)), np.flatnonzero(lit.any(0))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if len(rows) else None


def resized(ink: np.ndarray, side: float) -> np.ndarray:
    """Average ink down so that its longer side is `side` long, and neither is under 1 pixel.  [h, w] -> [h', w']"""
    size = [max(1, round(n * side / max(ink.shape))) for n in ink.shape]
    return cv2.resize(ink.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)


def centre_box(ink: np.ndarray, least: float = 0.15) -> np.ndarray:
    """Put the middle of the ink's box into that of a square, its longer side 24 long, as in EMNIST.

    [h, w] -> [28, 28, 1]
    """
    square, box = np.zeros((28, 28, 1), np.float32), ink_box(ink, least)
    if box is not None:
        small = resized(ink[box], 24)
        top, left = ((28 - n) // 2 for n in small.shape)
        square[top : top + small.shape[0], left : left + small.shape[1], 0] = small
    return square


def centre_mass(ink: np.ndarray, least: float, side: float, shape: tuple[int, int]) -> np.ndarray:
    """Put the ink's centre of mass into the middle, its longer side `side` long, as in MNIST.

    [h, w] -> [*shape, 1]
    """
    box, (height, width) = ink_box(ink, least), shape
    if box is None:
        return np.zeros((height, width, 1), np.float32)
    small = resized(ink[box], side)
    rows, columns = (np.average(np.arange(n), weights=small.sum(1 - axis) + 1e-9) for axis, n in enumerate(small.shape))
    shift = np.float32([[1, 0, (width - 1) / 2 - columns], [0, 1, (height - 1) / 2 - rows]])
    return cv2.warpAffine(small, shift, (width, height)).clip(0, 1)[..., None]
