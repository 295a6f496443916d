"""What every metric asks of its input, and intervals for its output."""

from collections.abc import Callable

import numpy as np


def table(name: str, a: np.ndarray, least: int = 1) -> np.ndarray:
    """An array of N examples as finite floats [N, D], every example flattened; integers become float32.

    Raises ValueError for fewer than `least` examples, one dimension only, or a value that is not finite.
    """
    a = np.asarray(a)
    if a.ndim < 2 or 0 in a.shape[1:]:
        raise ValueError(
            f"'{name}' has shape {a.shape}: give examples along the first axis and values along the others."
        )
    if len(a) < least:
        raise ValueError(f"'{name}' has {len(a)} examples: this metric needs at least {least}.")
    a = a.reshape(len(a), -1)
    a = a if np.issubdtype(a.dtype, np.floating) else a.astype(np.float32)
    if not np.isfinite(a).all():
        bad = int((~np.isfinite(a)).any(1).sum())
        raise ValueError(
            f"'{name}' has values that are not finite in {bad} of {len(a)} examples: "
            "mend or drop those before measuring."
        )
    return a


def pair(name_a: str, a: np.ndarray, name_b: str, b: np.ndarray, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two tables of the same width and scale: either both whole numbers (0..255) or both floats."""
    whole = [np.issubdtype(np.asarray(t).dtype, np.integer) for t in (a, b)]
    if whole[0] != whole[1]:
        raise ValueError(
            f"'{name_a}' and '{name_b}' are whole numbers on one side and floats on the other: bring both to one scale."
        )
    a, b = table(name_a, a, least), table(name_b, b, least)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"'{name_a}' has {a.shape[1]} values an example and '{name_b}' {b.shape[1]}: "
            "compare examples of the same width."
        )
    return a, b


def labels(y: np.ndarray, count: int, num_classes: int | None = None) -> np.ndarray:
    """Labels as int64 [N], one for each of `count` examples, in 0 .. K-1."""
    y = np.asarray(y)
    if y.shape != (count,):
        raise ValueError(f"The labels have shape {y.shape} for {count} examples: give one label an example.")
    if count and (
        not np.issubdtype(y.dtype, np.integer) or y.min() < 0 or (num_classes is not None and y.max() >= num_classes)
    ):
        top = "K - 1" if num_classes is None else num_classes - 1
        raise ValueError(
            f"The labels are of type {y.dtype} from {y.min()} to {y.max()}: give whole numbers from 0 to {top}."
        )
    return y.astype(np.int64)


def class_sizes(y: np.ndarray, num_classes: int, least: int, whose: str) -> np.ndarray:
    """Examples in each class [K].  Raises ValueError if one has fewer than `least`."""
    sizes = np.bincount(y, minlength=num_classes)
    if sizes.min() < least:
        k = int(sizes.argmin())
        raise ValueError(
            f"Class {k} of {whose} has {sizes[k]} examples: this metric needs at least {least} "
            "in every class, so add some, or leave the class out and renumber."
        )
    return sizes


def probabilities(probs: np.ndarray) -> np.ndarray:
    """A judge's class probabilities [N, K] as float64, each row summing to 1 within 0.001."""
    probs = table("probs", probs).astype(np.float64)
    wrong = (probs < 0).any(1) | (np.abs(probs.sum(1) - 1) > 1e-3)
    if wrong.any():
        raise ValueError(
            f"{int(wrong.sum())} of {len(probs)} rows of 'probs' are no probabilities: "
            "give values of at least 0 that sum to 1 in each row, not logits."
        )
    return probs


def bootstrap(
    metric: Callable[..., float],
    *groups: np.ndarray | tuple[np.ndarray, ...],
    rng: np.random.Generator,
    times: int = 200,
    level: float = 0.95,
) -> tuple[float, float]:
    """The percentile interval of a metric when its examples are drawn again with replacement.

    Each group is drawn on its own; the arrays of a tuple, such as (probs, y), are drawn together:
    `bootstrap(conditional_accuracy, (probs, y), rng=rng)`, `bootstrap(frechet_distance, a, b, rng=rng)`.
    It is an interval over images of one model, blind to the spread over seeds of training; metrics that need
    distinct examples (nearest neighbours, Frechet distance of few samples) are shifted by the repeats.
    """
    groups = [group if isinstance(group, tuple) else (group,) for group in groups]
    for group in groups:
        if len({len(array) for array in group}) != 1 or len(group[0]) == 0:
            sizes = [len(array) for array in group]
            raise ValueError(
                f"Arrays of {sizes} examples cannot be drawn together: give the same number of each, and at least one."
            )
    values = []
    for _ in range(times):
        rows = [rng.integers(0, len(group[0]), len(group[0])) for group in groups]
        values.append(metric(*(array[r] for group, r in zip(groups, rows, strict=True) for array in group)))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
