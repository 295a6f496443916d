"""Pages: glyphs cut out of their squares, sized by the type table, set by their ink, broken into lines, kept as files.

Pages are grey images with ink 1 on paper 0, [height, width], 150 dots to the inch; a `Page` knows where each character
stands.  Everything from the model's pixels to the page's is continuous, so that the twins' pages agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from twinvae_apps.handwriting.hands import Hand, slant, thickness
from twinvae_apps.handwriting.signs import EXTENTS, STROKES, Extent, checked

DPI = 150
WIDTH, HEIGHT, MARGIN = 1240, 1754, 120  # A4 and its margins, in dots
X_HEIGHT, PITCH = 26, 82  # height of an 'x' and from baseline to baseline, in dots
GAP, WORD = 0.2, 0.85  # between the ink of neighbours, and between words, in x-heights
PIXEL = 0.075  # of the data's images, in x-heights, for the stroke of a sign: a letter is 20 pixels high there, or less
FINE = 4  # drawing is this much finer than the page
ABOVE, BELOW = 2.0, 0.9  # the strip of a line above and below its baseline, in x-heights


class Glyph(NamedTuple):
    """One character as ink on a strip of its line: [strip's height, width], no empty columns at its sides."""

    character: str
    ink: np.ndarray


class Placed(NamedTuple):
    """A character on a page and the box around it, in dots; boxes of neighbours may overlap, their ink does not."""

    character: str
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, eq=False)
class Page:
    """ink [height, width], the characters on it, in order, and the ink of each."""

    ink: np.ndarray
    placed: tuple[Placed, ...]
    inks: tuple[np.ndarray, ...]

    def paper(self) -> np.ndarray:
        """Dark on white.  -> uint8 [height, width]"""
        return 255 - np.rint(self.ink * 235).astype(np.uint8)


# ---------------------------------------------------------------- from a character to a glyph
def write(
    text: str, hand: Hand, placeholder: bool = False, width: int = WIDTH, margin: int = MARGIN
) -> Page:
    """The text in this hand, as high as it needs.  ValueError that lists the characters which no hand can write.

    With `placeholder` a box stands for each of those.  Lines are broken between words; a word that is wider than a
    line is broken where it must be.
    """
    text = checked(text, placeholder)
    glyphs = iter(glyphs_of("".join(text.split()), hand))
    lines = []
    for paragraph in text.split("\n"):
        words = [[next(glyphs) for _ in word] for word in paragraph.split()]
        lines += broken(words, width - 2 * margin) if words else [[]]
    return _set(lines, hand, width, margin)


def glyphs_of(characters: str, hand: Hand) -> list[Glyph]:
    """Each character as a glyph: drawn by the model, or by us where no data set has it."""
    drawn = [c for c in characters if c in EXTENTS]
    by_model, glyphs = iter(hand.characters("".join(drawn)) if drawn else ()), []
    plain = hand.pen.draw(
        hand.z[None].repeat(len(hand.pen.classes), 0), np.arange(len(hand.pen.classes))
    )
    lean, pen = float(slant(plain).mean()), float(thickness(plain).mean()) * PIXEL
    rng = np.random.default_rng([hand.seed, 3])
    for c in characters:
        drift = rng.normal(0, 1, 2) * (0.03, 0.025) * (hand.variation > 0)
        if c in EXTENTS:
            image = next(by_model)
            glyphs.append(
                Glyph(c, _sized(image if c in "ij" else unspeckled(image), EXTENTS[c], drift))
            )
        else:
            glyphs.append(Glyph(c, _stroked(c, pen, lean, drift)))
    return glyphs


def ink_box(ink: np.ndarray, least: float) -> tuple[slice, slice] | None:
    """The smallest rectangle around what is darker than `least`; None where nothing is.  [H, W] -> rows, columns"""
    lit = ink > least
    rows, columns = np.flatnonzero(lit.any(1)), np.flatnonzero(lit.any(0))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if len(rows) else None


