"""Metrics of samples: fixed points, invariances, other people's code, and bad input."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from twinvae.metrics import samples

K = 5
SEEDS = st.integers(0, 2**32 - 1)
quick = settings(max_examples=20, deadline=None)


def blobs(rng: np.random.Generator, per_class: int = 40, width: int = 6, apart: float = 8.0):
    """Well separated classes: x [K * per_class, width], y."""
    y = np.repeat(np.arange(K), per_class)
    centres = apart * np.eye(K, width)
    return centres[y] + rng.standard_normal((len(y), width)), y


def rotation(rng: np.random.Generator, width: int) -> np.ndarray:
    return np.linalg.qr(rng.standard_normal((width, width)))[0]


# ---------------------------------------------------------------- what a judge says


def test_template_generator_obeys_every_label():
    y = np.arange(4 * K) % K
    assert samples.conditional_accuracy(np.eye(K)[y], y) == 1.0


def test_label_blind_generator_gets_one_in_k():
    y, seen = np.repeat(np.arange(K), K), np.tile(np.arange(K), K)
    assert samples.conditional_accuracy(np.eye(K)[seen], y) == pytest.approx(1 / K, abs=1e-15)


@given(st.permutations(range(K)))
@quick
def test_permuted_generator_gets_the_fixed_points(permutation):
    y = np.repeat(np.arange(K), 3)
    probs = np.eye(K)[np.array(permutation)[y]]
    fixed = np.mean(np.array(permutation) == np.arange(K))
    assert samples.conditional_accuracy(probs, y) == pytest.approx(fixed, abs=1e-15)


@given(SEEDS)
@quick
def test_confusion_counts_every_sample_in_any_order(seed):
    rng = np.random.default_rng(seed)
    probs, y = rng.dirichlet(np.ones(K), 30), rng.integers(0, K, 30)
    matrix, order = samples.confusion(probs, y), rng.permutation(30)
    np.testing.assert_array_equal(matrix, samples.confusion(probs[order], y[order]))
    np.testing.assert_array_equal(matrix.sum(1), np.bincount(y, minlength=K))
    np.testing.assert_array_equal(matrix.sum(0), np.bincount(probs.argmax(1), minlength=K))


def test_confidence_and_class_entropy_of_a_sure_and_of_a_clueless_judge():
    sure, clueless, one = np.eye(K), np.full((7, K), 1 / K), np.eye(K)[[2, 2, 2]]
    assert samples.confidence(sure) == 1 and samples.confidence(clueless) == pytest.approx(1 / K)
    assert samples.class_entropy(sure) == pytest.approx(np.log(K)) == samples.class_entropy(clueless)
    assert samples.class_entropy(one) == 0 and samples.confidence(one) == 1


# ---------------------------------------------------------------- variety


def test_spread_is_the_mean_over_pairs():
    x, y = blobs(np.random.default_rng(0), per_class=7)
    for k, spread in enumerate(samples.within_class_spread(x, y, K)):
        squared = cdist(x[y == k], x[y == k], "sqeuclidean")
        assert spread == pytest.approx(squared.sum() / (7 * 6))


def test_diversity_of_real_data_class_means_and_a_label_blind_generator():
    x, y = blobs(np.random.default_rng(0))
    means = np.stack([x[y == k].mean(0) for k in range(K)])[y]
    assert samples.within_class_diversity(x, y, x, y) == pytest.approx(1)
    assert samples.within_class_diversity(means, y, x, y) == pytest.approx(0, abs=1e-12)
    assert samples.within_class_diversity(np.roll(x, 10, 0), y, x, y) > 2  # a quarter of another class


@given(SEEDS, st.floats(0.1, 10))
@quick
def test_diversity_ignores_rotation_and_shift_and_scales_with_the_square(seed, scale):
    rng = np.random.default_rng(seed)
    (x, y), (real_x, real_y) = blobs(rng, 5), blobs(rng, 8)
    turn = rotation(rng, x.shape[1])
    expected = samples.within_class_diversity(x, y, real_x, real_y)
    moved = samples.within_class_diversity(x @ turn + 3, y, real_x @ turn - 1, real_y)
    assert moved == pytest.approx(expected)
    assert samples.within_class_diversity(scale * x, y, real_x, real_y) == pytest.approx(scale**2 * expected)


# ---------------------------------------------------------------- copies


def test_a_copy_has_distance_zero_even_in_float32():
    train = np.random.default_rng(0).random((300, 28, 28, 1)).astype(np.float32)
    distance, index = samples.nearest(train[[7, 3, 250]], train)
    assert distance.tolist() == [0, 0, 0] and index.tolist() == [7, 3, 250]


@given(SEEDS)
@quick
def test_nearest_agrees_with_all_distances(seed):
    rng = np.random.default_rng(seed)
    x, train = rng.standard_normal((12, 4)), rng.standard_normal((30, 4))
    distance, index = samples.nearest(x, train)
    np.testing.assert_allclose(distance, cdist(x, train).min(1))
    np.testing.assert_array_equal(index, cdist(x, train).argmin(1))


# ---------------------------------------------------------------- distances between sets of features


def exact_gaussian(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Points whose mean and unbiased covariance are exactly `mean` and diag(deviation^2)."""
    n = 2 * len(mean)
    cross = np.concatenate([np.eye(len(mean)), -np.eye(len(mean))]) * np.sqrt((n - 1) / 2)
    return mean + cross * deviation


