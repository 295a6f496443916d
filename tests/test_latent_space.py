"""Planes, projections, lines and traversals are of the codes that they say."""

from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, VAE, splits
from scipy.stats import norm

from twinvae import backend, data
from twinvae.spec import TrainSpec
from twinvae_studies import evaluation, latent_space

IMAGES = splits()
X, Y = data.scale(IMAGES.test.x), IMAGES.test.y


@pytest.fixture(params=["torch", "tf"])
def trained(request, results):
    def of(spec):
        job = evaluation.job(backend.get(request.param), spec, TrainSpec(1, 8), IMAGES)
        return evaluation.train_all(SimpleNamespace(may_train=True), job, IMAGES)

    return of


def generated(m, z, y):
    return m.predict("generate", np.array(z, "float32"), np.eye(3, dtype="float32")[y])


def test_the_plane_holds_equal_shares_of_the_prior_and_its_corners_are_where_they_are_drawn(trained):
    m, at = trained(CVAE), latent_space.quantiles(4)
    np.testing.assert_allclose(norm.cdf(at), [0.125, 0.375, 0.625, 0.875])
    assert m.spec.latent_dim == 2
    images = latent_space.plane(m, at, label=1)
    assert images.shape == (4, 4, *X.shape[1:])
    corners = generated(m, [[at[0], at[3]], [at[3], at[3]], [at[0], at[0]]], [1, 1, 1])
    np.testing.assert_allclose([images[0, 0], images[0, 3], images[3, 0]], corners, atol=1e-6)


def test_lines_go_from_the_code_of_one_image_to_that_of_another(trained):
    m = trained(VAE)
    for same in (True, False):
        first, second = ends = latent_space.pairs(Y, 4, same)
        assert ((Y[first] == Y[second]) == same).all()
        lines = latent_space.lines(m, X, Y, ends, 5)
        mu = evaluation.codes(m, X, Y)[0]
        assert lines.shape == (4, 5, *X.shape[1:])
        middle = generated(m, (mu[first] + mu[second]) / 2, Y[first])
        for at, wanted in (
            (0, generated(m, mu[first], Y[first])),
            (2, middle),
            (4, generated(m, mu[second], Y[first])),
        ):
            np.testing.assert_allclose(lines[:, at], wanted, atol=1e-6)


def test_a_traversal_moves_one_unit_of_the_first_code_most_informative_first(trained):
    m, at = trained(VAE), np.array([-3.0, 3.0])
    images, units, kl = latent_space.traversal(m, X, Y, 2, at)
    mu, logvar = evaluation.codes(m, X, Y)
    every = 0.5 * (mu**2 + np.exp(logvar) - logvar - 1).mean(0)
    assert kl == pytest.approx(sorted(every)[::-1][:2], rel=1e-4) and every[units] == pytest.approx(kl, rel=1e-4)
    z = mu[0].copy()
    z[units[0]] = 3
    np.testing.assert_allclose(images[0, 1], generated(m, [z], [0])[0], atol=1e-6)


def test_projections_are_two_numbers_a_code_and_neighbours_stay_neighbours():
    far = np.repeat([0.0, 50.0], 20)[:, None] + np.random.default_rng(0).standard_normal((40, 5))
    for z in latent_space.projections(far).values():
        assert z.shape == (40, 2)
        centres = z[:20].mean(0), z[20:].mean(0)
        assert (np.linalg.norm(z[:20] - centres[0], axis=1) < np.linalg.norm(z[:20] - centres[1], axis=1)).all()
