"""Notebook 06's figures of a race: how good samples are after so many minutes, and at the end.

`race` has the rows of all models, as in `report003_tables`; `pca` and `real` are columns of PCA per class, dotted, and
of real images, dash-dotted.
"""

from collections.abc import Sequence

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from twinvae.figures import plots
from twinvae_studies import report003_tables as tables

WORDS = {
    "frechet": "Fréchet distance",
    "class_frechet": "Fréchet distance\nwithin classes",
    "accuracy": "accuracy of samples",
    "seconds": "minutes of training",
}


def quality(race: pd.DataFrame, places: list[list[str]], pca: dict[str, float], real: dict[str, float]) -> Figure:
    """Draw columns of a race against minutes, at their places in two rows, the first of which is large."""
    fig, axes = plt.subplot_mosaic(places, figsize=(4.77, 4.8), height_ratios=(1.8, 1))
    for column, ax in axes.items():
        curves = {name: tables.curve(race, name, column) for name in race.model.unique()}
        plots.plot_race(ax, curves, WORDS["seconds"], WORDS.get(column, column), {"PCA per class": pca[column]})
        ax.axhline(real[column], color="black", linestyle="-.", linewidth=0.8, label="real images")
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter("")
        ax.set_ylim(0, None)
        ax.get_legend().remove()
    legend = fig.axes[0].get_legend_handles_labels()
    fig.legend(*legend, loc="outside upper center", ncols=3, fontsize=7)
    return fig


def ends(race: pd.DataFrame, columns: Sequence[str], pca: dict[str, float], real: dict[str, float]) -> Figure:
    """Draw four columns at the end of a race as bars, each seed a point."""
    fig, axes = plt.subplots(2, 2, figsize=(4.77, 3.6))
    groups = [name.replace(", ", "\n") for name in race.model.unique()]
    for ax, column in zip(axes.flat, columns, strict=True):
        values = tables.ends(race, column, 1 / 60 if column == "seconds" else 1)
        plots.plot_bars(ax, groups, {"end": values}, WORDS.get(column, column))
        ax.tick_params(axis="x", labelsize=7)
        if column in pca:
            ax.axhline(pca[column], color="0.45", linestyle=":")
            ax.axhline(real[column], color="black", linestyle="-.", linewidth=0.8)
    return fig
