"""Models of published studies that ask for one thing more: a bound, free bits, an image as the condition."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from twinvae.spec.checks import one_of, real, whole
from twinvae.spec.layers import Dense
from twinvae.spec.models import ModelSpec
from twinvae.spec.stacks import StackSpec


@dataclass(frozen=True)
class BoundSpec(ModelSpec):
    """A VAE trained on k `samples` of z an image: their importance-weighted bound, or the mean of their ELBOs.

    (Burda et al. 2016, Eq. 8 and section 5)
    """

    samples: int = 1
    weighted: bool = True

    kinds = ("iwae",)

    def __post_init__(self):
        whole("samples", self.samples)
        super().__post_init__()

    @property
    def noise_dim(self) -> int:
        """Noise of one image in one training step: that of all its codes."""
        return self.samples * self.latent_dim


@dataclass(frozen=True)
class FreeBitsSpec(ModelSpec):
    """A VAE whose KL counts no unit for less than `free` nats, so that a unit in use is not driven out of it.

    (Kingma et al. 2016, Eq. 15, there for the mean over a batch; here for each image)
    """

    free: float = 0.1

    kinds = ("free_bits",)

    def __post_init__(self):
        real("free", self.free, least=0)
        super().__post_init__()


@dataclass(frozen=True)
class CompletionSpec(ModelSpec):
    """Missing quadrants of an image from the others  (Sohn et al. 2015, section 5.1).

    `quadrants` are observed: 1 the bottom left, 2 the left half, 3 all but the bottom right.  A 'completion' is a CVAE:
    q(z | whole image), p(missing | z), and p(z | observed) by a net of the encoder's layers.  A 'completer' goes from
    the observed pixels to the missing ones without chance: the baseline.
    """

    quadrants: int = 1

    kinds = ("completion", "completer")

    def __post_init__(self):
        one_of("quadrants", self.quadrants, (1, 2, 3))
        super().__post_init__()

    def _make_stacks(self) -> dict[str, StackSpec]:
        stacks = super()._make_stacks()
        if self.kind == "completion":
            prior = StackSpec("prior_net", self.encoder, (math.prod(self.image_shape),))
            heads = [StackSpec(f"prior_{head}", (Dense(self.latent_dim),), prior.output) for head in ("mu", "logvar")]
            stacks |= {stack.name: stack for stack in (prior, *heads)}
        return stacks

    def missing(self) -> list[int]:
        """The positions of the missing pixels in the flattened image, rows first, channels last."""
        height, width, channels = self.image_shape

        def left(column):
            return column < width // 2

        def bottom(row):
            return row >= height // 2

        seen = {
            1: lambda i, j: bottom(i) and left(j),
            2: lambda i, j: left(j),
            3: lambda i, j: not bottom(i) or left(j),
        }
        pixels = [(i, j) for i in range(height) for j in range(width) for _ in range(channels)]
        return [at for at, (i, j) in enumerate(pixels) if not seen[self.quadrants](i, j)]

    def of_kind(self, kind: str, **changes) -> CompletionSpec:
        """The same task for another kind of model."""
        return dataclasses.replace(self, kind=kind, **changes)
