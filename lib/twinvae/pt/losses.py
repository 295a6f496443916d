"""Likelihoods and divergences: per example, in nats, summed over everything but the batch axis."""

import math

import torch
import torch.nn.functional as F


def per_example(terms):
    """The sum over all axes but the first.  [B, ...] -> [B]"""
    return terms.flatten(1).sum(1)


def bernoulli_nll(x, x_logits):
    """-log Bernoulli(x | sigmoid(x_logits)).  [B, ...], [B, ...] -> [B]  (Kingma & Welling 2014, App. C.1)"""
    return per_example(F.softplus(x_logits) - x_logits * x)


def continuous_bernoulli_nll(x, x_logits):
    """-log density of the continuous Bernoulli on [0, 1].  [B, ...], [B, ...] -> [B]  (Loaiza-Ganem & Cunningham 2019)

    bernoulli_nll less log(a / tanh(a / 2)), a = x_logits, written so that the two do not cancel.
    """
    a = torch.abs(x_logits)
    far, b = torch.clamp(a, min=0.1), torch.clamp(a, max=0.1)  # near 0 the quotient is 0 / 0: there its series
    near = x_logits * (0.5 - x) + b**2 / 24 - b**4 / 2880 + b**6 / 181440 - b**8 / 9676800
    return per_example(
        torch.where(a < 0.1, near, F.relu(x_logits) - x_logits * x + torch.log(-torch.expm1(-far) / far))
    )


def gaussian_nll(x, x_mean, x_logvar):
    """-log N(x | x_mean, e^x_logvar I), all of it.  2 x [B, ...], [] -> [B]  (Kingma & Welling 2014, App. C.2)"""
    return 0.5 * per_example(math.log(2 * math.pi) + x_logvar + (x - x_mean) ** 2 * torch.exp(-x_logvar))


def discretized_logistic_nll(x, x_mean, x_logscale):
    """-log of the logistic mass in each of 256 bins on [0, 1].  2 x [B, ...], [] -> [B]  (Kingma et al. 2016, Eq. 30)

    The first bin reaches to minus infinity, the last to infinity.
    """
    scale = torch.exp(-x_logscale)
    upper, lower = (x - x_mean + 0.5 / 255) * scale, (x - x_mean - 0.5 / 255) * scale
    middle = F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1(-scale / 255))
    mass = torch.where(x < 0.5 / 255, F.logsigmoid(upper), torch.where(x > 1 - 0.5 / 255, F.logsigmoid(-lower), middle))
    return -per_example(mass)


def kl_standard(mu, logvar):
    """KL(N(mu, e^logvar) || N(0, I)).  [B, Z], [B, Z] -> [B]  (Kingma & Welling 2014, App. B)"""
    return 0.5 * per_example(mu**2 + torch.expm1(logvar) - logvar)


def kl_gaussians(mu, logvar, prior_mu, prior_logvar):
    """KL(N(mu, e^logvar) || N(prior_mu, e^prior_logvar)).  4 x [B, Z] -> [B]  (report 002's KL, corrected: E-002-5)"""
    ratio = logvar - prior_logvar
    return 0.5 * per_example(torch.expm1(ratio) - ratio + (mu - prior_mu) ** 2 * torch.exp(-prior_logvar))


def log_normal(z, mu, logvar):
    """log N(z | mu, diag e^logvar).  3 x [..., Z] -> [...]"""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 * torch.exp(-logvar)).sum(-1)


def kl_monte_carlo(z, mu, logvar, prior_mu, prior_logvar):
    """log q(z) - log p(z): its mean over z from q is the KL.  5 x [..., Z] -> [...]  (Kingma & Welling 2014, Eq. 6)"""
    return log_normal(z, mu, logvar) - log_normal(z, prior_mu, prior_logvar)


def importance_bound(log_w):
    """log (1/S) sum_s e^log_w, S samples' bound on log p.  [S, B] -> [B]  (Burda et al. 2016, Eq. 8)"""
    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


def cross_entropy(y, logits):
    """-log of the softmax probability of the class.  y one-hot [B, K], [B, K] -> [B]"""
    return -(y * F.log_softmax(logits, 1)).sum(1)


def discriminator_loss(d_real, d_fake):
    """-log D(x) - log(1 - D(x_fake)), D the sigmoid of the logit.  [B], [B] -> [B]  (Goodfellow et al. 2014, Eq. 1)"""
    return F.softplus(-d_real) + F.softplus(d_fake)


def generator_loss(d_fake):
    """-log D(x_fake), which does not saturate.  [B] -> [B]  (Goodfellow et al. 2014, section 3)"""
    return F.softplus(-d_fake)
