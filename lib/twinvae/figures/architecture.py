"""Architectures, drawn from a spec: a bar for each layer that computes new values."""

import itertools
from dataclasses import dataclass
from math import prod

from matplotlib.axes import Axes
from matplotlib.patches import Circle

from twinvae import spec as specs
from twinvae.figures.shapes import GREY, WIDTH, arrow, box, canvas
from twinvae.spec import GanSpec, ModelSpec, count_weights

NEW_VALUES = (specs.Dense, specs.Conv, specs.Upsample, specs.GlobalMaxPool)  # these get a bar of their own


@dataclass
class Bar:
    """A layer that computes new values (or an input), and what follows it without doing so."""

    shape: tuple[int, ...]
    words: list[str]
    weights: int = 0


def architecture_height(spec: ModelSpec | GanSpec) -> float:
    """Return the height of `draw_architecture`, for `size`: a row more where there is a conditioner."""
    return 30.0 if spec.kind != "cgan" and spec.conditioner else 22.0


def draw_architecture(ax: Axes, spec: ModelSpec | GanSpec) -> None:
    """Draw every weight layer of a model from x, or a GAN's z, to what it puts out, with shapes and numbers of weights.

    Bars are higher where more values are. Meant for `size(architecture_height(spec))`.
    Raises ValueError for a layer that it cannot name.
    """
    canvas(ax, architecture_height(spec))
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
        _bar(ax, x, y, bar_width, height, column, "data" if column is image else kind)
    for a, b in itertools.pairwise(at):
        arrow(ax, (a + bar_width / 2, y), (b - bar_width / 2, y))
    if spec.kind == "cgan":
        # the label y enters the discriminator at its input, or at its last layer
        x = at[len(before)] if spec.discriminator_condition == "planes" else at[-2]
        _entry(ax, x + pitch / 2, y, y + 8.6, f"$y$ ({spec.discriminator_condition})")
    else:
        decoder = _bars(stacks["logits" if spec.kind == "classifier" else "decoder"])
        _conditions(ax, spec, at, len(columns) - len(decoder) - 1, y, pitch)
    ax.text(WIDTH / 2, 0.2, f"{count_weights(spec):,} weights", ha="center", va="bottom", fontsize=8)


def _bars_around(spec: ModelSpec, stacks: dict[str, specs.StackSpec]) -> tuple[list[Bar], list[Bar]]:
    """Return the columns before the image, none, and after it: encoder, code, decoder or class logits."""
    decoder = _bars(stacks["logits" if spec.kind == "classifier" else "decoder"])
    if spec.kind == "classifier" or spec.output_mean == "sigmoid":
        decoder[-1].words.append("softmax" if spec.kind == "classifier" else "sigmoid")
    return [], [*_bars(stacks["encoder"]), *_code(spec, stacks), *decoder]


def _gan_bars(stacks: dict[str, specs.StackSpec]) -> tuple[list[Bar], list[Bar]]:
    """Return the columns before the image, z and the generator, and after it, the discriminator."""
    generator, logit = _bars(stacks["generator"]), _bars(stacks["discriminator_logit"])
    generator[-1].words.append("sigmoid")
    logit[-1].words.append("real?")
    if "discriminator_projection" in stacks:
        logit[-1].weights += _bars(stacks["discriminator_projection"])[0].weights
    return [Bar(stacks["generator"].shape, ["$z, y$"]), *generator], [*_bars(stacks["discriminator"]), *logit]


def _code(spec: ModelSpec, stacks: dict[str, specs.StackSpec]) -> list[Bar]:
    """Return the columns between encoder and decoder: the code of an AE; mu with logvar, then z, of the others."""
    if "code" in stacks:
        bars = _bars(stacks["code"])
        bars[0].words[0] = f"{'code $z$' if spec.kind == 'ae' else 'features'}: {bars[0].words[0]}"
        return bars
    weights = count_weights(spec, "mu") + count_weights(spec, "logvar")
    heads = Bar((2, spec.latent_dim), [r"$\mu$, $\log\,\sigma^2$: Dense"], weights)
    return [heads, Bar((spec.latent_dim,), [r"$z = \mu + \sigma \varepsilon$"])]


