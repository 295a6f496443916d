"""Reader of Sign Language MNIST, 24 letters (J and Z need motion), made from few photographs; report 001's tasks."""

import io
from pathlib import Path

import numpy as np

from .files import unpacked
from .images import Images

# The labels of the files count the alphabet, without 9 (J) and 25 (Z).
RAW_LABELS = tuple(label for label in range(25) if label != 9)
CLASS_NAMES = tuple(chr(ord("A") + label) for label in RAW_LABELS)
VOWELS = tuple(CLASS_NAMES.index(letter) for letter in "AEIOU")
TASKS = ("letter", "vowel", "rotation")
# Copies of one photograph correlate by at least this; the lowest value at which no image stays single.
ALIKE = 0.97


def read(paths: tuple[Path, ...], half: str, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Read CSV files `label,pixel1,...`; the task comes after splitting.  -> x uint8 [N, 28, 28, 1], y int64 [N]"""
    import pandas as pd

    table = np.concatenate([pd.read_csv(io.BytesIO(unpacked(path)), dtype=np.uint8).to_numpy() for path in paths])
    y = np.searchsorted(RAW_LABELS, table[:, 0]).astype(np.int64)
    return np.ascontiguousarray(table[:, 1:]).reshape(-1, 28, 28, 1), y


def near_duplicates(images: Images) -> np.ndarray:
    """Give copies of one photograph the same number: chains of correlation 0.97 in a class.  -> int [N]"""
    from scipy.sparse.csgraph import connected_components

    flat = images.x.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    groups, next_number = np.zeros(len(images), np.int64), 0
    for label in np.unique(images.y):
        members = np.flatnonzero(images.y == label)
        count, numbers = connected_components(flat[members] @ flat[members].T >= ALIKE, directed=False)
        groups[members] = next_number + numbers
        next_number += count
    return groups


def for_task(images: Images, task: str) -> Images:
    """Return the images of a task: 'letter' (24 classes), 'vowel' (or consonant), 'rotation' (four angles)."""
    if task not in TASKS:
        raise ValueError(f"sign_language: task is {task!r}; choose one of {', '.join(TASKS)}.")
    if task == "vowel":
        y = np.isin(images.y, VOWELS).astype(np.int64)
        return Images(images.x, y, ("consonant", "vowel"), images.source)
    return rotations(images) if task == "rotation" else images


def rotations(images: Images) -> Images:
    """Turn all images counter-clockwise by 0 to 3 quarter turns, the labels.  [N, H, H, C] -> [4 N, H, H, C]"""
    x = np.concatenate([np.rot90(images.x, turns, axes=(1, 2)) for turns in range(4)])
    names = ("0 degrees", "90 degrees", "180 degrees", "270 degrees")
    return Images(x, np.repeat(np.arange(4), len(images)), names, images.source)
