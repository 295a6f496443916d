"""Both twins reach the optima that are known in closed form, and none is better than the best.

Linear models, full batch, float64, trained with the twins' own losses and steps.  The expectation over z is
exact: the loss is quadratic in eps, so its mean over all sign vectors, whose first two moments are a standard
normal's, is the mean over the normal itself.
"""

import dataclasses
from itertools import product

import numpy as np
import pytest
from pair import TWINS, array
from scipy import stats
from scipy.special import logsumexp

from twinvae import backend, randomness
from twinvae.spec import Flatten, ModelSpec, TrainSpec
from twinvae_studies import exact

# off the origin, where the biases' gradients would be rounding alone
POINTS = exact.points() + [0.1, -0.2, 0.3, 0.4]
ONE_CLASS = np.zeros(16, int)
TWO_X, TWO_Y = exact.two_class_points()
VAE = ModelSpec(
    "linear",
    "vae",
    (2, 2, 1),
    2,
    encoder=(Flatten(),),
    decoder=(),
    likelihood="gaussian_learned",
    output_mean="identity",
    init="keras",
)
BETA_VAE = dataclasses.replace(VAE, latent_dim=4, likelihood="gaussian", variance=0.5)
CVAE = dataclasses.replace(VAE, kind="cvae", num_classes=2, encoder_condition="concat", decoder_condition="concat")
BEST = exact.linear_vae_optimum(exact.EIGENVALUES, 2)
over_twins = pytest.mark.parametrize("twin", TWINS)


def full_batch(x: np.ndarray, y: np.ndarray, latent_dim: int) -> randomness.Batch:
    """Every point with every sign vector of eps."""
    signs = np.array(list(product([-1.0, 1.0], repeat=latent_dim)))
    x = np.repeat(x.reshape(-1, 2, 2, 1), len(signs), axis=0)
    return randomness.Batch(x, x, np.repeat(np.eye(2)[y], len(signs), axis=0), np.tile(signs, (len(y), 1)))