def test_frechet_distance_of_diagonal_gaussians():
    m1, s1, m2, s2 = np.array([[0, 1, -2], [1, 2, 0.5], [3, 1, 0], [0.1, 2, 4]], float)
    expected = ((m1 - m2) ** 2).sum() + ((s1 - s2) ** 2).sum()
    found = samples.frechet_distance(exact_gaussian(m1, s1), exact_gaussian(m2, s2))
    assert found == pytest.approx(expected, rel=1e-12)


def test_frechet_distance_of_a_set_to_itself_is_zero_even_with_fewer_samples_than_features():
    a = 30 * np.random.default_rng(0).standard_normal((20, 64))
    assert abs(samples.frechet_distance(a, a)) < 1e-6


@given(SEEDS)
@quick
def test_frechet_distance_is_symmetric_and_ignores_rotation_and_order(seed):
    rng = np.random.default_rng(seed)
    a, b, turn = rng.standard_normal((30, 5)), 2 * rng.random((25, 5)) ** 2, rotation(rng, 5)
    expected = samples.frechet_distance(a, b)
    assert samples.frechet_distance(b, a) == pytest.approx(expected)
    assert samples.frechet_distance(a @ turn, rng.permutation(b) @ turn) == pytest.approx(expected)
    root = sqrtm(np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)).real
    by_scipy = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert expected == pytest.approx(by_scipy)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
def test_frechet_and_kernel_distance_agree_with_torchmetrics():
    torch = pytest.importorskip("torch")
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    class Pixels(torch.nn.Module):
        num_features = 12

        def forward(self, x):
            return x.flatten(1)

    rng = np.random.default_rng(0)
    a, b = rng.random((60, 1, 3, 4)), rng.random((60, 1, 3, 4)) ** 2
    frechet = FrechetInceptionDistance(Pixels(), input_img_size=(1, 3, 4)).set_dtype(torch.float64)
    kernel = KernelInceptionDistance(Pixels(), subsets=1, subset_size=60).set_dtype(torch.float64)
    for metric in (frechet, kernel):
        metric.update(torch.tensor(a), real=True)
        metric.update(torch.tensor(b), real=False)
    assert samples.frechet_distance(a, b) == pytest.approx(float(frechet.compute()), rel=1e-6)
    assert samples.kernel_distance(a, b) == pytest.approx(float(kernel.compute()[0]), rel=1e-6)


def test_kernel_distance_is_unbiased():
    rng = np.random.default_rng(0)
    values = [samples.kernel_distance(*rng.standard_normal((2, 20, 3))) for _ in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values)) and min(values) < 0


