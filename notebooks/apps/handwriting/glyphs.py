"""Glyphs: characters cut out of their squares and sized by the type table, or drawn by us where no data set has them.

Everything from the model's pixels to the page's is continuous, so that the twins' pages agree.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from scipy import ndimage

from twinvae_apps.handwriting.hands import Hand, slant, thickness
from twinvae_apps.handwriting.type_table import EXTENTS, STROKES, Extent
from twinvae_apps.ink import ink_box

X_HEIGHT = 26  # height of an 'x' in dots
ABOVE, BELOW = 2.0, 0.9  # the strip of a line above and below its baseline, in x-heights
STRIP = int((ABOVE + BELOW) * X_HEIGHT)  # its height in dots
PIXEL = 0.075  # of the data's images, in x-heights, for the stroke of a sign: a letter is 20 pixels high there, or less
DOTTED, STROKE = "ij", "Il1i"  # whose dot the decoder smears into the stem; which are read as '/' where they lean more
FINE = 4  # drawing is this much finer than the page


class Glyph(NamedTuple):
    """One character as ink on a strip of its line, no empty columns at its sides; where it is on a page, in dots."""

    character: str
    ink: np.ndarray  # [STRIP, width]
    left: int = 0
    top: int = 0


def glyphs_of(characters: str, hand: Hand) -> list[Glyph]:
    """Return each character as a glyph: drawn by the model, or by us where no data set has it.

    A single stroke leans as the hand does, and the dots on i and j are ours.
    """
    drawn = [c for c in characters if c in EXTENTS]
    by_model, glyphs = iter(hand.characters("".join(drawn)) if drawn else ()), []
    plain = hand.pen.draw(hand.z[None].repeat(len(hand.pen.classes), 0), np.arange(len(hand.pen.classes)))
    lean, pen = float(slant(plain).mean()), float(thickness(plain).mean()) * PIXEL
    rng = np.random.default_rng([hand.seed, 3])
    for c in characters:
        drift = rng.normal(0, 1, 2) * (0.03, 0.025) * (hand.variation > 0)
        if c in EXTENTS:
            image = unspeckled(next(by_model), 1.0 if c in DOTTED else 0.1)
            if c in STROKE:
                image = sheared(image, lean)
            ink = _sized(image, EXTENTS[c], drift)
            glyphs.append(Glyph(c, _dotted(ink, pen, lean) if c in DOTTED else ink))
        else:
            glyphs.append(Glyph(c, _stroked(c, pen, lean, drift)))
    return glyphs


def _sized(image: np.ndarray, extent: Extent, drift: np.ndarray) -> np.ndarray:
    """Put the ink of an image on a strip, between the heights of its extent.  [H, W] -> [strip, width]"""
    rows, columns = ink_box(image, 0.35 * image.max())
    top, bottom, left, right = (rows.start - 0.5, rows.stop + 0.5, columns.start - 0.5, columns.stop + 0.5)
    scale = (extent.top - extent.bottom) * (1 + drift[1]) * X_HEIGHT / (bottom - top)
    wide = min(scale, 1.9 * X_HEIGHT / (right - left))  # 'm' and 'w' may not become banners
    columns_out = int(np.ceil((right - left) * wide)) + 4
    base = (ABOVE - extent.bottom - drift[0]) * X_HEIGHT
    move = np.float32([[wide * FINE, 0, (2 - left * wide) * FINE], [0, scale * FINE, (base - bottom * scale) * FINE]])
    size = (columns_out * FINE, STRIP * FINE)
    fine = cv2.warpAffine(image.astype(np.float32), move, size, flags=cv2.INTER_CUBIC)
    return _trimmed(_inked(fine / max(float(image.max()), 1e-6)))


def unspeckled(image: np.ndarray, least: float) -> np.ndarray:
    """Take away pieces of less than this share of the largest one's ink, left by other shapes of the class.  [H, W]"""
    around = np.ones((3, 3), bool)
    piece, count = ndimage.label(image > 0.25 * image.max(), around)
    ink = ndimage.sum_labels(image, piece, range(1, count + 1))
    large = np.isin(piece, 1 + np.flatnonzero(ink >= least * ink.max()))
    speckles, kept = (ndimage.binary_dilation(part, around) for part in ((piece > 0) & ~large, large))
    return np.where(speckles & ~kept, 0, image)


