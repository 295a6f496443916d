"""Pure plotting functions: each draws arrays onto the axes that it is given, and touches nothing else.

The caller makes the figure (`fig, ax = plt.subplots(...)`) and saves it. A band over seeds reaches from the
smallest to the largest seed, the line is their mean; with one seed there is a line only.
Letters in shapes: R rows, N images, H W C image, K classes, S seeds, E epochs, P points of a curve, G groups.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from twinvae.figures import style

# ---------------------------------------------------------------- images


def plot_image_grid(
    ax: Axes, images: np.ndarray, row_labels: Sequence[str] = (), column_labels: Sequence[str] = ()
) -> None:
    """Rows of images, say originals above reconstructions.  [R, N, H, W, C], uint8 or floats in 0..1."""
    images = _unit_images(images, 5, "[rows, columns, H, W, C]")
    rows, columns, height, width, _ = images.shape
    _show(ax, _mosaic(images), (0, columns * width, rows * height, 0))
    for labels, count, what in ((row_labels, rows, "row"), (column_labels, columns, "column")):
        if len(labels) not in (0, count):
            raise ValueError(f"{len(labels)} {what} labels were given for {count} {what}s: give one a {what}, or none.")
    for r, text in enumerate(row_labels):
        ax.text(-0.15 * width, (r + 0.5) * height, text, ha="right", va="center", fontsize=8)
    for c, text in enumerate(column_labels):
        ax.text((c + 0.5) * width, -0.1 * height, text, ha="center", va="bottom", fontsize=8)


def plot_frames(ax: Axes, framed: np.ndarray, size: tuple[int, int], colour: str) -> None:
    """Frames around some images of a `plot_image_grid`: [R, N] true where there is one, images of `size` (H, W)."""
    height, width = size
    for row, column in zip(*np.nonzero(framed), strict=True):
        ax.add_patch(
            Rectangle(
                (column * width + 0.6, row * height + 0.6),
                width - 2.2,
                height - 2.2,
                fill=False,
                edgecolor=colour,
                linewidth=1.1,
            )
        )


def plot_class_grid(
    ax: Axes, images: np.ndarray, y: np.ndarray, class_names: Sequence[str], per_class: int = 5, columns: int = 10
) -> None:
    """One column of images a class under the class's name, wrapped after `columns` classes.

    [N, H, W, C], uint8 or floats in 0..1, and [N]; of each class the first `per_class` images are shown.
    A class with fewer leaves its places white.
    """
    images, y = _unit_images(images, 4, "[N, H, W, C]"), np.asarray(y)
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
        _show(ax, _mosaic(block.swapaxes(0, 1)), (0, len(block) * width, top + per_class * height, top))
        for c, name in enumerate(class_names[start : start + columns]):
            ax.text((c + 0.5) * width, top - 0.08 * height, name, ha="center", va="bottom", fontsize=8)
    blocks = -(-len(class_names) // columns)
    ax.set(xlim=(0, min(columns, len(class_names)) * width), ylim=(blocks * pitch - 0.7 * height, -0.7 * height))


# ---------------------------------------------------------------- curves


def plot_training(
    ax: Axes,
    epoch: np.ndarray,
    train: np.ndarray,
    valid: np.ndarray | None = None,
    name: str = "VAE",
    quantity: str = "negative ELBO [nats per image]",
) -> None:
    """One quantity over the epochs of training, solid on training data and dashed on validation data.

    [E], [S, E] and [S, E]; call it once a model. For reconstruction and KL use one axes each.
    """
    colour = style.colour(name)
    _band(ax, epoch, train, name, colour, style.LINES["train"])
    if valid is not None:
        _band(ax, epoch, valid, "_", colour, style.LINES["valid"])  # a label '_' is not in the legend
    ax.set(xlabel="epoch", ylabel=quantity)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(title=None if valid is None else "dashed: validation", title_fontsize=8)


def plot_sweep(
    ax: Axes,
    x: np.ndarray,
    values: Mapping[str, np.ndarray],
    xlabel: str,
    ylabel: str,
    baselines: Mapping[str, np.ndarray] | None = None,
) -> None:
    """A measured value against a setting, on a logarithmic axis with a tick at each setting.

    [P] (above 0), name -> [S, P], and baselines name -> [P] as dotted lines: say, the test error against
    the latent size, with PCA beside it.
    """
    x = np.asarray(x, float)
    if x.size == 0 or not (x > 0).all():
        raise ValueError(f"The settings {x.tolist()} cannot stand on a logarithmic axis: give values above 0.")
    for i, (name, curve) in enumerate(values.items()):
        _band(ax, x, curve, name, style.colour(name, i), "-", style.MARKERS.get(name.split()[0], "o"))
    for name, curve in (baselines or {}).items():
        _band(ax, x, curve, name, style.COLOURS["baseline"], style.LINES["baseline"], ".")
    ax.set_xscale("log")
    ax.set_xticks(x, [f"{v:g}" for v in x])
    ax.set_xticks([], minor=True)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()


def plot_curves(ax: Axes, curves: Mapping[float | str, np.ndarray], title: str, ylabel: str) -> None:
    """One curve over the epochs for each value of a setting, value -> [S, E]; `title` names the setting."""
    for i, (value, curve) in enumerate(curves.items()):
        label = f"{value:g}" if isinstance(value, float) else str(value)
        _band(ax, 1 + np.arange(np.shape(curve)[-1]), curve, label, style.CYCLE[i % len(style.CYCLE)], marker="o")
    ax.set(xlabel="epoch", ylabel=ylabel)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(title=title, title_fontsize=8)


def plot_race(
    ax: Axes,
    runs: Mapping[str, tuple[np.ndarray, np.ndarray]],
    xlabel: str,
    ylabel: str,
    limits: Mapping[str, float] | None = None,
) -> None:
    """A measured value against time, a point at each check, name -> ([P], [S, P]); a variant, 'CVAE, ours', is dashed.

    `limits` are dotted horizontal lines, name -> value: say, what real images get.
    """
    for i, (name, (x, values)) in enumerate(runs.items()):
        line = "--" if "," in name else "-"
        _band(ax, x, values, name, style.colour(name, i), line, style.MARKERS.get(name.split(",")[0], "o"))
    for name, value in (limits or {}).items():
        ax.axhline(value, color=style.COLOURS["baseline"], linestyle=style.LINES["baseline"], label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()


def plot_log_px(
    ax: Axes, samples: np.ndarray, naive: np.ndarray, importance: np.ndarray, reference: float | None = None
) -> None:
    """Estimates of log p(x) against the number of samples of z: from the prior, and from q(z|x) with weights.

    [P], [S, P] and [S, P] in nats per image, S repeated estimates; `reference` is the best value known.
    """
    _band(ax, samples, naive, r"$z \sim p(z)$", style.COLOURS["AE"], "--", "s")
    _band(ax, samples, importance, r"$z \sim q(z|x)$, weighted", style.COLOURS["VAE"], "-", "o")
    if reference is not None:
        ax.axhline(reference, color=style.COLOURS["data"], linestyle=":", label="best value known")
    ax.set_xscale("log")
    ax.set(xlabel="samples of $z$ for each image", ylabel=r"$\log p(x)$ [nats per image]")
    ax.legend(loc="lower right")


def plot_noise(
    ax: Axes,
    noise: np.ndarray,
    error: Mapping[str, np.ndarray],
    untouched: np.ndarray | None = None,
    ylabel: str = "squared error to the clean image",
) -> None:
    """How far an output is from the clean image, against the noise that was added to the input.

    [P] (standard deviation, pixels in 0..1), name -> [S, P]; `untouched` [P] is the error of the noisy image
    itself: only below that line is noise taken away.
    """
    for i, (name, curve) in enumerate(error.items()):
        _band(ax, noise, curve, name, style.colour(name, i), "-", style.MARKERS.get(name.split()[0], "o"))
    if untouched is not None:
        _band(ax, noise, untouched, "noisy image itself", style.COLOURS["baseline"], style.LINES["baseline"])
    ax.set(xlabel="noise: standard deviation (pixels 0 to 1)", ylabel=ylabel)
    ax.legend()


def plot_activation(ax: Axes, negative_slope: float = 0.0) -> None:
    """The function max(a, slope * a) between -3 and 3: ReLU with slope 0, LeakyReLU otherwise."""
    a = np.array([-3.0, 0.0, 3.0])
    ax.plot(a, np.where(a > 0, a, negative_slope * a), color=style.CYCLE[0])
    ax.axhline(0, color="black", linewidth=0.4)
    ax.axvline(0, color="black", linewidth=0.4)
    title = f"LeakyReLU, slope {negative_slope:g} below 0" if negative_slope else "ReLU"
    ax.set(xlabel="$a$", ylabel="output", title=title, ylim=(-1, 3.1))


# ---------------------------------------------------------------- distributions and comparisons


def plot_histogram(ax: Axes, values: Mapping[str, np.ndarray], xlabel: str, bins: int = 60) -> None:
    """Densities of values per image, name -> [N], over common bins."""
    edges = np.histogram_bin_edges(np.concatenate([np.ravel(v) for v in values.values()]), bins)
    for i, (name, v) in enumerate(values.items()):
        ax.hist(np.ravel(v), edges, density=True, histtype="step", label=name, color=style.colour(name, i))
    ax.set(xlabel=xlabel, ylabel="density")
    ax.legend()


def plot_ecdf(ax: Axes, values: Mapping[str, np.ndarray], xlabel: str) -> None:
    """Share of images with at most the value on the axis, name -> [N]: no bins to choose."""
    for i, (name, v) in enumerate(values.items()):
        ax.ecdf(np.ravel(v), label=name, color=style.colour(name, i))
    ax.set(xlabel=xlabel, ylabel="share of the images", ylim=(0, 1.01))
    ax.legend()


def plot_spectrum(ax: Axes, spectra: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Power against frequency, name -> (cycles per pixel [F], power [F]), without frequency 0."""
    for i, (name, (frequency, power)) in enumerate(spectra.items()):
        frequency, power = np.asarray(frequency), np.asarray(power)
        ax.plot(frequency[frequency > 0], power[frequency > 0], label=name, color=style.colour(name, i))
    ax.set_yscale("log")
    ax.set(xlabel="frequency [cycles per pixel]", ylabel="power")
    ax.legend()


