"""Pages: glyphs set by their ink, broken into lines, kept as files.

Pages are grey images with ink 1 on paper 0, [height, width], 150 dots to the inch; a `Page` knows where each character
stands.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from twinvae.paths import written_whole
from twinvae_apps.handwriting.glyphs import STRIP, X_HEIGHT, Glyph, glyphs_of
from twinvae_apps.handwriting.hands import Hand
from twinvae_apps.handwriting.type_table import checked

DPI = 150
WIDTH, HEIGHT, MARGIN = 1240, 1754, 120  # A4 and its margins, in dots
PITCH = 82  # from baseline to baseline, in dots
GAP = 0.2  # between the ink of neighbours, in x-heights
SPACE = round(0.85 * X_HEIGHT)  # between words, in dots


@dataclass(frozen=True, eq=False)
class Page:
    """ink [height, width], and the characters on it, in order; their boxes may overlap, their ink does not."""

    ink: np.ndarray
    placed: tuple[Glyph, ...]

    def paper(self) -> np.ndarray:
        """Return the page dark on white.  -> uint8 [height, width]"""
        return 255 - np.rint(self.ink * 235).astype(np.uint8)


def write(text: str, hand: Hand, placeholder: bool = False, width: int = WIDTH, margin: int = MARGIN) -> Page:
    """Write a text in this hand, as high as it needs; ValueError that lists the characters which no hand can write.

    With `placeholder` a box stands for each of those.  Lines are broken between words; a word that is wider than a
    line is broken where it must be.
    """
    text = checked(text, placeholder)
    glyphs = iter(glyphs_of("".join(text.split()), hand))
    lines = []
    for paragraph in text.split("\n"):
        words = [[next(glyphs) for _ in word] for word in paragraph.split()]
        lines += break_lines(words, width - 2 * margin) if words else [[]]
    return _set(lines, width, margin)


# ---------------------------------------------------------------- spacing and lines
def advance(left: np.ndarray, right: np.ndarray) -> int:
    """Return how far the next glyph begins to the right of this one, so that their ink keeps the gap, in dots.

    The gap is measured level by level, ink a fifth of an x-height above and below counted in, and boxes overlap by
    half an x-height at most.
    """
    reach = np.ones((2 * int(0.2 * X_HEIGHT) + 1, 1), np.uint8)
    one, other = (cv2.dilate((ink > 0.15).astype(np.uint8), reach) > 0 for ink in (left, right))
    end = np.where(one.any(1), one.shape[1] - one[:, ::-1].argmax(1), -10_000)
    start = np.where(other.any(1), other.argmax(1), 10_000)
    closest = int((end - start).max()) + round(GAP * X_HEIGHT)
    return max(closest, left.shape[1] - X_HEIGHT // 2, 3)


def starts(word: list[Glyph]) -> list[int]:
    """Return where each glyph of a word begins, in dots from the first."""
    steps = (advance(glyph.ink, after.ink) for glyph, after in itertools.pairwise(word))
    return list(itertools.accumulate(steps, initial=0))


def width_of(word: list[Glyph]) -> int:
    """Return the width of glyphs that are set beside each other, in dots."""
    return max(start + glyph.ink.shape[1] for start, glyph in zip(starts(word), word, strict=True))


def break_lines(words: list[list[Glyph]], room: int) -> list[list[list[Glyph]]]:
    """Break words into lines that are no wider than `room`; a word that is too wide alone is cut."""
    lines, used = [[]], 0
    for piece in [piece for word in words for piece in _cut(word, room)]:
        wide = width_of(piece)
        if lines[-1] and used + wide > room:
            lines.append([])
            used = 0
        lines[-1].append(piece)
        used += wide + SPACE
    return lines


def _cut(word: list[Glyph], room: int) -> list[list[Glyph]]:
    """Cut a word into as few pieces as fit; one glyph always fits."""
    pieces = [[]]
    for glyph in word:
        if pieces[-1] and width_of([*pieces[-1], glyph]) > room:
            pieces.append([])
        pieces[-1].append(glyph)
    return pieces


def _set(lines: list[list[list[Glyph]]], width: int, margin: int) -> Page:
    """Set lines of words onto a page that is as high as they need, margins included."""
    page, placed = np.zeros((2 * margin + PITCH * (len(lines) - 1) + STRIP, width)), []
    for number, line in enumerate(lines):
        top, left = margin + number * PITCH, margin
        for word in line:
            for start, glyph in zip(starts(word), word, strict=True):
                placed.append(glyph._replace(left=left + start, top=top))
                here = page[top : top + STRIP, left + start : left + start + glyph.ink.shape[1]]
                np.maximum(here, glyph.ink, out=here)
            left += width_of(word) + SPACE
    return Page(page, tuple(placed))


def write_by(text: str, hands: list[Hand], width: int = WIDTH) -> Page:
    """Write the same text by several writers, one below the other."""
    pages = [write(text, hand, width=width, margin=MARGIN // 3) for hand in hands]
    tops = itertools.accumulate((len(page.ink) for page in pages[:-1]), initial=0)
    placed = [one._replace(top=one.top + top) for page, top in zip(pages, tops, strict=True) for one in page.placed]
    return Page(np.concatenate([page.ink for page in pages]), tuple(placed))


# ---------------------------------------------------------------- files
def save(page: Page, path: Path) -> Path:
    """Save a PNG as high as the text, or a PDF of A4 pages, whole or not at all; ValueError for another ending."""
    if path.suffix not in (".png", ".pdf"):
        raise ValueError(f"the file is {path.name!r}; a page is kept as .png or .pdf")
    paper = page.paper()
    with written_whole(path) as part:
        if path.suffix == ".png":
            Image.fromarray(paper).save(part, dpi=(DPI, DPI))
        else:
            first, *others = [Image.fromarray(sheet) for sheet in cut_into_a4(paper)]
            first.save(part, resolution=DPI, save_all=True, append_images=others)
    return path


def cut_into_a4(paper: np.ndarray) -> list[np.ndarray]:
    """Cut a long page between lines into A4 pages with margins.  uint8 [height, width] -> [HEIGHT, width] each"""
    fitting = (HEIGHT - 2 * MARGIN - STRIP) // PITCH + 1
    written = paper[MARGIN:-MARGIN]
    parts = [written[top:][: (fitting - 1) * PITCH + STRIP] for top in range(0, len(written), fitting * PITCH)]
    return [np.pad(part, ((MARGIN, HEIGHT - MARGIN - len(part)), (0, 0)), constant_values=255) for part in parts]
