"""Grids: of images, in rows and columns or a column a class, and of numbers, as heat maps.

Letters in shapes: R rows, N images, H W C image, K classes.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle


def plot_image_grid(
    ax: Axes, images: np.ndarray, row_labels: Sequence[str] = (), column_labels: Sequence[str] = ()
) -> None:
    """Draw rows of images, say originals above reconstructions.  [R, N, H, W, C], uint8 or floats in 0..1."""
    images = unit_images(images, 5, "[rows, columns, H, W, C]")
    rows, columns, height, width, _ = images.shape
    _show(ax, mosaic(images), (0, columns * width, rows * height, 0))
    for labels, count, what in ((row_labels, rows, "row"), (column_labels, columns, "column")):
        if len(labels) not in (0, count):
            raise ValueError(f"{len(labels)} {what} labels were given for {count} {what}s: give one a {what}, or none.")
    for r, text in enumerate(row_labels):
        ax.text(-0.15 * width, (r + 0.5) * height, text, ha="right", va="center", fontsize=8)
    for c, text in enumerate(column_labels):
        ax.text((c + 0.5) * width, -0.1 * height, text, ha="center", va="bottom", fontsize=8)


def plot_frames(ax: Axes, framed: np.ndarray, size: tuple[int, int], colour: str) -> None:
    """Draw frames around images of a `plot_image_grid`: [R, N] true where there is one, images of `size` (H, W)."""
    height, width = size
    for row, column in zip(*np.nonzero(framed), strict=True):
        corner = (column * width + 0.6, row * height + 0.6)
        ax.add_patch(Rectangle(corner, width - 2.2, height - 2.2, fill=False, edgecolor=colour, linewidth=1.1))


def plot_class_grid(
    ax: Axes, images: np.ndarray, y: np.ndarray, class_names: Sequence[str], per_class: int = 5, columns: int = 10
) -> None:
    """Draw one column of images a class under the class's name, wrapped after `columns` classes.

    [N, H, W, C], uint8 or floats in 0..1, and [N]; of each class the first `per_class` images are shown.
    A class with fewer leaves its places white.
    """
    images, y = unit_images(images, 4, "[N, H, W, C]"), np.asarray(y)
    if len(y) != len(images):
        raise ValueError(f"{len(y)} labels were given for {len(images)} images: give one an image.")
    height, width, channels = images.shape[1:]
    cells = np.ones((len(class_names), per_class, height, width, channels))
    for k in range(len(class_names)):
        found = images[y == k][:per_class]
        cells[k, : len(found)] = found
    pitch = (per_class + 0.75) * height  # a block of rows and the line of names above it
    for start in range(0, len(class_names), columns):
        block, top = cells[start : start + columns], start // columns * pitch
        _show(ax, mosaic(block.swapaxes(0, 1)), (0, len(block) * width, top + per_class * height, top))
        for c, name in enumerate(class_names[start : start + columns]):
            ax.text((c + 0.5) * width, top - 0.08 * height, name, ha="center", va="bottom", fontsize=8)
    blocks = -(-len(class_names) // columns)
    ax.set(xlim=(0, min(columns, len(class_names)) * width), ylim=(blocks * pitch - 0.7 * height, -0.7 * height))


def plot_confusion(
    ax: Axes,
    matrix: np.ndarray,
    class_names: Sequence[str],
    asked: str = "label asked for",
    seen: str = "class seen by the judge",
) -> None:
    """Draw a confusion matrix [K, K] of counts or shares, each row divided by its sum.

    The shares are written out up to 12 classes; an empty row stays white.
    """
    matrix = np.asarray(matrix, float)
    total = matrix.sum(1, keepdims=True)
    share = np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)
    few = len(class_names) <= 12
    written = np.where(share >= 0.005, np.char.lstrip(np.char.mod("%.2f", share), "0"), "") if few else None
    text = {"annot": written, "fmt": "", "annot_kws": {"fontsize": 6}}
    names = {"xticklabels": class_names, "yticklabels": class_names}
    sns.heatmap(share, cmap="Greys", vmin=0, vmax=1, cbar=False, square=True, rasterized=True, ax=ax, **text, **names)
    ax.tick_params(labelsize=8 if few else 6, labelrotation=0)
    ax.spines[:].set(visible=True, color="0.6")
    ax.set(xlabel=seen, ylabel=asked)


def plot_caught(ax: Axes, caught: pd.DataFrame) -> None:
    """Draw which metric (columns) catches which made-up generator (rows): a filled square; empty where it is fooled."""
    look = {"cmap": ["white", "0.4"], "vmin": 0, "vmax": 1, "cbar": False, "square": True}
    sns.heatmap(caught.astype(int), linewidths=0.6, linecolor="0.6", ax=ax, **look)
    ax.set_xticks(ax.get_xticks(), caught.columns, rotation=60, ha="right", rotation_mode="anchor")
    ax.spines[:].set(visible=True, color="0.6")
    ax.set(xlabel="metric", ylabel="made-up generator")


def unit_images(images: np.ndarray, ndim: int, shape: str) -> np.ndarray:
    """Return images as floats in 0..1 of `ndim` dimensions.  ValueError unless they are, with C of 1 or 3."""
    images = np.asarray(images)
    if images.ndim != ndim or images.shape[-1] not in (1, 3) or images.size == 0:
        what = f"Images of shape {images.shape} cannot be drawn"
        raise ValueError(f"{what}: give {shape} with C = 1 or 3, and at least one.")
    images = images / 255.0 if images.dtype == np.uint8 else images.astype(float)
    if not (images.min() >= 0 and images.max() <= 1):
        what = f"Images with values from {images.min():g} to {images.max():g} cannot be drawn"
        raise ValueError(f"{what}: give uint8, or floats in 0 to 1.")
    return images


def mosaic(images: np.ndarray) -> np.ndarray:
    """Return one picture of a grid, white lines between.  [R, N, H, W, C] -> [R*(H+1)-1, N*(W+1)-1, 3]"""
    rows, columns, height, width, _ = images.shape
    canvas = np.ones((rows, height + 1, columns, width + 1, 3))
    canvas[:, :-1, :, :-1] = images.transpose(0, 2, 1, 3, 4)
    return canvas.reshape(rows * (height + 1), columns * (width + 1), 3)[:-1, :-1]


def _show(ax: Axes, picture: np.ndarray, extent: tuple[float, float, float, float]) -> None:
    ax.imshow(picture, interpolation="nearest", extent=extent, aspect="equal")
    ax.set_axis_off()
