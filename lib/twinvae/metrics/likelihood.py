"""log p(x) of a VAE or CVAE, in nats per image, estimated with many samples of z.

`twin` is what `backend.get` returned; the noise is drawn by NumPy from the seed, so both twins give the same estimate.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches

from twinvae import randomness

ROWS = 4_000  # images times samples that are decoded at once: bounds the memory, and stays in the cache


def importance_sampled(model, twin, x: np.ndarray, y: np.ndarray, samples: int, seed: int = 0) -> np.ndarray:
    """Return log (1/S) sum_s p(x | z_s) p(z_s) / q(z_s | x), z_s from q.  x [N, H, W, C], y one-hot [N, K] -> [N]

    The importance-weighted bound L_S, which rises to log p(x)  (Burda et al. 2016, Eq. 8).  For a CVAE it is that of
    log p(x | y).  Cannot see how far below it still is.
    """
    out = np.empty(len(x))
    for rows in gen_batches(len(x), 100):
        generator = randomness.rng(seed, "likelihood", rows.start)
        log_w = _terms(model, twin, "log_weights", x[rows], y[rows], samples, generator)
        out[rows] = logsumexp(log_w, axis=0) - np.log(samples)
    return out


def prior_sampled(model, twin, x: np.ndarray, y: np.ndarray, samples: list[int], seed: int = 0) -> np.ndarray:
    """Return log (1/M) sum_m p(x | z_m), z_m from the prior N(0, I), for each M.  [N, ...], M's [T] -> [T, N]

    The naive estimate of report 004, Eq. 1.4 (there without the 1/M): unbiased for p(x), and far too low on nearly
    every draw until M is astronomically large.
    """
    out = np.empty((len(samples), len(x)))
    for rows in gen_batches(len(x), 10):
        generator = randomness.rng(seed, "prior", rows.start)
        log_p = _terms(model, twin, "log_likelihood", x[rows], y[rows], max(samples), generator)
        out[:, rows] = [logsumexp(log_p[:m], axis=0) - np.log(m) for m in samples]
    return out


def by_label(model, twin, x: np.ndarray, samples: int, seed: int = 0) -> np.ndarray:
    """Return log p(x | y) of a CVAE under each of its K labels.  [N, H, W, C] -> [N, K]

    Its argmax is the generative classifier; `marginal` makes log p(x) of it.
    """
    labels = [np.tile(label, (len(x), 1)) for label in np.eye(model.spec.num_classes)]
    return np.stack([importance_sampled(model, twin, x, y, samples, seed) for y in labels], axis=1)


def marginal(log_p: np.ndarray, log_prior: np.ndarray) -> np.ndarray:
    """Return log sum_y p(y) p(x | y), comparable with a VAE's log p(x).  [N, K], [K] -> [N]"""
    return logsumexp(log_p + log_prior, axis=1)


def _terms(model, twin, method: str, x: np.ndarray, y: np.ndarray, samples: int, rng) -> np.ndarray:
    """Return what a model's method makes of a few images and `samples` draws of noise.  [B, ...] -> [S, B]"""
    parts = []
    for chunk in gen_batches(samples, max(1, ROWS // len(x))):
        noise = rng.standard_normal((chunk.stop - chunk.start, len(x), model.spec.latent_dim))
        parts.append(twin.models.call(model, method, x, y, noise))
    return np.concatenate(parts).astype(np.float64)
