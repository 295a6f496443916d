"""The layers that a model is made of, as frozen records: the shapes they map and the weights they own.

Shapes are those of one example, channels last: (H, W, C) for a map, (n,) for a vector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from twinvae.spec.checks import one_of, python_numbers, whole

ACTIVATIONS = ("relu", "leaky_relu", "tanh")
PADDINGS = ("same", "valid")


# ---------------------------------------------------------------------------------------------------- layers
class Weight(NamedTuple):
    """One array of a model, in PyTorch's layout; `init` is 'weight', 'bias', 'zero' or 'one'."""

    name: str
    shape: tuple[int, ...]
    init: str
    fan_in: int = 1
    fan_out: int = 1
    trainable: bool = True


@dataclass(frozen=True)
class Layer:
    """A layer maps the shape of one example to another and owns some weights."""

    def __post_init__(self):
        python_numbers(self)
        self.check()

    def check(self) -> None:
        """Raise ValueError for a field that is not allowed."""

    def output(self, shape: tuple[int, ...], condition: int = 0) -> tuple[int, ...]:
        return shape

    def weights(self, shape: tuple[int, ...], condition: int = 0) -> list[Weight]:
        return []


@dataclass(frozen=True)
class Flatten(Layer):
    """(H, W, C) -> (H * W * C,), rows first, channels last, in both twins."""

    def output(self, shape, condition=0):
        return (math.prod(shape),)


@dataclass(frozen=True)
class Reshape(Layer):
    """(H * W * C,) -> (H, W, C)."""

    shape: tuple[int, int, int]

    def output(self, shape, condition=0):
        if math.prod(shape) != math.prod(self.shape):
            raise ValueError(
                f"Reshape to {self.shape} gets {shape}: {math.prod(shape)} values; it needs {math.prod(self.shape)}"
            )
        return tuple(self.shape)


@dataclass(frozen=True)
class Dense(Layer):
    """x W^T + b, from n values to `units`."""

    units: int
    bias: bool = True

    def check(self):
        whole("Dense.units", self.units)

    def output(self, shape, condition=0):
        if len(shape) != 1:
            raise ValueError(f"Dense gets a map of shape {shape}; put Flatten() before it")
        return (self.units,)

    def weights(self, shape, condition=0):
        (n,) = shape
        weight = Weight("weight", (self.units, n), "weight", n, self.units)
        return [weight] + [Weight("bias", (self.units,), "bias", n)] * self.bias


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution (cross-correlation) of `kernel` x `kernel`; 'same' pads as TensorFlow does: 0/1 where it is odd."""

    filters: int
    kernel: int = 3
    stride: int = 1
    padding: str = "same"
    bias: bool = True

    def check(self):
        for field in ("filters", "kernel", "stride"):
            whole(f"{type(self).__name__}.{field}", getattr(self, field))
        one_of(f"{type(self).__name__}.padding", self.padding, PADDINGS)

    def size(self, n: int) -> int:
        """The side of the output map for a side of n."""
        return -(-n // self.stride) if self.padding == "same" else (n - self.kernel) // self.stride + 1

    def output(self, shape, condition=0):
        if len(shape) != 3:
            raise ValueError(f"{type(self).__name__} gets shape {shape}; it needs a map (H, W, C)")
        height, width, _ = shape
        out = (self.size(height), self.size(width), self.filters)
        if min(out) < 1:
            raise ValueError(f"{type(self).__name__} with kernel {self.kernel} does not fit a map of {height}x{width}")
        return out

    def shape_of(self, channels: int) -> tuple[int, ...]:
        return (self.filters, channels, self.kernel, self.kernel)

    def weights(self, shape, condition=0):
        channels, area = shape[2], self.kernel**2
        weight = Weight("weight", self.shape_of(channels), "weight", channels * area, self.filters * area)
        return [weight] + [Weight("bias", (self.filters,), "bias", channels * area)] * self.bias


@dataclass(frozen=True)
class ConvTranspose(Conv):
    """Transposed convolution; 'same' gives `stride` times the side, cropped as TensorFlow does."""

    def size(self, n):
        return n * self.stride + (max(self.kernel - self.stride, 0) if self.padding == "valid" else 0)

    def shape_of(self, channels):
        return (channels, self.filters, self.kernel, self.kernel)


@dataclass(frozen=True)
class SpectralConv(Conv):
    """Convolution whose weights, a matrix with a row a filter, are divided by their largest singular value, exactly.

    A map of Lipschitz constant about 1 for a GAN's discriminator  (Miyato et al. 2018, Eq. 8, there approximately).
    """


@dataclass(frozen=True)
class Upsample(Layer):
    """Each pixel repeated `factor` x `factor` times (nearest neighbour)."""

    factor: int = 2

    def check(self):
        whole("Upsample.factor", self.factor)

    def output(self, shape, condition=0):
        return (shape[0] * self.factor, shape[1] * self.factor, shape[2])


@dataclass(frozen=True)
class Crop(Layer):
    """The first `height` rows and `width` columns of a map."""

    height: int
    width: int

    def output(self, shape, condition=0):
        if len(shape) != 3 or shape[0] < self.height or shape[1] < self.width:
            raise ValueError(f"Crop to {self.height}x{self.width} gets {shape}; it needs a map at least as large")
        return (self.height, self.width, shape[2])


@dataclass(frozen=True)
class GlobalMaxPool(Layer):
    """The largest value of each channel.  (H, W, C) -> (C,)"""

    def output(self, shape, condition=0):
        if len(shape) != 3:
            raise ValueError(f"GlobalMaxPool gets shape {shape}; it needs a map (H, W, C)")
        return shape[2:]


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalisation over all but the last axis; moving = momentum * moving + (1 - momentum) * batch.

    The variance is the biased one, in the moving one too.
    """

    momentum: float = 0.99
    epsilon: float = 1e-3

    def weights(self, shape, condition=0):
        n = (shape[-1],)
        return [
            Weight("weight", n, "one"),
            Weight("bias", n, "zero"),
            Weight("running_mean", n, "zero", trainable=False),
            Weight("running_var", n, "one", trainable=False),
        ]


@dataclass(frozen=True)
class Activation(Layer):
    """A pointwise function; `slope` is leaky ReLU's, for x < 0."""

    name: str = "relu"
    slope: float = 0.1

    def check(self):
        one_of("Activation.name", self.name, ACTIVATIONS)


@dataclass(frozen=True)
class Film(Layer):
    """Modulation, feature by feature, by the condition c: h (1 + c G^T) + c B^T, per channel.

    (Perez et al. 2018, Eq. 1)
    """

    def weights(self, shape, condition=0):
        n = shape[-1]
        return [
            Weight("gamma", (n, condition), "weight", condition, n),
            Weight("beta", (n, condition), "weight", condition, n),
        ]


@dataclass(frozen=True)
class AdaLN(Film):
    """Film of the features that were first normalised at each position, over its channels  (Peebles & Xie 2023)."""

    epsilon: float = 1e-6


_ALL = (Flatten, Reshape, Dense, Conv, ConvTranspose, SpectralConv, Upsample, Crop, GlobalMaxPool, BatchNorm)
LAYERS = {layer.__name__: layer for layer in (*_ALL, Activation, Film, AdaLN)}
