"""What stands beside every model: no network, fitted in seconds, and harder to beat than it looks.

Images x [N, H, W, C] with pixels in 0..1; labels y [N] of K classes.  Each baseline is made with `.fit`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinvae.metrics.checks import class_sizes, labels, pair, table

# ---------------------------------------------------------------- generators


@dataclass(frozen=True, eq=False)
class ClassMeans:
    """The mean image of each class.  means [K, H, W, C]

    As a generator it obeys every label and shows no variety at all.
    """

    means: np.ndarray

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray) -> "ClassMeans":
        flat, y, num_classes = _labelled(x, y, least=1)
        means = np.stack([flat[y == k].mean(0, dtype=np.float64) for k in range(num_classes)])
        return cls(means.reshape(num_classes, *np.shape(x)[1:]))

    def sample(self, y: np.ndarray) -> np.ndarray:
        """[N] -> [N, H, W, C]"""
        return self.means[_asked(y, len(self.means))]


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
        flat, y, num_classes = _labelled(x, y, least=components + 1)
        fits = [_principal(flat[y == k], components) for k in range(num_classes)]
        roots = np.stack([np.sqrt(values)[:, None] * axes for _, values, axes, _ in fits])
        return cls(np.stack([mean for mean, *_ in fits]), roots, tuple(np.shape(x)[1:]))

    def sample(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[N] -> [N, H, W, C] in 0..1"""
        y = _asked(y, len(self.mean))
        x = self.mean[y]
        for k in np.unique(y):
            rows = y == k
            x[rows] += rng.standard_normal((rows.sum(), self.roots.shape[1])) @ self.roots[k]
        return np.clip(x, 0, 1).reshape(-1, *self.shape)


# ---------------------------------------------------------------- reconstruction


def mean_image_error(train: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Squared error of the training mean as everybody's reconstruction, summed over pixels.  -> [N]"""
    train, x = pair("train", train, "x", x)
    return ((x - train.mean(0, dtype=np.float64)) ** 2).sum(1)


def pca_error(train: np.ndarray, x: np.ndarray, components: Sequence[int]) -> np.ndarray:
    """Squared error of PCA's reconstruction, summed over pixels, for several code sizes.  -> [P, N]

    The best that any linear autoencoder can do on the training data, with a code of that size.
    """
    train, x = pair("train", train, "x", x)
    mean, _, axes, _ = _principal(train, max(components))
    centred = x - mean
    codes = centred @ axes.T
    total = (centred**2).sum(1)
    return np.stack([np.clip(total - (codes[:, :q] ** 2).sum(1), 0, None) for q in components])


# ---------------------------------------------------------------- likelihood


@dataclass(frozen=True, eq=False)
class ProbabilisticPCA:
    """x = W z + mean + noise, z ~ N(0, I), noise ~ N(0, variance I), at the maximum of the likelihood.

    (Tipping & Bishop 1999, Eqs. 7 and 8.)  mean [D], values [Q] (eigenvalues), axes [Q, D], variance.
    """

    mean: np.ndarray
    values: np.ndarray
    axes: np.ndarray
    variance: float

    @classmethod
    def fit(cls, x: np.ndarray, components: int) -> "ProbabilisticPCA":
        x = table("x", x, least=2)
        mean, values, axes, rest = _principal(x, components)
        if not x.shape[1] > components or rest <= 1e-12 * values.max(initial=1e-300):
            raise ValueError(
                f"{components} components leave no variance for the noise, so the likelihood is "
                "unbounded: choose fewer."
            )
        return cls(mean, values, axes, rest / (x.shape[1] - components))

    def log_likelihood(self, x: np.ndarray) -> np.ndarray:
        """log p(x), a density in nats per image.  [N, ...] -> [N]

        Not to be compared with nats of Bernoulli pixels. Pixels that hardly ever vary make it large.
        """
        x, _ = pair("x", x, "the fitted mean", self.mean[None])
        centred = x - self.mean
        codes = centred @ self.axes.T
        inside = (codes**2 / self.values).sum(1)
        outside = ((centred**2).sum(1) - (codes**2).sum(1)) / self.variance
        noise = len(self.mean) - len(self.values)
        log_det = np.log(self.values).sum() + noise * np.log(self.variance)
        return -0.5 * (len(self.mean) * np.log(2 * np.pi) + log_det + inside + outside)


@dataclass(frozen=True, eq=False)
class ProductOfBernoullis:
    """Independent pixels, each with its own probability: what a collapsed VAE is at best.  p [D]"""

    p: np.ndarray
    shape: tuple[int, ...]

    @classmethod
    def fit(cls, x: np.ndarray) -> "ProductOfBernoullis":
        """From binary images; each pixel is counted as if it had been seen once more on and once more off."""
        flat = _binary(x)
        return cls((flat.sum(0, dtype=np.float64) + 1) / (len(flat) + 2), tuple(np.shape(x)[1:]))

    def nll(self, x: np.ndarray) -> np.ndarray:
        """-log p(x) of binary images, nats per image.  [N, ...] -> [N]"""
        x, _ = pair("x", _binary(x), "the fitted pixels", self.p[None])
        return -(x @ np.log(self.p) + (1 - x) @ np.log1p(-self.p))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """-> [n, H, W, C], 0 or 1"""
        return (rng.random((n, len(self.p))) < self.p).astype(np.float32).reshape(n, *self.shape)


def pixel_entropy(x: np.ndarray) -> float:
    """Sum of the pixels' entropies in binary images, nats: the least mean -log p(x) of independent pixels."""
    p = _binary(x).mean(0, dtype=np.float64)
    p = p[(p > 0) & (p < 1)]
    return float(-(p * np.log(p) + (1 - p) * np.log1p(-p)).sum())


# ---------------------------------------------------------------- what the baselines share


def _principal(x: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Mean [D], largest eigenvalues [Q] of the covariance (divided by N), axes [Q, D], sum of the others."""
    if not 1 <= components <= min(len(x), x.shape[1]):
        raise ValueError(
            f"{components} components were asked of {len(x)} examples of {x.shape[1]} values: "
            f"choose from 1 to {min(len(x), x.shape[1])}."
        )
    mean = x.mean(0, dtype=np.float64)
    centred = x.astype(np.float64) - mean
    if len(x) < x.shape[1]:  # the same from the examples themselves: no D x D matrix, most of whose axes are empty
        _, scale, axes = np.linalg.svd(centred, full_matrices=False)
        values = scale**2 / len(x)
    else:
        values, axes = np.linalg.eigh(centred.T @ centred / len(x))
        values, axes = np.clip(values[::-1], 0, None), axes[:, ::-1].T
    return mean, values[:components], axes[:components], float(values[components:].sum())


def _labelled(x: np.ndarray, y: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray, int]:
    flat = table("x", x)
    y = labels(y, len(flat))
    num_classes = int(y.max()) + 1
    class_sizes(y, num_classes, least, "x")
    return flat, y, num_classes


def _asked(y: np.ndarray, num_classes: int) -> np.ndarray:
    return labels(y, len(np.atleast_1d(y)), num_classes)


def _binary(x: np.ndarray) -> np.ndarray:
    flat = table("x", x)
    if not ((flat == 0) | (flat == 1)).all():
        raise ValueError(
            f"The pixels run from {flat.min():g} to {flat.max():g} and are not all 0 or 1: binarise the images first."
        )
    return flat
