"""What stands beside every model: no network, fitted in seconds, and harder to beat than it looks.

Images x [N, H, W, C] with pixels in 0..1; labels y [N] of K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinvae.metrics.checks import class_sizes, labels, pair, table


@dataclass(frozen=True, eq=False)
class ClassMeans:
    """The mean image of each class.  means [K, H, W, C]

    As a generator it obeys every label and shows no variety at all.
    """

    means: np.ndarray

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray) -> "ClassMeans":
        """Take the means of labelled images.  ValueError if a class up to the largest label has none."""
        means = [of_class.mean(0, dtype=np.float64) for of_class in _by_class(x, y, least=1)]
        return cls(np.stack(means).reshape(-1, *np.shape(x)[1:]))

    def sample(self, y: np.ndarray) -> np.ndarray:
        """Return the mean image of each label's class.  [N] -> [N, H, W, C]"""
        return self.means[labels(y, np.size(y), len(self.means))]


@dataclass(frozen=True, eq=False)
class ClassPCA:
    """A Gaussian in the first principal axes of each class.  mean [K, D], roots [K, Q, D] (axis * deviation).

    It draws z from N(0, I) and returns mean + z @ roots, clipped to 0..1: a linear CVAE without training.
    """

    mean: np.ndarray
    roots: np.ndarray
    shape: tuple[int, ...]

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray, components: int = 50) -> "ClassPCA":
        """Fit Q = `components` axes to labelled images.  ValueError if a class has no more images than that."""
        fits = [_principal(of_class, components) for of_class in _by_class(x, y, least=components + 1)]
        roots = np.stack([np.sqrt(values)[:, None] * axes for _, values, axes in fits])
        return cls(np.stack([mean for mean, *_ in fits]), roots, tuple(np.shape(x)[1:]))

    def sample(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return an image of each label's class.  [N] -> [N, H, W, C] in 0..1"""
        y = labels(y, np.size(y), len(self.mean))
        x = self.mean[y]
        for k in np.unique(y):
            rows = y == k
            x[rows] += rng.standard_normal((rows.sum(), self.roots.shape[1])) @ self.roots[k]
        return np.clip(x, 0, 1).reshape(-1, *self.shape)


def pca_error(train: np.ndarray, x: np.ndarray, components: Sequence[int]) -> np.ndarray:
    """Return the squared error of PCA's reconstruction, summed over pixels, for several code sizes.  -> [P, N]

    The best that any linear autoencoder can do on the training data, with a code of that size; no bound for others.
    """
    train, x = pair("train", train, "x", x)
    mean, _, axes = _principal(train, max(components))
    centred = x - mean
    codes = centred @ axes.T
    total = (centred**2).sum(1)
    return np.stack([np.clip(total - (codes[:, :q] ** 2).sum(1), 0, None) for q in components])


def _principal(x: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean [D], the largest eigenvalues [Q] of the covariance (divided by N), and their axes [Q, D].

    Not scikit-learn's PCA: that turns axes round, and the samples of `ClassPCA` with them.
    """
    if not 1 <= components <= min(len(x), x.shape[1]):
        what = f"{components} components were asked of {len(x)} examples of {x.shape[1]} values"
        raise ValueError(f"{what}: choose from 1 to {min(len(x), x.shape[1])}.")
    mean = x.mean(0, dtype=np.float64)
    centred = x.astype(np.float64) - mean
    if len(x) < x.shape[1]:  # the same from the examples themselves: no D x D matrix, most of whose axes are empty
        _, scale, axes = np.linalg.svd(centred, full_matrices=False)
        values = scale**2 / len(x)
    else:
        values, axes = np.linalg.eigh(centred.T @ centred / len(x))
        values, axes = np.clip(values[::-1], 0, None), axes[:, ::-1].T
    return mean, values[:components], axes[:components]


def _by_class(x: np.ndarray, y: np.ndarray, least: int) -> list[np.ndarray]:
    """Return the images of each class as a table.  ValueError where a class has fewer than `least`."""
    x = table("x", x)
    y = labels(y, len(x))
    num_classes = int(y.max()) + 1
    class_sizes(y, num_classes, least, "x")
    return [x[y == k] for k in range(num_classes)]