def _sized(image: np.ndarray, extent: Extent, drift: np.ndarray) -> np.ndarray:
    """The ink of an image on a strip, between the heights of its extent.  [H, W] -> [strip, width]"""
    rows, columns = ink_box(image, 0.35 * image.max())
    top, bottom, left, right = (
        rows.start - 0.5,
        rows.stop + 0.5,
        columns.start - 0.5,
        columns.stop + 0.5,
    )
    scale = (extent.top - extent.bottom) * (1 + drift[1]) * X_HEIGHT / (bottom - top)
    wide = min(scale, 1.9 * X_HEIGHT / (right - left))  # 'm' and 'w' may not become banners
    columns_out = int(np.ceil((right - left) * wide)) + 4
    base = (ABOVE - extent.bottom - drift[0]) * X_HEIGHT
    move = np.float32(
        [
            [wide * FINE, 0, (2 - left * wide) * FINE],
            [0, scale * FINE, (base - bottom * scale) * FINE],
        ]
    )
    size = (columns_out * FINE, int((ABOVE + BELOW) * X_HEIGHT) * FINE)
    fine = cv2.warpAffine(image.astype(np.float32), move, size, flags=cv2.INTER_CUBIC)
    return _trimmed(_inked(fine / max(float(image.max()), 1e-6)))


def unspeckled(image: np.ndarray, least: float = 0.1) -> np.ndarray:
    """Without pieces of less than this share of the largest one's ink, which other shapes of the class left.  [H, W]"""
    count, piece = cv2.connectedComponents(
        (image > 0.25 * image.max()).astype(np.uint8), connectivity=8
    )
    ink = np.array([image[piece == k].sum() for k in range(count)])
    numbers, large = np.arange(count), ink >= least * ink[1:].max()
    around = np.ones((3, 3), np.uint8)
    speckles, kept = (
        cv2.dilate(np.isin(piece, numbers[(numbers > 0) & which]).astype(np.uint8), around)
        for which in (~large, large)
    )
    return np.where((speckles > 0) & (kept == 0), 0, image)


def _inked(fine: np.ndarray) -> np.ndarray:
    """Grey made ink or paper, softly, then averaged down to the page's dots.  Largest about 1; the same shape, coarser.

    A decoder's grey is doubt, not ink: a stroke in doubt is paler than its neighbours and no thinner.  So grey is first
    compared with the darkest nearby, and then cut about half way; the numbers were chosen on writers 100 to 115.
    """
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (X_HEIGHT, X_HEIGHT))
    nearby = cv2.GaussianBlur(cv2.dilate(fine, around), (0, 0), X_HEIGHT / 4)
    edge = np.clip((fine / np.maximum(0.2 + 0.8 * nearby, 0.3) - 0.55) * 4 + 0.5, 0, 1)
    return cv2.resize(edge, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA)


def _stroked(character: str, pen: float, lean: float, drift: np.ndarray) -> np.ndarray:
    """A sign of ours, drawn with a pen of this width in x-heights, leaning as the hand does; a box for the unknown."""
    box = (((0, 0), (0.8, 0), (0.8, 1.2), (0, 1.2), (0, 0)),)
    size, shear = X_HEIGHT * FINE, np.tan(np.radians(lean))
    fine = np.zeros((int((ABOVE + BELOW) * X_HEIGHT) * FINE, 4 * size), np.float32)
    for stroke in STROKES.get(character, box):
        points = np.array(
            [((1 + x + shear * h) * size, (ABOVE - h - drift[0]) * size) for x, h in stroke]
        )
        width = max(FINE, round(pen * size * (1.35 if len(stroke) == 1 else 1)))
        path = np.rint(np.concatenate([points, points[-1:]]) * 16).astype(
            np.int32
        )  # a dot is a line to itself
        cv2.polylines(fine, [path], False, 1.0, width, cv2.LINE_8, 4)
    return _trimmed(cv2.resize(fine, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA))


def _trimmed(ink: np.ndarray) -> np.ndarray:
    """Without the empty columns at its sides."""
    columns = np.flatnonzero((ink > 0.15).any(0))
    return ink[:, columns[0] : columns[-1] + 1] if len(columns) else ink[:, :1]