def _bars(stack: specs.StackSpec) -> list[Bar]:
    """Return the bars of a stack: one for each layer that computes new values, the rest written on the last."""
    bars: list[Bar] = []
    for row in stack.walk():
        words = _words(row.layer)
        if isinstance(row.layer, NEW_VALUES):
            bars.append(Bar(row.shape_out, []))
        if not bars:  # what is done to the input itself, as a rule Flatten
            continue
        bars[-1].shape = row.shape_out if not isinstance(row.layer, specs.Flatten) else bars[-1].shape
        bars[-1].weights += sum(prod(w.shape) for w in row.weights if w.trainable)
        bars[-1].words += words
    return bars


def _words(layer: specs.Layer) -> list[str]:
    """Return a layer in a word or two, nothing for a mere change of shape.  ValueError for an unknown one."""
    name = type(layer).__name__
    stride = f" / {layer.stride}" if isinstance(layer, specs.Conv) and layer.stride > 1 else ""
    match layer:
        case specs.Flatten() | specs.Reshape() | specs.Crop():
            return []
        case specs.Activation(function, slope):
            return [{"relu": "ReLU", "leaky_relu": f"LeakyReLU {slope:g}"}.get(function, function)]
        case specs.ConvTranspose():
            return [rf"Transposed {layer.kernel}$\times${layer.kernel}{stride}"]
        case specs.Conv():
            return [rf"Conv {layer.kernel}$\times${layer.kernel}{stride}"]
        case specs.Upsample():
            return [rf"Upsample $\times$ {layer.factor}"]
        case specs.Dense() | specs.GlobalMaxPool() | specs.BatchNorm() | specs.Film():
            return [{"Film": "FiLM", "AdaLN": "adaLN"}.get(name, name)]
    raise ValueError(f"A layer {name} cannot be drawn: give it words in `_words` of twinvae.figures.architecture.")


def _bar(ax: Axes, x: float, y: float, width: float, height: float, bar: Bar, name: str) -> None:
    """Draw a bar around (x, y), its words inside, its shape and weights below."""
    box(ax, x - width / 2, y - height / 2, width, height, "", name)
    words = "\n".join(bar.words if len(bar.words) < 3 else [bar.words[0], ", ".join(bar.words[1:])])
    ax.text(x, y, words, rotation=90 * (len(words) > len("$x$")), ha="center", va="center", fontsize=6.5)
    shape = r"$\times$".join(map(str, bar.shape))
    ax.text(x, y - height / 2 - 0.3, shape, ha="center", va="top", fontsize=6.5 if width > 2.3 else 5.5)
    if bar.weights:
        ax.text(x, y - height / 2 - 1.4, f"{bar.weights:,}", ha="center", va="top", fontsize=5.5, color=GREY)


def _conditions(ax: Axes, spec: ModelSpec, at: list[float], z: int, y: float, pitch: float) -> None:
    """Draw where the label y enters: at the encoder's input, at the prior, and at the decoder's."""
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
                arrow(ax, (x - 0.73 * pitch, y + 13.8), (x - 0.27 * pitch, y + 13.8))
        _entry(ax, at[z] + pitch / 2, y, y + 13.8, "")
        ax.plot([at[z] + 0.27 * pitch, at[z] + pitch / 2], [y + 13.8] * 2, color=GREY, linewidth=0.8)


def _entry(ax: Axes, x: float, y: float, top: float, text: str) -> None:
    """Draw an arrow from above into the line at (x, y), where two things are put side by side."""
    arrow(ax, (x, top), (x, y + 0.4))
    ax.add_patch(Circle((x, y), 0.35, facecolor="white", edgecolor=GREY, linewidth=0.8, zorder=3))
    ax.text(x, top + 0.2, text, ha="center", va="bottom", fontsize=7)
