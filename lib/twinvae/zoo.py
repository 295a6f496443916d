"""The models by name: those of the reports, exactly, and our own.

A new model is one entry here: the parity suite, the weight counts and the architecture figures then find it.
"""

from __future__ import annotations

from twinvae.spec.checks import one_of
from twinvae.spec.gans import GanSpec
from twinvae.spec.layers import (
    Activation,
    BatchNorm,
    Conv,
    ConvTranspose,
    Dense,
    Film,
    Flatten,
    GlobalMaxPool,
    Layer,
    Reshape,
    SpectralConv,
    Upsample,
)
from twinvae.spec.models import ModelSpec
from twinvae.spec.stacks import mlp


def _mirrored(*widths: int, **options) -> dict:
    """Dense layers of these widths from the image to the code, and back; options are those of `mlp`."""
    return dict(encoder=(Flatten(), *mlp(*widths, **options)), decoder=mlp(*widths[::-1], **options))


def _report004() -> list[ModelSpec]:
    """AE, VAE and CVAE of report 004, section 2.3: 784-512-256-128-100 and mirror, conditioner 10-16-32-64."""
    leaky = Activation("leaky_relu", 0.1)
    shared = dict(
        image_shape=(28, 28, 1),
        latent_dim=100,
        **_mirrored(512, 256, 128, activation=leaky),
        likelihood="gaussian",
        variance=0.5,
        init="normal_0.01",
        report="004",
    )
    told = dict(num_classes=10, decoder_condition="conditioner", conditioner=mlp(16, 32, 64, activation=leaky))
    return [
        ModelSpec("report004_ae", "ae", code_activation=leaky, **shared),
        ModelSpec("report004_vae", "vae", **shared),
        ModelSpec("report004_cvae", "cvae", **told, **shared),
    ]


def _report002() -> list[ModelSpec]:
    """VAE and CVAE of report 002, section 3, and VAEs of our own in the shape and size of its CVAEs.

    The report states neither the size of the code (20 here, see the sweep in notebook 04) nor the activation (ReLU).
    Its VAEs have two hidden layers and its CVAEs one; a `shallow` VAE has one too, just wide enough to have as many
    weights as the CVAE, whose label also takes weights.
    """
    shapes = {"mnist": ((28, 28, 1), (512, 256), 405), "usps": ((16, 16, 1), (128, 64), 414)}
    told = dict(num_classes=10, encoder_condition="concat", decoder_condition="concat")
    vaes, cvaes, shallow = [], [], []
    for dataset, (shape, deep, wide) in shapes.items():
        shared = dict(image_shape=shape, latent_dim=20, init="keras")
        vaes.append(ModelSpec(f"report002_vae_{dataset}", "vae", report="002", **_mirrored(*deep), **shared))
        cvaes.append(ModelSpec(f"report002_cvae_{dataset}", "cvae", report="002", **told, **_mirrored(400), **shared))
        shallow.append(ModelSpec(f"shallow_vae_{dataset}", "vae", **_mirrored(wide), **shared))
    return vaes + cvaes + shallow


def _report003() -> list[ModelSpec | GanSpec]:
    """CVAE of report 003's appendix, and the CGAN that its text compares it with, both for CIFAR-10.

    A ReLU stands before and after the encoder's normalisations, one dense layer of 2 x 110 gives mu and logvar, and the
    KL is that of the one z that was drawn, as printed.  Of the CGAN the report prints no code: this is our inference,
    the public conditional GAN example of Keras, whose variable names it uses, with the maps that 32x32x3 images and its
    138 and 13 channels need.
    """
    return [
        ModelSpec("report003_cvae", "cvae", heads="one", kl="sample", report="003", **colour_cvae(maps=32)),
        GanSpec("report003_cgan", "cgan", report="003", **colour_cgan(maps=128, dense=138)),
    ]