def plot_units(ax: Axes, values: Mapping[str, np.ndarray], ylabel: str) -> None:
    """One value for each latent unit, largest first, name -> [Z]: say, the KL of each in nats."""
    for i, (name, v) in enumerate(values.items()):
        ax.plot(1 + np.arange(len(v)), np.sort(v)[::-1], label=name, color=style.colour(name, i))
    ax.set(xlabel="latent unit, sorted", ylabel=ylabel)
    ax.legend()


def plot_latent(ax: Axes, z: np.ndarray, y: np.ndarray, class_names: Sequence[str]) -> None:
    """Codes in the plane, one colour a class, its name at the class's mean.  [N, 2], [N]"""
    z, y = np.asarray(z), np.asarray(y)
    if z.ndim != 2 or z.shape[1] != 2 or len(z) != len(y):
        raise ValueError(
            f"Codes of shape {z.shape} with {len(y)} labels cannot be drawn in the plane: "
            "give [images, 2] and one label an image."
        )
    ax.scatter(*z.T, s=2, c=y, cmap="turbo", vmin=0, vmax=len(class_names) - 1, linewidths=0, rasterized=True)
    for k in np.unique(y):
        ax.text(
            *z[y == k].mean(0),
            class_names[k],
            ha="center",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.6},
        )
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")


