"""Estimates of log p(x) where it is known: a linear Gaussian model, and one that can be enumerated."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from pair import TWINS
from scipy import integrate, stats

from twinvae import backend
from twinvae.metrics import likelihood
from twinvae.spec import Flatten, ModelSpec
from twinvae_studies import exact

over_twins = pytest.mark.parametrize("name", TWINS)
LINEAR = ModelSpec(
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
LINEAR_CVAE = dataclasses.replace(
    LINEAR, kind="cvae", num_classes=2, encoder_condition="concat", decoder_condition="concat"
)
POINTS = exact.points().reshape(-1, 2, 2, 1)
NO_LABEL = np.zeros((16, 1))
TWO_X, TWO_Y = exact.two_class_points()


def linear_model(name: str, widen: float = 0.0):
    """The linear VAE at its optimum, `widen` added to q's log variance: twin, model, log p [16]."""
    twin = backend.get(name)
    best = exact.linear_vae_weights(exact.points(), 2)
    model = twin.models.build(LINEAR, dtype="float64")
    model.set_arrays(
        {
            "mu.dense1.weight": best["V"],
            "mu.dense1.bias": best["c"],
            "logvar.dense1.weight": np.zeros((2, 4)),
            "logvar.dense1.bias": best["logvar"] + widen,
            "decoder.dense1.weight": best["W"],
            "decoder.dense1.bias": best["b"],
            "likelihood.log_scale": np.log(best["variance"]),
        }
    )
    covariance = best["W"] @ best["W"].T + best["variance"] * np.eye(4)
    return twin, model, stats.multivariate_normal(best["b"], covariance).logpdf(exact.points())


# --- importance sampling -------------------------------------------------------------------------


@over_twins
@pytest.mark.parametrize("samples", [1, 30])
def test_with_the_true_posterior_any_number_of_samples_is_exact(name, samples):
    twin, model, log_p = linear_model(name)
    np.testing.assert_allclose(likelihood.importance_sampled(model, twin, POINTS, NO_LABEL, samples), log_p, atol=1e-12)


@over_twins
def test_with_another_proposal_the_bound_rises_to_log_p(name):
    twin, model, log_p = linear_model(name, widen=0.7)
    gaps = [
        (log_p - likelihood.importance_sampled(model, twin, POINTS, NO_LABEL, samples)).mean()
        for samples in (1, 20, 2000)
    ]
    assert gaps[0] > 0.1 > abs(gaps[1]) > 4 * abs(gaps[2])
    assert abs(gaps[2]) < 5e-3


def test_both_twins_draw_the_same_noise_and_the_seed_decides_it():
    estimates = []
    for name in TWINS:
        twin, model, _ = linear_model(name, widen=0.7)
        estimates += [likelihood.importance_sampled(model, twin, POINTS, NO_LABEL, 5, seed) for seed in (0, 0, 1)]
    np.testing.assert_allclose(estimates[0], estimates[3], rtol=1e-13)
    assert (estimates[0] == estimates[1]).all() and (estimates[0] != estimates[2]).all()


def test_chunks_change_nothing_but_the_memory(monkeypatch):
    """The noise is drawn in the order samples, images: chunks of samples only cut it."""
    twin, model, log_p = linear_model("torch", widen=0.7)
    whole = likelihood.importance_sampled(model, twin, POINTS, NO_LABEL, 10)
    sizes = []
    call = twin.models.call

    def counted(model, method, *arrays):
        sizes.append(arrays[-1].shape[:2])
        return call(model, method, *arrays)

    monkeypatch.setattr(twin.models, "call", counted)
    monkeypatch.setattr(likelihood, "ROWS", 50)
    np.testing.assert_allclose(likelihood.importance_sampled(model, twin, POINTS, NO_LABEL, 10), whole, rtol=1e-13)
    assert sizes == [(3, 16), (3, 16), (3, 16), (1, 16)]


# --- samples of the prior ------------------------------------------------------------------------


@over_twins
def test_samples_of_the_prior_give_p_in_the_end(name):
    twin, model, log_p = linear_model(name)
    estimates = likelihood.prior_sampled(model, twin, POINTS, NO_LABEL, [1, 100, 20_000])
    assert estimates.shape == (3, 16)
    gaps = (log_p - estimates).mean(1)
    assert gaps[0] > 1 > gaps[1] > abs(gaps[2]) and abs(gaps[2]) < 0.05


