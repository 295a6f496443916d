"""Baselines: closed forms of linear data, and what their samples have and lack."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from twinvae.metrics import baselines, samples
from twinvae_studies import exact

RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(3), 400)
PLANE = RNG.standard_normal((3, 2, 16)) * 0.03  # two directions of variation a class
X = 0.4 + 0.1 * Y[:, None] + np.einsum("nq,nqd->nd", RNG.standard_normal((1200, 2)), PLANE[Y])
X = X.reshape(-1, 4, 4, 1)


def test_class_means_obey_and_never_vary():
    generator = baselines.ClassMeans.fit(X, Y)
    drawn = generator.sample(Y)
    np.testing.assert_allclose(drawn[0], X[Y == 0].mean(0))
    assert drawn.shape == X.shape
    assert samples.within_class_diversity(drawn, Y, X, Y) == pytest.approx(0, abs=1e-12)


def test_class_pca_has_the_moments_of_each_class():
    y = np.repeat(np.arange(3), 4000)
    drawn = baselines.ClassPCA.fit(X, Y, components=2).sample(y, np.random.default_rng(1))
    flat, real = drawn.reshape(3, 4000, 16), X.reshape(3, 400, 16)
    for k in range(3):
        np.testing.assert_allclose(flat[k].mean(0), real[k].mean(0), atol=0.005)
        np.testing.assert_allclose(np.cov(flat[k].T), np.cov(real[k].T), atol=3e-4)
    assert samples.within_class_diversity(drawn, y, X, Y) == pytest.approx(1, abs=0.05)


def test_class_pca_repeats_itself_from_a_seed_and_stays_in_range():
    generator = baselines.ClassPCA.fit(X * 2 - 0.5, Y, components=2)
    one, two = (generator.sample(Y, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.min() >= 0 and one.max() <= 1


@pytest.mark.parametrize("components, error", [(1, 3.5), (2, 1.5), (3, 0.5), (4, 0.0)])
def test_pca_error_is_the_sum_of_what_is_left_out(components, error):
    found = baselines.pca_error(exact.points(), exact.points(), [components])[0]
    assert found.mean() == pytest.approx(error, abs=1e-12)


@pytest.mark.parametrize("n", [5, 11, 12, 40])
def test_principal_axes_of_few_examples_are_those_of_the_covariance(n):
    x = np.random.default_rng(n).standard_normal((n, 12)) * np.arange(1, 13)
    mean, values, axes = baselines._principal(x, 4)
    covariance = np.cov(x, rowvar=False, bias=True)
    largest = np.linalg.eigvalsh(covariance)[::-1]
    np.testing.assert_allclose(values, largest[:4], rtol=1e-10)
    assert mean == pytest.approx(x.mean(0))
    np.testing.assert_allclose(covariance @ axes.T, axes.T * values, atol=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_pca_error_falls_with_the_code_and_agrees_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    train, x = rng.random((30, 6)), rng.random((9, 6))
    errors = baselines.pca_error(train, x, [1, 3, 5])
    assert (np.diff(errors, axis=0) <= 1e-12).all()
    assert (errors <= ((x - train.mean(0)) ** 2).sum(1) + 1e-12).all()
    library = PCA(3).fit(train)
    by_library = ((x - library.inverse_transform(library.transform(x))) ** 2).sum(1)
    np.testing.assert_allclose(errors[1], by_library, atol=1e-12)


BAD = {
    "one class empty": (lambda: baselines.ClassMeans.fit(X, Y * 2), "Class 1 of x has 0"),
    "class too small": (lambda: baselines.ClassPCA.fit(X, Y, 400), "at least 401"),
    "unknown class": (lambda: baselines.ClassMeans.fit(X, Y).sample(np.array([3])), "from 0 to 2"),
    "too many components": (lambda: baselines.pca_error(exact.points(), exact.points(), [5]), "from 1 to 4"),
    "another width": (lambda: baselines.pca_error(X, X[:, :3], [1]), "same width"),
    "NaN": (lambda: baselines.ClassPCA.fit(X * np.nan, Y), "not finite"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_sentence(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
