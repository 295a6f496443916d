"""The oracle at known points and against code that is not ours: scipy.stats, torch.distributions, torch.optim."""

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from twinvae import reference

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (5, 4, 3, 1))
GREY = RNG.integers(0, 256, (5, 4, 3, 1)) / 255
BINARY = (GREY > 0.5).astype(float)
LN2 = np.log(2)


def summed(terms) -> np.ndarray:
    return np.asarray(terms).reshape(5, -1).sum(axis=1)


# --- likelihoods ---------------------------------------------------------------------------------


def test_bernoulli_is_scipys():
    np.testing.assert_allclose(
        reference.bernoulli_nll(BINARY, LOGITS),
        -summed(stats.bernoulli(special.expit(LOGITS)).logpmf(BINARY)),
        rtol=1e-12,
    )


def test_continuous_bernoulli_is_torchs():
    theirs = torch.distributions.ContinuousBernoulli(logits=torch.tensor(LOGITS)).log_prob(torch.tensor(GREY))
    np.testing.assert_allclose(reference.continuous_bernoulli_nll(GREY, LOGITS), -summed(theirs), rtol=1e-9)


@pytest.mark.parametrize("logit", [-40.0, -3.0, -1e-3, 0.0, 1e-9, 0.2, 5.0, 200.0])
def test_continuous_bernoulli_integrates_to_one_and_the_plain_one_does_not(logit):
    a = np.array([[logit]])
    density = lambda x: np.exp(-reference.continuous_bernoulli_nll([[x]], a)[0])  # noqa: E731
    assert integrate.quad(density, 0, 1, points=[0.01, 0.99], limit=400)[0] == pytest.approx(1, abs=1e-8)
    plain = lambda x: np.exp(-reference.bernoulli_nll([[x]], a)[0])  # noqa: E731
    mass = integrate.quad(plain, 0, 1, points=[0.01, 0.99], limit=400)[0]
    assert mass == pytest.approx(np.exp(-reference.continuous_bernoulli_log_norm(logit)), rel=1e-7)
    assert mass <= 0.5 + 1e-9


@pytest.mark.parametrize("variance", [0.01, 0.5, 1.0, 7.0])
def test_gaussian_is_scipys_with_its_constant(variance):
    theirs = stats.norm(special.expit(LOGITS), variance**0.5).logpdf(GREY)
    np.testing.assert_allclose(reference.gaussian_nll(GREY, LOGITS, variance), -summed(theirs), rtol=1e-12)


def test_gaussian_with_learned_variance_is_scipys_for_one_variance_or_one_a_pixel():
    for x_logvar in (np.array(-1.3), np.random.default_rng(2).normal(0, 2, LOGITS.shape)):
        theirs = stats.norm(special.expit(LOGITS), np.exp(x_logvar / 2)).logpdf(GREY)
        ours = reference.gaussian_nll_learned(GREY, LOGITS, x_logvar)
        np.testing.assert_allclose(ours, -summed(theirs), rtol=1e-12)


@pytest.mark.parametrize("lambda_", [0.1, 1.0, 4.0])
def test_squared_error_plus_lambda_kl_is_a_gaussian_of_variance_half_lambda(lambda_):
    error = summed((GREY - special.expit(LOGITS)) ** 2)
    constant = 12 * 0.5 * np.log(np.pi * lambda_)
    ours = lambda_ * (reference.gaussian_nll(GREY, LOGITS, lambda_ / 2) - constant)
    np.testing.assert_allclose(ours, error, rtol=1e-11)


def test_discretized_logistic_is_the_difference_of_scipys_cdf():
    x_logscale = np.random.default_rng(1).normal(-1.5, 0.3, LOGITS.shape)
    logistic = stats.logistic(special.expit(LOGITS), np.exp(x_logscale))
    upper = np.where(GREY > 0.999, 1, logistic.cdf(GREY + 0.5 / 255))
    lower = np.where(GREY < 0.001, 0, logistic.cdf(GREY - 0.5 / 255))
    ours = reference.discretized_logistic_nll(GREY, LOGITS, x_logscale)
    np.testing.assert_allclose(ours, -summed(np.log(upper - lower)), rtol=1e-9)


@pytest.mark.parametrize("logit, logscale", [(0, -4), (5, -1), (-9, -7), (0.3, 1.5)])
def test_the_256_levels_sum_to_one(logit, logscale):
    levels = np.arange(256)[:, None] / 255
    nll = reference.discretized_logistic_nll(levels, np.full((256, 1), float(logit)), float(logscale))
    assert np.exp(-nll).sum() == pytest.approx(1, abs=1e-12)


