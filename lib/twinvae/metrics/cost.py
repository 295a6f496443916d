"""What a model costs: operations, seconds, and its share of what the machine can do.

One multiply-add counts as two floating point operations (FLOP). Memory, device and threads are in a run's manifest.
"""

import timeit
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np
from scipy import stats

from twinvae import spec as specs


def multiply_adds(spec: specs.ModelSpec | specs.GanSpec) -> int:
    """Return the multiply-adds of one image through the whole model, forward.

    Of dense, convolutional and transposed layers; cannot see biases, activations, normalisation, FiLM or memory.
    """
    return sum(_layer_cost(row) for stack in spec.stacks().values() for row in stack.walk())


def _layer_cost(row: specs.NamedLayer) -> int:
    match row.layer:
        case specs.Dense():
            return row.shape_in[0] * row.shape_out[0]
        case specs.Conv():
            # a transposed layer writes its kernel once for each pixel that it reads
            height, width, _ = row.shape_in if isinstance(row.layer, specs.ConvTranspose) else row.shape_out
            return height * width * row.layer.kernel**2 * row.shape_in[2] * row.shape_out[2]
        case specs.Flatten() | specs.Reshape() | specs.Crop() | specs.Upsample() | specs.GlobalMaxPool():
            return 0
        case specs.BatchNorm() | specs.Activation() | specs.Film():
            return 0
    name = type(row.layer).__name__
    raise ValueError(f"The cost of a layer {name} is not known: add it to `_layer_cost` in twinvae.metrics.cost.")


def training_flops(multiply_adds: int, images: int) -> int:
    """Return 6 * multiply-adds * images: 2 FLOP forward and 4 backward for each.  ValueError unless both are above 0.

    In a dense model the multiply-adds are its weights, biases not counted. Cannot see optimiser, noise or loss.
    """
    for name, value in (("multiply_adds", multiply_adds), ("images", images)):
        if value <= 0:
            raise ValueError(f"'{name}' is {value}: give a number above 0.")
    return 6 * multiply_adds * images


def gemm_limit(multiply: Callable[[], object], size: int = 2048, repeats: int = 5) -> float:
    """Return the FLOP per second of a matrix product of size x size by size x size, the fastest of `repeats`.

    `multiply` is the twin's: it makes one product and returns when that is done (on a GPU it has to wait).
    One more, before, warms up. Cannot see what else runs on the machine: measure beside the training.
    """
    multiply()
    return 2 * size**3 / min(timeit.repeat(multiply, number=1, repeat=repeats))


def machine_limit(twin: ModuleType, size: int = 2048) -> float:
    """Return `gemm_limit` of this machine in float32 with a twin's own product; reading one value waits for it."""
    a, b = twin.train.tensors(np.random.default_rng(0).standard_normal((2, size, size), dtype=np.float32))
    return gemm_limit(lambda: float((a @ b)[0, 0]), size)


def gemm_fraction(multiply_adds: int, images: int, seconds: float, limit: float) -> float:
    """Return the share of the matrix-multiply limit (FLOP per second) that `seconds` of training on `images` reached.

    Cannot exceed 1 by much for dense models; the rest is noise, data, optimiser and small matrices.
    Raises ValueError for seconds or a limit that are not above 0.
    """
    for name, value in (("seconds", seconds), ("limit", limit)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"'{name}' is {value}: give a finite number above 0.")
    return training_flops(multiply_adds, images) / seconds / limit


def epoch_seconds(seconds: Sequence[float]) -> tuple[float, float]:
    """Return median and interquartile range of seconds per epoch, without the first one, which warms up.

    A single epoch is taken as it is, its range 0. Cannot see whether the machine was shared.
    Raises ValueError for no epoch, or times that are not above 0.
    """
    seconds = np.asarray(seconds, float)
    if seconds.ndim != 1 or len(seconds) == 0 or not (np.isfinite(seconds) & (seconds > 0)).all():
        raise ValueError(f"The epochs took {seconds.tolist()} seconds: give at least one finite number above 0.")
    steady = seconds[1:] if len(seconds) > 1 else seconds
    return float(np.median(steady)), float(stats.iqr(steady))
