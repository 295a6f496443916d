"""Figures of formulas: curves that no run has measured."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from twinvae.figures import style


def plot_formulas(
    ax: Axes,
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    xlabel: str,
    ylabel: str,
    limits: Mapping[str, float] | None = None,
) -> None:
    """Draw curves of formulas, told apart by line style as well as colour; `limits` are horizontal lines.

    [P], name -> [P], name -> value: say, the ELBO for several q(z|x) below the line of log p(x).
    """
    for i, (name, curve) in enumerate(curves.items()):
        line = ("-", "--", "-.", (0, (1, 1)))[i % 4]
        ax.plot(x, curve, linestyle=line, color=style.colour(name, i), label=name)
    for name, value in (limits or {}).items():
        ax.axhline(value, color=style.COLOURS["data"], linestyle=":", linewidth=0.9, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()


def plot_kl_surface(ax: Axes, mu: np.ndarray, sigma: np.ndarray, kl: np.ndarray) -> None:
    """Draw KL(N(mu, sigma^2) || N(0, 1)) seen from above, in nats, with a dot at its zero.  [M], [P], [P, M]"""
    levels = (0.02, 0.1, 0.25, 0.5, 1, 2)
    ax.contourf(mu, sigma, kl, (0, *levels, kl.max() + 1), cmap="Greys", alpha=0.6)
    lines = ax.contour(mu, sigma, kl, levels, colors="black", linewidths=0.6)
    ax.clabel(lines, fontsize=6, fmt="%g")
    ax.plot(0, 1, "o", color="black")
    ax.grid(False)
    ax.set(xlabel=r"$\mu$", ylabel=r"$\sigma$")


def plot_rate_distortion(
    ax: Axes, distortion: np.ndarray, rate: np.ndarray, settings: np.ndarray, at: np.ndarray
) -> None:
    """Draw the least rate of a linear model for each distortion, and where a beta-VAE of each setting ends.

    [P], [P] for the curve; [G] values of beta times variance and [G, 2] their distortion and rate.
    """
    ax.fill_between(distortion, 0, rate, color="0.92", linewidth=0)
    ax.plot(distortion, rate, color="0.4")
    ax.plot(at[:, 0], at[:, 1], "o", color=style.COLOURS["VAE"])
    for setting, (x, y) in zip(settings, at, strict=True):
        ax.annotate(f"{setting:g}", (x, y), (4, 3), textcoords="offset points", fontsize=7)
    ax.text(0.05, 0.06, "no linear model", transform=ax.transAxes, fontsize=7, color="0.4")
    ax.set(xlabel="distortion [squared error]", ylabel="rate [nats per point]", ylim=(0, None))


def plot_activation(ax: Axes, negative_slope: float = 0.0) -> None:
    """Draw the function max(a, slope * a) between -3 and 3: ReLU with slope 0, LeakyReLU otherwise."""
    a = np.array([-3.0, 0.0, 3.0])
    ax.plot(a, np.where(a > 0, a, negative_slope * a))
    ax.axhline(0, color="black", linewidth=0.4)
    ax.axvline(0, color="black", linewidth=0.4)
    title = f"LeakyReLU, slope {negative_slope:g} below 0" if negative_slope else "ReLU"
    ax.set(xlabel="$a$", ylabel="output", title=title, ylim=(-1, 3.1))
