"""Sign Language MNIST: 24 letters (J and Z need motion), and report 001's three tasks.

The set was made from few photographs: copies of one, turned, shifted in brightness or with other noise, are
near-duplicates. `near_duplicates` finds them, so that a split keeps them together.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from .cache import cached_arrays
from .csv_pixels import parse_csv
from .files import gunzip
from .images import DataError, Images
from .table import Arrays, DataSet, Edition, KnownFile

SIDE = 28
MAX_BYTES = 100_000_000
# The labels of the files count the alphabet, without 9 (J) and 25 (Z).
RAW_LABELS = tuple(label for label in range(25) if label != 9)
CLASS_NAMES = tuple(chr(ord("A") + label) for label in RAW_LABELS)
VOWELS = tuple(CLASS_NAMES.index(letter) for letter in "AEIOU")
ANGLES = (0, 90, 180, 270)
TASKS = ("letter", "vowel", "rotation")
# Copies of one photograph correlate by at least this; the lowest value at which no image stays single.
ALIKE = 0.97

TRAIN = KnownFile("sign_mnist_train.csv", "sha256:b7ff39ad5f1210fa765ce11aa5f20c2e97fe467ffc22231aac923c863eef75c4")
TEST = KnownFile("sign_mnist_test.csv", "sha256:178c0dd21c4b0e86d58df12f14ea1e9efa795ad19d146802b3b28094a16d56ae")
STRETCHED = KnownFile(
    "sign_mnist_test.contrast-stretched.csv.gz",
    "sha256:abb6fa1593b374ce604319539ec22d3a5ded9469286949cfdccc521cc1efcfb2",
)
FIRST188 = KnownFile(
    "sign_mnist_train.first188.csv.gz",
    "sha256:2ee2b94c2def44f5f24a8434731bd124e69f2d818bc0247d700e4f09cb404496",
)


def parse(raw: bytes, name: str) -> Arrays:
    """CSV bytes, packed with gzip or not -> x uint8 [N, 28, 28, 1], y int64 [N] in 0..23.

    Raises DataError, naming the row, also for the labels 9 and 25, which no letter of the set has.
    """
    if raw[:2] == b"\x1f\x8b":
        raw = gunzip(raw, MAX_BYTES, name)
    x, labels = parse_csv(raw, name, SIDE * SIDE)
    known = np.isin(labels, RAW_LABELS)
    if not known.all():
        row = int(np.argmin(known))
        raise DataError(f"{name}, row {row + 2}: label {labels[row]}; 0..24 without 9 is allowed.")
    return x.reshape(-1, SIDE, SIDE, 1), np.searchsorted(RAW_LABELS, labels).astype(np.int64)


def read(paths: tuple[Path, ...], half: str, task: str) -> Arrays:
    """CSV files, with their letters; the task comes after splitting, in `for_task`."""
    if task not in TASKS:
        raise ValueError(f"sign_language: task is {task!r}; choose one of {', '.join(TASKS)}.")
    x, y = zip(*(parse(path.read_bytes(), path.name) for path in paths), strict=True)
    return np.concatenate(x), np.concatenate(y)


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
    """Report 001's tasks: 'letter' (24 classes), 'vowel' (or consonant), 'rotation' (four angles)."""
    if task == "vowel":
        y = np.isin(images.y, VOWELS).astype(np.int64)
        return Images(images.x, y, ("consonant", "vowel"), images.source)
    return rotations(images) if task == "rotation" else images


def rotations(images: Images) -> Images:
    """All images, turned counter-clockwise (as tf.image.rot90) by 0, then 90, 180, 270 degrees.

    The label is the number of quarter turns.  [N, H, H, C] -> [4 N, H, H, C], kept as .npz
    """

    def make() -> dict[str, np.ndarray]:
        return {"x": np.concatenate([np.rot90(images.x, turns, axes=(1, 2)) for turns in range(4)])}

    key = hashlib.sha256(np.ascontiguousarray(images.x)).hexdigest()[:16]
    x = cached_arrays(f"sign-rotations-{key}", make)["x"]
    names = tuple(f"{angle} degrees" for angle in ANGLES)
    return Images(x, np.repeat(np.arange(4), len(images)), names, images.source)


def make_standin(folder: Path) -> None:
    """Write the two CSV files with drawn hands: 8 and 2 photographs a letter, 20 copies of each."""
    from .draw_hands import draw

    header = "label," + ",".join(f"pixel{at}" for at in range(1, SIDE * SIDE + 1))
    for file, photographs, seed in ((TRAIN, 8, 0), (TEST, 2, 1)):
        x, y = draw(len(RAW_LABELS), photographs, 20, SIDE, seed)
        rows = [
            header,
            *(f"{RAW_LABELS[label]}," + ",".join(map(str, image.ravel())) for image, label in zip(x, y, strict=True)),
        ]
        (folder / file.name).write_text("\n".join(rows) + "\n")


SIGN_LANGUAGE = DataSet(
    name="sign_language",
    title="Sign Language MNIST",
    folder="sign_language_mnist",
    shape=(SIDE, SIDE, 1),
    class_names=CLASS_NAMES,
    sizes={"train": 27_455, "test": 7_172},
    licence="CC0",
    citation="tecperson 2017, Sign Language MNIST, Kaggle",
    url="https://www.kaggle.com/datasets/datamunge/sign-language-mnist",
    editions=(
        Edition(
            "official",
            "official",
            "Sign Language MNIST, official files",
            {"train": (TRAIN,), "test": (TEST,)},
            read,
        ),
        Edition(
            "pooled",
            "official",
            "Sign Language MNIST, both official files pooled",
            {"all": (TRAIN, TEST)},
            read,
        ),
        Edition(
            "stretched",
            "variant",
            "Sign Language MNIST, test file with contrast stretched",
            {"all": (STRETCHED,)},
            read,
        ),
        Edition(
            "first188",
            "variant",
            "Sign Language MNIST, first 188 training images",
            {"all": (FIRST188,)},
            read,
        ),
    ),
    standin=make_standin,
    standin_label="drawn hands",
    options={"task": "letter"},
    groups=near_duplicates,
    finish=for_task,
)
