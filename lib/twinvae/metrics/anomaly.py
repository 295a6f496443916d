"""Telling images of another kind by a score: how well it does, and what does as well without a network.

Scores are higher for what is stranger: reconstruction error, negative ELBO, -log p(x); [N], one an image.
"""

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from twinvae.metrics.baselines import pca_error
from twinvae.metrics.checks import pair


def auroc(normal: np.ndarray, strange: np.ndarray) -> float:
    """Return the chance that a strange image scores higher than a normal one, ties counting half.  [N], [M] -> 0..1

    0.5 is guessing; below it the score is the wrong way round, as happens to likelihoods of simple images.
    Cannot see whether one threshold would do where strange images are rare.
    Raises ValueError for scores that are not finite, or no score at all.
    """
    for name, scores in (("normal", normal), ("strange", strange)):
        if np.ndim(scores) != 1 or len(scores) == 0 or not np.isfinite(scores).all():
            what = f"The scores '{name}' have shape {np.shape(scores)}, or are not all finite"
            raise ValueError(f"{what}: give one finite number an image, and at least one.")
    is_strange = np.repeat([0, 1], [len(normal), len(strange)])
    return float(roc_auc_score(is_strange, np.concatenate([normal, strange])))


def pca_score(train: np.ndarray, x: np.ndarray, components: int = 50) -> np.ndarray:
    """Return the squared error of PCA fitted to normal images, summed over pixels.  [M, ...], [N, ...] -> [N]

    Cannot see strangeness inside the principal plane.
    """
    return pca_error(train, x, [components])[0]


def isolation_score(train: np.ndarray, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the score of an isolation forest of 100 trees fitted to normal images (Liu et al. 2008).  -> [N], 0..1

    It splits one pixel at a time, so it cannot see shapes.
    """
    train, x = pair("train", train, "x", x)
    return -IsolationForest(random_state=seed).fit(train).score_samples(x)
