"""What a data set looks like, on one figure: pictures of each class, their means, counts and pixel values."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinvae.data import Images
from twinvae.figures import plots, style

# Up to how many classes stand in so many blocks of rows; of more classes every fifth is shown.
BLOCKS = ((12, 1), (26, 2), (48, 3), (62, 4))
FEWER = 5
CHANNELS = {1: ("black",), 3: ("#EE6677", "#228833", "#4477AA")}  # red, green, blue (Tol), no model's colours


def class_means(images: Images) -> np.ndarray:
    """Return the mean image of each class, rounded.  -> uint8 [K, H, W, C]; a class without images stays white."""
    means = [
        images.x[images.y == k].mean(axis=0) if (images.y == k).any() else np.full(images.shape, 255)
        for k in range(images.num_classes)
    ]
    return np.rint(means).astype(np.uint8)


def first_of_each(y: np.ndarray, count: int) -> np.ndarray:
    """Return the positions of the first `count` images of each class, class by class.  [N] -> int [M]"""
    return np.concatenate([np.flatnonzero(y == k)[:count] for k in np.unique(y)])


def draw_sheet(images: Images, per_class: int = 3) -> Figure:
    """Draw the contact sheet (first row: means), then images a class and the histogram of the pixels."""
    classes = np.arange(0, images.num_classes, FEWER if images.num_classes > BLOCKS[-1][0] else 1)
    blocks = next(blocks for most, blocks in BLOCKS if len(classes) <= most)
    columns = -(-len(classes) // blocks)
    height = blocks * (per_class + 1.75) * style.TEXT_WIDTH / columns * images.shape[0] / images.shape[1]
    fig = plt.figure(figsize=(style.TEXT_WIDTH, height + 1.6))
    parts = fig.subplot_mosaic([["sheet", "sheet"], ["counts", "pixels"]], height_ratios=[height, 1.3])
    draw_classes(parts["sheet"], images, classes, per_class, columns)
    draw_counts(parts["counts"], images)
    draw_pixels(parts["pixels"], images.x)
    return fig


def draw_classes(ax: Axes, images: Images, classes: np.ndarray, per_class: int, columns: int) -> None:
    """Draw one column a class under its name: the mean image, then the first images of the class, unselected."""
    shown = first_of_each(images.y, per_class)
    x, y = np.concatenate([class_means(images), images.x[shown]]), np.r_[: images.num_classes, images.y[shown]]
    names = [images.class_names[k].replace("_", " ") for k in classes]
    kept = np.isin(y, classes)
    plots.plot_class_grid(ax, x[kept], np.searchsorted(classes, y[kept]), names, per_class + 1, columns)
    points = 72 * style.TEXT_WIDTH / columns
    for text in ax.texts:
        text.set_fontsize(min(8, 1.9 * points / max(map(len, names))))


def draw_counts(ax: Axes, images: Images) -> None:
    """Draw how many images each class has, in the order of the classes."""
    ax.bar(range(images.num_classes), np.bincount(images.y, minlength=images.num_classes), color="0.6")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="class number", ylabel="images")


def draw_pixels(ax: Axes, x: np.ndarray, most: int = 5_000) -> None:
    """Draw the shares of the 256 pixel values, a line a channel, over the first images.  uint8 [N, H, W, C]"""
    for channel, colour in enumerate(CHANNELS[x.shape[3]]):
        counts = np.bincount(x[:most, ..., channel].ravel(), minlength=256)
        ax.step(range(256), counts / counts.sum(), where="mid", color=colour, linewidth=0.8)
    ax.set(yscale="log", xlabel="pixel value", ylabel="share of the pixels")
    ax.yaxis.set_minor_formatter("")
