"""What parity is measured on beside the zoo: small models that have, together, every layer and every way."""

from __future__ import annotations

import dataclasses

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


def random_weights(spec: ModelSpec | GanSpec) -> ModelSpec | GanSpec:
    """The same model with weights of usual size: no signal is lost in tiny initial weights."""
    return dataclasses.replace(spec, init="keras")


def small_specs() -> list[ModelSpec]:
    """Small models that have, together, every layer, likelihood, way of conditioning and prior."""
    leaky, tanh = Activation("leaky_relu", 0.2), Activation("tanh")
    # 7x5, 4x3, 3x2
    maps = (Conv(4, 3, stride=2, bias=False), BatchNorm(), leaky, Conv(5, 2, padding="valid"), tanh)
    same = (Dense(48), leaky, Reshape((4, 3, 4)), ConvTranspose(3, 4, stride=2), leaky, Conv(3, 2, padding="valid"))
    valid = (
        Dense(24),
        Reshape((3, 2, 4)),
        ConvTranspose(3, 2, padding="valid"),
        leaky,
        Upsample(2),
        Conv(3, 2, padding="valid"),
    )
    repeated = (Dense(24), Reshape((4, 3, 2)), Upsample(2), Conv(3, 4), Crop(7, 5))
    shared = dict(image_shape=(7, 5, 3), latent_dim=3, init="keras")
    labelled = dict(kind="cvae", num_classes=4) | shared
    return [
        ModelSpec("small_ae", "ae", encoder=maps, decoder=same, likelihood="gaussian", code_activation=tanh, **shared),
        ModelSpec("small_vae", "vae", encoder=maps, decoder=same, likelihood="bernoulli", **shared),
        ModelSpec(
            "small_conditioner",
            encoder=(Flatten(), *mlp(9)),
            decoder=mlp(8, activation=leaky),
            encoder_condition="concat",
            decoder_condition="conditioner",
            conditioner=mlp(6, activation=tanh),
            prior="learned",
            likelihood="continuous_bernoulli",
            **labelled,
        ),
        ModelSpec(
            "small_planes",
            encoder=maps,
            decoder=(valid[0], AdaLN(), *valid[1:4], Film(), *valid[4:]),
            encoder_condition="planes",
            decoder_condition="film",
            likelihood="discretized_logistic",
            **labelled,
        ),
        ModelSpec(
            "small_number",
            encoder=maps,
            decoder=repeated,
            encoder_condition="plane",
            decoder_condition="number",
            likelihood="bernoulli",
            **labelled,
        ),
        ModelSpec(
            "small_film",
            encoder=(*maps[:2], Film(), *maps[2:]),
            decoder=valid,
            encoder_condition="film",
            prior="learned",
            likelihood="gaussian_learned",
            **labelled,
        ),
        ModelSpec(
            "small_concat",
            encoder=maps,
            decoder=mlp(8),
            decoder_condition="concat",
            heads="one",
            kl="sample",
            likelihood="gaussian",
            variance=0.1,
            **labelled,
        ),
    ]


def small_gans() -> list[GanSpec]:
    """Small conditional GANs that have, together, every way of conditioning, and layers that only
    GANs use.
    """
    leaky = Activation("leaky_relu", 0.2)
    shared = dict(image_shape=(7, 5, 3), latent_dim=3, num_classes=4)
    up = (
        Dense(48, bias=False),
        BatchNorm(),
        leaky,
        Reshape((4, 3, 4)),
        ConvTranspose(3, 4, stride=2),
        Film(),
        leaky,
        Conv(3, 2, padding="valid"),
    )
    down, calm = (Conv(4, 3, stride=2), leaky), (SpectralConv(4, 3, stride=2), leaky)
    flat = (*mlp(6, activation=leaky), Dense(105), Reshape((7, 5, 3)))
    return [
        GanSpec("small_cgan", "cgan", generator=up, discriminator=(*down, GlobalMaxPool()), **shared),
        GanSpec(
            "small_projection",
            "cgan",
            generator=flat,
            discriminator=(*calm, BatchNorm()),
            discriminator_condition="projection",
            **shared,
        ),
    ]


def small_models() -> list[ModelSpec | GanSpec]:
    """Return all of them."""
    return [*small_specs(), *small_gans()]
