"""Layers one after the other, each with its name, its shapes and its weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

from twinvae.spec.layers import Activation, Conv, Dense, Layer, Upsample, Weight


def mlp(*units: int, activation: Activation | None = None) -> tuple[Layer, ...]:
    """Return dense layers of these widths, each followed by the activation, ReLU where none is given."""
    return tuple(layer for n in units for layer in (Dense(n), activation or Activation()))


class NamedLayer(NamedTuple):
    """A layer at its place in a stack: its name there, and the shapes of one example before and after it.

    `repeats` is the factor of an Upsample layer just before a convolution that works off its phases: the twins then
    compute both in one step, from the map before they are repeated.
    """

    name: str
    layer: Layer
    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...]
    weights: list[Weight]
    repeats: int = 1


@dataclass(frozen=True)
class StackSpec:
    """Layers one after the other, from `shape`; `condition` is the width of the condition that Film layers see."""

    name: str
    layers: tuple[Layer, ...]
    shape: tuple[int, ...]
    condition: int = 0

    def walk(self) -> list[NamedLayer]:
        """Return each layer with its name ('dense1', 'dense2', 'conv1', ...) and shapes."""
        return self._rows

    @functools.cached_property
    def _rows(self) -> list[NamedLayer]:
        rows, shape, seen, before = [], tuple(self.shape), {}, None
        for layer in self.layers:
            kind = type(layer).__name__.lower()
            seen[kind] = seen.get(kind, 0) + 1
            after = layer.output(shape, self.condition)
            weights = layer.weights(shape, self.condition)
            repeats = before.factor if isinstance(before, Upsample) and in_phases(layer) else 1
            rows.append(NamedLayer(f"{kind}{seen[kind]}", layer, shape, after, weights, repeats))
            shape, before = after, layer
        return rows

    @property
    def output(self) -> tuple[int, ...]:
        """The shape of one example after the last layer."""
        return self.walk()[-1].shape_out if self.layers else tuple(self.shape)


def in_phases(layer: Layer) -> bool:
    """Whether a convolution can be computed on a map whose pixels were not yet repeated."""
    return type(layer) is Conv and (layer.stride, layer.padding) == (1, "same")


def phase_taps(kernel: int, factor: int) -> list[list[list[float]]]:
    """Return where the taps of a 'same' convolution of repeated pixels fall before they are repeated.  [r, k', k]

    Of each pixel come `factor` in a row, the phases; 1 where tap u of phase a falls on neighbour d of k'.  With these,
    a 4x4 convolution of pixels repeated 2 x 2 times is a 3x3 one with four times the filters: 36 products for 64.
    """
    first = (kernel - 1) // 2
    falls = [[(phase + tap - first) // factor for tap in range(kernel)] for phase in range(factor)]
    neighbours = range(falls[0][0], falls[-1][-1] + 1)
    return [[[float(at == neighbour) for at in row] for neighbour in neighbours] for row in falls]


def named_weights(stacks: dict[str, StackSpec]) -> list[Weight]:
    """Every array of the stacks under its full name, 'stack.layer.weight', in their order."""
    return [
        weight._replace(name=f"{stack.name}.{row.name}.{weight.name}")
        for stack in stacks.values()
        for row in stack.walk()
        for weight in row.weights
    ]
