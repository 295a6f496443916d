"""What the shell commands are given, checked before anything is computed: each error is one sentence."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # --help waits for neither NumPy nor the data sets
    from twinvae.data import Images
    from twinvae.spec import GanSpec, ModelSpec

MOST_IMAGES = 1_000  # in a row of a picture
LONGEST_TEXT = 10_000  # characters, about fifteen pages


def check_output(path: Path, *endings: str) -> None:
    """Make the folder of a file to be written.

    Raises ValueError for another ending, a folder of that name, and a folder that cannot be made or written into.
    """
    if path.suffix not in endings:
        raise ValueError(f"cannot write {str(path)!r}; its name must end in {' or '.join(endings)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        why = (
            "it is a folder" if path.is_dir() else "" if os.access(path.parent, os.W_OK) else "its folder is read-only"
        )
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
    if why:
        raise ValueError(f"cannot write {str(path)!r} ({why}); name another file with --out")


def check_picture(n: int, out: Path) -> None:
    """Raise ValueError for a picture of no image or of more than it has room for, or one that cannot be written."""
    if not 1 <= n <= MOST_IMAGES:
        raise ValueError(f"n is {n}; it must be a whole number from 1 to {MOST_IMAGES:,}")
    check_output(out, ".png")


def checked_size(given: str) -> tuple[int, int]:
    """Return height and width of '64x48'; ValueError for anything else."""
    if not re.fullmatch(r"[1-9]\d{0,3}x[1-9]\d{0,3}", given):
        raise ValueError(f"size is {given!r}; give a height and a width in pixels, such as 64x48")
    height, width = map(int, given.split("x"))
    return height, width


def check_labels(spec: ModelSpec | GanSpec, images: Images) -> None:
    """Raise ValueError for a conditional model and images of one class, which leave it nothing to be told."""
    if spec.kind in ("cvae", "cgan") and not images.tells:
        told = f"{spec.name} is told a label, and these images have one class, {images.class_names[0]!r}"
        raise ValueError(f"{told}; take a VAE or an AE, or put the pictures into a folder a class")


def checked_text(given: str) -> str:
    """Return a text to be written: as given, or for '-' what the standard input holds.

    Raises ValueError for none, for bytes that are no UTF-8, and for more than LONGEST_TEXT characters.
    """
    if given == "-" and sys.stdin is None:
        raise ValueError("the standard input is closed; give the text itself, or pipe it in")
    text = sys.stdin.read(LONGEST_TEXT + 1) if given == "-" else given
    if any("\ud800" <= character <= "\udfff" for character in text):  # how Python keeps bytes that do not decode
        raise ValueError("the text is not UTF-8; save it as UTF-8 and try again")
    if not text.strip():
        raise ValueError("the text is empty; give some letters, digits or plain punctuation")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the text has more than {LONGEST_TEXT:,} characters; write it in parts")
    return text
