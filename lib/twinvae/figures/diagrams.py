"""Schematics: where autoencoders belong, what they are made of, and how they generate.

Every function draws onto the axes that it is given; `size(height)` gives the figure that it is meant for.
"""

import numpy as np
from matplotlib.axes import Axes

from twinvae.figures import style
from twinvae.figures.architecture import architecture_height as architecture_height
from twinvae.figures.architecture import draw_architecture as draw_architecture
from twinvae.figures.shapes import GREY, WIDTH, arrow, box, canvas, trapezium
from twinvae.figures.shapes import size as size

# name: (text, left edge, row, width, the name it branches from)
PLACE_ROWS = 8
PLACE = {
    "ml": ("machine\nlearning", 0.0, 3.5, 7.0, None),
    "supervised": ("supervised\n" r"labels: $p(y|x)$", 10.0, 0.4, 12.5, "ml"),
    "unsupervised": ("unsupervised\n" r"no labels: $p(x)$, codes", 10.0, 3.5, 12.5, "ml"),
    "reinforcement": ("reinforcement\nrewards: what to do", 10.0, 6.6, 12.5, "ml"),
    "clustering": ("clustering", 24.0, 1.0, 8.5, "unsupervised"),
    "reduction": ("dimension\nreduction", 24.0, 2.5, 8.5, "unsupervised"),
    "generative": ("generative\nmodels", 24.0, 5.0, 8.5, "unsupervised"),
    "PCA": ("PCA", 35.5, 2.0, 4.5, "reduction"),
    "AE": ("AE", 35.5, 3.0, 4.5, "reduction"),
    "VAE": ("VAE", 35.5, 4.0, 4.5, "generative"),
    "CVAE": ("CVAE", 35.5, 5.0, 4.5, "generative"),
    "CGAN": ("CGAN", 35.5, 6.0, 4.5, "generative"),
}
PLACE_STEPS = (("AE", "VAE", "code drawn\nfrom $q(z|x)$"), ("VAE", "CVAE", "label $y$\ngiven as well"))
PLACE_HEIGHT = 3.2 * PLACE_ROWS


def draw_place(ax: Axes) -> None:
    """Draw where autoencoders stand in machine learning, and what turns the AE into VAE and CVAE.

    Meant for `size(PLACE_HEIGHT)`.
    """
    canvas(ax, PLACE_HEIGHT)
    middle = {name: PLACE_HEIGHT - 3.2 * (row + 0.5) for name, (_, _, row, _, _) in PLACE.items()}
    for name, (text, left, _, width, parent) in PLACE.items():
        lines = text.count("\n") + 1
        box(ax, left, middle[name] - 0.3 - 0.8 * lines, width, 0.6 + 1.6 * lines, text, name)
        if parent:
            right = PLACE[parent][1] + PLACE[parent][3]
            ax.plot([right, left], [middle[parent], middle[name]], color=GREY, linewidth=0.7, zorder=0)
    for start, end, text in PLACE_STEPS:
        curved = {"connectionstyle": "arc3,rad=-0.9", "color": style.COLOURS[end], "shrinkA": 2, "shrinkB": 2}
        arrow(ax, (40.0, middle[start]), (40.0, middle[end]), **curved)
        ax.text(42.2, (middle[start] + middle[end]) / 2, text, fontsize=7, va="center", color=style.COLOURS[end])


AUTOENCODER_HEIGHT = 13.0