def test_discretized_logistic_stays_finite_far_from_its_mean():
    nll = reference.discretized_logistic_nll([[0.9]], [[-20.0]], -6.0)[0]
    assert np.isfinite(nll) and nll > 300


# --- known points --------------------------------------------------------------------------------


@pytest.mark.parametrize("pixels, nats", [(784, 543.427390), (3072, 2129.348139)])
def test_zero_logits_cost_ln_2_a_pixel(pixels, nats):
    x = np.random.default_rng(3).random((2, pixels))
    np.testing.assert_allclose(reference.bernoulli_nll(x, np.zeros_like(x)), nats, atol=1e-6)
    np.testing.assert_allclose(reference.continuous_bernoulli_nll(x, np.zeros_like(x)), 0, atol=1e-12)


@pytest.mark.parametrize("x, logit, nats", [(0, 1e4, 1e4), (1, 1e4, 0), (0, -1e4, 0), (1, -1e4, 1e4)])
def test_huge_logits_stay_finite(x, logit, nats):
    assert reference.bernoulli_nll([[x]], [[logit]])[0] == nats
    assert np.isfinite(reference.continuous_bernoulli_nll([[x]], [[logit]])[0])


def test_sigmoid_is_scipys_without_overflow():
    a = np.array([-1e4, -700.0, -1.0, 0.0, 1.0, 700.0, 1e4])
    np.testing.assert_allclose(reference.sigmoid(a), special.expit(a), rtol=1e-12)


@pytest.mark.parametrize(
    "mean, variance, nats", [(0, 1, 0), (1, 1, 0.5), (0, 0.5, 0.096574), (0, 2, 0.153426), (1, 0.25, 0.818147)]
)
def test_kl_to_the_standard_normal_at_known_points(mean, variance, nats):
    assert reference.kl_standard([[mean]], [[np.log(variance)]])[0] == pytest.approx(nats, abs=1e-6)


# --- latent variables ----------------------------------------------------------------------------

MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR = (RNG.normal(0, 1.5, (6, 3)) for _ in range(4))


def torch_normal(mu, logvar):
    return torch.distributions.Normal(torch.tensor(mu), torch.tensor(logvar).mul(0.5).exp())


def test_kl_is_torchs_for_either_prior():
    q, standard = torch_normal(MU, LOGVAR), torch_normal(np.zeros((6, 3)), np.zeros((6, 3)))
    kl = torch.distributions.kl_divergence
    np.testing.assert_allclose(reference.kl_standard(MU, LOGVAR), kl(q, standard).sum(1), rtol=1e-12)
    learned = kl(q, torch_normal(PRIOR_MU, PRIOR_LOGVAR)).sum(1)
    ours = reference.kl_gaussians(MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR)
    np.testing.assert_allclose(ours, learned, rtol=1e-12)
    np.testing.assert_allclose(reference.kl_gaussians(MU, LOGVAR, 0, 0), kl(q, standard).sum(1), rtol=1e-12)


def test_kl_agrees_with_sampling():
    z = reference.reparameterize(MU, LOGVAR, np.random.default_rng(4).normal(size=(20_000, 6, 3)))
    ratio = reference.log_normal(z, MU, LOGVAR) - reference.log_normal(z, PRIOR_MU, PRIOR_LOGVAR)
    kl = reference.kl_gaussians(MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR)
    assert (np.abs(ratio.mean(axis=0) - kl) < 4 * ratio.std(axis=0) / 20_000**0.5).all()


def test_expm1_keeps_a_nearly_collapsed_kl():
    logvar = 1e-9
    assert reference.kl_standard([[0.0]], [[logvar]])[0] == pytest.approx(logvar**2 / 4, rel=0.2)
    assert 0.5 * (np.exp(logvar) - 1 - logvar) > 10 * logvar**2  # without expm1: rounding only


def test_log_normal_is_torchs_for_one_or_many_samples():
    z = np.random.default_rng(5).normal(size=(4, 6, 3))
    theirs = torch_normal(MU, LOGVAR).log_prob(torch.tensor(z)).sum(-1)
    np.testing.assert_allclose(reference.log_normal(z, MU, LOGVAR), theirs, rtol=1e-12)
    np.testing.assert_allclose(reference.log_normal(z[0], MU, LOGVAR), theirs[0], rtol=1e-12)


def test_reparameterize_has_the_asked_mean_and_variance():
    z = reference.reparameterize([2.0, -1.0], [np.log(9.0), np.log(0.25)], [[0.0, 0.0], [1.0, -2.0]])
    np.testing.assert_allclose(z, [[2, -1], [5, -2]], rtol=1e-15)