@pytest.mark.parametrize("k", [1, 5])
def test_a_set_against_itself_scores_exactly_one_in_all_four(k):
    a = np.random.default_rng(0).standard_normal((2050, 16))  # more than two blocks
    assert samples.prdc(a, a, k) == {"precision": 1, "recall": 1, "density": 1, "coverage": 1}


def test_far_sets_score_zero_in_all_four():
    a = np.random.default_rng(0).standard_normal((50, 3))
    assert set(samples.prdc(a, a + 100).values()) == {0}


@given(SEEDS, st.integers(1, 6))
@quick
def test_prdc_agrees_with_its_definition(seed, k):
    rng = np.random.default_rng(seed)
    real, fake = rng.standard_normal((25, 3)), 0.8 * rng.standard_normal((20, 3))
    real_radius = np.sort(cdist(real, real), 1)[:, k]
    fake_radius = np.sort(cdist(fake, fake), 1)[:, k]
    d = cdist(real, fake)
    inside = d < real_radius[:, None]
    expected = {
        "precision": inside.any(0).mean(),
        "recall": (d < fake_radius).any(1).mean(),
        "density": inside.sum(0).mean() / k,
        "coverage": (d.min(1) < real_radius).mean(),
    }
    assert samples.prdc(real, fake, k) == pytest.approx(expected)
    assert samples.prdc(3 * real - 5, 3 * rng.permutation(fake) - 5, k) == pytest.approx(expected)


def test_what_each_of_the_four_cannot_see():
    rng = np.random.default_rng(0)
    real = rng.standard_normal((500, 4))
    narrow = samples.prdc(real, 0.1 * rng.standard_normal((500, 4)))
    wide = samples.prdc(real, np.concatenate([real[:250], 50 + rng.standard_normal((250, 4))]))
    assert narrow["precision"] == 1 and narrow["recall"] < 0.1 and narrow["density"] > 1
    assert wide["precision"] == pytest.approx(0.5) and wide["coverage"] > 0.9


def test_floor_takes_disjoint_parts():
    real = np.arange(10.0)[:, None]
    rng = np.random.default_rng(0)
    both = samples.floor(lambda a, b: np.sort(np.concatenate([a, b]), None), real, 5, rng)
    assert both.tolist() == list(range(10))
    with pytest.raises(ValueError, match="at most 5"):
        samples.floor(samples.frechet_distance, real, 6, rng)


# ---------------------------------------------------------------- train on samples, test on real data


def test_classification_accuracy_score_of_real_and_of_permuted_samples():
    rng = np.random.default_rng(0)
    (x, y), (real_x, real_y) = blobs(rng, 100), blobs(rng)
    assert samples.classification_accuracy_score(x, y, real_x, real_y) == 1
    assert samples.classification_accuracy_score(x, (y + 1) % K, real_x, real_y) == 0


# ---------------------------------------------------------------- pixels


def checkerboard(height: int, width: int) -> np.ndarray:
    return (np.add.outer(np.arange(height), np.arange(width)) % 2).astype(float)[None, :, :, None]


def test_sharpness_of_a_ramp_is_zero_and_of_a_checkerboard_sixteen():
    ramp = np.add.outer(np.arange(8.0), 2 * np.arange(8.0))[None, :, :, None]
    np.testing.assert_allclose(samples.sharpness(ramp), 0, atol=1e-20)
    np.testing.assert_allclose(samples.sharpness(checkerboard(8, 8)), 16)


@given(SEEDS, st.floats(0.1, 3))
@quick
def test_sharpness_ignores_brightness_and_turning(seed, contrast):
    x = np.random.default_rng(seed).random((3, 9, 7, 2))
    expected = samples.sharpness(x)
    np.testing.assert_allclose(samples.sharpness(contrast * x + 1), contrast**2 * expected)
    np.testing.assert_allclose(samples.sharpness(np.rot90(x, axes=(1, 2))), expected)


