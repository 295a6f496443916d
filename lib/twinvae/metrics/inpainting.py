"""Missing pixels, filled in by a VAE or CVAE (`twin` is what `backend.get` returns), or by the nearest image."""

import numpy as np
from scipy.special import softmax
from sklearn.utils import gen_batches

from twinvae import randomness
from twinvae.metrics.samples import nearest

BLOCK = 20  # images at a time: bounds the memory


def inpaint(
    model, twin, x: np.ndarray, y: np.ndarray, missing: np.ndarray, start: np.ndarray, samples=200, rounds=4, seed=0
) -> np.ndarray:
    """Return E[x | the observed pixels] under a Bernoulli model, put in place of the missing ones.  -> [N, H, W, C]

    x [N, H, W, C] in [0, 1], y one-hot [N, K], missing bool [H, W, C], start [H, W, C] what stands there at first.
    z_s is drawn from q(z | x with its holes filled) and weighted by p(observed | z_s) p(z_s) / q(z_s): self-normalised
    importance sampling (Rezende et al. 2014, App. F, iterate such fillings without weights).  Each round fills the
    holes anew, so that q comes near to p(z | observed).  Cannot see pixels that no sampled code explains.
    """
    filled = np.where(missing, start, x)
    for rows in gen_batches(len(x), BLOCK):
        for number in range(rounds):
            shape = (samples, len(x[rows]), model.spec.latent_dim)
            eps = randomness.rng(seed, "likelihood", rows.start, number).standard_normal(shape)
            log_w, mean = weighted_means(model, twin, filled[rows], x[rows], y[rows], missing, eps)
            filled[rows] = np.where(missing, np.einsum("sb,sbhwc->bhwc", softmax(log_w, axis=0), mean), x[rows])
    return filled


def weighted_means(
    model, twin, seen: np.ndarray, x: np.ndarray, y: np.ndarray, missing: np.ndarray, eps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return log p(observed x | z_s) p(z_s) / q(z_s | seen) [S, B], and the decoded means [S, B, H, W, C]."""
    mu, logvar = twin.models.call(model, "encode", seen, y)
    z = mu + np.exp(0.5 * logvar) * eps
    labels = np.tile(y, (len(eps), 1))
    logits = twin.models.predict(model, "decode", z.reshape(-1, z.shape[-1]), labels).reshape(len(eps), *x.shape)
    log_p = np.where(missing, 0, x * logits - np.logaddexp(0, logits)).sum((2, 3, 4))
    prior_mu, prior_logvar = twin.models.call(model, "prior", y)
    return log_p + _log_normal(z, prior_mu, prior_logvar) - _log_normal(z, mu, logvar), 1 / (1 + np.exp(-logits))


def nearest_filling(train: np.ndarray, x: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return x with the missing pixels of the training image that is nearest by the observed ones.

    [M, ...], [N, ...] -> [N, ...]
    """
    index = nearest(x[:, ~missing], train[:, ~missing])[1]
    return np.where(missing, train[index], x)


def _log_normal(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """Return log N(z; mu, e^logvar), without the constant that all share.  [S, B, Z] -> [S, B]"""
    return -0.5 * (logvar + (z - mu) ** 2 * np.exp(-logvar)).sum(-1)
