"""The formulas in NumPy float64: the oracle that both twins are tested against.

Every loss is per example, in nats, summed over everything but the leading axis: [B, ...] -> [B].
Nothing here is fast or differentiable; it is meant to be read beside the paper.
"""

import numpy as np

LOG_2PI = np.log(2 * np.pi)


# --- small functions ---------------------------------------------------------------------------


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-a), finite for every finite a.  Any shape -> the same shape."""
    return np.exp(-np.logaddexp(0, -_f64(a)))


def log_mean_exp(a: np.ndarray, axis: int = 0) -> np.ndarray:
    """log (1/S) sum_s e^(a_s) without overflow.  [S, B] -> [B]"""
    a = _f64(a)
    top = a.max(axis=axis, keepdims=True)
    return np.log(np.exp(a - top).mean(axis=axis)) + np.squeeze(top, axis=axis)


def _f64(a) -> np.ndarray:
    return np.asarray(a, dtype=np.float64)


def _per_example(terms: np.ndarray) -> np.ndarray:
    return terms.reshape(len(terms), -1).sum(axis=1)


def _pair(x, x_logits) -> tuple[np.ndarray, np.ndarray]:
    x, x_logits = _f64(x), _f64(x_logits)
    if x.shape != x_logits.shape:
        what = f"x has shape {x.shape} and the decoder's output {x_logits.shape}"
        raise ValueError(f"{what}; give two arrays of the same shape.")
    return x, x_logits


# --- likelihoods: -log p(x | z), [B, ...] -> [B] -----------------------------------------------


def bernoulli_nll(x: np.ndarray, x_logits: np.ndarray) -> np.ndarray:
    """-log Bernoulli(x | sigmoid(x_logits)).  x in [0, 1] and x_logits [B, ...] -> [B], nats per image.

    softplus(a) - a x, which never overflows (Kingma & Welling 2014, App. C.1).
    ValueError if the shapes differ.
    """
    x, a = _pair(x, x_logits)
    return _per_example(np.logaddexp(0, a) - a * x)


def continuous_bernoulli_log_norm(x_logits: np.ndarray) -> np.ndarray:
    """log C(sigmoid(a)), C = a / tanh(a/2), C(1/2) = 2.  Any shape -> the same shape.

    The paper's 2 artanh(1 - 2 lambda) / (1 - 2 lambda) with lambda = sigmoid(a)
    (Loaiza-Ganem & Cunningham 2019, section 3).
    """
    a = np.abs(_f64(x_logits))
    safe = np.where(a == 0, 1.0, a)
    return np.where(a == 0, np.log(2), np.log(safe / np.tanh(safe / 2)))


def continuous_bernoulli_nll(x: np.ndarray, x_logits: np.ndarray) -> np.ndarray:
    """-log density of the continuous Bernoulli on [0, 1].  [B, ...], [B, ...] -> [B], nats per image.

    Exactly 0 at x_logits = 0, the uniform density (Loaiza-Ganem & Cunningham 2019, section 3).
    ValueError if the shapes differ.
    """
    x, a = _pair(x, x_logits)
    return _per_example(np.logaddexp(0, a) - a * x - continuous_bernoulli_log_norm(a))


def gaussian_nll(x: np.ndarray, x_logits: np.ndarray, variance: float) -> np.ndarray:
    """-log N(x | sigmoid(x_logits), variance I), the constant included.  [B, ...] (twice) -> [B], nats.

    Squared error + lambda KL is variance = lambda / 2 up to a factor (Kingma & Welling 2014, App. C.2).
    ValueError if the shapes differ or the variance is not positive.
    """
    if not variance > 0:
        raise ValueError(f"variance is {variance}; a Gaussian needs one above 0.")
    return gaussian_nll_learned(x, x_logits, np.full(np.shape(x), np.log(variance)))


def gaussian_nll_learned(x: np.ndarray, x_logits: np.ndarray, x_logvar: np.ndarray) -> np.ndarray:
    """-log N(x | sigmoid(x_logits), diag e^x_logvar).  Three [B, ...] -> [B], nats per image.

    x_logvar may be of any shape that broadcasts against x, for instance one value for all pixels
    (Kingma & Welling 2014, App. C.2).  ValueError if the shapes of x and x_logits differ.
    """
    x, a = _pair(x, x_logits)
    x_logvar = _f64(x_logvar)
    return _per_example(0.5 * (LOG_2PI + x_logvar + (x - sigmoid(a)) ** 2 * np.exp(-x_logvar)))


def discretized_logistic_nll(x: np.ndarray, x_mean_logits: np.ndarray, x_logscale: np.ndarray) -> np.ndarray:
    """-log P(x) of a logistic rounded to the levels 0, 1/255, ..., 1.  Three [B, ...] -> [B], nats per image.

    Mean sigmoid(x_mean_logits), scale e^x_logscale (in units of the grey scale, broadcastable); the first and
    the last level take the tails, so the 256 probabilities sum to 1 (Salimans et al. 2017, section 2.1).
    With u, v the bin's standardised edges, sigmoid(u) - sigmoid(v) = sigmoid(u) sigmoid(-v) (1 - e^(v-u)):
    no difference of nearly equal numbers is left.  ValueError if the shapes of x and x_mean_logits differ.
    """
    x, a = _pair(x, x_mean_logits)
    scale = np.exp(_f64(x_logscale))
    upper, lower = (x + 0.5 / 255 - sigmoid(a)) / scale, (x - 0.5 / 255 - sigmoid(a)) / scale
    log_below, log_above = -np.logaddexp(0, -upper), -np.logaddexp(0, lower)
    log_inside = log_below + log_above + np.log(-np.expm1(-1 / (255 * scale)))
    log_p = np.where(x < 0.5 / 255, log_below, np.where(x > 1 - 0.5 / 255, log_above, log_inside))
    return -_per_example(log_p)


# --- latent variables --------------------------------------------------------------------------


def reparameterize(mu: np.ndarray, logvar: np.ndarray, eps: np.ndarray) -> np.ndarray:
    """z = mu + e^(logvar/2) eps.  [B, Z], [B, Z], [B, Z] or [S, B, Z] -> the shape of eps
    (Kingma & Welling 2014, eq. 4)."""
    return _f64(mu) + np.exp(0.5 * _f64(logvar)) * _f64(eps)


def log_normal(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """log N(z | mu, diag e^logvar), nats.  [B, Z] -> [B], or [S, B, Z] -> [S, B]; mu and logvar broadcast."""
    z, mu, logvar = _f64(z), _f64(mu), _f64(logvar)
    return -0.5 * (LOG_2PI + logvar + (z - mu) ** 2 * np.exp(-logvar)).sum(axis=-1)


def kl_standard(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """KL(N(mu, e^logvar) || N(0, I)), nats per image.  [B, Z], [B, Z] -> [B]  (Kingma & Welling 2014, App. B)

    expm1 keeps the digits where logvar is near 0, the collapsed posterior.
    """
    mu, logvar = _f64(mu), _f64(logvar)
    return 0.5 * (mu**2 + np.expm1(logvar) - logvar).sum(axis=-1)


def kl_gaussians(mu: np.ndarray, logvar: np.ndarray, prior_mu: np.ndarray, prior_logvar: np.ndarray) -> np.ndarray:
    """KL(N(mu, e^logvar) || N(prior_mu, e^prior_logvar)), nats per image.  Four [B, Z] -> [B]
    (Sohn et al. 2015, section 4, with a Gaussian p(z|y))."""
    mu, logvar, prior_mu, prior_logvar = map(_f64, (mu, logvar, prior_mu, prior_logvar))
    ratio = logvar - prior_logvar
    return 0.5 * ((mu - prior_mu) ** 2 * np.exp(-prior_logvar) + np.expm1(ratio) - ratio).sum(axis=-1)


# --- layers ------------------------------------------------------------------------------------


def dense(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """x weight^T + bias.  [B, I], [O, I], [O] -> [B, O]  (weights as PyTorch stores them)"""
    return _f64(x) @ _f64(weight).T + _f64(bias)


def leaky_relu(a: np.ndarray, slope: float) -> np.ndarray:
    """a where a > 0, slope * a elsewhere; slope 0 is the ReLU.  Any shape -> the same shape."""
    a = _f64(a)
    return np.where(a > 0, a, slope * a)


def mlp(
    x: np.ndarray, layers: list[tuple[np.ndarray, np.ndarray]], slope: float, activate_last: bool = False
) -> np.ndarray:
    """Dense layers with leaky ReLUs between them, and one after the last on request.  [B, I] -> [B, O]"""
    for i, (weight, bias) in enumerate(layers):
        x = dense(x, weight, bias)
        if activate_last or i < len(layers) - 1:
            x = leaky_relu(x, slope)
    return x


# --- one step of each optimiser: arrays in, new arrays out ---------------------------------------


def sgd_step(weight: np.ndarray, grad: np.ndarray, lr: float) -> np.ndarray:
    """w - lr g.  Two arrays of one shape -> the new weight."""
    return weight - lr * grad


def adam_step(
    weight: np.ndarray,
    grad: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: int,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The step-th step, counted from 1; returns weight, m, v  (Kingma & Ba 2015, Algorithm 1).

    epsilon stands after the bias correction, as in the paper and in PyTorch; Keras puts it before.
    """
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return weight - lr * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def rmsprop_step(
    weight: np.ndarray, grad: np.ndarray, v: np.ndarray, lr: float, rho: float = 0.99, epsilon: float = 1e-8
) -> tuple[np.ndarray, np.ndarray]:
    """Without momentum, epsilon outside the root; returns weight, v  (Hinton, Coursera lecture 6e, 2012)."""
    v = rho * v + (1 - rho) * grad**2
    return weight - lr * grad / (np.sqrt(v) + epsilon), v


def adagrad_step(
    weight: np.ndarray, grad: np.ndarray, total: np.ndarray, lr: float, epsilon: float = 1e-10
) -> tuple[np.ndarray, np.ndarray]:
    """total is the running sum of squared gradients, 0 at first; returns weight, total
    (Duchi et al. 2011, Figure 1)."""
    total = total + grad**2
    return weight - lr * grad / (np.sqrt(total) + epsilon), total
