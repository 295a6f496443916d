"""Detection of strange images: fixed points, invariances, intervals, baselines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinvae.metrics import anomaly
from twinvae.metrics.checks import bootstrap

LOW, HIGH = np.arange(10.0), np.arange(10.0) + 20


def test_perfect_reversed_and_clueless_scores():
    assert anomaly.auroc(LOW, HIGH) == 1
    assert anomaly.auroc(HIGH, LOW) == 0
    assert anomaly.auroc(LOW, LOW) == 0.5


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_auroc_counts_pairs_and_sees_the_order_only(seed):
    rng = np.random.default_rng(seed)
    normal, strange = rng.integers(0, 9, 20).astype(float), rng.integers(2, 12, 15).astype(float)
    pairs = (strange[:, None] > normal).mean() + 0.5 * (strange[:, None] == normal).mean()
    assert anomaly.auroc(normal, strange) == pytest.approx(pairs)
    assert anomaly.auroc(np.exp(normal), np.exp(rng.permutation(strange))) == pytest.approx(pairs)
    assert anomaly.auroc(-normal, -strange) == pytest.approx(1 - pairs)


def test_intervals_hold_the_value_and_shrink_with_more_images():
    widths = []
    for n in (50, 5000):
        rng = np.random.default_rng(0)
        normal, strange = rng.standard_normal(n), 1 + rng.standard_normal(n)
        low, high = bootstrap(anomaly.auroc, normal, strange, rng=rng, times=100)
        assert low < anomaly.auroc(normal, strange) < high
        assert low < 0.7602 < high  # the normal distribution function at 1 / sqrt(2)
        widths.append(high - low)
    assert widths[1] < 0.2 * widths[0]


def test_bootstrap_draws_groups_apart_and_repeats_itself_from_a_seed():
    a = np.arange(50)

    def same(u, v):
        return float((u == v).mean())

    one, two = (bootstrap(same, a, a, rng=np.random.default_rng(0), times=20) for _ in range(2))
    assert one == two and one[1] < 0.5


def test_baselines_find_what_is_off_the_plane_and_far_away():
    rng = np.random.default_rng(0)
    plane = rng.standard_normal((2, 12))
    train, normal = rng.standard_normal((200, 2)) @ plane, rng.standard_normal((50, 2)) @ plane
    strange = normal + 0.5 * rng.standard_normal((50, 12))
    assert anomaly.auroc(anomaly.pca_score(train, normal, 2), anomaly.pca_score(train, strange, 2)) == 1
    np.testing.assert_allclose(anomaly.pca_score(train, normal, 2), 0, atol=1e-10)
    far = anomaly.isolation_score(train, normal + 30)
    assert anomaly.auroc(anomaly.isolation_score(train, normal), far) == 1


BAD = {
    "no strange image": (lambda: anomaly.auroc(LOW, HIGH[:0]), "'strange'"),
    "NaN score": (lambda: anomaly.auroc(LOW * np.nan, HIGH), "'normal'"),
    "a column of scores": (lambda: anomaly.auroc(LOW[:, None], HIGH), r"\(10, 1\)"),
    "another width": (lambda: anomaly.isolation_score(np.ones((5, 3)), np.ones((5, 2))), "same width"),
    "too many components": (lambda: anomaly.pca_score(np.ones((5, 3)), np.ones((5, 3)), 4), "from 1 to 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_sentence(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
