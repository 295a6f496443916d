"""The layers that a model is made of, as frozen records: the shapes they map and the weights they own.

Shapes are those of one example, channels last: (H, W, C) for a map, (n,) for a vector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

ACTIVATIONS = ("relu", "leaky_relu", "tanh")
PADDINGS = ("same", "valid")


# ---------------------------------------------------------------------------------------------------- checks
def one_of(field: str, value: Any, allowed: tuple) -> None:
    """ValueError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{field} is {value!r}; allowed are {', '.join(map(repr, allowed))}")


def whole(field: str, value: Any, least: int = 1) -> None:
    """ValueError unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{field} is {value!r}; it must be a whole number of at least {least}")


def real(field: str, value: Any, above: float | None = None, least: float | None = None) -> None:
    """ValueError unless `value` is a finite number greater than `above`, or not smaller than `least`."""
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not ok or (above is not None and value <= above) or (least is not None and value < least):
        bound = f"greater than {above}" if above is not None else f"of at least {least}"
        raise ValueError(f"{field} is {value!r}; it must be a finite number {bound}")


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

    def __post_init__(self):
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

    def __post_init__(self):
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

    def __post_init__(self):
        whole("Upsample.factor", self.factor)

    def output(self, shape, condition=0):
        return (shape[0] * self.factor, shape[1] * self.factor, shape[2])


@dataclass(frozen=True)
class GlobalMaxPool(Layer):
    """The largest value of each channel.  (H, W, C) -> (C,)"""

    def output(self, shape, condition=0):
        if len(shape) != 3:
            raise ValueError(f"GlobalMaxPool gets shape {shape}; it needs a map (H, W, C)")
        return shape[2:]


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalisation over all but the last axis; moving = momentum * moving + (1 - momentum) * batch, variance biased."""

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

    def __post_init__(self):
        one_of("Activation.name", self.name, ACTIVATIONS)


@dataclass(frozen=True)
class Film(Layer):
    """Feature-wise linear modulation by the condition c: h (1 + c G^T) + c B^T, per channel  (Perez et al. 2018, Eq. 1)."""

    def weights(self, shape, condition=0):
        n = shape[-1]
        return [
            Weight("gamma", (n, condition), "weight", condition, n),
            Weight("beta", (n, condition), "weight", condition, n),
        ]


def mlp(*units: int, activation: Activation | None = None) -> tuple[Layer, ...]:
    """Return dense layers of these widths, each followed by the activation, ReLU where none is given."""
    return tuple(layer for n in units for layer in (Dense(n), activation or Activation()))


LAYERS = {
    c.__name__: c
    for c in (
        Flatten,
        Reshape,
        Dense,
        Conv,
        ConvTranspose,
        SpectralConv,
        Upsample,
        GlobalMaxPool,
        BatchNorm,
        Activation,
        Film,
    )
}


class NamedLayer(NamedTuple):
    """A layer at its place in a stack: its name there, and the shapes of one example before and after it."""

    name: str
    layer: Layer
    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...]
    weights: list[Weight]


@dataclass(frozen=True)
class StackSpec:
    """Layers one after the other, from `shape`; `condition` is the width of the condition that Film layers see."""

    name: str
    layers: tuple[Layer, ...]
    shape: tuple[int, ...]
    condition: int = 0

    def walk(self) -> list[NamedLayer]:
        """Each layer with its name ('dense1', 'dense2', 'conv1', ...) and shapes."""
        rows, shape, seen = [], tuple(self.shape), {}
        for layer in self.layers:
            kind = type(layer).__name__.lower()
            seen[kind] = seen.get(kind, 0) + 1
            after = layer.output(shape, self.condition)
            rows.append(NamedLayer(f"{kind}{seen[kind]}", layer, shape, after, layer.weights(shape, self.condition)))
            shape = after
        return rows

    @property
    def output(self) -> tuple[int, ...]:
        """The shape of one example after the last layer."""
        return self.walk()[-1].shape_out if self.layers else tuple(self.shape)


def named_weights(stacks: dict[str, StackSpec]) -> list[Weight]:
    """Every array of the stacks under its full name, 'stack.layer.weight', in their order."""
    return [
        weight._replace(name=f"{stack.name}.{row.name}.{weight.name}")
        for stack in stacks.values()
        for row in stack.walk()
        for weight in row.weights
    ]
