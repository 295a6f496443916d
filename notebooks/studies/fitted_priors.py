"""What can be mended after the training: the prior that codes are drawn from, and the contrast of what is drawn.

The codes of a class do not fill N(0, I), and between them lies no character: a mixture of Gaussians a class takes its
place (Ghosh et al. 2020, section 4, there for autoencoders without noise).  And a Bernoulli's grey is doubt, not ink:
the logits are multiplied until samples are as sharp as real images.  Codes z [N, Z], labels y [N], K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from scipy.special import expit, logsumexp
from sklearn.mixture import GaussianMixture

from twinvae import data, randomness
from twinvae.metrics import samples
from twinvae_studies import evaluation
from twinvae_studies.evaluation import Trained

COMPONENTS = 20  # of a class's mixture
FACTORS = np.arange(1, 6.01, 0.25)  # of the logits


@dataclass(frozen=True, eq=False)
class Mixtures:
    """p(z | y): a mixture of Gaussians a class."""

    by_class: Sequence[GaussianMixture]

    @classmethod
    def fit(cls, z: np.ndarray, y: np.ndarray, components: int, seed: int = 0) -> Self:
        """Fit mixtures to codes drawn from q(z | x, y), one an image.  [N, Z], [N]"""
        fresh = [GaussianMixture(components, reg_covar=1e-3, random_state=seed) for _ in range(int(y.max()) + 1)]
        return cls([mixture.fit(z[y == k]) for k, mixture in enumerate(fresh)])

    def sample(self, y: np.ndarray) -> np.ndarray:
        """Draw a code for each label.  [N] -> [N, Z]"""
        z = np.empty((len(y), self.by_class[0].means_.shape[1]))
        for k in np.unique(y):
            drawn, _ = self.by_class[k].sample((y == k).sum())
            # scikit-learn's come component by component
            z[y == k] = randomness.rng(int(k), "order").permutation(drawn)
        return z

    def log_density(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return log p(z | y), in nats.  [S, N, Z], [N] -> [S, N]"""
        found = np.empty(z.shape[:2])
        for k in np.unique(y):
            found[:, y == k] = self.by_class[k].score_samples(z[:, y == k].reshape(-1, z.shape[2])).reshape(len(z), -1)
        return found


def of_codes(trained: Trained, images: data.Images, components: int = COMPONENTS) -> Mixtures:
    """Fit mixtures to a CVAE's codes of these images, one code drawn for each; a component has at least five."""
    components = max(1, min(components, np.bincount(images.y).min() // 5))
    seed = trained.settings.seed
    z = randomness.codes(*evaluation.codes(trained, evaluation.as_trained(trained, images), images.y), seed)
    return Mixtures.fit(z, images.y, components, seed)


def sharpened(logits: np.ndarray, y: np.ndarray, real: data.Images) -> tuple[np.ndarray, np.ndarray]:
    """Return samples of each class with the contrast by which they are as sharp as real images of it.

    [N, H, W, C], [N] -> images [N, H, W, C], the factor of each class [K]
    """
    sharp = samples.sharpness(data.scale(real.x))
    factors = np.ones(real.num_classes)
    for k in np.unique(y):
        reached = [samples.sharpness(expit(factor * logits[y == k])).mean() for factor in FACTORS]
        factors[k] = FACTORS[np.abs(np.array(reached) - sharp[real.y == k].mean()).argmin()]
    return expit(factors[y][:, None, None, None] * logits), factors


def nll(
    trained: Trained, x: np.ndarray, y: np.ndarray, prior: Mixtures, count: int, first: int = 0
) -> dict[str, np.ndarray]:
    """Return -log p(x | y) in nats, importance-sampled, with N(0, I) and with the mixtures as the prior.

    x and y are images from number `first` on, by which the noise is drawn.  -> name -> [N]
    """
    found = {"standard": np.empty(len(x)), "mixture": np.empty(len(x))}
    call = partial(trained.twin.models.call, trained.model)
    for start in range(0, len(x), 50):
        rows = slice(start, start + 50)
        labels = evaluation.one_hot(trained, y)[rows]
        shape = (count, len(labels), trained.spec.latent_dim)
        eps = randomness.rng(0, "likelihood", first + start).standard_normal(shape)
        log_w = call("log_weights", x[rows], labels, eps).astype(np.float64)
        mu, logvar = call("encode", x[rows], labels)
        z = mu + np.exp(0.5 * logvar) * eps
        standard = -0.5 * (z**2 + np.log(2 * np.pi)).sum(2)
        found["standard"][rows] = np.log(count) - logsumexp(log_w, 0)
        found["mixture"][rows] = np.log(count) - logsumexp(log_w - standard + prior.log_density(z, y[rows]), 0)
    return found
