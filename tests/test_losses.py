"""Each loss in both twins: against the reference and code that is not ours, at known points and extremes."""

import keras
import numpy as np
import pytest
import torch
from pair import TWINS, apply, array
from scipy import special, stats

from twinvae import backend, reference

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (6, 4, 3, 1))
GREY = RNG.integers(0, 256, (6, 4, 3, 1)) / 255
BINARY = (GREY > 0.5).astype(float)
MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR, Z = RNG.normal(0, 1.5, (5, 6, 4))
LN2 = np.log(2)

CASES = {  # loss -> its arguments, the reference's value
    "bernoulli_nll": ((GREY, LOGITS), reference.bernoulli_nll(GREY, LOGITS)),
    "continuous_bernoulli_nll": ((GREY, LOGITS), reference.continuous_bernoulli_nll(GREY, LOGITS)),
    "gaussian_nll": ((GREY, special.expit(LOGITS), -1.3), reference.gaussian_nll_learned(GREY, LOGITS, -1.3)),
    "discretized_logistic_nll": (
        (GREY, special.expit(LOGITS), -2.5),
        reference.discretized_logistic_nll(GREY, LOGITS, -2.5),
    ),
    "kl_standard": ((MU, LOGVAR), reference.kl_standard(MU, LOGVAR)),
    "kl_gaussians": ((MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR), reference.kl_gaussians(MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR)),
    "log_normal": ((Z, MU, LOGVAR), reference.log_normal(Z, MU, LOGVAR)),
    "kl_monte_carlo": (
        (Z, MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR),
        reference.log_normal(Z, MU, LOGVAR) - reference.log_normal(Z, PRIOR_MU, PRIOR_LOGVAR),
    ),
    "importance_bound": ((PRIOR_MU.T,), reference.log_mean_exp(PRIOR_MU.T)),
    "cross_entropy": ((np.eye(4)[[0, 3, 1, 1, 2, 0]], MU), -special.log_softmax(MU, 1)[range(6), [0, 3, 1, 1, 2, 0]]),
    "discriminator_loss": ((MU[:, 0], Z[:, 0]), -special.log_expit(MU[:, 0]) - special.log_expit(-Z[:, 0])),
    "generator_loss": ((Z[:, 0],), -special.log_expit(Z[:, 0])),
}
over_twins = pytest.mark.parametrize("twin", TWINS)


def loss(twin: str, name: str, *arrays, dtype: str = "float64") -> np.ndarray:
    return apply(twin, "losses", name, *arrays, dtype=dtype)


def gradient(twin: str, name: str, x, x_logits, dtype: str = "float64") -> np.ndarray:
    """The derivative of the summed loss by its second argument."""
    losses = backend.get(twin).losses
    if twin == "torch":
        x, a = (torch.tensor(x, dtype=getattr(torch, dtype)), torch.tensor(x_logits, dtype=getattr(torch, dtype)))
        return array(torch.autograd.grad(getattr(losses, name)(x, a.requires_grad_()).sum(), a)[0])
    import tensorflow as tf

    x = tf.constant(x, dtype)
    a = tf.Variable(x_logits, dtype=dtype)
    with tf.GradientTape() as tape:
        out = getattr(losses, name)(x, a)
    return array(tape.gradient(out, a))


# --- against the reference -----------------------------------------------------------------------


@over_twins
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-13), ("float32", 2e-6)])
def test_a_loss_is_the_references(twin, name, dtype, tolerance):
    arguments, expected = CASES[name]
    found = loss(twin, name, *arguments, dtype=dtype)
    assert found.shape == expected.shape == (6,) and found.dtype == dtype
    if dtype == "float32":  # the reference at the rounded arguments
        tolerance *= max(np.abs(a).max() for a in arguments) * 4
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_every_loss_is_tested():
    ours = {
        name
        for name, f in vars(backend.get("torch").losses).items()
        if callable(f) and f.__module__ == "twinvae.pt.losses"
    }
    assert ours - {"per_example"} == set(CASES)


@over_twins
@pytest.mark.parametrize(
    "name, slope",
    [
        ("bernoulli_nll", lambda a: special.expit(a)),
        (
            "continuous_bernoulli_nll",
            lambda a: 0.5 + np.where(a == 0, 0, 0.5 / np.tanh(a / 2 + (a == 0)) - 1 / (a + (a == 0))),
        ),
    ],
)
def test_gradients_by_the_logits_are_the_mean_less_x(twin, name, slope):
    np.testing.assert_allclose(gradient(twin, name, GREY, LOGITS), slope(LOGITS) - GREY, atol=1e-13)
    at_zero = np.zeros_like(GREY)
    np.testing.assert_allclose(gradient(twin, name, GREY, at_zero), 0.5 - GREY, atol=1e-15)


# --- against code that is not ours ---------------------------------------------------------------


