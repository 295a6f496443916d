"""Telling images of another kind by a score: how well it does, and what does as well without a network.

Scores are higher for what is stranger: reconstruction error, negative ELBO, -log p(x); [N], one an image.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score

from twinvae.metrics.baselines import pca_error
from twinvae.metrics.checks import bootstrap, pair


@dataclass(frozen=True)
class Detection:
    """Area under the ROC curve, average precision, and a 95 % interval of each over images."""

    auroc: float
    auroc_interval: tuple[float, float]
    average_precision: float
    average_precision_interval: tuple[float, float]


def auroc(normal: np.ndarray, strange: np.ndarray) -> float:
    """Chance that a strange image scores higher than a normal one, ties counting half.  [N], [M] -> 0..1

    0.5 is guessing; below it the score is the wrong way round, as happens to likelihoods of simple images.
    Cannot see whether one threshold would do where strange images are rare: see `average_precision`.
    """
    return float(roc_auc_score(*_truth_and_scores(normal, strange)))


def average_precision(normal: np.ndarray, strange: np.ndarray) -> float:
    """Precision averaged over the recall levels of the strange images.  [N], [M] -> 0..1

    Guessing gives M / (N + M). Cannot be compared between sets with another share of strange images.
    """
    return float(average_precision_score(*_truth_and_scores(normal, strange)))


def detection(normal: np.ndarray, strange: np.ndarray, rng: np.random.Generator, times: int = 200) -> Detection:
    """Both numbers with bootstrap intervals over images, normal and strange ones drawn again separately.

    The intervals cannot see the spread over seeds of training. Scores that are not finite raise ValueError.
    """
    values = []
    for metric in (auroc, average_precision):
        values += [metric(normal, strange), bootstrap(metric, normal, strange, rng=rng, times=times)]
    return Detection(*values)


def pca_score(train: np.ndarray, x: np.ndarray, components: int = 50) -> np.ndarray:
    """Baseline: squared error of PCA fitted to normal images, summed over pixels.  [M, ...], [N, ...] -> [N]

    Cannot see strangeness inside the principal plane.
    """
    return pca_error(train, x, [components])[0]


def isolation_score(train: np.ndarray, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Baseline: isolation forest of 100 trees fitted to normal images (Liu et al. 2008).  -> [N], 0..1

    It splits one pixel at a time, so it cannot see shapes.
    """
    train, x = pair("train", train, "x", x)
    return -IsolationForest(random_state=seed).fit(train).score_samples(x)


def _truth_and_scores(normal: np.ndarray, strange: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels 0 and 1, and all scores behind each other.  [N], [M] -> [N + M], [N + M]"""
    for name, scores in (("normal", normal), ("strange", strange)):
        if np.ndim(scores) != 1 or len(scores) == 0 or not np.isfinite(scores).all():
            raise ValueError(
                f"The scores '{name}' have shape {np.shape(scores)}, or are not all finite: "
                "give one finite number an image, and at least one."
            )
    return np.repeat([0, 1], [len(normal), len(strange)]), np.concatenate([normal, strange])
