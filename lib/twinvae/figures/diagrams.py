"""Schematics drawn by code: where autoencoders belong, what they are made of, and how they generate.

Every function draws onto the axes that it is given. `size(height)` gives the figure they are meant for:
as wide as the report's text, where one unit of the axes is a tenth of an inch and every text fits its box.
"""

import itertools
from dataclasses import dataclass
from math import prod

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon
from twinvae.figures import style
from twinvae.spec import (
    Activation,
    Conv,
    ConvTranspose,
    Dense,
    Film,
    Flatten,
    GanSpec,
    GlobalMaxPool,
    Layer,
    ModelSpec,
    Reshape,
    StackSpec,
    Upsample,
    count_weights,
)

WIDTH = 10 * style.TEXT_WIDTH  # of every diagram, in its units
GREY = "#666666"


def size(height: float) -> tuple[float, float]:
    """The `figsize` of a diagram that is `height` units high."""
    return style.TEXT_WIDTH, height / 10


# name: (text, left edge, row, width, the name it branches from)
PLACE_ROWS = 8
PLACE = {
    "ml": ("machine\nlearning", 0.0, 3.5, 7.0, None),
    "supervised": ("supervised\n" r"labels: $p(y|x)$", 10.0, 0.4, 11.5, "ml"),
    "unsupervised": ("unsupervised\n" r"no labels: $p(x)$, codes", 10.0, 3.5, 11.5, "ml"),
    "reinforcement": ("reinforcement\nrewards: what to do", 10.0, 6.6, 11.5, "ml"),
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
    """Where autoencoders stand in machine learning, and what turns the AE into VAE and CVAE.

    Meant for `size(PLACE_HEIGHT)`.
    """
    _canvas(ax, PLACE_HEIGHT)
    middle = {name: PLACE_HEIGHT - 3.2 * (row + 0.5) for name, (_, _, row, _, _) in PLACE.items()}
    for name, (text, left, _, width, parent) in PLACE.items():
        lines = text.count("\n") + 1
        _box(ax, left, middle[name] - 0.3 - 0.8 * lines, width, 0.6 + 1.6 * lines, text, name)
        if parent:
            right = PLACE[parent][1] + PLACE[parent][3]
            ax.plot([right, left], [middle[parent], middle[name]], color=GREY, linewidth=0.7, zorder=0)
    for start, end, text in PLACE_STEPS:
        a, b = (40.0, middle[start]), (40.0, middle[end])
        ax.add_patch(
            FancyArrowPatch(
                a,
                b,
                connectionstyle="arc3,rad=-0.9",
                arrowstyle="-|>",
                mutation_scale=7,
                linewidth=0.8,
                color=style.COLOURS[end],
            )
        )
        ax.text(42.2, (a[1] + b[1]) / 2, text, fontsize=7, va="center", color=style.COLOURS[end])


AUTOENCODER_HEIGHT = 13.0


def draw_autoencoder(ax: Axes, kind: str = "AE") -> None:
    """An autoencoder in general: x, encoder, code, decoder, reconstruction, and what the loss compares.

    kind: 'AE'; 'VAE', whose code is drawn as mu + sigma * eps; 'CVAE', whose decoder is given y as well.
    Meant for `size(AUTOENCODER_HEIGHT)`. Raises ValueError for another kind.
    """
    if kind not in ("AE", "VAE", "CVAE"):
        raise ValueError(f"There is no schematic of '{kind}': choose 'AE', 'VAE' or 'CVAE'.")
    _canvas(ax, AUTOENCODER_HEIGHT)
    y = 7.5
    _box(ax, 0, y - 4, 3, 8, "$x$", "data")
    _trapezium(ax, 5.5, 15, y, 4, 1.6, "encoder" + ("" if kind == "AE" else "\n$q(z|x)$"), kind)
    _box(ax, 22.3, y - 1.6, 3, 3.2, "$z$", kind)
    given = {"AE": "", "VAE": "\n$p(x|z)$", "CVAE": "\n$p(x|z,y)$"}[kind]
    _trapezium(ax, 32.5, 42, y, 1.6, 4, "decoder" + given, kind)
    _box(ax, 44.7, y - 4, 3, 8, r"$\tilde{x}$", "data")
    _arrow(ax, (3, y), (5.5, y))
    _arrow(ax, (15, y), (22.3, y), "" if kind == "AE" else r"$\mu, \sigma$")
    _arrow(ax, (25.3, y), (32.5, y))
    _arrow(ax, (42, y), (44.7, y))
    if kind == "AE":
        ax.text(23.8, y + 2.1, "code", ha="center", va="bottom", fontsize=8)
    else:
        ax.text(23.8, y + 2.1, r"$z = \mu + \sigma \varepsilon$", ha="center", va="bottom", fontsize=8)
        ax.text(23.8, y - 2.1, r"KL to $p(z)$", ha="center", va="top", fontsize=8)
    if kind == "CVAE":
        _box(ax, 28, y + 2.6, 2.4, 2.4, "$y$", "data")
        _arrow(ax, (30.4, y + 3.8), (34.2, y + 2.3))
    ax.plot([1.5, 1.5, 46.2, 46.2], [y - 4, 1.3, 1.3, y - 4], color=GREY, linewidth=0.7, linestyle=":")
    ax.text(
        WIDTH / 2,
        1.3,
        r"reconstruction loss: compares $x$ and $\tilde{x}$",
        ha="center",
        va="center",
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )


GENERATION_HEIGHT = 10.0


def draw_generation(ax: Axes, z: np.ndarray, image: np.ndarray, label: str = "", kind: str = "VAE") -> None:
    """How an image is made from a code, with a real code and the image that a decoder made of it.

    [Z], of which the first 12 values are shown as cells, and [H, W, C] in 0..1; a label is a second input.
    Meant for `size(GENERATION_HEIGHT)`.
    """
    _canvas(ax, GENERATION_HEIGHT)
    cells = np.asarray(z, float).ravel()[:12]
    y, cell = 5.0, 0.72
    top = y + cell * len(cells) / 2
    ax.imshow(
        cells[:, None],
        cmap="RdBu",
        vmin=-2.5,
        vmax=2.5,
        interpolation="nearest",
        zorder=2,
        extent=(11, 12.4, top - cell * len(cells), top),
    )
    ax.text(10.4, y, "$z \\sim p(z)$", ha="right", va="center", fontsize=9)
    ax.text(11.7, 0.1, r"$\vdots$" if np.size(z) > len(cells) else "", ha="center", va="center", fontsize=7)
    _trapezium(ax, 17, 28, y, 1.8, 4.2, "decoder", kind)
    _arrow(ax, (12.4, y), (17, y))
    _arrow(ax, (28, y), (33, y))
    if label:
        ax.text(15.6, y + 4.2, f"$y =$ {label}", ha="center", va="center", fontsize=9)
        _arrow(ax, (16.8, y + 3.5), (18.8, y + 2.5))
    picture = np.repeat(image, 3, -1) if np.shape(image)[-1] == 1 else image
    ax.imshow(np.clip(picture, 0, 1), interpolation="nearest", zorder=2, extent=(33.3, 42.3, y - 4.5, y + 4.5))
    ax.set(xlim=(0, WIDTH), ylim=(0, GENERATION_HEIGHT))  # imshow moves the limits


# ---------------------------------------------------------------- architectures, from a spec


@dataclass
class Bar:
    """A layer that computes new values (or an input), and what follows it without doing so."""

    shape: tuple[int, ...]
    words: list[str]
    weights: int = 0


def architecture_height(spec: ModelSpec | GanSpec) -> float:
    """The height of `draw_architecture`, for `size`: a row more where there is a conditioner."""
    return 30.0 if spec.kind != "cgan" and spec.conditioner else 22.0


def draw_architecture(ax: Axes, spec: ModelSpec | GanSpec) -> None:
    """Every weight layer of a model from x, or a GAN's z, to what it puts out, with output shapes and numbers of weights.

    Bars are higher where more values are. Meant for `size(architecture_height(spec))`.
    """
    _canvas(ax, architecture_height(spec))
    stacks, kind, y = spec.stacks(), spec.kind.upper(), 11.0
    image = Bar(spec.image_shape, [r"$x$ or $\tilde{x}$" if spec.kind == "cgan" else "$x$"])
    before, after = _gan_bars(stacks) if spec.kind == "cgan" else _bars_around(spec, stacks)
    columns = [*before, image, *after]
    pitch = WIDTH / len(columns)
    bar_width = min(0.55 * pitch, 3.0)
    most = max(prod(c.shape) for c in columns)
    at = [(i + 0.5) * pitch for i in range(len(columns))]
    for x, column in zip(at, columns, strict=True):
        height = max(16 * (prod(column.shape) / most) ** 0.3, 13.0 if len(column.words) > 2 else 9.0)
        tint = "data" if column is image else kind
        _bar(ax, x, y, bar_width, height, column, tint)
    for a, b in itertools.pairwise(at):
        _arrow(ax, (a + bar_width / 2, y), (b - bar_width / 2, y))
    if spec.kind == "cgan":
        _gan_conditions(ax, spec, at, len(before), y, pitch)
    else:
        decoder = _bars(stacks["logits" if spec.kind == "classifier" else "decoder"])
        _conditions(ax, spec, at, len(columns) - len(decoder) - 1, y, pitch)
    ax.text(WIDTH / 2, 0.2, f"{count_weights(spec):,} weights", ha="center", va="bottom", fontsize=8)


def _bars_around(spec: ModelSpec, stacks: dict[str, StackSpec]) -> tuple[list[Bar], list[Bar]]:
    """The columns before the image, none, and after it: encoder, code, decoder or class logits."""
    decoder = _bars(stacks["logits" if spec.kind == "classifier" else "decoder"])
    if spec.kind == "classifier" or spec.output_mean == "sigmoid":
        decoder[-1].words.append("softmax" if spec.kind == "classifier" else "sigmoid")
    return [], [*_bars(stacks["encoder"]), *_code(spec, stacks), *decoder]


def _gan_bars(stacks: dict[str, StackSpec]) -> tuple[list[Bar], list[Bar]]:
    """The columns before the image, z and the generator, and after it, the discriminator."""
    generator, logit = _bars(stacks["generator"]), _bars(stacks["discriminator_logit"])
    generator[-1].words.append("sigmoid")
    logit[-1].words.append("real?")
    if "discriminator_projection" in stacks:
        logit[-1].weights += _bars(stacks["discriminator_projection"])[0].weights
    return [Bar(stacks["generator"].shape, ["$z, y$"]), *generator], [*_bars(stacks["discriminator"]), *logit]


def _code(spec: ModelSpec, stacks: dict[str, StackSpec]) -> list[Bar]:
    """The columns between encoder and decoder: the code of an AE; mu with logvar, then z, of the others."""
    if "code" in stacks:
        bars = _bars(stacks["code"])
        bars[0].words[0] = f"{'code $z$' if spec.kind == 'ae' else 'features'}: {bars[0].words[0]}"
        return bars
    weights = count_weights(spec, "mu") + count_weights(spec, "logvar")
    heads = Bar((2, spec.latent_dim), [r"$\mu$, $\log\,\sigma^2$: Dense"], weights)
    return [heads, Bar((spec.latent_dim,), [r"$z = \mu + \sigma \varepsilon$"])]


def _bars(stack: StackSpec) -> list[Bar]:
    """The bars of a stack: one for each layer that computes new values, the rest written on the last."""
    bars: list[Bar] = []
    for row in stack.walk():
        if isinstance(row.layer, (Dense, Conv, Upsample, GlobalMaxPool)):
            bars.append(Bar(row.shape_out, []))
        if not bars:  # what is done to the input itself, as a rule Flatten
            continue
        bars[-1].shape = row.shape_out if not isinstance(row.layer, Flatten) else bars[-1].shape
        bars[-1].weights += sum(prod(w.shape) for w in row.weights if w.trainable)
        if not isinstance(row.layer, (Flatten, Reshape)):
            bars[-1].words.append(_words(row.layer))
    return bars


def _words(layer: Layer) -> str:
    """A layer in a word or two."""
    if isinstance(layer, Activation):
        names = {"relu": "ReLU", "leaky_relu": f"LeakyReLU {layer.slope:g}"}
        return names.get(layer.name, layer.name)
    if isinstance(layer, Conv):
        name = "Transposed" if isinstance(layer, ConvTranspose) else "Conv"
        stride = f" / {layer.stride}" if layer.stride > 1 else ""
        return rf"{name} {layer.kernel}$\times${layer.kernel}{stride}"
    if isinstance(layer, Upsample):
        return rf"Upsample $\times$ {layer.factor}"
    return "FiLM" if isinstance(layer, Film) else type(layer).__name__


def _bar(ax: Axes, x: float, y: float, width: float, height: float, bar: Bar, name: str) -> None:
    """A bar around (x, y), its words inside, its shape and weights below."""
    _box(ax, x - width / 2, y - height / 2, width, height, "", name)
    lines = bar.words if len(bar.words) < 3 else [bar.words[0], ", ".join(bar.words[1:])]
    ax.text(x, y, "\n".join(lines), rotation=90, ha="center", va="center", fontsize=6.5)
    shape = r"$\times$".join(map(str, bar.shape))
    ax.text(x, y - height / 2 - 0.3, shape, ha="center", va="top", fontsize=6.5 if width > 2.3 else 5.5)
    if bar.weights:
        ax.text(x, y - height / 2 - 1.4, f"{bar.weights:,}", ha="center", va="top", fontsize=5.5, color=GREY)


def _conditions(ax: Axes, spec: ModelSpec, at: list[float], z: int, y: float, pitch: float) -> None:
    """Where the label y enters: at the encoder's input, at the prior, and at the decoder's."""
    top = y + 8.6
    if spec.encoder_condition != "none":
        _entry(ax, at[0] + pitch / 2, y, top, f"$y$ ({spec.encoder_condition})")
    if spec.prior == "learned":
        ax.text(at[z], y + 4.7, "$p(z|y)$", ha="center", va="bottom", fontsize=7)
    if spec.decoder_condition in ("concat", "number", "film"):
        _entry(ax, at[z] + pitch / 2, y, top, f"$y$ ({spec.decoder_condition})")
    if spec.conditioner:
        row = [Bar((spec.num_classes,), ["$y$"]), *_bars(spec.stacks()["conditioner"])]
        for i, bar in enumerate(row):
            x = at[z] + pitch * (i - len(row) + 1)
            _bar(ax, x, y + 13.8, min(0.55 * pitch, 3.0), 8, bar, "CVAE" if i else "data")
            if i:
                _arrow(ax, (x - 0.73 * pitch, y + 13.8), (x - 0.27 * pitch, y + 13.8))
        _entry(ax, at[z] + pitch / 2, y, y + 13.8, "")
        ax.plot([at[z] + 0.27 * pitch, at[z] + pitch / 2], [y + 13.8] * 2, color=GREY, linewidth=0.8)


def _gan_conditions(ax: Axes, spec: GanSpec, at: list[float], image: int, y: float, pitch: float) -> None:
    """Where the label y enters the discriminator: at its input, or at its last layer."""
    x = at[image] if spec.discriminator_condition == "planes" else at[-2]
    _entry(ax, x + pitch / 2, y, y + 8.6, f"$y$ ({spec.discriminator_condition})")


def _entry(ax: Axes, x: float, y: float, top: float, text: str) -> None:
    """An arrow from above into the line at (x, y), where two things are put side by side."""
    _arrow(ax, (x, top), (x, y + 0.4))
    ax.add_patch(Circle((x, y), 0.35, facecolor="white", edgecolor=GREY, linewidth=0.8, zorder=3))
    ax.text(x, top + 0.2, text, ha="center", va="bottom", fontsize=7)


# ---------------------------------------------------------------- what the functions share


def _canvas(ax: Axes, height: float) -> None:
    ax.set(xlim=(-0.2, WIDTH + 0.2), ylim=(-0.2, height + 0.2), aspect="equal")
    ax.set_axis_off()


def _tint(name: str) -> str:
    return style.COLOURS.get(name, GREY)


def _box(ax: Axes, left: float, bottom: float, width: float, height: float, text: str, name: str) -> None:
    """A box with rounded corners in the colour of a model, grey for anything else."""
    ax.add_patch(
        FancyBboxPatch(
            (left, bottom),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.4",
            facecolor=_tint(name) + "22",
            edgecolor=_tint(name),
            linewidth=0.8,
        )
    )
    ax.text(left + width / 2, bottom + height / 2, text, ha="center", va="center", fontsize=8)


def _trapezium(
    ax: Axes, left: float, right: float, y: float, half_left: float, half_right: float, text: str, name: str
) -> None:
    corners = [(left, y - half_left), (left, y + half_left), (right, y + half_right), (right, y - half_right)]
    ax.add_patch(Polygon(corners, facecolor=_tint(name) + "22", edgecolor=_tint(name), linewidth=0.8))
    ax.text((left + right) / 2, y, text, ha="center", va="center", fontsize=8)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], text: str = "") -> None:
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=7, linewidth=0.8, color=GREY, shrinkA=0, shrinkB=0)
    )
    if text:
        ax.text((start[0] + end[0]) / 2, start[1] + 0.5, text, ha="center", va="bottom", fontsize=8)
