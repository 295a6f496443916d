"""What every metric asks of its input, and an interval for its output."""

from collections.abc import Callable

import numpy as np
from scipy import stats


def table(name: str, a: np.ndarray, least: int = 1) -> np.ndarray:
    """Return N examples as finite floats [N, D], every example flattened; integers become float32.

    Raises ValueError for fewer than `least` examples, one dimension only, or a value that is not finite.
    """
    a = np.asarray(a)
    if a.ndim < 2 or 0 in a.shape[1:]:
        what = f"'{name}' has shape {a.shape}"
        raise ValueError(f"{what}: give examples along the first axis and values along the others.")
    if len(a) < least:
        raise ValueError(f"'{name}' has {len(a)} examples: this metric needs at least {least}.")
    a = a.reshape(len(a), -1)
    a = a if np.issubdtype(a.dtype, np.floating) else a.astype(np.float32)
    bad = int((~np.isfinite(a)).any(1).sum())
    if bad:
        what = f"'{name}' has values that are not finite in {bad} of {len(a)} examples"
        raise ValueError(f"{what}: mend or drop those before measuring.")
    return a


def pair(name_a: str, a: np.ndarray, name_b: str, b: np.ndarray, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return two tables of the same width and scale: either both whole numbers (0..255) or both floats.

    Raises ValueError for tables of different width or scale.
    """
    if np.issubdtype(np.asarray(a).dtype, np.integer) != np.issubdtype(np.asarray(b).dtype, np.integer):
        what = f"'{name_a}' and '{name_b}' are whole numbers on one side and floats on the other"
        raise ValueError(f"{what}: bring both to one scale.")
    a, b = table(name_a, a, least), table(name_b, b, least)
    if a.shape[1] != b.shape[1]:
        what = f"'{name_a}' has {a.shape[1]} values an example and '{name_b}' {b.shape[1]}"
        raise ValueError(f"{what}: compare examples of the same width.")
    return a, b


def labels(y: np.ndarray, count: int, num_classes: int | None = None) -> np.ndarray:
    """Return labels as int64 [N], one for each of `count` examples.  ValueError unless they are in 0 .. K-1."""
    y = np.asarray(y)
    if y.shape != (count,):
        raise ValueError(f"The labels have shape {y.shape} for {count} examples: give one label an example.")
    top = np.inf if num_classes is None else num_classes - 1
    if count and not (np.issubdtype(y.dtype, np.integer) and y.min() >= 0 and y.max() <= top):
        what = f"The labels are of type {y.dtype} from {y.min()} to {y.max()}"
        raise ValueError(f"{what}: give whole numbers from 0 to {'K - 1' if num_classes is None else top}.")
    return y.astype(np.int64)


def class_sizes(y: np.ndarray, num_classes: int, least: int, whose: str) -> None:
    """Raise ValueError if one of the classes has fewer than `least` examples."""
    sizes = np.bincount(y, minlength=num_classes)
    if sizes.min() < least:
        k = int(sizes.argmin())
        what = f"Class {k} of {whose} has {sizes[k]} examples: this metric needs at least {least} in every class"
        raise ValueError(f"{what}, so add some, or leave the class out and renumber.")


def probabilities(probs: np.ndarray) -> np.ndarray:
    """Return a judge's class probabilities [N, K] as float64.  ValueError unless each row sums to 1 within 0.001."""
    probs = table("probs", probs).astype(np.float64)
    wrong = (probs < 0).any(1) | (np.abs(probs.sum(1) - 1) > 1e-3)
    if wrong.any():
        what = f"{int(wrong.sum())} of {len(probs)} rows of 'probs' are no probabilities"
        raise ValueError(f"{what}: give values of at least 0 that sum to 1 in each row, not logits.")
    return probs


def bootstrap(
    metric: Callable[..., float], *groups: np.ndarray, rng: np.random.Generator, times: int = 200
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a metric of groups [N], [M], ... of which each is drawn again on its own.

    It is an interval over images of one model, blind to the spread over seeds of training; metrics that need
    distinct examples (nearest neighbours, Frechet distance of few samples) are shifted by the repeats.
    """
    drawn = stats.bootstrap(
        groups, metric, n_resamples=times, batch=1, vectorized=False, method="percentile", rng=rng
    )  # batch=1: the groups take turns at the generator
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)
