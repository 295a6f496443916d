"""What the code of a model holds: how many of its units, how many nats, how much of the class.

mu and logvar [N, Z] of q(z|x) over N images; z [N, Z] samples of it. Nats throughout.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from twinvae.metrics.checks import class_sizes, labels, table

LOG_2PI = np.log(2 * np.pi)


def active_units(mu: np.ndarray, threshold: float = 0.01) -> np.ndarray:
    """Return which units vary with the image: variance over images of E[z|x] above the threshold.

    [N, Z] -> bool [Z]  (Burda et al. 2016, section 5).  Cannot see whether the decoder uses a unit, and
    depends on the scale of z, which only a prior fixes: for an AE it means little.
    """
    return table("mu", mu, least=2).var(0, dtype=np.float64) > threshold


def kl_per_dimension(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """Return KL(q(z_j|x) || N(0, 1)) averaged over images.  [N, Z], [N, Z] -> [Z], nats

    Their sum is the KL of the ELBO. Cannot see whether units repeat each other.
    """
    mu, logvar = _gaussians(mu, logvar)
    return 0.5 * (mu**2 + np.expm1(logvar) - logvar).mean(0)


@dataclass(frozen=True)
class KLParts:
    """The mean KL(q(z|x) || N(0, I)) = information + correlation + marginals, in nats per image.

    information: between x and z, at most ln N. correlation: KL(q(z) || product of its marginals), 'total
    correlation'. marginals: sum of KL(q(z_j) || N(0, 1)). aggregate = correlation + marginals =
    KL(q(z) || N(0, I)): what keeps codes drawn from the prior from looking like codes of images.
    """

    kl: float
    information: float
    correlation: float
    marginals: float

    @property
    def aggregate(self) -> float:
        return self.correlation + self.marginals


def kl_parts(mu: np.ndarray, logvar: np.ndarray, rng: np.random.Generator, samples: int = 500) -> KLParts:
    """Take the KL apart over the mixture q(z) of the N images given.  [N, Z], [N, Z] -> KLParts

    (Hoffman & Johnson 2016; Chen et al. 2018, Eq. 2.)  Monte Carlo with `samples` draws from q(z), the
    densities of the mixture exact over all N. Cannot see beyond these images: information stays below ln N
    (9.2 nats for 10,000) even if the code holds more, and the rest then counts as aggregate.
    """
    mu, logvar = _gaussians(mu, logvar)
    rows = rng.integers(0, len(mu), samples)
    z = mu[rows] + np.exp(0.5 * logvar[rows]) * rng.standard_normal((samples, mu.shape[1]))
    log_joint = np.zeros((samples, len(mu)))  # log q(z_s | x_n)
    log_marginals = np.zeros(samples)
    for j in range(mu.shape[1]):
        density = -0.5 * (LOG_2PI + logvar[:, j] + (z[:, j, None] - mu[:, j]) ** 2 * np.exp(-logvar[:, j]))
        log_joint += density
        log_marginals += logsumexp(density, axis=1) - np.log(len(mu))
    log_own = log_joint[np.arange(samples), rows]
    log_mixture = logsumexp(log_joint, axis=1) - np.log(len(mu))
    log_prior = -0.5 * (LOG_2PI + z**2).sum(1)
    return KLParts(
        kl=float((log_own - log_prior).mean()),
        information=float((log_own - log_mixture).mean()),
        correlation=float((log_mixture - log_marginals).mean()),
        marginals=float((log_marginals - log_prior).mean()),
    )


def marginal_distance(z: np.ndarray) -> np.ndarray:
    """Return the Kolmogorov-Smirnov distance of each unit's samples from N(0, 1).  [N, Z] -> [Z], 0..1

    Give sampled z, not means. Cannot see how units depend on each other.
    """
    return np.array([stats.kstest(unit, "norm").statistic for unit in table("z", z, least=2).T])


def probe_accuracy(mu: np.ndarray, logvar: np.ndarray | None, y: np.ndarray, rng: np.random.Generator) -> float:
    """Return how well a linear classifier reads y from z sampled from q(z|x): accuracy on a held-out half.

    [N, Z], [N, Z] (None where the code has no noise, as in an AE), [N] -> 0..1.  Means instead of samples
    would let it read signals far below the noise. Chance is the share of the largest class. Cannot see what
    a curved boundary could read.
    """
    z = table("mu", mu, least=4).astype(np.float64)
    y = labels(y, len(z))
    class_sizes(np.unique(y, return_inverse=True)[1], 2, 2, "the images of the probe")
    if logvar is not None:
        mu, logvar = _gaussians(mu, logvar)
        z = mu + np.exp(0.5 * logvar) * rng.standard_normal(mu.shape)
    seed = int(rng.integers(2**31))
    fit_z, test_z, fit_y, test_y = train_test_split(z, y, test_size=0.5, stratify=y, random_state=seed)
    return float(LogisticRegression(max_iter=200).fit(fit_z, fit_y).score(test_z, test_y))


def between_class_share(z: np.ndarray, y: np.ndarray) -> float:
    """Return the share of the variance of z, summed over units, that lies between the class means.  [N, Z], [N] -> 0..1

    About (K - 1) / N for codes that know nothing of the class. Give sampled z. Cannot see how classes differ
    beyond their means, and is ruled by the units of largest variance.
    """
    z = table("z", z, least=2).astype(np.float64)
    y = labels(y, len(z))
    total = ((z - z.mean(0)) ** 2).sum()
    if total == 0:
        raise ValueError("All codes are the same, so there is no variance to share out: check the encoder.")
    within = sum(((z[y == k] - z[y == k].mean(0)) ** 2).sum() for k in np.unique(y))
    return float(1 - within / total)


def largest_step(path: np.ndarray) -> np.ndarray:
    """Return the largest step over the mean step along decoded interpolations.  [N, P, ...], P points -> [N], 1..P-1

    1 is an even pace, P - 1 a single jump; 1 too for a path that never moves. Cannot see what the images
    between look like: a cross-fade of two images and a decoder that was never trained have an even pace.
    """
    path = np.asarray(path)
    if path.ndim < 3 or path.shape[1] < 3:
        raise ValueError(f"The paths have shape {path.shape}: give [paths, points, ...] with at least 3 points.")
    flat = table("path", path).reshape(len(path), path.shape[1], -1).astype(np.float64)
    steps = np.linalg.norm(np.diff(flat, axis=1), axis=2)
    mean = steps.mean(1)
    return np.divide(steps.max(1), mean, out=np.ones(len(path)), where=mean > 0)


def _gaussians(mu: np.ndarray, logvar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mu, logvar = table("mu", mu).astype(np.float64), table("logvar", logvar).astype(np.float64)
    if mu.shape != logvar.shape:
        raise ValueError(f"'mu' has shape {mu.shape} and 'logvar' {logvar.shape}: give one variance a mean.")
    return mu, logvar
