"""Pure plotting functions: each draws arrays onto the axes that it is given, and touches nothing else.

The caller makes the figure (`fig, ax = plt.subplots(...)`) and saves it. A band over seeds reaches from the
smallest to the largest seed, the line is their mean; with one seed there is a line only.
Letters in shapes: N images, K classes, S seeds, E epochs, P points of a curve, G groups, R rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from twinvae.figures import style
from twinvae.figures.grids import plot_caught as plot_caught
from twinvae.figures.grids import plot_class_grid as plot_class_grid
from twinvae.figures.grids import plot_confusion as plot_confusion
from twinvae.figures.grids import plot_frames as plot_frames
from twinvae.figures.grids import plot_image_grid as plot_image_grid
from twinvae.figures.latent import name_classes as name_classes
from twinvae.figures.latent import plot_codes as plot_codes
from twinvae.figures.latent import plot_latent as plot_latent
from twinvae.figures.latent import plot_lines as plot_lines
from twinvae.figures.latent import plot_plane as plot_plane
from twinvae.figures.latent import plot_posteriors as plot_posteriors
from twinvae.figures.latent import plot_traversal as plot_traversal
from twinvae.figures.theory import plot_activation as plot_activation
from twinvae.figures.theory import plot_formulas as plot_formulas
from twinvae.figures.theory import plot_kl_surface as plot_kl_surface
from twinvae.figures.theory import plot_rate_distortion as plot_rate_distortion


def plot_training(
    ax: Axes,
    epoch: np.ndarray,
    train: np.ndarray,
    valid: np.ndarray | None = None,
    name: str = "VAE",
    quantity: str = "negative ELBO [nats per image]",
) -> None:
    """Draw one quantity over the epochs of training, solid on training data and dashed on validation data.

    [E], [S, E] and [S, E]; call it once a model. For reconstruction and KL use one axes each.
    """
    colour = style.colour(name)
    _band(ax, epoch, train, name, colour, style.LINES["train"])
    if valid is not None:
        _band(ax, epoch, valid, "_", colour, style.LINES["valid"])  # a label '_' is not in the legend
    ax.set(xlabel="epoch", ylabel=quantity)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(title=None if valid is None else "dashed: validation")


def plot_sweep(
    ax: Axes,
    x: np.ndarray,
    values: Mapping[str, np.ndarray],
    xlabel: str,
    ylabel: str,
    baselines: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Draw a measured value against a setting, on a logarithmic axis with a tick at each setting.

    [P] (above 0), name -> [S, P], and baselines name -> [P] as dotted lines: say, the test error against
    the latent size, with PCA beside it.
    """
    x = np.asarray(x, float)
    if x.size == 0 or not (x > 0).all():
        raise ValueError(f"The settings {x.tolist()} cannot stand on a logarithmic axis: give values above 0.")
    _bands(ax, {name: (x, curve) for name, curve in values.items()})
    for name, curve in (baselines or {}).items():
        _band(ax, x, curve, name, style.COLOURS["baseline"], style.LINES["baseline"], ".")
    ax.set_xscale("log")
    ax.set_xticks(x, [f"{v:g}" for v in x])
    ax.set_xticks([], minor=True)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()


def plot_curves(ax: Axes, curves: Mapping[float | str, np.ndarray], title: str, ylabel: str) -> None:
    """Draw one curve over the epochs for each value of a setting, value -> [S, E]; `title` names the setting."""
    for (value, curve), colour in zip(curves.items(), sns.color_palette("viridis", len(curves)), strict=True):
        label = f"{value:g}" if isinstance(value, float) else str(value)
        _band(ax, 1 + np.arange(np.shape(curve)[-1]), curve, label, colour, marker="o")
    ax.set(xlabel="epoch", ylabel=ylabel)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(title=title, fontsize=7, handlelength=1, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))


