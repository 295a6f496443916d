"""A prior fitted after the training and a baseline's likelihood where both are known; the study, small."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pair import TWINS, images
from scipy import stats
from sklearn.mixture import GaussianMixture

from twinvae import backend, data
from twinvae.metrics import baselines, judge, likelihood
from twinvae_studies import digits_cvae, fitted_priors, papers

RNG = np.random.default_rng(0)


def normal(mean, covariance) -> GaussianMixture:
    """A mixture of one Gaussian."""
    found = GaussianMixture(1, random_state=0)
    found.weights_, found.means_, found.covariances_ = np.ones(1), np.array([mean]), np.array([covariance])
    found.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(found.covariances_))
    return found


def test_the_density_of_a_class_is_that_of_its_mixture():
    covariance = np.array([[2.0, 0.5], [0.5, 1]])
    prior = fitted_priors.Mixtures([normal([0.0, 0], np.eye(2)), normal([1.0, 2], covariance)])
    z = RNG.standard_normal((5, 4, 2))
    y = np.array([0, 1, 1, 0])
    expected = stats.multivariate_normal([1, 2], covariance).logpdf(z[:, 1:3])
    np.testing.assert_allclose(prior.log_density(z, y)[:, 1:3], expected, rtol=1e-10)
    drawn = prior.sample(np.repeat([0, 1], 20_000))
    np.testing.assert_allclose(drawn[20_000:].mean(0), [1, 2], atol=0.05)
    np.testing.assert_allclose(np.cov(drawn[20_000:].T), covariance, atol=0.06)


def test_a_mixture_finds_the_codes_of_each_class():
    y = np.repeat([0, 1], 500)
    z = RNG.standard_normal((1_000, 2)) * 0.1 + np.where(RNG.random(1_000) < 0.5, 3, -3)[:, None] * (1 - 2 * y[:, None])
    prior = fitted_priors.Mixtures.fit(z, y, 2)
    assert np.abs(np.sort(prior.by_class[1].means_[:, 0]) - [-3, 3]).max() < 0.05
    drawn = prior.sample(y)
    assert (np.abs(drawn) > 2).all()
    assert 30 < (drawn[:100, 0] > 0).sum() < 70, "one component after the other"


@pytest.mark.parametrize("name", TWINS)
def test_with_the_standard_prior_as_mixture_the_likelihood_is_the_usual_one(name):
    twin, spec = backend.get(name), replace(digits_cvae.model(), latent_dim=3)
    model = twin.models.build(spec, dtype="float64")
    trained = SimpleNamespace(model=model, twin=twin, spec=spec)
    x = RNG.integers(0, 2, (6, 28, 28, 1)).astype(float)
    y = np.arange(6)
    found = fitted_priors.nll(trained, x, y, fitted_priors.Mixtures([normal(np.zeros(3), np.eye(3))] * 10), 40)
    np.testing.assert_allclose(found["mixture"], found["standard"], rtol=1e-9)
    usual = -likelihood.importance_sampled(model, twin, x, np.eye(10)[y], 40)
    np.testing.assert_allclose(found["standard"], usual, rtol=1e-9)


def test_the_likelihood_of_linear_samples_is_the_integral_over_their_code():
    mean = RNG.uniform(0.2, 0.8, (2, 12))
    root = RNG.normal(0, 0.2, (2, 1, 12))
    x = RNG.integers(0, 2, (8, 12))
    y = np.arange(8) % 2
    found = digits_cvae.linear_nll(baselines.ClassPCA(mean, root, (12,)), x, y, 20_000, 0.3, 0.01)
    z = np.linspace(-8, 8, 4_001)
    for one, k, value in zip(x, y, found, strict=True):
        p = np.clip(mean[k] + z[:, None] * root[k], 0.01, 0.99)
        inside = np.where(one > 0, p, 1 - p).prod(1) * stats.norm.pdf(z)
        assert value == pytest.approx(-np.log(inside.sum() * (z[1] - z[0])), abs=0.02)


def test_samples_become_as_sharp_as_real_images_class_by_class():
    real = images(40, shape=(8, 8, 1), classes=2)
    logits = RNG.normal(0, 0.5, (30, 8, 8, 1))
    y = np.arange(30) % 2
    grey = data.Images((255 / (1 + np.exp(-2.5 * logits))).round().astype("uint8"), y, real.class_names, real.source)
    made, factors = fitted_priors.sharpened(logits, y, grey)
    assert factors.tolist() == [2.5, 2.5]
    np.testing.assert_allclose(made, grey.x / 255, atol=0.003)


@pytest.mark.slow
@pytest.mark.parametrize("name", TWINS)
def test_the_study_is_made_once_and_told_in_a_table(results, name, monkeypatch):
    few = images(200, shape=(28, 28, 1), classes=10)
    at_hand = data.Splits(few, few, few)
    monkeypatch.setattr(papers, "images", lambda recipe: at_hand)
    monkeypatch.setattr(digits_cvae, "AXES", 3)
    amount = digits_cvae.AMOUNTS["smoke"]._replace(phases=((1, 1e-3),), seeds=2, each=10, measured=12, draws=4)
    monkeypatch.setitem(digits_cvae.AMOUNTS, "smoke", amount)
    run = SimpleNamespace(profile="smoke", smoke=True, may_train=True)
    reader = judge.of("tiny", at_hand, backend.get("torch"))
    with backend.get(name).train.uncompiled():
        facts = digits_cvae.study(run, name, reader)
        run.may_train = False
        again = digits_cvae.study(run, name, reader)
    points = facts["points"]
    assert again["points"].nll.equals(points.nll) and points.nll.notna().sum() == 2 * 2 + 1, "the second is read"
    assert [card["job"]["seed"] for card in facts["cards"]] == [0, 1]
    table = digits_cvae.table(facts).set_index("samples of")
    assert list(table.index) == list(digits_cvae.WORDS.values()) and table.deviation.notna().sum() == 3
    assert table.nll.notna().sum() == 3 and points.floor.dropna().item() in digits_cvae.FLOORS
    numbers = digits_cvae.numbers({name: facts})
    kinds = points.set_index("samples of")
    assert numbers["least_accuracy"] == kinds.accuracy["sharp"].min() and numbers["least_kl"] == kinds.KL.min()
    assert numbers["seeds"] == 2 and numbers["pca_cas"] == kinds.cas["pca"]
    assert facts["shown"].shape == (80, 28, 28, 1)