def test_more_samples_of_the_prior_begin_with_the_fewer():
    twin, model, _ = linear_model("torch")
    alone = likelihood.prior_sampled(model, twin, POINTS, NO_LABEL, [100])
    np.testing.assert_allclose(
        likelihood.prior_sampled(model, twin, POINTS, NO_LABEL, [3, 100])[1], alone[0], rtol=1e-13
    )


# --- a model that can be enumerated --------------------------------------------------------------


@over_twins
def test_the_probabilities_of_all_images_sum_to_one(name):
    """A Bernoulli VAE on four binary pixels and one latent: p(x) of all 16 images by quadrature."""
    twin = backend.get(name)
    spec = ModelSpec("four_pixels", "vae", (2, 2, 1), 1, encoder=(Flatten(),), decoder=(), init="keras")
    model = twin.models.build(spec, dtype="float64")
    rng = np.random.default_rng(3)
    arrays = {n: rng.normal(0, 0.5, a.shape) for n, a in model.get_arrays().items()}
    arrays["decoder.dense1.weight"] *= 4
    model.set_arrays(arrays)
    images = np.array(list(product([0.0, 1.0], repeat=4)))
    w, b = arrays["decoder.dense1.weight"][:, 0], arrays["decoder.dense1.bias"]

    def joint(z, x):
        return stats.norm.pdf(z) * np.prod(stats.bernoulli.pmf(x, 1 / (1 + np.exp(-w * z - b))))

    p = np.array([integrate.quad(joint, -10, 10, args=(x,))[0] for x in images])
    assert p.sum() == pytest.approx(1, abs=1e-9) and p.max() / p.min() > 3
    log_p = likelihood.importance_sampled(model, twin, images.reshape(-1, 2, 2, 1), np.zeros((16, 1)), 4000)
    np.testing.assert_allclose(log_p, np.log(p), atol=0.05)
    assert np.exp(log_p).sum() == pytest.approx(1, abs=0.02)
    entropy = -(p * np.log(p)).sum()
    assert -(p * log_p).sum() == pytest.approx(entropy, abs=0.01)
    assert (
        -(p * likelihood.importance_sampled(model, twin, images.reshape(-1, 2, 2, 1), np.zeros((16, 1)), 1)).sum()
        > entropy
    )


# --- labels --------------------------------------------------------------------------------------


@over_twins
def test_a_cvae_classifies_and_its_marginal_is_lower_by_ln_2(name):
    twin = backend.get(name)
    means = exact.class_means(TWO_X, TWO_Y)
    best = exact.linear_vae_weights(TWO_X - means[TWO_Y], 2)
    model = twin.models.build(LINEAR_CVAE, dtype="float64")
    model.set_arrays(
        {
            "mu.dense1.weight": np.concatenate([best["V"], -best["V"] @ means.T], 1),
            "mu.dense1.bias": np.zeros(2),
            "logvar.dense1.weight": np.zeros((2, 6)),
            "logvar.dense1.bias": best["logvar"],
            "decoder.dense1.weight": np.concatenate([best["W"], means.T], 1),
            "decoder.dense1.bias": np.zeros(4),
            "likelihood.log_scale": np.log(best["variance"]),
        }
    )
    log_p = likelihood.by_label(model, twin, TWO_X.reshape(-1, 2, 2, 1), samples=3)
    np.testing.assert_allclose(log_p, exact.linear_cvae_log_densities(TWO_X, TWO_Y, 2), atol=1e-10)
    assert (log_p.argmax(1) == TWO_Y).all()
    marginal = likelihood.marginal(log_p, np.log([0.5, 0.5]))
    assert marginal.mean() == pytest.approx(-7.120940, abs=1e-6)
    assert log_p[range(32), TWO_Y].mean() == pytest.approx(-6.427793, abs=1e-6)


def test_the_marginal_weighs_by_the_prior_of_the_labels():
    log_p = np.log([[0.2, 0.4], [0.1, 0.0 + 1e-300]])
    np.testing.assert_allclose(np.exp(likelihood.marginal(log_p, np.log([0.25, 0.75]))), [0.35, 0.025], rtol=1e-12)
