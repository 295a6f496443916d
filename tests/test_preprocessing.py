"""The steps of notebook 02, its tables, and what it says about order and copies."""

import numpy as np
import pandas as pd
import pytest

from twinvae import data, spec
from twinvae.data import by_class
from twinvae_studies import preprocessing

SOURCE = data.Source("tiny", "tiny, drawn", "own", (("a.npz", "f00d"), ("b.npz", "beef")))


def dot(row: int, column: int, side: int = 9) -> np.ndarray:
    """An image that is black but for one white pixel."""
    ink = np.zeros((1, side, side, 1))
    ink[0, row, column] = 1
    return ink


def test_the_catalogue_has_a_row_a_set_and_a_row_a_file():
    images = data.Images(np.zeros((5, 28, 28, 1), "uint8"), np.array([0, 0, 0, 1, 1]), ("0", "1"), SOURCE)
    tables = preprocessing.catalogue({"mnist": images})
    assert tables["sets"].iloc[0].to_dict() == {
        **{"set": "mnist", "at hand": "tiny, drawn", "kind": "own", "images": 5, "classes": 2, "size": "28x28x1"},
        **{"fewest a class": 2, "most": 3},
    }
    assert tables["origins"]["published images"].tolist() == [70_000]
    assert tables["files"]["SHA-256"].tolist() == ["f00d", "beef"]


def test_a_class_that_is_one_image_is_not_smeared():
    x = np.zeros((4, 2, 2, 1), "uint8")
    x[:2, 0] = 255  # the same image twice
    x[2, 0], x[3, 1] = 255, 255  # two that share no ink: their mean is grey all over
    images = data.Images(x, np.array([0, 0, 1, 1]), ("same", "other"), SOURCE)
    assert preprocessing.smeared(images) == pytest.approx([0, 0.5], abs=0.01)


def test_a_row_of_splits_counts_test_images_that_are_in_training():
    x = np.arange(6, dtype="uint8")[:, None, None, None]
    made = lambda at: data.Images(x[at], np.array(at) % 2, ("even", "odd"), SOURCE)  # noqa: E731
    row = preprocessing.split_row("own", data.Splits(made([0, 1, 2]), made([3]), made([2, 1, 4])))
    assert (row["train"], row["valid"], row["test"]) == (3, 1, 3)
    assert row["fewest classes in a part"] == 1 and row["test images also in train"] == 2


@pytest.mark.parametrize("x", [np.array([0, 0, 3, 255], "uint8"), np.array([0.0, 0.0, 0.2, 1.0])])
def test_shares_of_pixels(x):
    assert preprocessing.pixel_shares(x) == {"black": 0.5, "between": 0.25, "white": 0.25}


def test_only_the_mean_over_areas_keeps_a_thin_stroke():
    paper = np.full((1, 8, 8, 1), 255, "uint8")
    paper[0, :, 1] = 0  # one column of ink, between the samples of the nearest pixel
    made = preprocessing.resized(paper, 2)
    assert made["nearest"].min() == 255 and made["area"].min() < 255
    assert preprocessing.ink_off(paper, made["nearest"]) == 1  # all of it is lost
    assert preprocessing.ink_off(paper, made["area"]) < 0.02


def test_centred_ink_has_its_mass_in_the_middle():
    assert np.array_equal(preprocessing.centred(dot(1, 7)), dot(4, 4))
    empty = np.zeros((1, 9, 9, 1))
    assert np.array_equal(preprocessing.centred(empty), empty)


def test_shifts_are_of_whole_pixels_and_turns_around_the_middle():
    ink = np.concatenate([dot(4, 4)] * 50)
    moved = preprocessing.shifted(ink, 2, np.random.default_rng(0))
    rows = np.argwhere(moved[..., 0])
    assert len(rows) == 50 and moved.max() == 1
    assert rows[:, 1:].min() == 2 and rows[:, 1:].max() == 6
    assert np.allclose(preprocessing.turned(ink, 30, np.random.default_rng(0))[:, 4, 4], 1)  # the middle stays
    edge = preprocessing.turned(dot(0, 4), 30, np.random.default_rng(0))
    assert not np.allclose(edge, dot(0, 4)) and edge.min() >= 0 and edge.max() <= 1


