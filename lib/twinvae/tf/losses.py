"""Likelihoods and divergences: per example, in nats, summed over everything but the batch axis."""

import math

import tensorflow as tf


def per_example(terms):
    """The sum over all axes but the first.  [B, ...] -> [B]"""
    return tf.reduce_sum(terms, axis=range(1, len(terms.shape)))


def bernoulli_nll(x, x_logits):
    """-log Bernoulli(x | sigmoid(x_logits)).  [B, ...], [B, ...] -> [B]  (Kingma & Welling 2014, App. C.1)"""
    return per_example(tf.math.softplus(x_logits) - x_logits * x)


def continuous_bernoulli_nll(x, x_logits):
    """-log density of the continuous Bernoulli on [0, 1].  [B, ...], [B, ...] -> [B]  (Loaiza-Ganem & Cunningham 2019)

    bernoulli_nll less log(a / tanh(a / 2)), a = x_logits, written so that the two do not cancel.
    """
    a = tf.abs(x_logits)
    far, b = tf.maximum(a, 0.1), tf.minimum(a, 0.1)  # near 0 the quotient is 0 / 0: there its series
    near = x_logits * (0.5 - x) + b**2 / 24 - b**4 / 2880 + b**6 / 181440 - b**8 / 9676800
    return per_example(
        tf.where(a < 0.1, near, tf.nn.relu(x_logits) - x_logits * x + tf.math.log(-tf.math.expm1(-far) / far))
    )


def gaussian_nll(x, x_mean, x_logvar):
    """-log N(x | x_mean, e^x_logvar I), all of it.  2 x [B, ...], [] -> [B]  (Kingma & Welling 2014, App. C.2)"""
    return 0.5 * per_example(math.log(2 * math.pi) + x_logvar + (x - x_mean) ** 2 * tf.exp(-x_logvar))


def discretized_logistic_nll(x, x_mean, x_logscale):
    """-log of the logistic mass in each of 256 bins on [0, 1].  2 x [B, ...], [] -> [B]  (Kingma et al. 2016, Eq. 30)

    The first bin reaches to minus infinity, the last to infinity.
    """
    scale = tf.exp(-x_logscale)
    upper, lower = (x - x_mean + 0.5 / 255) * scale, (x - x_mean - 0.5 / 255) * scale
    middle = tf.math.log_sigmoid(upper) + tf.math.log_sigmoid(-lower) + tf.math.log(-tf.math.expm1(-scale / 255))
    mass = tf.where(
        x < 0.5 / 255, tf.math.log_sigmoid(upper), tf.where(x > 1 - 0.5 / 255, tf.math.log_sigmoid(-lower), middle)
    )
    return -per_example(mass)


def kl_standard(mu, logvar):
    """KL(N(mu, e^logvar) || N(0, I)).  [B, Z], [B, Z] -> [B]  (Kingma & Welling 2014, App. B)"""
    return 0.5 * per_example(mu**2 + tf.math.expm1(logvar) - logvar)


def kl_gaussians(mu, logvar, prior_mu, prior_logvar):
    """KL(N(mu, e^logvar) || N(prior_mu, e^prior_logvar)).  4 x [B, Z] -> [B]  (report 002's KL, corrected: E-002-5)"""
    ratio = logvar - prior_logvar
    return 0.5 * per_example(tf.math.expm1(ratio) - ratio + (mu - prior_mu) ** 2 * tf.exp(-prior_logvar))


def log_normal(z, mu, logvar):
    """log N(z | mu, diag e^logvar).  3 x [..., Z] -> [...]"""
    return -0.5 * tf.reduce_sum(math.log(2 * math.pi) + logvar + (z - mu) ** 2 * tf.exp(-logvar), -1)


def kl_monte_carlo(z, mu, logvar, prior_mu, prior_logvar):
    """log q(z) - log p(z): its mean over z from q is the KL.  5 x [..., Z] -> [...]  (Kingma & Welling 2014, Eq. 6)"""
    return log_normal(z, mu, logvar) - log_normal(z, prior_mu, prior_logvar)


def importance_bound(log_w):
    """log (1/S) sum_s e^log_w, S samples' bound on log p.  [S, B] -> [B]  (Burda et al. 2016, Eq. 8)"""
    return tf.reduce_logsumexp(log_w, 0) - math.log(log_w.shape[0])


def cross_entropy(y, logits):
    """-log of the softmax probability of the class.  y one-hot [B, K], [B, K] -> [B]"""
    return -tf.reduce_sum(y * tf.nn.log_softmax(logits), 1)


def discriminator_loss(d_real, d_fake):
    """-log D(x) - log(1 - D(x_fake)), D the sigmoid of the logit.  [B], [B] -> [B]  (Goodfellow et al. 2014, Eq. 1)"""
    return tf.math.softplus(-d_real) + tf.math.softplus(d_fake)


def generator_loss(d_fake):
    """-log D(x_fake), which does not saturate.  [B] -> [B]  (Goodfellow et al. 2014, section 3)"""
    return tf.math.softplus(-d_fake)