def draw_autoencoder(ax: Axes, kind: str = "AE") -> None:
    """Draw an autoencoder in general: x, encoder, code, decoder, reconstruction, and what the loss compares.

    kind: 'AE'; 'VAE', whose code is drawn as mu + sigma * eps; 'CVAE', whose decoder is given y as well.
    Meant for `size(AUTOENCODER_HEIGHT)`. Raises ValueError for another kind.
    """
    if kind not in ("AE", "VAE", "CVAE"):
        raise ValueError(f"There is no schematic of '{kind}': choose 'AE', 'VAE' or 'CVAE'.")
    canvas(ax, AUTOENCODER_HEIGHT)
    y = 7.5
    box(ax, 0, y - 4, 3, 8, "$x$", "data")
    trapezium(ax, 5.5, 15, y, 4, 1.6, "encoder" + ("" if kind == "AE" else "\n$q(z|x)$"), kind)
    box(ax, 22.3, y - 1.6, 3, 3.2, "$z$", kind)
    given = {"AE": "", "VAE": "\n$p(x|z)$", "CVAE": "\n$p(x|z,y)$"}[kind]
    trapezium(ax, 32.5, 42, y, 1.6, 4, "decoder" + given, kind)
    box(ax, 44.7, y - 4, 3, 8, r"$\tilde{x}$", "data")
    arrow(ax, (3, y), (5.5, y))
    arrow(ax, (15, y), (22.3, y), "" if kind == "AE" else r"$\mu, \sigma$")
    arrow(ax, (25.3, y), (32.5, y))
    arrow(ax, (42, y), (44.7, y))
    above, below = ("code", "") if kind == "AE" else (r"$z = \mu + \sigma \varepsilon$", r"KL to $p(z)$")
    ax.text(23.8, y + 2.1, above, ha="center", va="bottom", fontsize=8)
    ax.text(23.8, y - 2.1, below, ha="center", va="top", fontsize=8)
    if kind == "CVAE":
        box(ax, 28, y + 2.6, 2.4, 2.4, "$y$", "data")
        arrow(ax, (30.4, y + 3.8), (34.2, y + 2.3))
    ax.plot([1.5, 1.5, 46.2, 46.2], [y - 4, 1.3, 1.3, y - 4], color=GREY, linewidth=0.7, linestyle=":")
    words = r"reconstruction loss: compares $x$ and $\tilde{x}$"
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    ax.text(WIDTH / 2, 1.3, words, ha="center", va="center", fontsize=8, bbox=white)


GENERATION_HEIGHT = 10.0


def draw_generation(ax: Axes, z: np.ndarray, image: np.ndarray, label: str = "", kind: str = "VAE") -> None:
    """Draw how an image is made from a code, with a real code and the image that a decoder made of it.

    [Z], of which the first 12 values are shown as cells, and [H, W, C] in 0..1; a label is a second input.
    Meant for `size(GENERATION_HEIGHT)`.
    """
    canvas(ax, GENERATION_HEIGHT)
    cells = np.asarray(z, float).ravel()[:12, None]
    y, half = 5.0, 0.36 * len(cells)
    column = {"cmap": "RdBu", "vmin": -2.5, "vmax": 2.5, "extent": (11, 12.4, y - half, y + half)}
    ax.imshow(cells, interpolation="nearest", zorder=2, **column)
    ax.text(10.4, y, "$z \\sim p(z)$", ha="right", va="center", fontsize=9)
    ax.text(11.7, 0.1, r"$\vdots$" if np.size(z) > len(cells) else "", ha="center", va="center", fontsize=7)
    trapezium(ax, 17, 28, y, 1.8, 4.2, "decoder", kind)
    arrow(ax, (12.4, y), (17, y))
    arrow(ax, (28, y), (33, y))
    if label:
        ax.text(15.6, y + 4.2, f"$y =$ {label}", ha="center", va="center", fontsize=9)
        arrow(ax, (16.8, y + 3.5), (18.8, y + 2.5))
    picture = np.repeat(image, 3, -1) if np.shape(image)[-1] == 1 else image
    ax.imshow(np.clip(picture, 0, 1), interpolation="nearest", zorder=2, extent=(33.3, 42.3, y - 4.5, y + 4.5))
    ax.set(xlim=(0, WIDTH), ylim=(0, GENERATION_HEIGHT))  # imshow moves the limits