def test_power_spectrum_finds_a_wave_and_is_flat_for_noise():
    wave = np.cos(2 * np.pi * 3 * np.arange(24) / 24)[None, None, :, None] * np.ones((1, 24, 1, 1))
    frequency, power = samples.power_spectrum(wave)
    assert frequency[power.argmax()] == 3 / 24 and frequency[-1] == 0.5
    noise = np.random.default_rng(0).standard_normal((4000, 12, 12, 1))
    np.testing.assert_allclose(samples.power_spectrum(noise)[1], 1, atol=0.15)


def test_checkerboard_peak_is_one_for_noise_and_rises_with_the_pattern():
    noise = np.random.default_rng(0).standard_normal((3000, 8, 8, 1))
    plain = samples.checkerboard_peak(noise)
    assert plain == pytest.approx(1, abs=0.1)
    assert samples.checkerboard_peak(noise + checkerboard(8, 8)) == pytest.approx(1 + 16, rel=0.1)
    columns = (np.arange(8) % 2)[None, None, :, None]
    assert samples.checkerboard_peak(noise + columns) == pytest.approx(1 + 16, rel=0.1)


# ---------------------------------------------------------------- bad input

X, Y = blobs(np.random.default_rng(1), per_class=3)
HOLE = np.where(np.arange(X.size).reshape(X.shape) == 4, np.nan, X)
PROBS = np.eye(K)[Y]
BAD = {
    "logits": (lambda: samples.conditional_accuracy(5 * PROBS - 1, Y), "no probabilities"),
    "labels too many": (lambda: samples.confusion(PROBS, Y[:-1]), "one label an example"),
    "label out of range": (lambda: samples.confusion(PROBS, Y + 1), "from 0 to 4"),
    "labels not whole": (lambda: samples.confusion(PROBS, Y.astype(float)), "whole numbers"),
    "no sample": (lambda: samples.confidence(PROBS[:0]), "at least 1"),
    "NaN probability": (lambda: samples.class_entropy(PROBS * np.nan), "not finite in 15 of 15"),
    "empty class": (lambda: samples.within_class_diversity(X, Y % 4, X, Y), "Class 4 of x has 0"),
    "one sample a class": (lambda: samples.within_class_spread(X[::3], Y[::3], K), "at least 2"),
    "real all the same": (lambda: samples.within_class_diversity(X, Y, 0 * X, Y), "all the same"),
    "NaN pixel": (lambda: samples.within_class_diversity(HOLE, Y, X, Y), "in 1 of 15"),
    "another width": (lambda: samples.frechet_distance(X, X[:, :2]), "6 values .* 2"),
    "another scale": (lambda: samples.nearest(X, X.astype(np.uint8)), "one scale"),
    "no axis of values": (lambda: samples.frechet_distance(X[:, 0], X), "along the first axis"),
    "one sample": (lambda: samples.frechet_distance(X[:1], X), "has 1 examples"),
    "one feature vector": (lambda: samples.kernel_distance(X, X[:1]), "at least 2"),
    "NaN feature": (lambda: samples.prdc(X, HOLE), "not finite"),
    "k too large": (lambda: samples.prdc(X, X, 15), "from 1 to 14"),
    "k zero": (lambda: samples.prdc(X, X, 0), "k is 0"),
    "CAS widths": (lambda: samples.classification_accuracy_score(X, Y, X[:, :3], Y), "same width"),
    "flat images": (lambda: samples.sharpness(X), r"\[N, H, W, C\]"),
    "tiny images": (lambda: samples.sharpness(np.ones((2, 2, 2, 1))), "at least 3"),
    "odd images": (lambda: samples.checkerboard_peak(np.ones((2, 7, 8, 1))), "even height and width"),
    "black images": (lambda: samples.checkerboard_peak(np.zeros((2, 8, 8, 1))), "some detail"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_sentence(name):
    call, message = BAD[name]
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message) as error:
        warnings.simplefilter("error")
        call()
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
