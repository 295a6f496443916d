"""The sheet of a data set: what stands in it, for few and many classes, grey and colour."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from twinvae.data import Images, Source
from twinvae.figures import overview


def made(classes: int, channels: int = 1, each: int = 4) -> Images:
    rng = np.random.default_rng(0)
    names = tuple(f"class_{k}" for k in range(classes))
    x = rng.integers(0, 256, (classes * each, 6, 5, channels), dtype=np.uint8)
    return Images(x, np.tile(np.arange(classes), each), names, Source("tiny", "tiny", "own"))


def test_means_and_firsts():
    images = Images(
        np.array([0, 10, 21, 7], np.uint8).reshape(4, 1, 1, 1),
        np.array([0, 2, 2, 0]),
        ("a", "b", "c"),
        Source("tiny", "tiny", "own"),
    )
    assert overview.class_means(images).ravel().tolist() == [4, 255, 16], "3.5 and 15.5 are rounded to even"
    assert overview.first_of_each(images.y, 1).tolist() == [0, 1]
    assert overview.first_of_each(images.y, 9).tolist() == [0, 3, 1, 2]


@pytest.mark.parametrize(
    ("classes", "channels", "shown"), [(2, 1, 2), (10, 3, 10), (26, 1, 26), (62, 1, 62), (100, 3, 20)]
)
def test_a_sheet_shows_every_class_or_every_fifth(classes, channels, shown):
    fig = overview.draw_sheet(made(classes, channels), per_class=2)
    sheet, counts, pixels = fig.axes
    names = [text.get_text() for text in sheet.texts]
    assert len(names) == shown and names[1] == f"class {classes // shown}"
    assert counts.get_ylabel() == "images" and [bar.get_height() for bar in counts.patches] == [4] * classes
    assert counts.patches[0].get_width() < 1, "equal counts would be one grey block"
    assert len(pixels.lines) == channels
    plt.close(fig)