def plot_race(
    ax: Axes,
    runs: Mapping[str, tuple[np.ndarray, np.ndarray]],
    xlabel: str,
    ylabel: str,
    limits: Mapping[str, float] | None = None,
) -> None:
    """Draw a measured value against time, a point at each check, name -> ([P], [S, P]); 'CVAE, ours' is dashed.

    `limits` are dotted horizontal lines, name -> value: say, what real images get.
    """
    _bands(ax, runs)
    for name, value in (limits or {}).items():
        ax.axhline(value, color=style.COLOURS["baseline"], linestyle=style.LINES["baseline"], label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()


def plot_noise(ax: Axes, noise: np.ndarray, error: Mapping[str, np.ndarray], untouched: np.ndarray) -> None:
    """Draw how far an output is from the clean image, against the noise that was added to the input.

    [P] (standard deviation, pixels in 0..1), name -> [S, P]; `untouched` [P] is the error of the noisy image
    itself: only below that line is noise taken away.
    """
    _bands(ax, {name: (noise, curve) for name, curve in error.items()})
    _band(ax, noise, untouched, "noisy image itself", style.COLOURS["baseline"], style.LINES["baseline"])
    ax.set(xlabel="noise: standard deviation (pixels 0 to 1)", ylabel="squared error to the clean image")
    ax.legend()


def _bands(ax: Axes, curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Draw curves in the colours and markers of their names, dashed for a variant such as 'CVAE, ours'."""
    for i, (name, (x, values)) in enumerate(curves.items()):
        marker = style.MARKERS.get(name.replace(",", " ").split()[0], "o")
        _band(ax, x, values, name, style.colour(name, i), "--" if "," in name else "-", marker)


def _band(
    ax: Axes, x: np.ndarray, values: np.ndarray, label: str, colour, line: str = "-", marker: str | None = None
) -> None:
    """Draw a line through the mean over seeds and a band over their range.  [P], [S, P] or [P]."""
    x, values = np.asarray(x), np.atleast_2d(np.asarray(values, float))
    if x.ndim != 1 or values.ndim != 2 or values.shape[1] != len(x):
        what = f"The curve '{label}' has shape {values.shape} for {x.shape} points"
        raise ValueError(f"{what}: give [points], or [seeds, points].")
    band = {"errorbar": ("pi", 100) if len(values) > 1 else None, "err_kws": {"linewidth": 0}}
    look = {"color": colour, "linestyle": line, "marker": marker, "markeredgecolor": colour}
    sns.lineplot(x=np.tile(x, len(values)), y=values.ravel(), label=label, legend=False, ax=ax, **band, **look)


def plot_histogram(ax: Axes, values: Mapping[str, np.ndarray], xlabel: str, bins: int = 60) -> None:
    """Draw densities of values per image, name -> [N], over common bins."""
    edges = np.histogram_bin_edges(np.concatenate([np.ravel(v) for v in values.values()]), bins)
    look = {"bins": edges, "stat": "density", "element": "step", "alpha": 0.15}
    for i, (name, v) in enumerate(values.items()):
        sns.histplot(x=np.ravel(v), label=name, color=style.colour(name, i), ax=ax, **look)
    ax.set(xlabel=xlabel, ylabel="density")
    ax.legend()


def plot_ecdf(ax: Axes, values: Mapping[str, np.ndarray], xlabel: str) -> None:
    """Draw the share of images with at most the value on the axis, name -> [N]: no bins to choose."""
    for i, (name, v) in enumerate(values.items()):
        sns.ecdfplot(x=np.ravel(v), label=name, color=style.colour(name, i), ax=ax)
    ax.set(xlabel=xlabel, ylabel="share of the images", ylim=(0, 1.01))
    ax.legend()


def plot_spectrum(ax: Axes, spectra: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Draw power against frequency, name -> (cycles per pixel [F], power [F]), without frequency 0."""
    for i, (name, (frequency, power)) in enumerate(spectra.items()):
        frequency, power = np.asarray(frequency), np.asarray(power)
        ax.plot(frequency[frequency > 0], power[frequency > 0], label=name, color=style.colour(name, i))
    ax.set_yscale("log")
    ax.set(xlabel="frequency [cycles per pixel]", ylabel="power")
    ax.legend()


def plot_units(ax: Axes, values: Mapping[str, np.ndarray], ylabel: str) -> None:
    """Draw one value for each latent unit, largest first, name -> [Z]: say, the KL of each in nats."""
    for i, (name, v) in enumerate(values.items()):
        ax.plot(1 + np.arange(len(v)), np.sort(v)[::-1], label=name, color=style.colour(name, i))
    ax.set(xlabel="latent unit, sorted", ylabel=ylabel)
    ax.legend()


def plot_bars(ax: Axes, groups: Sequence[str], series: Mapping[str, np.ndarray], ylabel: str) -> None:
    """Draw bars side by side: groups along the axis, one bar for each series, every seed as a point.

    series: name -> [G, S]. The bar is the mean over seeds, the error bar their standard deviation (S - 1);
    with one seed there is none. With one series the bars take the colours of the groups' names.
    """
    for name, v in series.items():
        if np.ndim(v) != 2 or len(v) != len(groups):
            raise ValueError(f"Series '{name}' has shape {np.shape(v)} for {len(groups)} groups: give [groups, seeds].")
    rows = [(name, g, x) for name, v in series.items() for g, seeds in enumerate(v) for x in seeds]
    long = pd.DataFrame(rows, columns=["series", "group", "value"])
    hue, names = ("group", groups) if len(series) == 1 else ("series", list(series))
    look = {"data": long, "x": "group", "y": "value", "hue": hue, "ax": ax}
    bars = {"errorbar": "sd", "capsize": 0.2 / len(series), "err_kws": {"linewidth": 0.8, "color": "black"}}
    colours = [style.colour(name, i) for i, name in enumerate(names)]
    sns.barplot(**look, **bars, palette=colours, saturation=1, alpha=0.55, legend=len(series) > 1)
    seeds = {"dodge": len(series) > 1, "jitter": False, "palette": ["black"] * len(names), "legend": False}
    sns.stripplot(**look, **seeds, size=2.5)
    ax.set_xticks(range(len(groups)), groups)
    ax.grid(axis="x", visible=False)
    ax.set(xlabel="", ylabel=ylabel)
    if len(series) > 1:
        place = {"bbox_to_anchor": (0, 1), "ncols": len(series), "borderaxespad": 0.2, "title": None}
        sns.move_legend(ax, "lower left", **place)


def plot_intervals(
    ax: Axes, names: Sequence[str], middle: np.ndarray, low: np.ndarray, high: np.ndarray, xlabel: str
) -> None:
    """Draw a value and its interval in a row for each name, first name on top; a dotted line at 0.  3 x [R]"""
    rows, colours = range(len(names)), [style.colour(name) for name in names]
    ax.hlines(rows, low, high, colors=colours, linewidth=2.5, alpha=0.5)
    ax.scatter(middle, rows, c=colours, s=16, zorder=3)
    ax.axvline(0, color=style.COLOURS["data"], linestyle=":")
    ax.set_yticks(rows, names)
    ax.grid(axis="y", visible=False)
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, ylabel="model")
