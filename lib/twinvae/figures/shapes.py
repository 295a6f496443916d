"""What schematics are drawn of: boxes, trapezia and arrows, in units of a tenth of an inch.

Every schematic is as wide as the report's text; at the `size` of its height, each text fits its box.
"""

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch, Polygon

from twinvae.figures import style

WIDTH = 10 * style.TEXT_WIDTH  # of every schematic, in its units
GREY = "#666666"


def size(height: float) -> tuple[float, float]:
    """Return the `figsize` of a schematic that is `height` units high."""
    return style.TEXT_WIDTH, height / 10


def canvas(ax: Axes, height: float) -> None:
    """Give the axes the schematic's units, and hide them."""
    ax.set(xlim=(-0.2, WIDTH + 0.2), ylim=(-0.2, height + 0.2), aspect="equal")
    ax.set_axis_off()


def box(ax: Axes, left: float, bottom: float, width: float, height: float, text: str, name: str) -> None:
    """Draw a box with rounded corners in the colour of a model, grey for anything else."""
    shape = FancyBboxPatch((left, bottom), width, height, boxstyle="round,pad=0,rounding_size=0.4")
    _filled(ax, shape, (left + width / 2, bottom + height / 2), text, name)


def trapezium(
    ax: Axes, left: float, right: float, y: float, half_left: float, half_right: float, text: str, name: str
) -> None:
    """Draw a trapezium around the line at y, as networks are drawn that make values more or fewer."""
    corners = [(left, y - half_left), (left, y + half_left), (right, y + half_right), (right, y - half_right)]
    _filled(ax, Polygon(corners), ((left + right) / 2, y), text, name)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], text: str = "", **options) -> None:
    """Draw an arrow, with a text above its middle; options are those of FancyArrowPatch."""
    look = {"arrowstyle": "-|>", "mutation_scale": 7, "linewidth": 0.8, "color": GREY, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, **look | options))
    ax.text((start[0] + end[0]) / 2, start[1] + 0.5, text, ha="center", va="bottom", fontsize=8)


def _filled(ax: Axes, shape: Patch, middle: tuple[float, float], text: str, name: str) -> None:
    tint = style.COLOURS.get(name, GREY)
    shape.set(facecolor=tint + "22", edgecolor=tint, linewidth=0.8)
    ax.add_patch(shape)
    ax.text(*middle, text, ha="center", va="center", fontsize=8)
