"""The same layers for images of another size: what a convolutional net needs to be told anew."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

from twinvae.spec.layers import Conv, ConvTranspose, Crop, Dense, Layer, Reshape

Shape = tuple[int, ...]


def for_maps(layers: tuple[Layer, ...], shape: Shape) -> tuple[Layer, ...]:
    """Return layers that take maps of this shape: a 'valid' convolution larger than its map is padded."""
    made = []
    for layer in layers:
        plain = isinstance(layer, Conv) and not isinstance(layer, ConvTranspose)
        if plain and min(map(layer.size, shape[:2])) < 1:
            layer = replace(layer, padding="same")
        made.append(layer)
        shape = layer.output(shape)
    return tuple(made)


def to_maps(layers: tuple[Layer, ...], old: Shape, new: Shape) -> tuple[Layer, ...]:
    """Return layers that end in maps of shape `new`, (H, W, C), where they ended in `old`.

    The first map, which a Reshape makes of a vector, becomes as small as it may be; what is more at the end is cropped.
    Layers that end in a vector stay: the model adds the layer that makes the image's logits of it.
    """
    first = next((i for i, layer in enumerate(layers) if isinstance(layer, Reshape)), None)
    if first is None:
        return layers
    before, (height, width, channels), after = layers[:first], layers[first].shape, list(layers[first + 1 :])
    if after and isinstance(after[-1], Crop):
        after.pop()
    convolutions = [i for i, layer in enumerate(after) if isinstance(layer, Conv)]
    if convolutions and after[convolutions[-1]].filters == old[2]:
        after[convolutions[-1]] = replace(after[convolutions[-1]], filters=new[2])
    shape = (*(_smallest(after, side) for side in new[:2]), channels if convolutions else new[2])
    pixels = height * width * channels
    vectors = [
        replace(layer, units=math.prod(shape)) if isinstance(layer, Dense) and layer.units == pixels else layer
        for layer in before
    ]
    crop = [Crop(*new[:2])] * (_ends(after, shape)[:2] != new[:2])
    return (*vectors, Reshape(shape), *after, *crop)


def _smallest(layers: list[Layer], side: int) -> int:
    """The least side of a map from which the layers make one of at least `side` pixels."""
    return next(n for n in itertools.count(1) if side <= _ends(layers, (n, n, 1))[0])


def _ends(layers: list[Layer], shape: Shape) -> Shape:
    """The shape in which the layers end; (0,) where the map is too small for one of them."""
    try:
        for layer in layers:
            shape = layer.output(shape)
    except ValueError:
        return (0,)
    return shape
