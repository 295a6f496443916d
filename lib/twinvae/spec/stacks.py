"""Layers one after the other, each with its name, its shapes and its weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

from twinvae.spec.layers import Activation, Dense, Layer, Weight


def mlp(*units: int, activation: Activation | None = None) -> tuple[Layer, ...]:
    """Return dense layers of these widths, each followed by the activation, ReLU where none is given."""
    return tuple(layer for n in units for layer in (Dense(n), activation or Activation()))


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
        """Return each layer with its name ('dense1', 'dense2', 'conv1', ...) and shapes."""
        return self._rows

    @functools.cached_property
    def _rows(self) -> list[NamedLayer]:
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
