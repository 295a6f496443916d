"""Report 000's codes and samples: quantiles, look-alikes, contrast, judges of one set, rows of tables."""

import numpy as np
import pytest
from pair import CVAE, TWINS, splits
from tiny import Kept

from twinvae import backend, data
from twinvae.metrics import latent
from twinvae.spec import TrainSpec
from twinvae_studies import evaluation, report000_samples

RNG = np.random.default_rng(0)
IMAGES = splits()
FAST = TrainSpec(epochs=6, batch_size=6, learning_rate=0.5)


def test_quantiles_of_normal_codes_lie_on_the_line():
    normal, found = report000_samples.quantiles(RNG.standard_normal((200_000, 2)))
    np.testing.assert_allclose(found, np.c_[normal, normal], atol=0.06)
    assert (latent.marginal_distance(RNG.standard_normal((20_000, 2))) < 0.02).all()


def test_lookalikes_are_pairs_in_either_direction():
    asked = np.array([[4, 4, 0], [0, 8, 0], [1, 0, 7]])
    table = report000_samples.lookalikes(asked, np.eye(3), "abc", 2)
    assert table.pair.tolist() == ["a b", "a c"] and table.samples.tolist() == [0.25, 0.0625] and not table.real.any()


def test_the_two_named_pairs_are_kept_of_samples_and_of_real_images():
    run, names = Kept(numbers={}), "01IO"
    asked, real = np.eye(4) * 8, np.eye(4) * 8
    asked[0] = [4, 0, 0, 4]
    real[1] = [0, 6, 2, 0]
    report000_samples.keep_pairs(run, asked, real, names)
    assert run.numbers == {"pair_0o": 0.25, "pair_0o_real": 0, "pair_1i": 0, "pair_1i_real": 0.125}


def test_a_judge_of_letters_alone_is_asked_for_letters_alone_and_counts_them_from_a():
    class Sees:
        """A judge that sees the class that an image is filled with, less `first`."""

        def __init__(self, classes, first=0):
            self.eye, self.first = np.eye(classes), first

        def probabilities(self, x):
            return self.eye[np.rint(255 * x[:, 0, 0, 0]).astype(int) - self.first]

    y, shown = np.array([0, 9, 10, 35]), np.array([0, 9, 10, 34])  # the last sample is none of its class
    x = np.repeat(shown / 255, 4).reshape(4, 2, 2, 1)
    real = data.Images(
        np.repeat(y.astype(np.uint8), 4).reshape(4, 2, 2, 1), y, tuple(map(str, range(36))), IMAGES.source
    )
    run = Kept(numbers={})
    row = report000_samples.alone(run, "letters", Sees(26, 10), Sees(36), [x], y, real)
    assert row == {
        "characters": "letters",
        "samples, judge of all 36": 0.5,
        "samples, judge of these alone": 0.5,
        "test images, judge of all 36": 1,
        "test images, of these alone": 1,
    }
    assert run.numbers["letters_accuracy"] == run.numbers["letters_alone"] == 0.5
    digits = report000_samples.alone(run, "digits", Sees(10), Sees(36), [x], y, real)
    assert digits["samples, judge of all 36"] == digits["samples, judge of these alone"] == 1


def test_a_letter_of_the_other_case_is_the_same_letter_without_case():
    names = ("A", "a", "b")
    assert report000_samples.without_case(np.eye(3)[[1, 0, 2, 0]], np.array([0, 1, 2, 2]), names) == 0.75


def test_rows_of_samples_are_means_over_seeds_and_stand_above_what_is_known():
    seeds = [dict.fromkeys(report000_samples.FORMATS, value) for value in (0.2, 0.4)]
    row = report000_samples.means(seeds)
    assert row["frechet"] == pytest.approx(0.3) and row["deviation"] == pytest.approx(0.2 / 2**0.5)
    numbers = {f"pca_{name}": 7 for name in report000_samples.FORMATS} | {"judge_accuracy": 0.9, "data_sharpness": 2}
    pca, real = report000_samples.beside(Kept(numbers=numbers), "loss")
    assert pca == {"loss": "PCA per class"} | dict.fromkeys(report000_samples.FORMATS, 7)
    assert real == {"loss": "test images", "accuracy": 0.9, "diversity": 1, "sharpness": 2}


def test_codes_that_depend_on_each_other_are_told_from_the_prior_though_no_unit_shows_it():
    z = np.random.default_rng(1).standard_normal((3_000, 2))
    alike = report000_samples.told_from_prior(z)
    z[:, 1] = np.abs(z[:, 1]) * np.sign(z[:, 0])  # each unit is still normal
    assert alike < 0.54 and report000_samples.told_from_prior(z) > 0.7 and (latent.marginal_distance(z) < 0.04).all()


@pytest.mark.parametrize("name", TWINS)
def test_contrast_of_one_changes_nothing_and_more_goes_to_black_and_white(name):
    twin = backend.get(name)
    y = np.arange(12) % 3
    trained = evaluation.Trained(
        evaluation.job(twin, CVAE, FAST, IMAGES), twin.models.build(CVAE), twin, None, {}, None
    )
    plain = evaluation.generate(trained, y)
    np.testing.assert_allclose(report000_samples.contrasted(trained, y, 1), plain, atol=1e-6)
    more = report000_samples.contrasted(trained, y, 3)
    assert (np.abs(more - 0.5) >= np.abs(plain - 0.5) - 1e-6).all() and ((more > 0.5) == (plain > 0.5)).mean() > 0.99
