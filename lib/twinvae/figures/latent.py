"""A latent space in pictures: codes, the prior that they are meant to fill, and what lies between them.

Letters in shapes: N images, K classes, P points of a line or of a side, R rows, H W C image, Z units of the code.
"""

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch

from twinvae.figures import grids, style

MOST = 12  # classes that a legend can name
PRIOR = {"linestyle": "--", "linewidth": 0.8}


def plot_latent(
    ax: Axes, z: np.ndarray, y: np.ndarray, class_names: Sequence[str], labels: tuple[str, str] = ("$z_1$", "$z_2$")
) -> None:
    """Draw codes in the plane, one colour a class; `name_classes` names up to MOST, else each mean does.  [N, 2], [N]

    `labels` say what the axes are, where these are not two units of the code.
    """
    z, y = np.asarray(z), np.asarray(y)
    if z.ndim != 2 or z.shape[1] != 2 or len(z) != len(y):
        what = f"Codes {z.shape} with {len(y)} labels cannot be drawn in the plane"
        raise ValueError(f"{what}: give [images, 2], one label an image.")
    colours = np.array(style.class_colours(len(class_names)))[y]
    sns.scatterplot(x=z[:, 0], y=z[:, 1], s=3, c=colours, linewidth=0, rasterized=True, legend=False, ax=ax)
    for k in np.unique(y) if len(class_names) > MOST else ():
        ax.text(*z[y == k].mean(0), class_names[k], ha="center", va="center", size=8, backgroundcolor="#fffb")
    ax.set(xlabel=labels[0], ylabel=labels[1], aspect="equal")


def name_classes(where: Figure | Axes, class_names: Sequence[str], loc: str = "outside upper center", **look) -> None:
    """Draw a legend of up to MOST classes and their colours, above a figure or in axes."""
    if len(class_names) <= MOST:
        keys = [Patch(color=colour) for colour in style.class_colours(len(class_names))]
        usual = {"ncols": len(class_names), "fontsize": 7, "handlelength": 0.7, "columnspacing": 0.8}
        where.legend(keys, class_names, loc=loc, **usual | look)


def plot_codes(fig: Figure, z: np.ndarray, y: np.ndarray, class_names: Sequence[str]) -> None:
    """Fill a figure with codes of two units, how each is distributed, and N(0, I) dashed.  [N, 2], [N]

    The circles hold 39 % and 86 % of the prior.
    """
    places = [["across", "key"], ["codes", "up"]]
    axes = fig.subplot_mosaic(places, width_ratios=(4, 1), height_ratios=(1, 4))
    plot_latent(axes["codes"], z, y, class_names)
    draw_prior(axes["codes"])
    reach = 1.05 * max(3, np.abs(z).max())
    axes["codes"].set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="auto")
    grid = np.linspace(-reach, reach, 200)
    density = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    for side, values, drawn in (("across", {"x": z[:, 0]}, (grid, density)), ("up", {"y": z[:, 1]}, (density, grid))):
        sns.kdeplot(**values, fill=True, color="0.5", linewidth=0.8, ax=axes[side])
        axes[side].plot(*drawn, color="black", **PRIOR)
        axes[side].set(xticks=[], yticks=[], xlabel="", ylabel="")
        axes[side].set(**{"xlim" if side == "across" else "ylim": (-reach, reach)})
    axes["key"].set_axis_off()
    name_classes(axes["key"], class_names, "center", ncols=2, labelspacing=0.2)


def draw_prior(ax: Axes) -> None:
    """Draw circles one and two standard deviations of N(0, I) around the origin."""
    for radius in (1, 2):
        ax.add_patch(Circle((0, 0), radius, fill=False, edgecolor="black", **PRIOR))


def plot_posteriors(ax: Axes, mu: np.ndarray, sigma: np.ndarray, y: np.ndarray, class_names: Sequence[str]) -> None:
    """Draw q(z | x) of images as ellipses of one standard deviation, in the plane of two units.  [N, 2] twice, [N]"""
    colours = np.array(style.class_colours(len(class_names)))[y]
    look = {"facecolors": "none", "edgecolors": colours, "linewidths": 0.6, "units": "xy", "angles": 0}
    ax.add_collection(EllipseCollection(*2 * sigma.T, offsets=mu, offset_transform=ax.transData, **look))
    draw_prior(ax)
    reach = 1.05 * max(2, (np.abs(mu) + sigma).max())
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")


def plot_plane(ax: Axes, images: np.ndarray, at: np.ndarray) -> None:
    """Draw what the codes of a plane decode to, [P, P, H, W, C]: image [i, j] is that of z = (at[j], at[-1 - i])."""
    side, (height, width) = len(at), images.shape[2:4]
    picture = grids.mosaic(grids.unit_images(images, 5, "[rows, columns, H, W, C]"))
    ax.imshow(picture, extent=(0, side, 0, side), aspect=height / width, interpolation="nearest")
    shown = np.linspace(0, side - 1, 5).round().astype(int)
    ax.set_xticks(shown + 0.5, [f"${at[i]:.1f}$" for i in shown])
    ax.set_yticks(shown + 0.5, [f"${at[i]:.1f}$" for i in shown])
    ax.grid(visible=False)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")


def plot_lines(ax: Axes, images: np.ndarray, starts: Sequence[str], ends: Sequence[str]) -> None:
    """Draw decoded lines between two codes, one a row, their ends named on both sides.  [R, P, H, W, C], [R], [R]"""
    grids.plot_image_grid(ax, images, starts)
    rows, points, height, width, _ = images.shape
    for r in range(rows):
        ax.text((points + 0.15) * width, (r + 0.5) * height, ends[r], ha="left", va="center", fontsize=8)


def plot_traversal(ax: Axes, images: np.ndarray, units: np.ndarray, kl: np.ndarray, at: np.ndarray) -> None:
    """Draw what a code decodes to as one unit a row takes the values `at`.  [R, P, H, W, C], [R], [R] nats, [P]"""
    rows = [f"$z_{{{unit + 1}}}$: {nats:.2f} nats" for unit, nats in zip(units, kl, strict=True)]
    grids.plot_image_grid(ax, images, rows, [f"${value:g}$" for value in at])
