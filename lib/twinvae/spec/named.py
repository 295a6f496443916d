"""The models by name: those of the reports, exactly, and our own.

A new model is one entry here; the parity suite, the weight counts and the architecture figures find it by its being there.
"""

from __future__ import annotations

from twinvae.spec.layers import Activation, BatchNorm, Conv, Dense, Flatten, Layer, one_of
from twinvae.spec.models import ModelSpec


def mlp(*units: int, activation: Activation = Activation("relu")) -> tuple[Layer, ...]:
    """Dense layers of these widths, each followed by the activation."""
    return tuple(layer for n in units for layer in (Dense(n), activation))


def _report004() -> list[ModelSpec]:
    """AE, VAE and CVAE of report 004, section 2.3: 784-512-256-128-100 and mirror, conditioner 10-16-32-64."""
    leaky = Activation("leaky_relu", 0.1)
    shared = dict(image_shape=(28, 28, 1), latent_dim=100, encoder=(Flatten(), *mlp(512, 256, 128, activation=leaky)),
                  decoder=mlp(128, 256, 512, activation=leaky), likelihood="gaussian", variance=0.5,
                  init="normal_0.01", report="004")
    return [ModelSpec("report004_ae", "ae", code_activation=leaky, **shared),
            ModelSpec("report004_vae", "vae", **shared),
            ModelSpec("report004_cvae", "cvae", num_classes=10, decoder_condition="conditioner",
                      conditioner=mlp(16, 32, 64, activation=leaky), **shared)]


def _judges() -> list[ModelSpec]:
    """Classifiers that judge samples; the code, their last hidden layer, gives the features of the metrics."""
    relu = Activation("relu")
    return [ModelSpec("judge_mnist", "classifier", (28, 28, 1), latent_dim=128, num_classes=10, decoder=(),
                      encoder=(Conv(16, bias=False), BatchNorm(), relu, Conv(32, stride=2, bias=False), BatchNorm(), relu,
                               Conv(64, stride=2, bias=False), BatchNorm(), relu), code_activation=relu)]


ZOO: dict[str, ModelSpec] = {spec.name: spec for spec in [*_report004(), *_judges()]}


def zoo(name: str) -> ModelSpec:
    """The named model.  ValueError, listing the names, if there is none such."""
    one_of("model", name, tuple(ZOO))
    return ZOO[name]
