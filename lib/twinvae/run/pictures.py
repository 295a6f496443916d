"""A figure with a stamp of where it comes from, and as a small picture in the notebook."""

import io
from functools import cache

import numpy as np
from IPython.display import Image, Markdown, display
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from PIL import Image as Pillow

PNG_BYTES, LEVELS = 300_000, 1  # at most; and the mean difference of 255 that is hardly seen
PNG_DPI = (200, 150, 120, 100, 80, 60)
TURN = 500  # milliseconds of a figure that is shown in turn with others
SCREEN_DPI = 147  # on which a figure of the report's text width is 700 pixels wide
STAMP_INCHES = 0.12
USUAL, EVERYTHING = "STIXGeneral", "DejaVu Sans"  # fonts that are always at hand; the second has most scripts


def stamp(fig: Figure, words: str) -> None:
    """Write words in small print under a figure."""
    from twinvae.figures import style  # only now: it imports seaborn

    height, engine = fig.get_size_inches()[1], fig.get_layout_engine()
    if engine is not None and "rect" in engine.get():
        engine.set(rect=(0, STAMP_INCHES / height, 1, 1 - STAMP_INCHES / height))
    fig.text(1, 0.01 / height, words + " ", ha="right", va="bottom", size=5, color="0.45")
    for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
        # Tick labels have no words before they are asked for, and get them again whenever they are drawn.
        if any(label.get_text() != _drawable(label.get_text()) for label in axis.get_ticklabels()):
            written = axis.get_major_formatter().format_ticks
            axis.get_major_formatter().format_ticks = lambda at, written=written: [_drawable(w) for w in written(at)]
    for text in fig.findobj(Text):
        shown = _drawable(text.get_text())
        text.set_text(shown)
        text.set_parse_math(text.get_parse_math() and _parses(shown))
        plain = not (text.get_parse_math() and "$" in shown)
        if plain and (style.MISPRINTED & set(shown) or set("".join(shown.split())) - _signs(USUAL)):
            text.set_fontfamily(EVERYTHING)


def _drawable(words: str) -> str:
    """Return words with each sign that no font at hand has spelled out, as U+6F22."""
    for sign in {sign for sign in words if not sign.isascii()} - _signs(EVERYTHING) - _signs(USUAL):
        words = words.replace(sign, f"U+{ord(sign):04X}")
    return words


@cache
def _signs(font: str) -> set[str]:
    return set(map(chr, font_manager.get_font(font_manager.findfont(font)).get_charmap()))


@cache
def _parses(words: str) -> bool:
    """Return whether all between two `$` is mathematics; in other words, as in the name of a folder, $ is a dollar."""
    try:
        for line in (line for line in words.split("\n") if "$" in line):
            MathTextParser("path").parse(line)
    except ValueError:
        return False
    return True


def show(caption: str, *figs: Figure) -> None:
    """Show a figure, or several in turn, and a caption: a screen reader finds no alternative text in JupyterLab."""
    display(Image(small_png(*figs), width=round(SCREEN_DPI * figs[0].get_size_inches()[0]), alt=caption))
    display(Markdown(f"*{caption}*"))


def small_png(*figs: Figure) -> bytes:
    """Return a PNG of less than 300 kB: with 256 colours where that is hardly seen or must be, then with fewer dots.

    Several figures, of one size, take turns in it, for ever, the last for longer.  Raises ValueError when even few dots
    are too many.
    """
    for dpi in PNG_DPI:
        full, small = [io.BytesIO() for _ in figs], io.BytesIO()
        for fig, file in zip(figs, full, strict=True):
            fig.savefig(file, format="png", dpi=dpi)
        exact = Pillow.fromarray(np.concatenate([Pillow.open(file).convert("RGB") for file in full]))
        coded, height = exact.quantize(256), exact.height // len(figs)  # one palette for all
        first, *others = (coded.crop((0, top, coded.width, top + height)) for top in range(0, coded.height, height))
        turns = {"save_all": True, "append_images": others, "duration": [TURN] * len(others) + [4 * TURN], "loop": 0}
        first.save(small, "png", optimize=True, dpi=(dpi, dpi), **(turns if others else {}))
        seen = np.abs(np.subtract(exact, coded.convert("RGB"), dtype=int)).mean() > LEVELS
        exactly = seen and not others and full[0].tell() < PNG_BYTES
        if (picture := full[0] if exactly else small).tell() < PNG_BYTES:
            return picture.getvalue()
    raise ValueError(f"a figure takes {picture.tell()} bytes at {dpi} dots an inch; show fewer images in it")