def plot_bars(ax: Axes, groups: Sequence[str], series: Mapping[str, np.ndarray], ylabel: str) -> None:
    """Bars side by side: groups along the axis, one bar for each series, every seed as a point.

    series: name -> [G, S]. The bar is the mean over seeds, the error bar their standard deviation (S - 1);
    with one seed there is none. With one series the bars take the colours of the groups' names.
    """
    width = 0.8 / len(series)
    for i, (name, v) in enumerate(series.items()):
        v = np.asarray(v, float)
        if v.ndim != 2 or len(v) != len(groups):
            raise ValueError(f"Series '{name}' has shape {v.shape} for {len(groups)} groups: give [groups, seeds].")
        at = np.arange(len(groups)) + (i - (len(series) - 1) / 2) * width
        colours = style.colour(name, i)
        if len(series) == 1:
            colours = [style.colour(group, j) for j, group in enumerate(groups)]
        spread = v.std(1, ddof=1) if v.shape[1] > 1 else None
        ax.bar(
            at,
            v.mean(1),
            0.9 * width,
            color=colours,
            alpha=0.55,
            yerr=spread,
            label=name,
            error_kw={"elinewidth": 0.8, "capsize": 2},
        )
        nudge = np.linspace(-0.15, 0.15, v.shape[1]) * width if v.shape[1] > 1 else np.zeros(1)
        ax.plot((at[:, None] + nudge).ravel(), v.ravel(), ".", color="black", markersize=3)
    ax.set_xticks(range(len(groups)), groups)
    ax.grid(axis="x", visible=False)
    ax.set_ylabel(ylabel)
    if len(series) > 1:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(series), borderaxespad=0.2)


