"""Metrics of codes: closed forms of Gaussians, what collapse looks like, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinvae.metrics import latent
from twinvae.reference import kl_standard

SEEDS = st.integers(0, 2**32 - 1)
quick = settings(max_examples=15, deadline=None)


@pytest.mark.parametrize(
    "mu, variance, kl", [(0, 1, 0), (1, 1, 0.5), (0, 0.5, 0.096574), (0, 2, 0.153426), (1, 0.25, 0.818147)]
)
def test_kl_of_known_gaussians(mu, variance, kl):
    found = latent.kl_per_dimension(np.full((4, 1), mu), np.full((4, 1), np.log(variance)))
    assert found[0] == pytest.approx(kl, abs=1e-6)


@given(SEEDS)
@quick
def test_kl_per_dimension_sums_to_the_kl_and_moves_with_its_units(seed):
    rng = np.random.default_rng(seed)
    mu, logvar, order = rng.standard_normal((9, 4)), rng.standard_normal((9, 4)), rng.permutation(4)
    found = latent.kl_per_dimension(mu, logvar)
    assert found.sum() == pytest.approx(kl_standard(mu, logvar).mean())
    np.testing.assert_allclose(latent.kl_per_dimension(mu[:, order], logvar[:, order]), found[order])


def test_active_units_are_those_above_the_threshold():
    mu = np.array([1.0, -1.0, 1.0, -1.0])[:, None] * np.sqrt([0.0, 0.0099, 0.0101, 1.0])
    assert latent.active_units(mu + 7).tolist() == [False, False, True, True]


def test_a_collapsed_code_has_nothing_in_any_part():
    parts = latent.kl_parts(np.zeros((50, 3)), np.zeros((50, 3)), np.random.default_rng(0))
    for value in (parts.kl, parts.information, parts.correlation, parts.marginals, parts.aggregate):
        assert value == pytest.approx(0, abs=1e-12)


def test_codes_far_apart_tell_the_image_and_no_more_than_ln_n():
    mu = 1000.0 * np.arange(64)[:, None]
    parts = latent.kl_parts(mu, np.zeros((64, 1)), np.random.default_rng(0))
    assert parts.information == pytest.approx(np.log(64), abs=1e-9)


def test_information_of_a_gaussian_channel():
    rng = np.random.default_rng(0)
    mu = np.sqrt(0.75) * rng.standard_normal((3000, 2))  # q(z) is N(0, I): 0.5 ln 4 nats a unit
    parts = latent.kl_parts(mu, np.full((3000, 2), np.log(0.25)), rng, samples=2000)
    assert parts.information == pytest.approx(np.log(4), abs=0.06)
    assert parts.aggregate == pytest.approx(0, abs=0.03)


def test_correlation_of_two_units_of_a_gaussian():
    rng = np.random.default_rng(0)
    shared = np.sqrt(0.5) * rng.standard_normal((3000, 1))  # correlation 1/2: -0.5 ln(1 - 1/4) nats
    parts = latent.kl_parts(np.hstack([shared, shared]), np.full((3000, 2), np.log(0.5)), rng, samples=2000)
    assert parts.correlation == pytest.approx(-0.5 * np.log(0.75), abs=0.04)
    assert parts.marginals == pytest.approx(0, abs=0.03)


@given(SEEDS)
@quick
def test_the_parts_add_up_to_the_kl(seed):
    rng = np.random.default_rng(seed)
    mu, logvar = 2 * rng.standard_normal((40, 3)), rng.standard_normal((40, 3)) - 1
    parts = latent.kl_parts(mu, logvar, rng, samples=200)
    assert parts.information + parts.correlation + parts.marginals == pytest.approx(parts.kl)
    assert parts.information <= np.log(40) + 1e-9
    several = [latent.kl_parts(mu, logvar, np.random.default_rng(s), samples=200).kl for s in range(20)]
    error = np.std(several) / np.sqrt(len(several)) + 1e-9
    assert abs(np.mean(several) - kl_standard(mu, logvar).mean()) < 6 * error


def test_marginal_distance_of_the_prior_of_a_constant_and_of_a_shift():
    from scipy.stats import norm

    z = np.column_stack([norm.ppf((np.arange(1000) + 0.5) / 1000), np.zeros(1000), np.full(1000, 99.0)])
    np.testing.assert_allclose(latent.marginal_distance(z), [0.0005, 0.5, 1.0], atol=1e-9)


def test_probe_reads_a_class_and_finds_chance_where_there_is_none():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 150)
    told = latent.probe_accuracy(10 * np.eye(4)[y], np.zeros((600, 4)), y, rng)
    blind = latent.probe_accuracy(rng.standard_normal((600, 4)), None, y, rng)
    assert told == 1 and blind == pytest.approx(0.25, abs=0.09)


def test_probe_does_not_read_a_signal_far_below_the_noise():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 250)
    mu = 1e-3 * np.eye(4)[y]  # means alone would tell the class perfectly
    assert latent.probe_accuracy(mu, np.zeros((1000, 4)), y, rng) < 0.35


@given(SEEDS, st.floats(0.1, 10))
@quick
def test_between_class_share_ignores_rotation_scale_and_shift(seed, scale):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 30)
    z = rng.standard_normal((30, 4)) + y[:, None]
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    share = latent.between_class_share(z, y)
    assert 0 <= share <= 1
    assert latent.between_class_share(scale * z @ turn - 3, (y + 1) % 3) == pytest.approx(share)


def test_between_class_share_of_pure_and_of_no_class():
    y = np.array([0, 0, 1, 1])
    assert latent.between_class_share(np.array([[1.0], [1], [5], [5]]), y) == 1
    assert latent.between_class_share(np.array([[1.0], [5], [1], [5]]), y) == 0


def test_largest_step_of_an_even_path_a_jump_and_no_path():
    even = np.linspace(0, 1, 6)[:, None] * np.ones(3)
    jump = (np.arange(6) > 2)[:, None] * np.ones(3)
    found = latent.largest_step(np.stack([even, jump, np.zeros((6, 3))]))
    np.testing.assert_allclose(found, [1, 5, 1])


RNG = np.random.default_rng(0)
MU, LOGVAR, Y = np.ones((8, 3)), np.zeros((8, 3)), np.arange(8) % 2
BAD = {
    "shapes": (lambda: latent.kl_per_dimension(MU, LOGVAR[:, :2]), "one variance a mean"),
    "NaN": (lambda: latent.kl_parts(MU * np.nan, LOGVAR, RNG), "8 of 8"),
    "one image": (lambda: latent.active_units(MU[:1]), "at least 2"),
    "no variance": (lambda: latent.between_class_share(MU, Y), "no variance"),
    "one of a class": (lambda: latent.probe_accuracy(MU, None, np.arange(8), RNG), "at least 2"),
    "labels missing": (lambda: latent.between_class_share(MU, Y[:3]), "one label an example"),
    "short path": (lambda: latent.largest_step(np.ones((2, 2, 5))), "at least 3 points"),
    "infinite path": (lambda: latent.largest_step(np.full((2, 4, 5), np.inf)), "not finite"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_sentence(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
