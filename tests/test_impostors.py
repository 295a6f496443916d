"""The made-up generators: what each is, and that the table says of each what it is known to do."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from twinvae_studies import impostors
from twinvae_studies.impostors import BETTER, HONEST

RNG = np.random.default_rng


class Sees:
    """A judge that sees the class of an image as the place of its brightest column; features are the pixels."""

    def probabilities(self, x):
        return np.eye(3)[x.mean((1, 3))[:, :3].argmax(1)]

    def features(self, x):
        return x.reshape(len(x), -1)


def images(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n images of 3 classes: a bright column of random height, on faint noise."""
    rng, y = RNG(seed), np.arange(n) % 3
    x = 0.1 * rng.random((n, 6, 6, 1))
    x[np.arange(n), :, y] += 0.4 + 0.5 * rng.random((n, 6, 1))
    return x, y


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    train, real = images(240, 0), images(90, 1)
    sets = {HONEST: images(90, 2), "again": images(90, 3)} | impostors.impostors(*train, 90, RNG(0))
    rows = {name: impostors.measure(made, real, train[0], Sees()) for name, made in sets.items()}
    return pd.DataFrame(rows).T


def test_each_is_what_its_name_says():
    x, y = images(30, 0)
    made = impostors.impostors(x, y, 30, RNG(0))
    assert list(made) == ["perfect copy", "class mean", "label-blind", "label-permuted", "noise"]
    sees = {name: Sees().probabilities(a).argmax(1) for name, (a, _) in made.items()}
    assert all(a.shape == x.shape and a.min() >= 0 and a.max() <= 1 for a, _ in made.values())
    assert (sees["perfect copy"] == made["perfect copy"][1]).all() and (
        sees["class mean"] == made["class mean"][1]
    ).all()
    assert ((sees["label-permuted"] + 1) % 3 == made["label-permuted"][1]).all()
    assert 0 < (sees["label-blind"] == made["label-blind"][1]).mean() < 1


def test_every_metric_says_what_is_known_of_it(measured):
    assert list(measured.columns) == list(BETTER)
    assert measured.accuracy[["perfect copy", "class mean"]].tolist() == [1, 1]
    assert measured.accuracy["label-permuted"] == 0 and measured.diversity["class mean"] == pytest.approx(0)
    assert measured.nearest["perfect copy"] == pytest.approx(0, abs=1e-6) and measured.nearest["noise"] > 2
    assert measured["Fréchet"]["label-blind"] == pytest.approx(measured["Fréchet"]["label-permuted"])


def test_a_pair_exposes_those_whom_either_catches(measured):
    table = impostors.caught(measured.drop("again"), measured.loc["again"])
    assert table.loc["class mean", "diversity"] and not table.loc["class mean", "accuracy"]
    assert table.loc["perfect copy", "nearest"] and not table.loc["perfect copy"].drop("nearest").any()
    assert all("nearest" in pair for pair in impostors.exposing_pairs(table))
    assert ("accuracy", "diversity") in impostors.exposing_pairs(table.drop("perfect copy"))
    assert impostors.exposing_pairs(pd.DataFrame({"a": [True, False], "b": [False, True], "c": [True, False]})) == [
        ("a", "b"),
        ("b", "c"),
    ]


def test_a_margin_is_a_tenth_or_twice_the_difference_of_two_honest_sets():
    table = pd.DataFrame(1.0, [HONEST, "x"], list(BETTER))
    table.loc["x"] = 0.85
    again = pd.Series(1.0, list(BETTER))
    assert impostors.caught(table, again).loc["x"].tolist() == [side > 0 for side in BETTER.values()]
    assert not impostors.caught(table, again - 0.1).loc["x"].any()


def test_what_is_kept_of_a_set_bears_its_name_in_plain_letters(measured):
    numbers, formats = {}, {}
    run = SimpleNamespace(number=lambda name, value, fmt: (numbers.update({name: value}), formats.update({name: fmt})))
    impostors.keep(run, measured)
    assert len(numbers) == len(measured) * len(impostors.KEPT) and all(
        re.fullmatch("[a-z_]+", name) for name in numbers
    )
    assert numbers["label_blind_frechet"] == measured["Fréchet"]["label-blind"] and formats["noise_frechet"] == ".2f"
    assert numbers["held_out_images_cas"] == measured.CAS[HONEST] and formats["class_mean_accuracy"] == ".3f"