def plot_intervals(
    ax: Axes,
    names: Sequence[str],
    middle: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    xlabel: str,
    ylabel: str = "model",
) -> None:
    """A value and its interval in a row for each name, first name on top; a dotted line at 0.  3 x [R]"""
    for row, (name, at, a, b) in enumerate(zip(names, middle, low, high, strict=True)):
        colour = style.colour(name)
        ax.plot([a, b], [row, row], color=colour, linewidth=2.5, alpha=0.5)
        ax.plot(at, row, "o", color=colour)
    ax.axvline(0, color=style.COLOURS["data"], linestyle=":")
    ax.set_yticks(range(len(names)), names)
    ax.grid(axis="y", visible=False)
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, ylabel=ylabel)


def plot_confusion(
    ax: Axes,
    matrix: np.ndarray,
    class_names: Sequence[str],
    asked: str = "label asked for",
    seen: str = "class seen by the judge",
) -> None:
    """A confusion matrix [K, K] of counts or shares, each row divided by its sum.

    The shares are written out up to 12 classes; an empty row stays white.
    """
    matrix = np.asarray(matrix, float)
    total = matrix.sum(1, keepdims=True)
    share = np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(class_names))
    ax.set_xticks(ticks, class_names)
    ax.set_yticks(ticks, class_names)
    ax.grid(False)
    ax.set(xlabel=seen, ylabel=asked)
    if len(class_names) <= 12:
        for i, j in zip(*np.nonzero(share >= 0.005), strict=True):
            ax.text(
                j,
                i,
                f"{share[i, j]:.2f}".lstrip("0"),
                ha="center",
                va="center",
                fontsize=6,
                color="white" if share[i, j] > 0.5 else "black",
            )


def plot_caught(ax: Axes, caught: pd.DataFrame) -> None:
    """Which metric (columns) catches which made-up generator (rows): a filled square, and an empty one where it is fooled."""
    rows, columns = np.nonzero(np.ones(caught.shape))
    ax.scatter(
        columns,
        rows,
        s=60,
        marker="s",
        c=np.where(caught.to_numpy().ravel(), style.CYCLE[0], "white"),
        edgecolors="0.6",
        linewidths=0.6,
    )
    ax.set_xticks(range(caught.shape[1]), caught.columns, rotation=60, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(caught.shape[0]), caught.index)
    ax.set(
        xlim=(-0.6, caught.shape[1] - 0.4),
        ylim=(caught.shape[0] - 0.4, -0.6),
        xlabel="metric",
        ylabel="made-up generator",
    )
    ax.grid(False)


# ---------------------------------------------------------------- what the functions share


def _band(
    ax: Axes, x: np.ndarray, values: np.ndarray, label: str, colour: str, line: str = "-", marker: str = ""
) -> None:
    """A line through the mean over seeds and a band over their range.  [P], [S, P] or [P]."""
    x, values = np.asarray(x), np.atleast_2d(np.asarray(values, float))
    if x.ndim != 1 or values.ndim != 2 or values.shape[1] != len(x):
        raise ValueError(
            f"The curve '{label}' has shape {values.shape} for {x.shape} points: give [points], or [seeds, points]."
        )
    ax.plot(x, values.mean(0), line, marker=marker, color=colour, label=label)
    if len(values) > 1:
        ax.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)