def test_green_is_brighter_than_blue():
    colours = np.eye(3, dtype="uint8")[None, None] * 255  # red, green, blue pixels
    red, green, blue = preprocessing.grey(colours)[0, 0, :, 0].tolist()
    assert green > red > blue > 0


def test_what_a_code_leaves_is_measured_on_images_it_was_not_fitted_to():
    rng = np.random.default_rng(0)
    plane = (rng.random((80, 3)) @ rng.random((3, 36)) / 3).reshape(80, 6, 6, 1)  # three numbers tell all
    table = preprocessing.steps({"plane": plane, "noise": rng.random((80, 6, 6, 1))}).set_index("step")
    assert table.loc["plane", "left by the code"] < 1e-12 < table.loc["plane", "variance"]
    assert table.loc["noise", "share left"] > 0.5
    upside = preprocessing.steps({"plane": 1 - plane})
    assert np.isclose(upside.variance[0], table.loc["plane", "variance"])


@pytest.mark.parametrize("size", [1, 10, 500, 1_000])
def test_a_buffer_gives_out_every_image_once_and_none_before_it_came_in(size):
    order = preprocessing.buffer_shuffle(500, size, np.random.default_rng(0))
    assert sorted(order) == list(range(500))
    assert (order - np.arange(500)).max() < size
    assert size == 1 or not np.array_equal(order, np.arange(500))


def test_a_small_buffer_mixes_few_classes():
    y = np.repeat(np.arange(10), 50)
    mixed = [
        preprocessing.classes_a_batch(y[preprocessing.buffer_shuffle(500, size, np.random.default_rng(0))], 25)
        for size in (1, 60, 500)
    ]
    assert mixed[0] == 1 < mixed[1] < mixed[2]


@pytest.mark.parametrize("twin", ["torch", "tf"])
def test_a_framework_s_loader_gives_whole_batches_in_the_order(twin):
    x, y = np.arange(7, dtype="float32")[:, None], np.arange(7)
    order = np.array([6, 2, 4, 0, 1, 3, 5])
    batches = [(np.asarray(a)[:, 0], np.asarray(b)) for a, b in preprocessing.LOADERS[twin](x, y, order, 3)]
    assert [a.tolist() for a, _ in batches] == [[6, 2, 4], [0, 1, 3]]
    assert all(np.array_equal(a, b) for a, b in batches)


def test_the_pipeline_reads_what_is_in_the_archive(monkeypatch):
    monkeypatch.setattr(preprocessing.report000.finding, "find", lambda *_: None)  # the stand-in
    x, y, filed = preprocessing.pipeline(14)
    assert x.shape == (len(y), 14, 14) and np.array_equal(np.sort(y), np.sort(filed))
    assert np.array_equal(filed, np.sort(filed)) and not np.array_equal(y, filed)
    assert filed.max() < len(by_class.HEX_TO_CHARACTER)


def test_nearest_is_a_correlation_that_brightness_does_not_change():
    x = np.random.default_rng(0).integers(0, 100, (3, 5, 5, 1)).astype("uint8")
    assert np.allclose(preprocessing.nearest(x, 2 * x + 7), 1)
    assert preprocessing.nearest(x[:1], x[1:]).max() < 0.9


def test_the_model_of_section_8_fits_the_images():
    images = data.Images(np.zeros((1, 5, 4, 3), "uint8"), np.zeros(1, int), ("a", "b"), SOURCE)
    made = preprocessing.small_cvae(images, "normal_0.01")
    assert (made.image_shape, made.num_classes, made.init) == ((5, 4, 3), 2, "normal_0.01")
    assert preprocessing.small_cvae(images).init == "keras" and spec.count_weights(made) > 0


def test_the_table_of_scales_says_when_a_loss_is_lost():
    epoch = [0.5, 1.0]
    curves = {
        1: pd.DataFrame({"epoch": epoch, "loss": [9.0, 8.0], "valid_loss": [7.0, 6.0]}),
        255: pd.DataFrame({"epoch": epoch, "loss": [9e9, np.nan], "valid_loss": [7.0, np.nan]}),
    }
    table = preprocessing.scale_table(curves)
    assert table["loss, first look"].tolist() == [9.0, 9e9] and table["validation loss, end"][0] == 6
    assert np.isnan(table["not finite from epoch"][0]) and table["not finite from epoch"][1] == 1