@over_twins
def test_losses_are_those_of_torch_distributions(twin):
    x, grey, a = torch.tensor(BINARY), torch.tensor(GREY), torch.tensor(LOGITS)
    per_image = lambda t: -array(t).reshape(6, -1).sum(1)  # noqa: E731
    d = torch.distributions
    for name, arguments, theirs in [
        ("bernoulli_nll", (BINARY, LOGITS), d.Bernoulli(logits=a).log_prob(x)),
        (
            "continuous_bernoulli_nll",
            (GREY, LOGITS),
            d.ContinuousBernoulli(logits=a, lims=(0.4999, 0.5001)).log_prob(grey),
        ),
        ("gaussian_nll", (GREY, LOGITS, np.log(0.3)), d.Normal(a, 0.3**0.5).log_prob(grey)),
        (
            "cross_entropy",
            (np.eye(4)[[0, 3, 1, 1, 2, 0]], MU),
            d.Categorical(logits=torch.tensor(MU)).log_prob(torch.tensor([0, 3, 1, 1, 2, 0])),
        ),
    ]:
        np.testing.assert_allclose(loss(twin, name, *arguments), per_image(theirs), rtol=1e-9, err_msg=name)


@over_twins
def test_divergences_are_those_of_torch_distributions(twin):
    d = torch.distributions
    mu, logvar, prior_mu, prior_logvar = map(torch.tensor, (MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR))
    q, p = d.Normal(mu, (logvar / 2).exp()), d.Normal(prior_mu, (prior_logvar / 2).exp())
    np.testing.assert_allclose(
        loss(twin, "kl_standard", MU, LOGVAR), array(d.kl_divergence(q, d.Normal(0.0, 1.0)).sum(1)), rtol=1e-12
    )
    np.testing.assert_allclose(
        loss(twin, "kl_gaussians", MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR), array(d.kl_divergence(q, p).sum(1)), rtol=1e-12
    )
    np.testing.assert_allclose(
        loss(twin, "log_normal", Z, MU, LOGVAR), array(q.log_prob(torch.tensor(Z)).sum(1)), rtol=1e-12
    )


@over_twins
def test_losses_are_those_of_keras(twin):
    bce = keras.losses.BinaryCrossentropy(from_logits=True, reduction=None, dtype="float64")
    theirs = np.asarray(bce(GREY.reshape(6, -1), LOGITS.reshape(6, -1))) * 12
    np.testing.assert_allclose(loss(twin, "bernoulli_nll", GREY, LOGITS), theirs, rtol=1e-12)
    mse = keras.losses.MeanSquaredError(reduction=None, dtype="float64")
    theirs = np.asarray(mse(GREY.reshape(6, -1), LOGITS.reshape(6, -1))) * 12
    np.testing.assert_allclose(
        loss(twin, "gaussian_nll", GREY, LOGITS, np.log(0.5)), theirs + 6 * np.log(np.pi), rtol=1e-12
    )
    y = np.eye(4)[[0, 3, 1, 1, 2, 0]]
    cce = keras.losses.CategoricalCrossentropy(from_logits=True, reduction=None, dtype="float64")
    np.testing.assert_allclose(loss(twin, "cross_entropy", y, MU), np.asarray(cce(y, MU)), rtol=1e-12)


@over_twins
def test_discretised_logistic_is_scipys_mass_of_each_bin(twin):
    logistic = stats.logistic(special.expit(LOGITS), np.exp(-2.5))
    upper = np.where(GREY > 0.999, 1, logistic.cdf(GREY + 0.5 / 255))
    lower = np.where(GREY < 0.001, 0, logistic.cdf(GREY - 0.5 / 255))
    expected = -np.log(upper - lower).reshape(6, -1).sum(1)
    np.testing.assert_allclose(
        loss(twin, "discretized_logistic_nll", GREY, special.expit(LOGITS), -2.5), expected, rtol=1e-9
    )


@over_twins
@pytest.mark.parametrize("mean, logscale", [(0.5, -4), (0.99, -1), (0.0, -7), (0.3, 1.5)])
def test_the_256_levels_sum_to_one(twin, mean, logscale):
    levels = np.arange(256)[:, None] / 255
    nll = loss(twin, "discretized_logistic_nll", levels, np.full((256, 1), mean), logscale)
    assert np.exp(-nll).sum() == pytest.approx(1, abs=1e-12)


# --- known points --------------------------------------------------------------------------------


@over_twins
@pytest.mark.parametrize("pixels, expected", [((28, 28, 1), 543.427390), ((32, 32, 3), 2129.348139)])
def test_zero_logits_cost_ln_2_a_pixel_and_nothing_as_a_density(twin, pixels, expected):
    x = RNG.random((2, *pixels))
    a = np.zeros((2, *pixels))
    np.testing.assert_allclose(loss(twin, "bernoulli_nll", x, a), expected, atol=1e-6)
    assert (loss(twin, "continuous_bernoulli_nll", x, a) == 0).all()


