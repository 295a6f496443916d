"""Five made-up generators, none of which is one: what each metric rewards, and what fools it.

Images x [N, H, W, C] in [0, 1], labels y [N] asked for; a set is the pair (x, y).
"""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from twinvae.metrics import samples
from twinvae.metrics.baselines import ClassMeans
from twinvae.metrics.judge import Judge

Set = tuple[np.ndarray, np.ndarray]

HONEST = "held-out images"
METRICS = ("accuracy", "confidence", "class entropy", "diversity", "CAS", "sharpness", "Fréchet", "kernel")
METRICS += ("precision", "recall", "density", "coverage", "nearest")
KEPT = ("accuracy", "diversity", "CAS", "Fréchet", "precision", "recall", "nearest")
BETTER = dict.fromkeys(METRICS, 1) | {"Fréchet": -1, "kernel": -1}  # +1 where more is better, -1 where less is


def impostors(x: np.ndarray, y: np.ndarray, n: int, rng: np.random.Generator) -> dict[str, Set]:
    """Return n images from each of the five, made of the training images x, y.  -> name -> set"""
    rows = rng.permutation(len(x))[:n]
    x_copy, y_copy, num_classes = x[rows], y[rows], int(y.max()) + 1
    return {
        "perfect copy": (x_copy, y_copy),
        "class mean": (ClassMeans.fit(x, y).sample(y_copy), y_copy),
        "label-blind": (x_copy, rng.permutation(y_copy)),
        "label-permuted": (x_copy, (y_copy + 1) % num_classes),
        "noise": (rng.random(x_copy.shape), y_copy),
    }


def measure(made: Set, real: Set, train_x: np.ndarray, judge: Judge) -> dict[str, float]:
    """Return every metric of BETTER for a set against real and, for copies, training images.

    `sharpness` and `nearest` (distance to the nearest training image, mean over the set) are over the real images' own.
    """
    (x, y), (real_x, real_y) = made, real
    probabilities, features, real_features = judge.probabilities(x), judge.features(x), judge.features(real_x)
    near, real_near = (samples.nearest(each.astype(np.float32), train_x)[0].mean() for each in (x, real_x))
    return {
        "accuracy": samples.conditional_accuracy(probabilities, y),
        "confidence": samples.confidence(probabilities),
        "class entropy": samples.class_entropy(probabilities),
        "diversity": samples.within_class_diversity(x, y, real_x, real_y),
        "CAS": samples.classification_accuracy_score(x, y, real_x, real_y),
        "sharpness": float(samples.sharpness(x).mean() / samples.sharpness(real_x).mean()),
        "Fréchet": samples.frechet_distance(features, real_features),
        "kernel": samples.kernel_distance(features, real_features),
        **samples.prdc(real_features, features),
        "nearest": float(near / real_near),
    }


def caught(table: pd.DataFrame, again: pd.Series) -> pd.DataFrame:
    """Return whether each metric calls a made-up generator worse.  [generators, metrics] -> bool

    Worse than the honest one by more than a tenth of its value, and by more than twice what two honest sets differ;
    `again` is the second one.
    """
    honest = table.loc[HONEST]
    margin = np.maximum(0.1 * honest.abs(), 2 * (honest - again).abs())
    return ((honest - table) * pd.Series(BETTER) > margin)[list(BETTER)].drop(HONEST)


def keep(run: Any, table: pd.DataFrame) -> None:
    """Keep what the report says of each set: `class_mean_accuracy`, `noise_frechet`, ..."""
    for name, row in table.iterrows():
        for metric in KEPT:
            key = f"{name}_{metric}".lower().replace(" ", "_").replace("-", "_").replace("é", "e")
            run.number(key, row[metric], ".2f" if metric == "Fréchet" else ".3f")


def exposing_pairs(caught: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of metrics of which at least one catches each made-up generator."""
    return [(a, b) for a, b in combinations(caught.columns, 2) if (caught[a] | caught[b]).all()]
