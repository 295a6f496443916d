"""The closed forms against brute force: sampling, quadrature, an optimiser that tries to beat them."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from twinvae import reference
from twinvae_studies import exact

DIM = 4


# --- data ----------------------------------------------------------------------------------------


def test_points_have_exactly_the_promised_moments():
    x = exact.points()
    assert x.shape == (16, DIM)
    assert np.abs(x.mean(axis=0)).max() < 1e-15
    np.testing.assert_allclose(exact.spectrum(x)[0], exact.EIGENVALUES, atol=1e-14)
    np.testing.assert_allclose(exact.AXES.T @ exact.AXES, np.eye(DIM), atol=0)


def test_two_class_points_differ_by_a_shift_only():
    x, y = exact.two_class_points()
    np.testing.assert_allclose(x[y == 1] - x[y == 0], np.tile(6 * exact.AXES[:, 3], (16, 1)), atol=1e-14)
    np.testing.assert_allclose(exact.spectrum(x)[0], [9.5, 4, 2, 1], atol=1e-13)


# --- linear VAE ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "latent_dim, variance, elbo, rate, posterior",
    [
        (0, 1.875, -6.932971, 0, []),
        (1, 7 / 6, -6.600127, 0.616072, [0.291667]),
        (2, 0.75, -6.427793, 1.327403, [0.1875, 0.375]),
        (3, 0.5, -6.368901, 2.079442, [0.125, 0.25, 0.5]),
    ],
)
def test_linear_optimum_has_the_known_values(latent_dim, variance, elbo, rate, posterior):
    best = exact.linear_vae_optimum(exact.EIGENVALUES, latent_dim)
    np.testing.assert_allclose([best.variance, best.elbo, best.rate], [variance, elbo, rate], atol=1e-6)
    np.testing.assert_allclose(best.posterior_variances, posterior, atol=1e-6)


@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_at_the_optimum_the_elbo_is_log_p_of_every_point(latent_dim):
    x = exact.points()
    best = exact.linear_vae_optimum(exact.EIGENVALUES, latent_dim)
    weights = exact.linear_vae_weights(x, latent_dim)
    recon, kl = exact.linear_vae_terms(x, **weights)
    covariance = weights["W"] @ weights["W"].T + weights["variance"] * np.eye(DIM)
    log_p = stats.multivariate_normal(weights["b"], covariance).logpdf(x)
    np.testing.assert_allclose(-(recon + kl), log_p, atol=1e-12)
    np.testing.assert_allclose([log_p.mean(), kl.mean()], [best.elbo, best.rate], atol=1e-12)


def test_elbo_terms_agree_with_sampling():
    rng = np.random.default_rng(0)
    x = exact.points()
    W, b, V, c = (rng.normal(size=shape) for shape in ((DIM, 2), DIM, (2, DIM), 2))
    logvar = np.array([-0.5, 0.3])
    recon, kl = exact.linear_vae_terms(x, W, b, 0.6, V, c, logvar)
    mu = x @ V.T + c
    z = reference.reparameterize(mu, logvar, rng.normal(size=(40_000, 16, 2)))
    sampled = -stats.norm(z @ W.T + b, 0.6**0.5).logpdf(x).sum(axis=2)
    error = sampled.std(axis=0) / 200
    assert (np.abs(sampled.mean(axis=0) - recon) < 4 * error).all()
    ratio = reference.log_normal(z, mu, logvar) - reference.log_normal(z, np.zeros(2), np.zeros(2))
    assert (np.abs(ratio.mean(axis=0) - kl) < 4 * ratio.std(axis=0) / 200).all()


def test_an_optimiser_reaches_the_linear_optimum_and_never_beats_it():
    x = exact.points()

    def loss(flat):
        recon, kl = exact.linear_vae_terms(x, **exact.linear_vae_unflatten(flat, DIM, 2))
        return (recon + kl).mean()

    found = optimize.minimize(
        loss,
        np.random.default_rng(1).normal(0, 0.3, 25),
        method="L-BFGS-B",
        options={"maxiter": 2000, "maxfun": 100_000, "ftol": 1e-13},
    )
    best = exact.linear_vae_optimum(exact.EIGENVALUES, 2)
    assert -1e-9 < found.fun + best.elbo < 1e-5
    variance = exact.linear_vae_unflatten(found.x, DIM, 2)["variance"]
    assert variance == pytest.approx(best.variance, abs=1e-2)


def test_adam_climbs_to_the_optimum_with_the_elbo_below_log_p_all_the_way():
    x = exact.points()
    climb = exact.linear_vae_climb(x, 2, 600, seed=0, learning_rate=0.03)
    assert climb.shape == (600, 2) and (climb[:, 0] <= climb[:, 1] + 1e-9).all()
    assert climb[0, 1] - climb[0, 0] > 0.1 and climb[-1, 1] - climb[-1, 0] < 1e-3
    assert exact.linear_vae_optimum(exact.EIGENVALUES, 2).elbo == pytest.approx(climb[:, 0].max(), abs=1e-3)


def test_densities_of_a_linear_vae_do_not_ask_its_encoder():
    x, W, b = exact.points(), np.array([[1.0], [0.0], [2.0], [0.0]]), np.arange(4.0)
    covariance = [[1.5, 0, 2, 0], [0, 0.5, 0, 0], [2, 0, 4.5, 0], [0, 0, 0, 0.5]]
    found = exact.linear_vae_log_densities(x, W, b, 0.5, V=None, c=None, logvar=None)
    np.testing.assert_allclose(found, stats.multivariate_normal(b, covariance).logpdf(x), atol=1e-12)


@pytest.mark.parametrize("latent_dim", [-1, 4, 5])
def test_latent_dim_outside_the_data_is_named(latent_dim):
    with pytest.raises(ValueError, match=f"latent_dim is {latent_dim}; with 4 dimensions .* from 0 to 3"):
        exact.linear_vae_optimum(exact.EIGENVALUES, latent_dim)


# --- rate and distortion -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "theta, distortion, rate, active",
    [
        (0.25, 1.0, 3.465736, 4),
        (0.5, 2.0, 2.079442, 3),
        (0.75, 2.75, 1.471244, 3),
        (1, 3.5, 1.039721, 2),
        (1.5, 4.5, 0.634256, 2),
        (2, 5.5, 0.346574, 1),
        (3, 6.5, 0.143841, 1),
        (4, 7.5, 0, 0),
        (9, 7.5, 0, 0),
    ],
)
def test_rate_distortion_has_the_known_values(theta, distortion, rate, active):
    found = exact.rate_distortion(exact.EIGENVALUES, theta)
    np.testing.assert_allclose(found, (rate, distortion, active), atol=1e-6)


def test_slope_of_the_rate_distortion_curve_is_minus_one_over_two_theta():
    for theta in (0.3, 0.8, 1.7, 3.1):
        r1, d1, _ = exact.rate_distortion(exact.EIGENVALUES, theta - 1e-5)
        r2, d2, _ = exact.rate_distortion(exact.EIGENVALUES, theta + 1e-5)
        assert (r2 - r1) / (d2 - d1) == pytest.approx(-1 / (2 * theta), rel=1e-6)


@pytest.mark.parametrize("theta", [0.7, 1.4, 2.5])
def test_no_linear_beta_vae_lies_below_the_curve(theta):
    """At variance 1, so that theta = beta: the loss minimised from a random start."""
    x = exact.points()
    rng = np.random.default_rng(2)

    def rate_and_distortion(flat):
        W = flat[:16].reshape(4, 4)
        V = flat[16:32].reshape(4, 4)
        logvar = flat[32:]
        recon, kl = exact.linear_vae_terms(x, W, np.zeros(4), 1.0, V, np.zeros(4), logvar)
        return kl.mean(), 2 * recon.mean() - 4 * np.log(2 * np.pi)

    def loss(flat):
        rate, distortion = rate_and_distortion(flat)
        return distortion / 2 + theta * rate

    found = optimize.minimize(
        loss, rng.normal(0, 0.5, 36), method="L-BFGS-B", options={"maxiter": 2000, "maxfun": 100_000, "ftol": 1e-14}
    )
    rate, distortion, active = exact.rate_distortion(exact.EIGENVALUES, theta)
    np.testing.assert_allclose(rate_and_distortion(found.x), (rate, distortion), atol=2e-3)
    assert found.fun >= distortion / 2 + theta * rate - 1e-9
    assert (found.x[32:] < -1e-2).sum() == active


def test_theta_must_be_positive():
    with pytest.raises(ValueError, match="theta is 0; .* above 0"):
        exact.rate_distortion(exact.EIGENVALUES, 0)


# --- linear CVAE ---------------------------------------------------------------------------------


def test_the_condition_is_worth_1_472_nats_and_the_label_only_ln_2():
    x, y = exact.two_class_points()
    vae = exact.linear_vae_optimum(exact.spectrum(x)[0], 2)
    cvae = exact.linear_cvae_optimum(x, y, 2)
    assert (vae.elbo, vae.variance) == (pytest.approx(-7.900012, abs=1e-6), pytest.approx(1.5))
    assert cvae.elbo == pytest.approx(-6.427793, abs=1e-6)
    assert cvae.elbo - vae.elbo == pytest.approx(1.472219, abs=1e-6)
    log_p = exact.linear_cvae_log_densities(x, y, 2)
    assert log_p[np.arange(32), y].mean() == pytest.approx(cvae.elbo, abs=1e-12)
    marginal = np.log(np.exp(log_p).mean(axis=1)).mean()
    assert marginal == pytest.approx(cvae.elbo - np.log(2), abs=1e-8)
    assert (log_p.argmax(axis=1) == y).all()


def test_three_latents_of_a_vae_do_not_make_up_for_the_label():
    x, _ = exact.two_class_points()
    assert exact.linear_vae_optimum(exact.spectrum(x)[0], 3).elbo == pytest.approx(-7.841121, abs=1e-6)


# --- bounds in one dimension ---------------------------------------------------------------------


@pytest.mark.parametrize("x, q_mu, q_var", [(1.0, 0.0, 1.0), (1.0, 0.5, 0.5), (-2.0, 0.3, 2.0)])
def test_scalar_elbo_and_log_p_agree_with_quadrature(x, q_mu, q_var):
    q, prior = stats.norm(q_mu, q_var**0.5), stats.norm()
    joint = lambda z: stats.norm(z).logpdf(x) + prior.logpdf(z)  # noqa: E731
    elbo = integrate.quad(lambda z: q.pdf(z) * (joint(z) - q.logpdf(z)), -15, 15)[0]
    assert exact.scalar_elbo(x, q_mu, q_var) == pytest.approx(elbo, abs=1e-8)
    evidence = integrate.quad(lambda z: np.exp(joint(z)), -15, 15)[0]
    assert exact.scalar_log_p(x) == pytest.approx(np.log(evidence))


@pytest.mark.parametrize(
    "samples, bound, tolerance",
    [
        (1, -1.918939, 1e-6),
        (2, -1.653474, 1e-6),
        (5, -1.5571, 7e-4),
        (50, -1.5194, 4e-4),
        (500, -1.5156, 4e-4),  # sampled values with their error
    ],
)
def test_the_ladder_has_the_known_rungs(samples, bound, tolerance):
    assert exact.scalar_iwae(1.0, samples) == pytest.approx(bound, abs=tolerance)


@pytest.mark.parametrize("samples, q_mu, q_var", [(1, 0.3, 0.8), (3, 0.0, 1.0), (20, 0.5, 0.6), (20, 1.0, 2.0)])
def test_the_ladder_agrees_with_sampling(samples, q_mu, q_var):
    eps = np.random.default_rng(3).normal(size=(samples, 100_000))
    z = reference.reparameterize(q_mu, np.log(q_var), eps)
    log_w = stats.norm(z).logpdf(1.0) + stats.norm.logpdf(z) - stats.norm(q_mu, q_var**0.5).logpdf(z)
    bounds = reference.log_mean_exp(log_w)
    error = bounds.std() / 100_000**0.5
    assert abs(bounds.mean() - exact.scalar_iwae(1.0, samples, q_mu, q_var)) < 4 * error


def test_the_ladder_climbs_and_stays_below_log_p():
    rungs = [exact.scalar_iwae(1.0, samples) for samples in (1, 2, 4, 8, 64, 1024)]
    assert (np.diff(rungs) > 0).all() and rungs[-1] < exact.scalar_log_p(1.0)


@pytest.mark.parametrize("samples", [1, 7, 500])
def test_with_the_posterior_as_proposal_every_rung_is_log_p(samples):
    assert exact.scalar_iwae(1.0, samples, 0.5, 0.5) == pytest.approx(exact.scalar_log_p(1.0), abs=1e-11)


@pytest.mark.parametrize("samples, q_var", [(0, 1.0), (5, 0.4)])
def test_what_the_ladder_cannot_do_is_refused(samples, q_var):
    with pytest.raises(ValueError, match=f"samples is {samples} and q_var {q_var}"):
        exact.scalar_iwae(1.0, samples, 0.0, q_var)