# ---------------------------------------------------------------- spacing and lines
def advance(left: np.ndarray, right: np.ndarray) -> int:
    """From the left side of a glyph to that of the next, so that their ink comes no nearer than the gap.  In dots.

    The gap is measured level by level, ink a fifth of an x-height above and below counted in, and boxes overlap by
    half an x-height at most.
    """
    reach = np.ones((2 * int(0.2 * X_HEIGHT) + 1, 1), np.uint8)
    one, other = (cv2.dilate((ink > 0.15).astype(np.uint8), reach) > 0 for ink in (left, right))
    end = np.where(one.any(1), one.shape[1] - one[:, ::-1].argmax(1), -10_000)
    start = np.where(other.any(1), other.argmax(1), 10_000)
    closest = int((end - start).max()) + round(GAP * X_HEIGHT)
    return max(closest, left.shape[1] - X_HEIGHT // 2, 3)


def width_of(glyphs: list[Glyph]) -> int:
    """The width of glyphs that are set beside each other, in dots."""
    ends, x = [0], 0
    for glyph, after in zip(glyphs, [*glyphs[1:], None], strict=True):
        ends.append(x + glyph.ink.shape[1])
        x += advance(glyph.ink, after.ink) if after else 0
    return max(ends)


def broken(words: list[list[Glyph]], room: int) -> list[list[list[Glyph]]]:
    """Words into lines that are no wider than `room`; a word that is too wide alone is cut."""
    lines, used = [[]], 0
    for piece in [piece for word in words for piece in _cut(word, room)]:
        wide = width_of(piece)
        space = round(WORD * X_HEIGHT) * bool(lines[-1])
        if used + space + wide > room:
            lines.append([])
            used = space = 0
        lines[-1].append(piece)
        used += space + wide
    return lines


def _cut(word: list[Glyph], room: int) -> list[list[Glyph]]:
    """A word in as few pieces as fit; one glyph always fits."""
    pieces = [[]]
    for glyph in word:
        if pieces[-1] and width_of([*pieces[-1], glyph]) > room:
            pieces.append([])
        pieces[-1].append(glyph)
    return pieces


def _set(lines: list[list[list[Glyph]]], hand: Hand, width: int, margin: int) -> Page:
    """Lines of words onto a page that is as high as they need, margins included."""
    strip = int((ABOVE + BELOW) * X_HEIGHT)
    page = np.zeros((2 * margin + PITCH * (len(lines) - 1) + strip, width))
    placed, inks = [], []
    for number, line in enumerate(lines):
        top, x = margin + number * PITCH, margin
        for word in line:
            start = x
            for glyph, after in zip(word, [*word[1:], None], strict=True):
                wide = glyph.ink.shape[1]
                here = page[top : top + strip, x : x + wide]
                np.maximum(here, glyph.ink, out=here)
                placed.append(Placed(glyph.character, x, top, x + wide, top + strip))
                inks.append(glyph.ink)
                x += advance(glyph.ink, after.ink) if after else 0
            x = start + width_of(word) + round(WORD * X_HEIGHT)
    return Page(page, tuple(placed), tuple(inks))


def write_by(text: str, hands: list[Hand], width: int = WIDTH) -> Page:
    """The same text by several writers, one below the other."""
    pages = [write(text, hand, width=width, margin=MARGIN // 3) for hand in hands]
    tops = np.cumsum([0] + [len(page.ink) for page in pages[:-1]])
    placed = tuple(
        Placed(c, left, t + top, right, b + top)
        for page, top in zip(pages, tops, strict=True)
        for c, left, t, right, b in page.placed
    )
    inks = sum((page.inks for page in pages), ())
    return Page(np.concatenate([page.ink for page in pages]), placed, inks)


# ---------------------------------------------------------------- files
def save(page: Page, path: Path) -> Path:
    """A PNG as high as the text, or a PDF of A4 sheets.  ValueError for another ending."""
    path, paper = Path(path), page.paper()
    if path.suffix == ".png":
        Image.fromarray(paper).save(path, dpi=(DPI, DPI))
    elif path.suffix == ".pdf":
        first, *others = [Image.fromarray(sheet) for sheet in sheets(paper)]
        first.save(path, resolution=DPI, save_all=True, append_images=others)
    else:
        raise ValueError(f"the file is {path.name!r}; a page is kept as .png or .pdf")
    return path


def sheets(paper: np.ndarray) -> list[np.ndarray]:
    """A long page cut between lines into A4 sheets with margins.  uint8 [height, width] -> [HEIGHT, width] each"""
    strip = int((ABOVE + BELOW) * X_HEIGHT)
    lines = (len(paper) - 2 * MARGIN - strip) // PITCH + 1
    a_sheet, cut = (HEIGHT - 2 * MARGIN - strip) // PITCH + 1, []
    for first in range(0, lines, a_sheet):
        part = paper[
            MARGIN + first * PITCH : MARGIN + min(first + a_sheet, lines) * PITCH - PITCH + strip
        ]
        sheet = np.full((HEIGHT, paper.shape[1]), 255, np.uint8)
        sheet[MARGIN : MARGIN + len(part)] = part
        cut.append(sheet)
    return cut