def _unit_images(images: np.ndarray, ndim: int, shape: str) -> np.ndarray:
    """Images as floats in 0..1 of `ndim` dimensions, C being 1 or 3."""
    images = np.asarray(images)
    if images.ndim != ndim or images.shape[-1] not in (1, 3) or images.size == 0:
        raise ValueError(
            f"Images of shape {images.shape} cannot be drawn: give {shape} with C = 1 or 3, and at least one."
        )
    images = images / 255.0 if images.dtype == np.uint8 else images.astype(float)
    if not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(
            f"Images with values from {images.min():g} to {images.max():g} cannot be drawn: "
            "give uint8, or floats in 0 to 1."
        )
    return images


def _mosaic(images: np.ndarray) -> np.ndarray:
    """One picture of a grid, white lines between.  [R, N, H, W, C] -> [R*(H+1)-1, N*(W+1)-1, 3]"""
    rows, columns, height, width, channels = images.shape
    canvas = np.ones((rows, height + 1, columns, width + 1, 3))
    canvas[:, :-1, :, :-1] = images.transpose(0, 2, 1, 3, 4)
    return canvas.reshape(rows * (height + 1), columns * (width + 1), 3)[:-1, :-1]


def _show(ax: Axes, picture: np.ndarray, extent: tuple[float, float, float, float]) -> None:
    ax.imshow(picture, interpolation="nearest", extent=extent, aspect="equal")
    ax.set_axis_off()


# ---------------------------------------------------------------- theory


def plot_formulas(
    ax: Axes,
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    xlabel: str,
    ylabel: str,
    limits: Mapping[str, float] | None = None,
) -> None:
    """Curves of formulas, told apart by line style as well as colour; `limits` are horizontal lines.

    [P], name -> [P], name -> value: say, the ELBO for several q(z|x) below the line of log p(x).
    """
    for i, (name, curve) in enumerate(curves.items()):
        line = ("-", "--", "-.", (0, (1, 1)))[i % 4]
        ax.plot(x, curve, linestyle=line, color=style.CYCLE[i % 7], label=name)
    for name, value in (limits or {}).items():
        ax.axhline(value, color=style.COLOURS["data"], linestyle=":", linewidth=0.9, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()


def plot_kl_surface(ax: Axes, mu: np.ndarray, sigma: np.ndarray, kl: np.ndarray) -> None:
    """KL(N(mu, sigma^2) || N(0, 1)) seen from above, in nats, with a dot at its zero.  [M], [P], [P, M]"""
    levels = (0.02, 0.1, 0.25, 0.5, 1, 2)
    ax.contourf(mu, sigma, kl, (0, *levels, kl.max() + 1), cmap="Blues", alpha=0.8)
    lines = ax.contour(mu, sigma, kl, levels, colors="black", linewidths=0.6)
    ax.clabel(lines, fontsize=6, fmt="%g")
    ax.plot(0, 1, "o", color=style.COLOURS["AE"])
    ax.grid(False)
    ax.set(xlabel=r"$\mu$", ylabel=r"$\sigma$")


def plot_rate_distortion(
    ax: Axes, distortion: np.ndarray, rate: np.ndarray, settings: np.ndarray, at: np.ndarray
) -> None:
    """The least rate for each distortion, and the points where a beta-VAE of each setting ends.

    [P], [P] for the curve; [G] values of beta times variance and [G, 2] their distortion and rate.
    """
    ax.fill_between(distortion, 0, rate, color="0.92", linewidth=0)
    ax.plot(distortion, rate, color=style.COLOURS["baseline"])
    ax.plot(at[:, 0], at[:, 1], "o", color=style.COLOURS["VAE"])
    for setting, (x, y) in zip(settings, at, strict=True):
        ax.annotate(f"{setting:g}", (x, y), (4, 3), textcoords="offset points", fontsize=7)
    ax.text(0.05, 0.06, "not attainable", transform=ax.transAxes, fontsize=7, color="0.4")
    ax.set(xlabel="distortion [squared error]", ylabel="rate [nats per point]", ylim=(0, None))