def colour_cvae(maps: int) -> dict:
    """Report 003's layers of a CVAE for 32x32x3 images: convolutions up from `maps`, through 6 and 3 times as many.

    The encoder keeps its 32 filters at any width: its last map is the 128 numbers from which a code of 110 is read.
    """
    relu = Activation("relu")
    down = (Conv(32, 4, 2, "valid"), relu, BatchNorm(), relu)
    larger = [layer for n in (6 * maps, 3 * maps) for layer in (Upsample(), Conv(n, 4), relu, BatchNorm())]
    up = (Dense(8 * 8 * maps), relu, Reshape((8, 8, maps)), *larger, Conv(3, 4, bias=False))
    told = dict(num_classes=10, encoder_condition="planes", decoder_condition="concat")
    return dict(image_shape=(32, 32, 3), latent_dim=110, encoder=down * 3, decoder=up, init="keras", **told)


def colour_cgan(maps: int, dense: int) -> dict:
    """The layers of report 003's CGAN for 32x32x3 images, with `maps` filters and `dense` maps from the code."""
    leaky = Activation("leaky_relu", 0.2)
    larger = (ConvTranspose(maps, 4, 2), leaky)
    generator = (Dense(8 * 8 * dense), leaky, Reshape((8, 8, dense)), *larger, *larger, Conv(3, 7))
    discriminator = (Conv(maps // 2, 3, 2), leaky, Conv(maps, 3, 2), leaky, GlobalMaxPool())
    shared = dict(image_shape=(32, 32, 3), latent_dim=128, num_classes=10, init="keras")
    return dict(generator=generator, discriminator=discriminator, **shared)


def _colour() -> list[ModelSpec | GanSpec]:
    """Report 003's pair at a quarter of the filters, for a CPU, and a better one of our own at no more multiply-adds.

    Both CVAEs have a head each for mu and logvar, and the closed KL.

    The better CVAE has a density of its own, a Gaussian with a learned variance, and no second ReLU; the better CGAN
    normalises its generator's maps and its discriminator's weights, keeps where a feature was seen, and gives the label
    by projection.
    """
    relu, leaky, norm = Activation("relu"), Activation("leaky_relu", 0.2), BatchNorm()
    cvae, cgan = colour_cvae(maps=8), colour_cgan(maps=32, dense=34)
    down = (Conv(32, 4, 2, "valid"), relu, norm)
    larger = (ConvTranspose(32, 4, 2, bias=False), norm, relu)
    generator = (Dense(8 * 8 * 34), relu, Reshape((8, 8, 34)), *larger, *larger, Conv(3, 5))
    discriminator = (*(layer for maps in (16, 32, 64) for layer in (SpectralConv(maps, 4, 2), leaky)), Flatten())
    better = dict(generator=generator, discriminator=discriminator, discriminator_condition="projection")
    return [
        ModelSpec("light_cifar_cvae", "cvae", **cvae),
        GanSpec("light_cifar_cgan", "cgan", **cgan),
        ModelSpec("better_cifar_cvae", "cvae", **cvae | dict(encoder=down * 3, likelihood="gaussian_learned")),
        GanSpec("better_cifar_cgan", "cgan", **cgan | better),
    ]


def _digits() -> list[ModelSpec | GanSpec]:
    """A CVAE and a CGAN of 28x28 digits, ours, that race on a CPU: what decodes for one generates for the other.

    The CVAE encodes with the layers with which the CGAN discriminates, there divided by their largest singular values.
    """
    relu, leaky, norm = Activation("relu"), Activation("leaky_relu", 0.2), BatchNorm()
    first, larger = (Dense(7 * 7 * 32, bias=False), Reshape((7, 7, 32))), ConvTranspose(16, 4, 2, bias=False)
    up = (*first, norm, relu, larger, norm, relu, ConvTranspose(1, 4, 2))
    encoder = (Conv(32, 4, 2), leaky, Conv(64, 4, 2), leaky, Flatten())
    discriminator = (SpectralConv(32, 4, 2), leaky, SpectralConv(64, 4, 2), leaky, Flatten())
    shared = dict(image_shape=(28, 28, 1), latent_dim=8, num_classes=10, init="keras")
    cvae = dict(encoder=encoder, decoder=up, encoder_condition="planes", decoder_condition="concat")
    cgan = dict(generator=up, discriminator=discriminator, discriminator_condition="projection")
    return [
        ModelSpec("conv_digits_cvae", "cvae", **cvae, **shared),
        GanSpec("conv_digits_cgan", "cgan", **cgan, **shared),
    ]


def _report001() -> list[ModelSpec]:
    """CVAEs of report 001's three tasks, section 1, and lighter ones of our own with the same layers, for a CPU.

    Task 1 takes the label as one number (consonant 0, vowel 1), tasks 2 and 3 one-hot.  The report leaves padding,
    initial weights and batch size open; 'same' gives the widths 28, 14, 7 and 4.
    """
    tasks = {
        1: dict(num_classes=2, encoder_condition="plane", decoder_condition="number"),
        2: dict(num_classes=24, encoder_condition="planes", decoder_condition="concat"),
        3: dict(num_classes=4, encoder_condition="planes", decoder_condition="concat"),
    }
    exact = dict(latent_dim=512, report="001", **signs(wide=128, narrow=64, maps=512))
    light = dict(latent_dim=64, **signs(wide=32, narrow=16, maps=64))
    sizes = {"report001": exact, "light": light}
    return [
        ModelSpec(f"{name}_task{task}", "cvae", **size, **told)
        for name, size in sizes.items()
        for task, told in tasks.items()
    ]


def signs(wide: int, narrow: int, maps: int) -> dict:
    """Report 001's layers for 28x28 images: convolutions of `wide`, `narrow`, `wide` filters, normalised, and back."""
    relu = Activation("relu")
    down = [layer for filters in (wide, narrow, wide) for layer in (Conv(filters, 3, 2), relu, BatchNorm())]
    larger = [layer for filters in (wide, narrow) for layer in (ConvTranspose(filters, 3, 2), relu)]
    up = (Dense(7 * 7 * maps), Reshape((7, 7, maps)), *larger, ConvTranspose(1, 3))
    return dict(image_shape=(28, 28, 1), encoder=tuple(down), decoder=up, init="keras")


def _burda() -> list[ModelSpec]:
    """The VAE with one stochastic layer of Burda et al. 2016, section 5: 784-200-200-50 and mirror, tanh."""
    stacks = _mirrored(200, 200, activation=Activation("tanh"))
    return [ModelSpec("vae_200_200", "vae", (28, 28, 1), latent_dim=50, init="keras", **stacks)]


def _report000() -> list[ModelSpec]:
    """A CVAE for 28x28 characters in place of report 000's, of which no size is stated: ours, chosen by a small sweep.

    784-480-256-16 and mirror, ReLU.  The encoder takes the label beside the pixels, the decoder by Film at both
    hidden layers: with 36 classes, concatenation alone leaves the class in z for many epochs, and a z drawn from the
    prior is then seldom what the label says.
    """
    relu = Activation("relu")
    decoder = tuple(layer for n in (256, 480) for layer in (Dense(n), Film(), relu))
    told = dict(num_classes=36, encoder_condition="concat", decoder_condition="film")
    stacks = dict(encoder=(Flatten(), *mlp(480, 256)), decoder=decoder)
    return [ModelSpec("report000_cvae", "cvae", (28, 28, 1), 16, init="keras", report="000", **told, **stacks)]


def _judges() -> list[ModelSpec]:
    """Classifiers that judge samples; the code, their last hidden layer, gives the features of the metrics."""

    def convolutions(*maps: tuple[int, int]) -> tuple[Layer, ...]:
        """Convolutions of 3x3 with these maps and strides, each normalised and rectified."""
        after = (BatchNorm(), Activation("relu"))
        return tuple(layer for n, stride in maps for layer in (Conv(n, stride=stride, bias=False), *after))

    shared = dict(latent_dim=128, num_classes=10, decoder=(), code_activation=Activation("relu"))
    colour = convolutions((32, 1), (32, 2), (64, 1), (64, 2), (128, 2))
    return [
        ModelSpec("judge_mnist", "classifier", (28, 28, 1), encoder=convolutions((16, 1), (32, 2), (64, 2)), **shared),
        ModelSpec("judge_cifar10", "classifier", (32, 32, 3), encoder=colour, **shared),
    ]


FAMILIES = (_report004, _judges, _report002, _burda, _report003, _colour, _digits, _report001, _report000)
ZOO: dict[str, ModelSpec | GanSpec] = {spec.name: spec for family in FAMILIES for spec in family()}


def get(name: str) -> ModelSpec | GanSpec:
    """The named model.  ValueError, listing the names, if there is none such."""
    one_of("model", name, tuple(ZOO))
    return ZOO[name]
