"""What a conditional GAN is: a frozen dataclass of the same layers and stacks as the other models."""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass

from twinvae.spec.checks import one_of, python_numbers, whole
from twinvae.spec.layers import Dense, Layer, Weight
from twinvae.spec.resizing import for_maps, to_maps
from twinvae.spec.stacks import StackSpec, named_weights

DISCRIMINATOR_CONDITIONS = ("planes", "projection")


@dataclass(frozen=True)
class GanSpec:
    """A conditional GAN  (Mirza & Osindero 2014).

    `generator` runs from z with y beside it, [Z + K], to the logits of the image's pixels, x_fake = sigmoid(x_logits);
    `discriminator` from the image to the features from which a dense layer reads the logit that it is real.  The label
    enters the discriminator as K one-hot 'planes' beside the image's channels, or by 'projection': the features'
    product with a vector of the class, added to the logit  (Miyato & Koyama 2018, Eq. 3).  Film layers see y, too.
    """

    name: str
    kind: str
    image_shape: tuple[int, int, int]
    latent_dim: int
    num_classes: int
    generator: tuple[Layer, ...]
    discriminator: tuple[Layer, ...]
    discriminator_condition: str = "planes"
    init: str = "keras"
    report: str = ""  # the report that it reproduces: '000' to '004'; '' for our own

    def __post_init__(self):
        python_numbers(self)
        one_of("kind", self.kind, ("cgan",))
        whole("latent_dim", self.latent_dim)
        whole("num_classes", self.num_classes, least=2)
        one_of("discriminator_condition", self.discriminator_condition, DISCRIMINATOR_CONDITIONS)
        one_of("init", self.init, ("normal_0.01", "keras", "torch"))
        made = self.stacks()["generator"].output
        if made != tuple(self.image_shape):
            raise ValueError(f"the generator ends in shape {made}; it must be the image's, {self.image_shape}")

    @property
    def noise_dim(self) -> int:
        """Noise of one image in one training step: a code for the discriminator's part, another for the generator's."""
        return 2 * self.latent_dim

    def stacks(self) -> dict[str, StackSpec]:
        """Return every stack of layers of the model, by name, in the order in which weights are drawn and saved."""
        return self._stacks

    @functools.cached_property
    def _stacks(self) -> dict[str, StackSpec]:
        height, width, channels = self.image_shape
        k, planes = self.num_classes, self.discriminator_condition == "planes"
        seen = (height, width, channels + k * planes)
        discriminator = StackSpec("discriminator", self.discriminator, seen, k)
        features = math.prod(discriminator.output)
        stacks = [
            StackSpec("generator", self.generator, (self.latent_dim + k,), k),
            discriminator,
            StackSpec("discriminator_logit", (Dense(1),), (features,)),
        ]
        stacks += [StackSpec("discriminator_projection", (Dense(features, bias=False),), (k,))] * (not planes)
        return {stack.name: stack for stack in stacks}

    def weights(self) -> list[Weight]:
        """Every array of the model under its full name, 'stack.layer.weight', in the order of `stacks`."""
        return named_weights(self.stacks())

    def for_images(self, image_shape: tuple[int, int, int], num_classes: int) -> GanSpec:
        """Return the same model, its layers fitted, for images of another shape and another number of classes."""
        shape = tuple(map(int, image_shape))
        return dataclasses.replace(
            self,
            image_shape=shape,
            num_classes=num_classes,
            generator=to_maps(self.generator, self.image_shape, shape),
            discriminator=for_maps(self.discriminator, shape),
        )
