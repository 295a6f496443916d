"""Models whose optimum is known in closed form: linear Gaussian ones, where nothing can be fudged.

Points lie in four dimensions; `eigenvalues` are those of their covariance, largest first; nats per point.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import optimize, stats

from twinvae.reference import LOG_2PI, adam_step, kl_standard

EIGENVALUES = np.array([4.0, 2.0, 1.0, 0.5])
AXES = 0.5 * np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])  # orthonormal columns


# --- data ----------------------------------------------------------------------------------------
def points() -> np.ndarray:
    """Return the 16 points sum_j +-sqrt(lambda_j) AXES[:, j]: mean 0, covariance of exactly EIGENVALUES.  -> [16, 4]"""
    signs = np.array(list(product([-1.0, 1.0], repeat=4)))
    return signs * np.sqrt(EIGENVALUES) @ AXES.T


def two_class_points(shift: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the 16 points around -shift AXES[:, 3] (class 0) and around +shift AXES[:, 3] (class 1).

    -> x [32, 4], y [32]
    """
    x = np.concatenate([points() - shift * AXES[:, 3], points() + shift * AXES[:, 3]])
    return x, np.repeat([0, 1], 16)


def spectrum(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues of the covariance (divided by N), largest first, and their axes.  [N, D] -> [D], [D, D]"""
    values, axes = np.linalg.eigh(np.cov(x, rowvar=False, bias=True))
    return values[::-1], axes[:, ::-1]


def class_means(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the mean of each class 0..K-1.  [N, D], [N] -> [K, D]"""
    return np.stack([x[y == k].mean(axis=0) for k in range(y.max() + 1)])


# --- linear VAE = probabilistic PCA --------------------------------------------------------------
@dataclass(frozen=True)
class Optimum:
    """What no linear VAE of this latent_dim can beat, and what it has when it gets there."""

    variance: float  # of the decoder
    elbo: float  # = log-likelihood, nats per point
    rate: float  # mean KL, nats per point
    posterior_variances: np.ndarray  # [Z]


def linear_vae_optimum(eigenvalues: np.ndarray, latent_dim: int) -> Optimum:
    """Return the maximum of the mean ELBO of a linear VAE, the maximum likelihood of pPCA.  [D] -> Optimum

    s^2 = mean of the discarded eigenvalues, log-likelihood -1/2 [D ln 2pi + sum ln lambda_i + (D-Z) ln s^2 + D], rate
    1/2 sum ln(lambda_i / s^2)  (Tipping & Bishop 1999, eq. 7 and 8; Lucas et al. 2019, section 4).
    Raises ValueError for a latent_dim below 0 or not below D.
    """
    eigenvalues = np.sort(np.asarray(eigenvalues, dtype=np.float64))[::-1]
    dim = len(eigenvalues)
    if not 0 <= latent_dim < dim:
        raise ValueError(f"latent_dim is {latent_dim}; with {dim} dimensions it must be from 0 to {dim - 1}.")
    kept, discarded = eigenvalues[:latent_dim], eigenvalues[latent_dim:]
    variance = discarded.mean()
    log_det = np.log(kept).sum() + len(discarded) * np.log(variance)
    elbo, rate = -0.5 * (dim * (LOG_2PI + 1) + log_det), 0.5 * np.log(kept / variance).sum()
    return Optimum(float(variance), float(elbo), float(rate), variance / kept)


def linear_vae_weights(x: np.ndarray, latent_dim: int) -> dict[str, np.ndarray]:
    """Return weights at the optimum; unlike in pPCA z cannot be rotated, for the posterior must stay diagonal.

    [N, D] -> W [D, Z], b [D], variance [], V [Z, D], c [Z], logvar [Z]:  x ~ N(W z + b, variance I),
    z|x ~ N(V x + c, e^logvar)  (Tipping & Bishop 1999, eq. 6 to 8 with R = I).
    """
    values, axes = spectrum(x)
    best = linear_vae_optimum(values, latent_dim)
    W, b = axes[:, :latent_dim] * np.sqrt(values[:latent_dim] - best.variance), x.mean(axis=0)
    V = W.T / values[:latent_dim, None]
    logvar = np.log(best.posterior_variances)
    return {"W": W, "b": b, "variance": np.array(best.variance), "V": V, "c": -V @ b, "logvar": logvar}


def linear_vae_terms(
    x: np.ndarray, W: np.ndarray, b: np.ndarray, variance: float, V: np.ndarray, c: np.ndarray, logvar: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return recon and kl of a linear VAE, E_q taken analytically; elbo = -(recon + kl).  [N, D], ... -> [N], [N]

    E|x - W z - b|^2 = |x - W mu - b|^2 + sum_j e^logvar_j |W_j|^2  (Lucas et al. 2019, section 4).
    """
    mu = x @ V.T + c
    error = ((x - mu @ W.T - b) ** 2).sum(axis=1) + (np.exp(logvar) * (W**2).sum(axis=0)).sum()
    recon = 0.5 * (x.shape[1] * (LOG_2PI + np.log(variance)) + error / variance)
    return recon, kl_standard(mu, np.broadcast_to(logvar, mu.shape))


def linear_vae_unflatten(flat: np.ndarray, dim: int, latent_dim: int) -> dict[str, np.ndarray]:
    """Return a flat vector, as optimisers want it, cut into linear_vae_terms' arguments; it holds log variance.

    [2DZ + D + 2Z + 1] -> W [D, Z], b [D], variance [], V [Z, D], c [Z], logvar [Z]
    """
    shapes = {"W": (dim, latent_dim), "b": (dim,), "variance": (), "V": (latent_dim, dim)}
    shapes |= {"c": (latent_dim,), "logvar": (latent_dim,)}
    parts = np.split(flat, np.cumsum([int(np.prod(shape)) for shape in shapes.values()])[:-1])
    weights = {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
    return weights | {"variance": np.exp(weights["variance"])}


def linear_vae_log_densities(x: np.ndarray, W: np.ndarray, b: np.ndarray, variance: float, **_) -> np.ndarray:
    """Return log p(x) of a linear VAE, whatever its encoder: log N(x | b, W W^T + variance I).  [N, D], ... -> [N]"""
    return stats.multivariate_normal(b, W @ W.T + variance * np.eye(len(b))).logpdf(x)


def linear_vae_climb(x: np.ndarray, latent_dim: int, steps: int, seed: int, learning_rate: float) -> np.ndarray:
    """Train a linear VAE by Adam on all points at once; return its mean ELBO and log p(x) before each step.

    The ELBO has a closed form, the gradient is taken by differences.  [N, D] -> [steps, 2], nats per point
    """
    size = 2 * x.shape[1] * latent_dim + x.shape[1] + 2 * latent_dim + 1
    weights = lambda flat: linear_vae_unflatten(flat, x.shape[1], latent_dim)  # noqa: E731
    loss = lambda flat: sum(term.mean() for term in linear_vae_terms(x, **weights(flat)))  # noqa: E731
    flat, m, v = np.random.default_rng(seed).normal(0, 0.3, size), np.zeros(size), np.zeros(size)
    climb = np.empty((steps, 2))
    for step in range(steps):
        climb[step] = -loss(flat), linear_vae_log_densities(x, **weights(flat)).mean()
        flat, m, v = adam_step(flat, optimize.approx_fprime(flat, loss), m, v, step + 1, lr=learning_rate)
    return climb


# --- beta-VAE = Gaussian rate-distortion function ------------------------------------------------
def rate_distortion(eigenvalues: np.ndarray, theta: float) -> tuple[float, float, int]:
    """Return rate (nats), distortion (squared error) and active units of a linear beta-VAE, theta = beta variance.

    D = sum min(theta, lambda_i), R = 1/2 sum ln+(lambda_i / theta): a unit collapses exactly when lambda_i <= theta.
    [D], theta > 0 -> scalars  (Cover & Thomas 2006, theorem 10.3.3; Alemi et al. 2018)
    """
    if not theta > 0:
        raise ValueError(f"theta is {theta}; beta times the decoder's variance must be above 0.")
    eigenvalues = np.asarray(eigenvalues, dtype=np.float64)
    rate = 0.5 * np.log(np.maximum(eigenvalues / theta, 1)).sum()
    return float(rate), float(np.minimum(theta, eigenvalues).sum()), int((eigenvalues > theta).sum())


# --- linear CVAE: p(x|y) = N(W z + A y, s^2 I) ---------------------------------------------------
def linear_cvae_optimum(x: np.ndarray, y: np.ndarray, latent_dim: int) -> Optimum:
    """Return the maximum of the mean ELBO of log p(x|y): A takes the class means, pPCA the rest, z knows nothing of y.

    [N, D], [N] -> Optimum
    """
    return linear_vae_optimum(spectrum(x - class_means(x, y)[y])[0], latent_dim)


def linear_cvae_log_densities(x: np.ndarray, y: np.ndarray, latent_dim: int) -> np.ndarray:
    """Return log p(x|y) at the optimum for every class y, not only the true one.  [N, D], [N] -> [N, K]"""
    means = class_means(x, y)
    weights = linear_vae_weights(x - means[y], latent_dim)
    covariance = weights["W"] @ weights["W"].T + weights["variance"] * np.eye(x.shape[1])
    return np.stack([stats.multivariate_normal(mean, covariance).logpdf(x) for mean in means], axis=1)


# --- a scalar model for the bounds: z ~ N(0, 1), x|z ~ N(z, 1) -----------------------------------
def scalar_log_p(x: float) -> float:
    """Return log p(x) = log N(x | 0, 2), nats; the posterior is N(x/2, 1/2)."""
    return -0.5 * (LOG_2PI + np.log(2) + x**2 / 2)


def scalar_elbo(x: float, q_mu: np.ndarray, q_var: np.ndarray) -> np.ndarray:
    """Return the ELBO of q = N(q_mu, q_var), broadcast: scalar_log_p(x) minus KL(q || posterior), nats."""
    kl = 0.5 * (q_mu**2 + q_var - 1 - np.log(q_var))
    return -0.5 * (LOG_2PI + (x - q_mu) ** 2 + q_var) - kl


def scalar_iwae(x: float, samples: int, q_mu: float = 0.0, q_var: float = 1.0) -> float:
    """Return the importance-weighted bound L_K, exactly: K = samples, proposal N(q_mu, q_var), nats.

    With w = p(x, z) / (q(z) p(x)) and phi(t) = E_q e^(-t w), log a = int (e^-t - e^(-a t)) dt / t gives L_K =
    log p(x) - log K + int (e^-t - phi(t)^K) dt / t: one integral, done on grids of log t and z  (the ladder is Burda et
    al. 2016, theorem 1).
    Raises ValueError unless K >= 1 and q_var >= 1/2, below which the weights have no variance.
    """
    if samples < 1 or q_var < 0.5:
        raise ValueError(
            f"samples is {samples} and q_var {q_var}; K must be 1 or more, and q_var at least the posterior's 0.5."
        )
    z, dz = np.linspace(q_mu - 14 * q_var**0.5, q_mu + 14 * q_var**0.5, 1401, retstep=True)
    log_q = -0.5 * (LOG_2PI + np.log(q_var) + (z - q_mu) ** 2 / q_var)
    log_w = -0.5 * (LOG_2PI - np.log(2) + 2 * (z - x / 2) ** 2) - log_q
    log_t, step = np.linspace(-45.0, 75.0, 2401, retstep=True)
    phi = np.exp(-np.exp(log_t[:, None] + log_w)) @ np.exp(log_q) * dz
    integral = (np.exp(-np.exp(log_t)) - np.minimum(phi, 1) ** samples).sum() * step
    return float(scalar_log_p(x) - np.log(samples) + integral)
