"""Everything random, drawn by NumPy from the seed, so that a run is the same run in both twins and after a restart.

Each use has a stream of its own, and each epoch its own generator: resuming at epoch 7 needs no state but the 7.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from twinvae import data
from twinvae.spec import GanSpec, ModelSpec, TrainSpec, Weight

STREAMS = ("weights", "order", "eps", "binarize", "noise", "validation", "prior", "likelihood")


def rng(seed: int, stream: str, *more: int) -> np.random.Generator:
    """The generator of one stream of a seed; `more` (an epoch, say) makes it another one."""
    return np.random.default_rng([seed, STREAMS.index(stream), *more])


def initial_weights(spec: ModelSpec | GanSpec, seed: int) -> dict[str, np.ndarray]:
    """Every weight of the model, float64, by name, in PyTorch's layout.

    init 'normal_0.01': N(0, 0.01^2), biases 0 (report 004);  'keras': uniform within sqrt(6 / (fan_in + fan_out)),
    biases 0 (Glorot & Bengio 2010, Eq. 16);  'torch': weights and biases uniform within 1 / sqrt(fan_in).
    """
    generator = rng(seed, "weights")
    return {weight.name: _initial(weight, spec.init, generator) for weight in spec.weights()}


def _initial(weight: Weight, init: str, generator: np.random.Generator) -> np.ndarray:
    if weight.init in ("zero", "one"):
        return np.full(weight.shape, float(weight.init == "one"))
    if weight.init == "bias" and init != "torch":
        return np.zeros(weight.shape)
    if init == "normal_0.01":
        return 0.01 * generator.standard_normal(weight.shape)
    bound = 1 / math.sqrt(weight.fan_in) if init == "torch" else math.sqrt(6 / (weight.fan_in + weight.fan_out))
    return generator.uniform(-bound, bound, weight.shape)


def codes(mu: np.ndarray, logvar: np.ndarray, seed: int = 0) -> np.ndarray:
    """One draw of z from each q(z | x) = N(mu, diag e^logvar).  [N, Z], [N, Z] -> [N, Z]"""
    return mu + np.exp(0.5 * logvar) * rng(seed, "eps").standard_normal(mu.shape)


class Batch(NamedTuple):
    """Arrays of one step: the encoder's input and the target x [B, H, W, C], y one-hot [B, K], eps [B, Z].

    In a chunk of T steps each has one more axis before: x [T, B, H, W, C].
    """

    x_in: np.ndarray
    x: np.ndarray
    y: np.ndarray
    eps: np.ndarray


CHUNK = 2**22  # pixels of a chunk: 16 MB in float32, some tens of steps of small images


def chunks(images: data.Images, settings: TrainSpec, latent_dim: int, epoch: int, dtype: str) -> Iterator[Batch]:
    """Yield the batches of one training epoch, all of the same size, T of them in a piece.

    The images that do not fill a last batch are left out of this epoch; the order, and so who is left out, is new in
    each.  'fixed' binarisation gives an image the same pixels in every epoch, 'dynamic' new ones.
    """
    n, size = len(images), min(settings.batch_size, len(images))
    order = rng(settings.seed, "order", epoch).permutation(n)[: n // size * size].reshape(-1, size)
    eps, noise = rng(settings.seed, "eps", epoch), rng(settings.seed, "noise", epoch)
    pixels = rng(settings.seed, "binarize", epoch)
    fixed = fixed_pixels(images, settings) if settings.binarize == "fixed" else None
    steps = max(1, CHUNK // (size * math.prod(images.shape)))
    for start in range(0, len(order), steps):
        index = order[start : start + steps]
        x = data.scale(images.x[index]) if fixed is None else fixed[index]
        if settings.binarize in ("threshold", "dynamic"):
            x = data.binarise(x, settings.binarize, pixels)
        x = x.astype(dtype, copy=False)
        x_in = x + settings.noise * noise.standard_normal(x.shape).astype(dtype) if settings.noise else x
        z = eps.standard_normal((*index.shape, latent_dim)).astype(dtype)
        yield Batch(x_in, x, condition(images, index, dtype), z)


def batches(images: data.Images, settings: TrainSpec, latent_dim: int, epoch: int, dtype: str) -> Iterator[Batch]:
    """Yield the batches of `chunks` one by one."""
    for chunk in chunks(images, settings, latent_dim, epoch, dtype):
        yield from map(Batch, *chunk)


def ahead(items: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the items, each made in a thread while the one before is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def validation(
    images: data.Images, settings: TrainSpec, latent_dim: int, dtype: str, size: int = 1000
) -> Iterator[Batch]:
    """The images in order, with the same noise and pixels whenever they are asked for: 'dynamic' is drawn once."""
    generator = rng(settings.seed, "validation")
    for start in range(0, len(images), size):
        index = np.arange(start, min(start + size, len(images)))
        x = data.binarise(data.scale(images.x[index]), settings.binarize, generator).astype(dtype, copy=False)
        x_in = x + settings.noise * generator.standard_normal(x.shape).astype(dtype) if settings.noise else x
        z = generator.standard_normal((len(index), latent_dim)).astype(dtype)
        yield Batch(x_in, x, condition(images, index, dtype), z)


def fixed_pixels(images: data.Images, settings: TrainSpec) -> np.ndarray:
    """Every image binarised once for the whole run, by the seed."""
    return data.binarise(data.scale(images.x), "fixed", rng(settings.seed, "binarize"))


def condition(images: data.Images, index: np.ndarray, dtype: str) -> np.ndarray:
    """Return what a model is told of the images: their labels, one-hot, or their own numbers.  [...] -> [..., K]"""
    if not images.labelled:
        return images.y[index].astype(dtype)
    return np.eye(images.num_classes, dtype=dtype)[images.y[index]]
