"""Stand-ins for handwriting: characters from the fonts that matplotlib ships, each a little different."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

import numpy as np

SIDE = 128
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Oblique",
    "DejaVuSans-Bold",
    "DejaVuSansMono",
    "DejaVuSerif",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralItalic",
    "STIXGeneralBol",
    "cmr10",
    "cmss10",
    "cmti10",
    "cmtt10",
    "cmb10",
)


@cache
def _font(name: str):
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), 88)


@lru_cache(maxsize=2_000)
def _glyph(character: str, font: str) -> np.ndarray:
    """The character as printed, in the middle of 128 x 128, ink 255 on 0."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = _font(font).getbbox(character)
    picture = Image.new("L", (SIDE, SIDE))
    at = ((SIDE - left - right) / 2, (SIDE - top - bottom) / 2)
    ImageDraw.Draw(picture).text(at, character, fill=255, font=_font(font))
    return np.array(picture)


def _vary(glyph: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random slant, turn, size, stroke, shift and noise."""
    import cv2

    slant, turn = rng.uniform(-0.3, 0.3), rng.uniform(-0.12, 0.12)
    scale, shift = rng.uniform(0.75, 1.1, 2), rng.uniform(-6, 6, 2)
    cosine, sine = np.cos(turn), np.sin(turn)
    matrix = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[scale[0], slant], [0, scale[1]]])
    centre = np.full(2, SIDE / 2)
    affine = np.column_stack([matrix, centre + shift - matrix @ centre])
    image = cv2.warpAffine(glyph, affine, (SIDE, SIDE))
    width = int(rng.integers(1, 6))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    image = cv2.dilate(image, kernel)
    # Smooth random displacements of a few pixels bend the strokes.
    bend = cv2.resize(rng.normal(0, 2.5, (5, 5, 2)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).astype(np.float32) + bend
    image = cv2.remap(image, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR)
    threshold = rng.normal(128, 30, (SIDE, SIDE))
    return ((image > threshold) * 255).astype(np.uint8)


def draw(characters: tuple[str, ...], count: int, seed: int, both_cases: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """`count` images of each character -> x uint8 [K * count, 128, 128], ink 255, y int64, by class.

    `both_cases` draws every second image in lower case, as EMNIST letters mixes them.
    """
    rng = np.random.default_rng(seed)
    images = []
    for character in characters:
        for at in range(count):
            shown = character.lower() if both_cases and at % 2 else character
            images.append(_vary(_glyph(shown, FONTS[rng.integers(len(FONTS))]), rng))
    return np.stack(images), np.repeat(np.arange(len(characters)), count)


def draw_small(characters: tuple[str, ...], count: int, side: int, seed: int, both_cases: bool = False):
    """As `draw`, at side x side pixels and in random order."""
    import cv2

    x, y = draw(characters, count, seed, both_cases)
    small = np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in x])
    order = np.random.default_rng(seed).permutation(len(y))
    return small[order], y[order]