def _inked(fine: np.ndarray) -> np.ndarray:
    """Make grey ink or paper, softly, then average it down to the page's dots.  Largest about 1; coarser, same shape.

    A decoder's grey is doubt, not ink: a stroke in doubt is paler than its neighbours and no thinner.  So grey is first
    compared with the darkest nearby, and then cut about half way; the numbers were chosen on writers 100 to 115.
    """
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (X_HEIGHT, X_HEIGHT))
    nearby = cv2.GaussianBlur(cv2.dilate(fine, around), (0, 0), X_HEIGHT / 4)
    edge = np.clip((fine / np.maximum(0.2 + 0.8 * nearby, 0.3) - 0.55) * 4 + 0.5, 0, 1)
    return cv2.resize(edge, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA)


def _stroked(character: str, pen: float, lean: float, drift: np.ndarray) -> np.ndarray:
    """Draw a sign with a pen of this width in x-heights, leaning as the hand does; a box for the unknown."""
    box = (((0, 0), (0.8, 0), (0.8, 1.2), (0, 1.2), (0, 0)),)
    size, shear = X_HEIGHT * FINE, np.tan(np.radians(lean))
    fine = np.zeros((STRIP * FINE, 4 * size), np.float32)
    for stroke in STROKES.get(character, box):
        points = np.array([((1 + x + shear * h) * size, (ABOVE - h - drift[0]) * size) for x, h in stroke])
        width = max(FINE, round(pen * size * (1.35 if len(stroke) == 1 else 1)))
        path = np.rint(np.concatenate([points, points[-1:]]) * 16).astype(np.int32)  # a dot is a line to itself
        cv2.polylines(fine, [path], False, 1.0, width, cv2.LINE_8, 4)
    return _trimmed(cv2.resize(fine, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA))


def sheared(image: np.ndarray, lean: float) -> np.ndarray:
    """Shear an image about its middle so that it leans by this many degrees, as far as that keeps its ink.

    [H, W] -> [H, W]
    """
    wanted, middle = np.tan(np.radians(lean)) - np.tan(np.radians(slant(image[None])[0])), (len(image) - 1) / 2
    by = float(np.clip(wanted, -0.6, 0.6))
    return cv2.warpAffine(image.astype(np.float32), np.float32([[1, -by, by * middle], [0, 1, 0]]), image.shape[::-1])


def _dotted(stem: np.ndarray, pen: float, lean: float) -> np.ndarray:
    """Put a dot above a stem, where the hand would have gone on.  [strip, width] -> [strip, width']"""
    ink = np.pad(stem, ((0, 0), (X_HEIGHT, X_HEIGHT)))
    row, column = np.mgrid[: len(ink), : ink.shape[1]]
    top = np.flatnonzero((ink > 0.5).any(1))[0]
    above = 0.45 * X_HEIGHT
    x = np.average(column[top : top + 4], weights=ink[top : top + 4]) + np.tan(np.radians(lean)) * above
    disc = np.clip(0.75 * pen * X_HEIGHT + 0.5 - np.hypot(row - top + above, column - x), 0, 1)
    return _trimmed(np.maximum(ink, disc.astype(ink.dtype)))


def _trimmed(ink: np.ndarray) -> np.ndarray:
    """Take away the empty columns at its sides."""
    columns = np.flatnonzero((ink > 0.15).any(0))
    return ink[:, columns[0] : columns[-1] + 1] if len(columns) else ink[:, :1]
