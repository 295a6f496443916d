"""A figure with a stamp of where it comes from, and as a small picture in the notebook."""

import io

import numpy as np
from IPython.display import Image, Markdown, display
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from PIL import Image as Pillow

PNG_BYTES, LEVELS = 300_000, 1  # at most; and the mean difference of 255 that is hardly seen
PNG_DPI = (200, 150, 120, 100, 80, 60)
SCREEN_DPI = 147  # on which a figure of the report's text width is 700 pixels wide
STAMP_INCHES = 0.12


def stamp(fig: Figure, words: str) -> None:
    """Write words in small print under a figure."""
    height, engine = fig.get_size_inches()[1], fig.get_layout_engine()
    if engine is not None and "rect" in engine.get():
        engine.set(rect=(0, STAMP_INCHES / height, 1, 1 - STAMP_INCHES / height))
    fig.text(1, 0.01 / height, words + " ", ha="right", va="bottom", size=5, color="0.45")
    for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
        axis.get_ticklabels()  # which have no words before they are asked for
    for text in fig.findobj(Text):
        text.set_parse_math(text.get_parse_math() and _parses(text.get_text()))


def _parses(words: str) -> bool:
    """Return whether all between two `$` is mathematics; in other words, as in the name of a folder, $ is a dollar."""
    try:
        for line in words.split("\n"):
            if "$" in line:
                MathTextParser("path").parse(line)
    except ValueError:
        return False
    return True


def show(fig: Figure, caption: str) -> None:
    """Show a figure in the notebook, its caption below it: a screen reader finds no alternative text in JupyterLab."""
    display(Image(small_png(fig), width=round(SCREEN_DPI * fig.get_size_inches()[0]), alt=caption))
    display(Markdown(f"*{caption}*"))


def small_png(fig: Figure) -> bytes:
    """Return a PNG of less than 300 kB: with 256 colours where that is hardly seen or must be, then with fewer dots.

    Raises ValueError when even few dots are too many.
    """
    for dpi in PNG_DPI:
        full, small = io.BytesIO(), io.BytesIO()
        fig.savefig(full, format="png", dpi=dpi)
        exact = Pillow.open(full).convert("RGB")
        (coded := exact.quantize(256)).save(small, "png", optimize=True, dpi=(dpi, dpi))
        seen = np.abs(np.subtract(exact, coded.convert("RGB"), dtype=int)).mean() > LEVELS
        if (picture := full if seen and full.tell() < PNG_BYTES else small).tell() < PNG_BYTES:
            return picture.getvalue()
    raise ValueError(f"a figure takes {picture.tell()} bytes at {dpi} dots an inch; show fewer images in it")
