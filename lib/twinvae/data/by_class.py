"""Reader of NIST Special Database 19 as report 000 reads it: a by_class zip of PNGs, resized with OpenCV, shuffled."""

import re
import string
import zipfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .files import digest, kept
from .images import DataError

SIDE = 128
ALPHANUMERIC = tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase)

# Folder name (hexadecimal ASCII code) -> character -> class number, and back.
HEX_TO_CHARACTER = {f"{ord(character):02x}": character for character in ALPHANUMERIC}
CHARACTER_TO_HEX = {character: code for code, character in HEX_TO_CHARACTER.items()}
CHARACTER_TO_CLASS = {character: number for number, character in enumerate(ALPHANUMERIC)}


def read(paths: tuple[Path, ...], half: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Read an archive; the arrays are made once and kept.  -> x uint8 [N, size, size, 1], y int64 [N]"""
    check_size(size)
    x, y = kept(f"by_class-{digest(paths[0])[:16]}-{size}", lambda: convert(paths[0], size))
    return x[..., None], y


def check_size(size: int) -> None:
    """Raise ValueError for a side that the pictures cannot be brought to."""
    if not isinstance(size, int) or not 4 <= size <= SIDE:
        raise ValueError(f"nist: size is {size!r}; it must be a whole number from 4 to {SIDE}.")


def convert(archive: Path, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Decode and resize every picture, in an order shuffled by `seed`.  -> x uint8 [N, size, size], y int64 [N]

    Raises DataError for a folder that is no class and a picture that is no PNG of 128 x 128.
    """
    with zipfile.ZipFile(archive) as zipped:
        pictures = list_pictures(zipped.namelist(), archive.name)
        x, y = np.empty((len(pictures), size, size), np.uint8), np.empty(len(pictures), np.int64)
        rows = np.random.default_rng(seed).permutation(len(pictures))
        bar = tqdm(pictures, unit="png", disable=None, desc="by_class")
        for row, (name, label) in zip(rows, bar, strict=True):
            image = decode(zipped.read(name), size)
            if image is None:
                raise DataError(f"{archive.name}: {name} is no PNG of {SIDE} x {SIDE}; fetch the archive again.")
            x[row], y[row] = image, label
    return x, y


def list_pictures(names: list[str], where: str) -> list[tuple[str, int]]:
    """Return the names of PNGs with their classes, sorted, without the folders train_XX, which repeat the others."""
    found = ((name, re.search(r"(?:^|/)by_class/([^/]+)/(?!train_).*\.png$", name)) for name in sorted(names))
    return [(name, class_of(match[1], where)) for name, match in found if match]


def class_of(folder: str, where: str) -> int:
    """Return the class number of a by_class folder such as '4a'; raises DataError if it is none of the 62."""
    if folder.lower() not in HEX_TO_CHARACTER:
        raise DataError(f"{where}: folder {folder!r} is not the hexadecimal ASCII code of one of 0-9, A-Z, a-z.")
    return CHARACTER_TO_CLASS[HEX_TO_CHARACTER[folder.lower()]]


def decode(raw: bytes, size: int) -> np.ndarray | None:
    """Decode a PNG of 128 x 128 and resize it.  -> uint8 [size, size], grey, or None if it is no such PNG"""
    import cv2

    image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_GRAYSCALE) if raw else None
    if image is None or image.shape != (SIDE, SIDE):
        return None
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
