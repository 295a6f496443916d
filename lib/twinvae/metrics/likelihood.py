"""log p(x) of a VAE or CVAE, in nats per image, estimated with many samples of z.

`twin` is what `backend.get` returned; the noise is drawn by NumPy from the seed, so both twins give the same estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import numpy as np
from scipy.special import logsumexp

from twinvae import randomness

ROWS = 4_000  # images times samples that are decoded at once: bounds the memory, and stays in the cache


def importance_sampled(
    model, twin: ModuleType, x: np.ndarray, y: np.ndarray, samples: int, seed: int = 0
) -> np.ndarray:
    """log (1/S) sum_s p(x | z_s) p(z_s) / q(z_s | x), z_s from q.  x [N, H, W, C], y one-hot [N, K] -> [N]

    The importance-weighted bound L_S, which rises to log p(x)  (Burda et al. 2016, Eq. 8).  For a CVAE it is that of
    log p(x | y).
    """
    out = np.empty(len(x))
    for rows in _blocks(len(x), 100):
        generator = randomness.rng(seed, "likelihood", rows.start)
        parts = []
        for chunk in _blocks(samples, max(1, ROWS // len(x[rows]))):
            shape = (chunk.stop - chunk.start, len(x[rows]), model.spec.latent_dim)
            parts.append(twin.models.call(model, "log_weights", x[rows], y[rows], generator.standard_normal(shape)))
        out[rows] = logsumexp(np.concatenate(parts).astype(np.float64), axis=0) - np.log(samples)
    return out


def prior_sampled(
    model, twin: ModuleType, x: np.ndarray, y: np.ndarray, samples: list[int], seed: int = 0
) -> np.ndarray:
    """log (1/M) sum_m p(x | z_m), z_m from the prior N(0, I), for each M.  [N, ...], M's [T] -> [T, N]

    The naive estimate of report 004, Eq. 1.4 (there without the 1/M): unbiased for p(x), and far too low on nearly
    every draw until M is astronomically large.
    """
    out = np.empty((len(samples), len(x)))
    for rows in _blocks(len(x), 10):
        generator = randomness.rng(seed, "prior", rows.start)
        parts = []
        for chunk in _blocks(max(samples), max(1, ROWS // len(x[rows]))):
            z = generator.standard_normal((chunk.stop - chunk.start, len(x[rows]), model.spec.latent_dim))
            parts.append(twin.models.call(model, "log_likelihood", x[rows], y[rows], z))
        log_p = np.concatenate(parts).astype(np.float64)
        out[:, rows] = [logsumexp(log_p[:m], axis=0) - np.log(m) for m in samples]
    return out


def by_label(model, twin: ModuleType, x: np.ndarray, samples: int, seed: int = 0) -> np.ndarray:
    """log p(x | y) of a CVAE under each of its K labels.  [N, H, W, C] -> [N, K]

    Its argmax is the generative classifier; `marginal` makes log p(x) of it.
    """
    labels = np.eye(model.spec.num_classes)
    return np.stack(
        [importance_sampled(model, twin, x, np.tile(label, (len(x), 1)), samples, seed) for label in labels], axis=1
    )


def marginal(log_p: np.ndarray, log_prior: np.ndarray) -> np.ndarray:
    """log sum_y p(y) p(x | y), comparable with a VAE's log p(x).  [N, K], [K] -> [N]"""
    return logsumexp(log_p + log_prior, axis=1)


def _blocks(n: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, n)) for start in range(0, n, size))