def train(name: str, model: ModelSpec, x=POINTS, y=ONE_CLASS, beta=1.0, steps=750):
    """The trained model, and (loss, recon, kl) of every step; the last third is ten times slower."""
    twin = backend.get(name)
    built = twin.models.build(model, seed=0, dtype="float64")
    values = []
    batch = twin.train.tensors(full_batch(x, y, model.latent_dim))
    for rate, share in ((0.03, 2), (0.003, 1)):
        settings = TrainSpec(epochs=1, learning_rate=rate, beta=beta)
        step = twin.train.make_step(built, twin.train.Optimizer(built, settings), settings)
        values += [array(step(*batch)) for _ in range(steps * share // 3)]
    return built, np.array(values)


# --- linear VAE = probabilistic PCA --------------------------------------------------------------


@pytest.fixture(scope="module")
def linear():
    return {twin: train(twin, VAE) for twin in TWINS}


@over_twins
def test_a_linear_vae_reaches_the_likelihood_of_probabilistic_pca(linear, twin):
    elbo = -linear[twin][1][:, 0]
    assert elbo[-1] == pytest.approx(-6.427793, abs=1e-3) and elbo[-1] == pytest.approx(BEST.elbo, abs=1e-6)
    assert elbo[0] < BEST.elbo - 1


@over_twins
def test_no_step_of_a_linear_vae_is_better_than_the_best(linear, twin):
    assert (-linear[twin][1][:, 0]).max() <= BEST.elbo + 1e-9


@over_twins
def test_a_trained_linear_vae_has_the_known_variances_and_rate(linear, twin):
    model, values = linear[twin]
    assert np.exp(model.get_arrays()["likelihood.log_scale"]) == pytest.approx(0.75, abs=1e-4)
    assert values[-1, 2] == pytest.approx(1.327403, abs=1e-3)
    _, logvar = model.encode(*backend.get(twin).train.tensors([POINTS.reshape(-1, 2, 2, 1)]))
    for x_logvar in np.exp(array(logvar)):  # the encoder could give each point its own; the best is one for all
        np.testing.assert_allclose(np.sort(x_logvar), BEST.posterior_variances, atol=1e-3)


@over_twins
def test_at_the_optimum_the_elbo_is_log_p_of_every_point(linear, twin):
    model = linear[twin][0]
    arrays = model.get_arrays()
    batch = full_batch(POINTS, ONE_CLASS, 2)
    recon, kl = (array(t) for t in model.loss_terms(*backend.get(twin).train.tensors(batch)))
    W, b = arrays["decoder.dense1.weight"], arrays["decoder.dense1.bias"]
    covariance = W @ W.T + np.exp(arrays["likelihood.log_scale"]) * np.eye(4)
    log_p = stats.multivariate_normal(b, covariance).logpdf(POINTS)
    np.testing.assert_allclose(-(recon + kl).reshape(16, 4).mean(1), log_p, atol=1e-4)


def test_both_twins_took_the_same_way(linear):
    curve, other = (linear[twin][1] for twin in TWINS)
    np.testing.assert_allclose(curve[:200], other[:200], rtol=1e-10)
    np.testing.assert_allclose(curve[:, 0], other[:, 0], rtol=1e-7)  # near the optimum gradients are rounding


@over_twins
def test_the_sign_vectors_give_the_closed_form(twin):
    """The trick of this file, at random weights, against the formula."""
    model = backend.get(twin).models.build(VAE, seed=4, dtype="float64")
    w = {name: np.random.default_rng(1).normal(0, 0.5, a.shape) for name, a in model.get_arrays().items()}
    w["logvar.dense1.weight"] *= 0
    model.set_arrays(w)
    batch = full_batch(POINTS, ONE_CLASS, 2)
    recon, kl = (array(t).reshape(16, 4).mean(1) for t in model.loss_terms(*backend.get(twin).train.tensors(batch)))
    expected = exact.linear_vae_terms(
        POINTS,
        w["decoder.dense1.weight"],
        w["decoder.dense1.bias"],
        np.exp(w["likelihood.log_scale"]),
        w["mu.dense1.weight"],
        w["mu.dense1.bias"],
        w["logvar.dense1.bias"],
    )
    np.testing.assert_allclose((recon, kl), expected, rtol=1e-12)


@over_twins
def test_a_linear_autoencoder_keeps_the_largest_eigenvalues(twin):
    model = dataclasses.replace(VAE, kind="ae", likelihood="gaussian", variance=0.5)
    _, values = train(twin, model, steps=600)
    error = values[:, 0] - 2 * np.log(np.pi)  # variance 1/2: the squared error itself, and its constant
    assert error[-1] == pytest.approx(exact.EIGENVALUES[2:].sum(), abs=1e-6) == pytest.approx(1.5, abs=1e-5)
    assert error.min() >= 1.5 - 1e-9


# --- beta: the rate-distortion curve -------------------------------------------------------------


@over_twins
@pytest.mark.parametrize(
    "theta, distortion, rate, active", [(0.75, 2.75, 1.471244, 3), (1.5, 4.5, 0.634256, 2), (3, 6.5, 0.143841, 1)]
)
def test_beta_moves_a_linear_vae_along_the_rate_distortion_curve(twin, theta, distortion, rate, active):
    model, values = train(twin, BETA_VAE, beta=theta / 0.5)
    squared_error = values[:, 1] - 2 * np.log(np.pi)  # variance 1/2
    assert squared_error[-1] == pytest.approx(distortion, abs=1e-3)
    assert values[-1, 2] == pytest.approx(rate, abs=1e-3)
    assert (squared_error + theta / 0.5 * values[:, 2]).min() >= distortion + theta / 0.5 * rate - 1e-5
    mu, logvar = (array(t) for t in model.encode(*backend.get(twin).train.tensors([POINTS.reshape(-1, 2, 2, 1)])))
    kl = 0.5 * (mu**2 + np.expm1(logvar) - logvar).mean(0)
    assert (kl > 0.02).sum() == active and (kl < 1e-3).sum() == 4 - active


# --- linear CVAE ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_classes():
    return {twin: (train(twin, VAE, TWO_X, TWO_Y), train(twin, CVAE, TWO_X, TWO_Y)) for twin in TWINS}


@over_twins
def test_the_condition_of_a_linear_cvae_is_worth_1_472_nats(two_classes, twin):
    (_, vae), (_, cvae) = two_classes[twin]
    assert -vae[-1, 0] == pytest.approx(-7.900012, abs=1e-3)
    assert -cvae[-1, 0] == pytest.approx(-6.427793, abs=1e-3)
    assert vae[-1, 0] - cvae[-1, 0] == pytest.approx(1.472, abs=1e-3)
    assert (-vae[:, 0]).max() <= exact.linear_vae_optimum(exact.spectrum(TWO_X)[0], 2).elbo + 1e-9
    assert (-cvae[:, 0]).max() <= BEST.elbo + 1e-9


@over_twins
def test_only_ln_2_of_it_is_knowing_the_label(two_classes, twin):
    model = two_classes[twin][1][0]
    arrays = model.get_arrays()
    W, A = np.split(arrays["decoder.dense1.weight"], [2], axis=1)
    covariance = W @ W.T + np.exp(arrays["likelihood.log_scale"]) * np.eye(4)
    log_p = np.stack(
        [stats.multivariate_normal(A[:, k] + arrays["decoder.dense1.bias"], covariance).logpdf(TWO_X) for k in (0, 1)],
        axis=1,
    )
    assert (log_p.argmax(1) == TWO_Y).all()
    marginal = (logsumexp(log_p, axis=1) - np.log(2)).mean()
    assert marginal == pytest.approx(-7.120940, abs=1e-3)
    assert log_p[range(32), TWO_Y].mean() - marginal == pytest.approx(np.log(2), abs=1e-6)


@over_twins
def test_the_code_of_a_linear_cvae_knows_nothing_of_the_label(two_classes, twin):
    model = two_classes[twin][1][0]
    tensors = backend.get(twin).train.tensors([TWO_X.reshape(-1, 2, 2, 1), np.eye(2)[TWO_Y]])
    mu = array(model.encode(*tensors)[0])
    assert np.abs(mu[TWO_Y == 1].mean(0) - mu[TWO_Y == 0].mean(0)).max() < 1e-2 < mu.std(0).min()


# --- the importance-weighted ladder --------------------------------------------------------------


def scalar_model(twin: str, mu_weight: float, logvar_bias: float):
    """z ~ N(0, 1), x | z ~ N(z, 1), q(z | x) = N(mu_weight x, e^logvar_bias)."""
    spec = ModelSpec(
        "scalar",
        "vae",
        (1, 1, 1),
        1,
        encoder=(Flatten(),),
        decoder=(),
        likelihood="gaussian",
        variance=1.0,
        output_mean="identity",
    )
    model = backend.get(twin).models.build(spec, dtype="float64")
    arrays = {name: np.zeros_like(a) for name, a in model.get_arrays().items()}
    arrays["mu.dense1.weight"][:], arrays["logvar.dense1.bias"][:] = mu_weight, logvar_bias
    arrays["decoder.dense1.weight"][:] = 1
    model.set_arrays(arrays)
    return model


def log_weights(twin: str, model, eps: np.ndarray) -> np.ndarray:
    """Of x = 1.  eps [S, B, 1] -> [S, B]"""
    b = eps.shape[1]
    return array(model.log_weights(*backend.get(twin).train.tensors([np.ones((b, 1, 1, 1)), np.zeros((b, 1)), eps])))


@over_twins
def test_the_ladder_has_the_known_rungs_and_climbs(twin):
    """The prior as proposal: each rung within four standard errors of its exact value, and so in order."""
    model = scalar_model(twin, 0.0, 0.0)
    eps = np.random.default_rng(0).normal(size=(500, 4000, 1))
    log_w = log_weights(twin, model, eps)
    for samples, known in ((1, -1.918939), (2, -1.653474), (5, -1.5571), (50, -1.5194), (500, -1.5156)):
        bounds = logsumexp(log_w.reshape(-1, samples), axis=1) - np.log(samples)
        error = bounds.std() / len(bounds) ** 0.5
        assert abs(bounds.mean() - exact.scalar_iwae(1.0, samples)) < 4 * error < 0.01
        assert bounds.mean() == pytest.approx(known, abs=4 * error + 1e-3)


@over_twins
def test_with_the_posterior_as_proposal_every_weight_is_p(twin):
    log_w = log_weights(twin, scalar_model(twin, 0.5, np.log(0.5)), np.random.default_rng(0).normal(size=(7, 50, 1)))
    np.testing.assert_allclose(log_w, -1.515512, atol=1e-6)
    np.testing.assert_allclose(log_w, exact.scalar_log_p(1.0), atol=1e-13)