@over_twins
@pytest.mark.parametrize(
    "mu, variance, expected", [(0, 1, 0), (1, 1, 0.5), (0, 0.5, 0.096574), (0, 2, 0.153426), (1, 0.25, 0.818147)]
)
def test_kl_at_known_points(twin, mu, variance, expected):
    mu = np.full((1, 1), mu)
    logvar = np.full((1, 1), np.log(variance))
    zero = np.zeros((1, 1))
    assert loss(twin, "kl_standard", mu, logvar)[0] == pytest.approx(expected, abs=1e-6)
    assert loss(twin, "kl_gaussians", mu, logvar, zero, zero)[0] == pytest.approx(expected, abs=1e-6)
    stretched = loss(twin, "kl_gaussians", 3 * mu + 5, logvar + 2 * np.log(3), zero + 5, zero + 2 * np.log(3))
    assert stretched[0] == pytest.approx(expected, abs=1e-6)  # z -> 3 z + 5 changes no divergence


@over_twins
def test_kl_of_equal_gaussians_is_zero_and_never_negative(twin):
    assert (loss(twin, "kl_gaussians", MU, LOGVAR, MU, LOGVAR) == 0).all()
    for dtype in ("float64", "float32"):
        tiny = np.logspace(-12, -1, 50)[:, None] * [[1, -1]]
        assert (loss(twin, "kl_standard", 0 * tiny, tiny, dtype=dtype) >= 0).all()
    assert loss(twin, "kl_standard", [[0.0]], [[1e-4]])[0] == pytest.approx(2.5e-9 * (1 + 1e-4 / 3), rel=1e-7)


@over_twins
def test_sampled_and_analytic_kl_agree(twin):
    eps = np.random.default_rng(5).normal(size=(20_000, 4))
    mu, logvar, prior_mu, prior_logvar = (np.tile(a[:1], (20_000, 1)) for a in (MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR))
    z = reference.reparameterize(mu, logvar, eps)
    sampled = loss(twin, "kl_monte_carlo", z, mu, logvar, prior_mu, prior_logvar)
    analytic = loss(twin, "kl_gaussians", *(a[:1] for a in (MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR)))[0]
    error = sampled.std() / 20_000**0.5
    assert error < 0.02 * analytic and abs(sampled.mean() - analytic) < 4 * error


# --- extremes ------------------------------------------------------------------------------------


@over_twins
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("logit", [1e4, -1e4])
def test_extreme_logits_cost_their_size_or_nothing(twin, dtype, logit):
    a = np.full((2, 3), logit)
    right, wrong = np.full((2, 3), float(logit > 0)), np.full((2, 3), float(logit < 0))
    assert (loss(twin, "bernoulli_nll", right, a, dtype=dtype) == 0).all()
    assert (loss(twin, "bernoulli_nll", wrong, a, dtype=dtype) == 3e4).all()
    density = loss(
        twin, "continuous_bernoulli_nll", np.concatenate([right, wrong]), np.concatenate([a, a]), dtype=dtype
    )
    np.testing.assert_allclose(density, np.repeat([0, 3e4], 2) - 3 * np.log(1e4), rtol=3e-7)
    for name in ("bernoulli_nll", "continuous_bernoulli_nll"):
        np.testing.assert_allclose(gradient(twin, name, wrong, a, dtype=dtype), np.sign(logit), rtol=2e-4)
        np.testing.assert_allclose(gradient(twin, name, right, a, dtype=dtype), 0, atol=2e-4)


@over_twins
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("logscale", [-12, -7, 0, 7])
def test_discretised_logistic_is_finite_far_from_its_mean(twin, dtype, logscale):
    x, mean = (a.ravel()[:, None] for a in np.meshgrid([0, 0.5, 1], [0, 0.5, 1]))
    assert np.isfinite(loss(twin, "discretized_logistic_nll", x, mean, logscale, dtype=dtype)).all()


@over_twins
def test_the_series_of_the_continuous_bernoulli_stays_out_of_large_logits(twin):
    a = np.array([[-1e30, -1e6, 1e6, 1e30]])
    x = (a > 0).astype(float)  # rightly black and white: only -log(a) is left of the loss
    slope = gradient(twin, "continuous_bernoulli_nll", x, a, dtype="float32")
    np.testing.assert_allclose(slope, -1 / a, rtol=1e-5, atol=1e-12)


@over_twins
def test_the_series_of_the_continuous_bernoulli_meets_the_closed_form(twin):
    a = np.concatenate([[0, 1e-9, 1e-4], np.linspace(0.09, 0.11, 41), [1, 30, 700]])[:, None]
    a = np.concatenate([a, -a])
    x = np.full_like(a, 0.3)
    found = loss(twin, "continuous_bernoulli_nll", x, a)
    np.testing.assert_allclose(found, reference.continuous_bernoulli_nll(x, a), rtol=1e-13, atol=1e-15)
    small = np.array([[0.02]])  # by hand: a (1/2 - x) + a^2 / 24 - a^4 / 2880
    assert loss(twin, "continuous_bernoulli_nll", [[0.3]], small)[0] == pytest.approx(
        0.02 * 0.2 + 0.02**2 / 24 - 0.02**4 / 2880, abs=1e-15
    )
