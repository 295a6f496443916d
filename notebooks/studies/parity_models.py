"""What parity is measured on beside the zoo: small models that have, together, every layer and every way."""

import dataclasses
from functools import partial

from twinvae.spec import (
    Activation,
    AdaLN,
    BatchNorm,
    Conv,
    ConvTranspose,
    Crop,
    Dense,
    Film,
    Flatten,
    GanSpec,
    GlobalMaxPool,
    ModelSpec,
    Reshape,
    SpectralConv,
    Upsample,
    mlp,
)

LEAKY, TANH = Activation("leaky_relu", 0.2), Activation("tanh")
SHARED = dict(image_shape=(7, 5, 3), latent_dim=3)


def random_weights(spec: ModelSpec | GanSpec) -> ModelSpec | GanSpec:
    """Return the same model with weights of usual size: no signal is lost in tiny initial weights."""
    return dataclasses.replace(spec, init="keras")


def small_specs() -> list[ModelSpec]:
    """Return small models that have, together, every layer, likelihood, way of conditioning and prior."""
    maps = (Conv(4, 3, stride=2, bias=False), BatchNorm(), LEAKY, Conv(5, 2, padding="valid"), TANH)  # 7x5, 4x3, 3x2
    same = (Dense(48), LEAKY, Reshape((4, 3, 4)), ConvTranspose(3, 4, stride=2), LEAKY, Conv(3, 2, padding="valid"))
    grown = (Dense(24), Reshape((3, 2, 4)), ConvTranspose(3, 2, padding="valid"), LEAKY)
    valid = (Upsample(2), Conv(3, 2, padding="valid"))
    film = (*maps[:2], Film(), *maps[2:])
    both = (grown[0], AdaLN(), *grown[1:], Film(), *valid)
    repeated = (Dense(24), Reshape((4, 3, 2)), Upsample(2), Conv(3, 4), Crop(7, 5))
    printed = dict(heads="one", kl="sample", variance=0.1)  # as report 003 has it
    small = partial(ModelSpec, init="keras", **SHARED)

    def conditional(name: str, encoder_condition: str, decoder_condition: str, likelihood: str, **more) -> ModelSpec:
        how = dict(encoder_condition=encoder_condition, decoder_condition=decoder_condition, likelihood=likelihood)
        return small(f"small_{name}", "cvae", num_classes=4, **how | more)

    conditioner = dict(
        encoder=(Flatten(), *mlp(9)), decoder=mlp(8, activation=LEAKY), conditioner=mlp(6, activation=TANH)
    )
    return [
        small("small_ae", "ae", encoder=maps, decoder=same, likelihood="gaussian", code_activation=TANH),
        small("small_vae", "vae", encoder=maps, decoder=same, likelihood="bernoulli"),
        conditional("conditioner", "concat", "conditioner", "continuous_bernoulli", prior="learned", **conditioner),
        conditional("planes", "planes", "film", "discretized_logistic", encoder=maps, decoder=both),
        conditional("number", "plane", "number", "bernoulli", encoder=maps, decoder=repeated),
        conditional("film", "film", "none", "gaussian_learned", prior="learned", encoder=film, decoder=grown + valid),
        conditional("concat", "none", "concat", "gaussian", encoder=maps, decoder=mlp(8), **printed),
    ]


def small_gans() -> list[GanSpec]:
    """Return small conditional GANs that have, together, every way of conditioning, and layers that only GANs use."""
    grown = (Dense(48, bias=False), BatchNorm(), LEAKY, Reshape((4, 3, 4)), ConvTranspose(3, 4, stride=2))
    up = (*grown, Film(), LEAKY, Conv(3, 2, padding="valid"))
    down = (Conv(4, 3, stride=2), LEAKY, GlobalMaxPool())
    flat = (*mlp(6, activation=LEAKY), Dense(105), Reshape((7, 5, 3)))
    calm = (SpectralConv(4, 3, stride=2), LEAKY, BatchNorm())
    small = partial(GanSpec, kind="cgan", num_classes=4, **SHARED)
    return [
        small("small_cgan", generator=up, discriminator=down),
        small("small_projection", generator=flat, discriminator=calm, discriminator_condition="projection"),
    ]


def small_models() -> list[ModelSpec | GanSpec]:
    """Return all of them."""
    return [*small_specs(), *small_gans()]