@pytest.mark.parametrize("shift", [0.0, -2000.0, 800.0])
def test_log_mean_exp_is_scipys(shift):
    a = np.random.default_rng(6).normal(size=(7, 4)) + shift
    for axis, count in ((0, 7), (1, 4)):
        theirs = special.logsumexp(a, axis=axis) - np.log(count)
        np.testing.assert_allclose(reference.log_mean_exp(a, axis=axis), theirs, rtol=1e-13)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nll",
    [
        reference.bernoulli_nll,
        reference.continuous_bernoulli_nll,
        lambda x, a: reference.gaussian_nll(x, a, 1.0),
        lambda x, a: reference.gaussian_nll_learned(x, a, 0.0),
        lambda x, a: reference.discretized_logistic_nll(x, a, -1.0),
    ],
)
def test_two_shapes_are_refused_not_broadcast(nll):
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\) and the decoder's output \(2, 1\)"):
        nll(np.zeros((2, 3)), np.zeros((2, 1)))


@pytest.mark.parametrize("variance", [0, -1.0, np.nan])
def test_a_variance_that_is_not_positive_is_named(variance):
    with pytest.raises(ValueError, match=f"variance is {variance}; .* above 0"):
        reference.gaussian_nll(GREY, LOGITS, variance)


# --- layers --------------------------------------------------------------------------------------


def test_mlp_is_torchs():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.LeakyReLU(0.1), torch.nn.Linear(5, 2)).double()
    layers = [(net[i].weight.detach().numpy(), net[i].bias.detach().numpy()) for i in (0, 2)]
    x = np.random.default_rng(7).normal(size=(3, 6))
    theirs = net(torch.tensor(x))
    np.testing.assert_allclose(reference.mlp(x, layers, 0.1), theirs.detach(), rtol=1e-12)
    activated = torch.nn.functional.leaky_relu(theirs, 0.1).detach()
    np.testing.assert_allclose(reference.mlp(x, layers, 0.1, activate_last=True), activated, rtol=1e-12)


def test_leaky_relu_with_slope_0_is_the_relu():
    np.testing.assert_array_equal(reference.leaky_relu([-2.0, 0.0, 3.0], 0.0), [0, 0, 3])


# --- optimisers: ten steps beside torch.optim ----------------------------------------------------

GRADIENTS = RNG.normal(size=(10, 4)) * [1e-9, 1e-3, 1.0, 100.0]


def torch_steps(optimiser, **settings) -> np.ndarray:
    weight = torch.nn.Parameter(torch.ones(4, dtype=torch.float64))
    steps = optimiser([weight], lr=0.01, **settings)
    for grad in GRADIENTS:
        weight.grad = torch.tensor(grad)
        steps.step()
    return weight.detach().numpy()


def test_sgd_is_torchs():
    weight = np.ones(4)
    for grad in GRADIENTS:
        weight = reference.sgd_step(weight, grad, 0.01)
    np.testing.assert_allclose(weight, torch_steps(torch.optim.SGD), rtol=1e-14)


@pytest.mark.parametrize("settings", [{}, {"beta1": 0.5, "beta2": 0.99, "epsilon": 1e-3}])
def test_adam_is_torchs(settings):
    weight = np.ones(4)
    m = np.zeros(4)
    v = np.zeros(4)
    for step, grad in enumerate(GRADIENTS, start=1):
        weight, m, v = reference.adam_step(weight, grad, m, v, step, 0.01, **settings)
    betas = (settings.get("beta1", 0.9), settings.get("beta2", 0.999))
    theirs = torch_steps(torch.optim.Adam, betas=betas, eps=settings.get("epsilon", 1e-8))
    np.testing.assert_allclose(weight, theirs, rtol=1e-13)


@pytest.mark.parametrize("settings", [{}, {"rho": 0.9, "epsilon": 1e-3}])
def test_rmsprop_is_torchs(settings):
    weight = np.ones(4)
    v = np.zeros(4)
    for grad in GRADIENTS:
        weight, v = reference.rmsprop_step(weight, grad, v, 0.01, **settings)
    rho, epsilon = settings.get("rho", 0.99), settings.get("epsilon", 1e-8)
    theirs = torch_steps(torch.optim.RMSprop, alpha=rho, eps=epsilon)
    np.testing.assert_allclose(weight, theirs, rtol=1e-13)


@pytest.mark.parametrize("settings", [{}, {"epsilon": 1e-3}])
def test_adagrad_is_torchs(settings):
    weight = np.ones(4)
    total = np.zeros(4)
    for grad in GRADIENTS:
        weight, total = reference.adagrad_step(weight, grad, total, 0.01, **settings)
    theirs = torch_steps(torch.optim.Adagrad, eps=settings.get("epsilon", 1e-10))
    np.testing.assert_allclose(weight, theirs, rtol=1e-13)
