"""Splits by seed, balanced subsets, groups kept together, shared images found; preprocessing."""

import numpy as np
import pytest

from twinvae import data
from twinvae.data import Images, Source
from twinvae.data.splitting import balanced, cut, cut_groups, exact_groups

RNG = np.random.default_rng(0)
SOURCE = Source("made", "made", "own")


def images(x, y, classes=10):
    return Images(x, np.asarray(y, np.int64), tuple(map(str, range(classes))), SOURCE)


def test_cut_is_a_partition_in_proportion_and_by_seed():
    y = np.repeat(np.arange(4), [1000, 500, 200, 300])
    rest, taken = cut(y, 200, np.random.default_rng(0))
    assert sorted([*rest, *taken]) == list(range(2000)) and np.bincount(y[taken]).tolist() == [100, 50, 20, 30]
    assert np.array_equal(taken, cut(y, 200, np.random.default_rng(0))[1])
    assert not np.array_equal(taken, cut(y, 200, np.random.default_rng(1))[1])
    assert len(np.unique(y[rest[:50]])) == 4


def test_balanced_subsets_are_nested_and_equal_as_far_as_possible():
    y = RNG.permutation(np.repeat(np.arange(3), [100, 10, 50]))
    small, large = balanced(y, 30), balanced(y, 60)
    assert set(small) <= set(large) and np.bincount(y[small]).tolist() == [10, 10, 10]
    assert np.bincount(y[large]).tolist() == [25, 10, 25] and len(balanced(y, 160)) == 160


def test_groups_are_never_divided():
    y = np.repeat(np.arange(5), 100)
    groups = RNG.permutation(np.arange(500) // 10)
    groups[y == 0] = 99
    rest, taken = cut_groups(y, groups, 50, np.random.default_rng(0))
    assert not set(groups[rest]) & set(groups[taken]) and sorted([*rest, *taken]) == list(range(500))


def test_shared_images_are_found():
    x = RNG.integers(0, 256, (20, 4, 4, 1), np.uint8)
    x[7] = x[3]
    assert data.shared_images(images(x[:5], np.zeros(5)), images(x[5:], np.zeros(15))).tolist() == [[3, 2]]
    assert exact_groups(images(x, np.zeros(20)))[[3, 7]].tolist() == [3, 3]


@pytest.mark.parametrize(
    "x, y, names, message",
    [
        (np.zeros((2, 4, 4, 1)), [0, 1], ("a", "b"), "x is float64"),
        (np.zeros((2, 4, 4), np.uint8), [0, 1], ("a", "b"), r"uint8 \[2, 4, 4\]"),
        (np.zeros((2, 4, 4, 2), np.uint8), [0, 1], ("a", "b"), "1 or 3"),
        (np.zeros((0, 4, 4, 1), np.uint8), [], ("a", "b"), "not empty"),
        (np.zeros((2, 4, 4, 1), np.uint8), [0], ("a", "b"), "one label an image"),
        (np.zeros((2, 4, 4, 1), np.uint8), [0, 2], ("a", "b"), r"Labels run 0..2; 2 classes allow 0..1"),
        (np.zeros((2, 4, 4, 1), np.uint8), [0, 0], ("a", "a"), "distinct"),
    ],
)
def test_images_are_validated(x, y, names, message):
    with pytest.raises(ValueError, match=message):
        Images(x, np.array(y, np.int64), names, SOURCE)


def test_source_kinds():
    with pytest.raises(ValueError, match="'real'; allowed are official, variant, stand-in, own"):
        Source("a", "a", "real")


def test_scale():
    x = np.arange(256, dtype=np.uint8)
    assert data.scale(x).dtype == np.float32 and data.scale(x)[[0, 255]].tolist() == [0, 1]
    with pytest.raises(ValueError, match="are they scaled already"):
        data.scale(data.scale(x))


def test_binarise():
    x = np.array([0.0, 0.5, 0.51, 1.0], np.float32).repeat(1000)
    assert data.binarise(x, "none") is x
    assert data.binarise(x, "threshold").reshape(4, -1).mean(axis=1).tolist() == [0, 0, 1, 1]
    assert np.array_equal(data.binarise(x, "fixed"), data.binarise(x, "fixed", np.random.default_rng(5)))
    rng = np.random.default_rng(0)
    first, second = data.binarise(x, "dynamic", rng), data.binarise(x, "dynamic", rng)
    assert not np.array_equal(first, second) and set(np.unique(first)) == {0, 1} and first.dtype == np.float32
    assert np.allclose(first.reshape(4, -1).mean(axis=1), [0, 0.5, 0.51, 1], atol=0.05)
    for bad, how, message in (
        (x, "soft", "'soft' is unknown"),
        (x, "dynamic", "needs rng"),
        (x * 255, "none", "scale"),
        (x.astype(np.uint8), "none", "scale"),
        (x * np.nan, "none", "scale"),
    ):
        with pytest.raises(ValueError, match=message):
            data.binarise(bad, how)


def test_dequantise():
    x = np.array([0, 128, 255], np.uint8).repeat(1000)
    noisy = data.dequantise(x, RNG)
    assert noisy.dtype == np.float32 and noisy.min() >= 0 and noisy.max() < 1
    assert np.array_equal(np.floor(noisy * np.float32(256)).astype(int), x)
    with pytest.raises(ValueError, match="uint8"):
        data.dequantise(noisy, RNG)


def test_one_hot():
    assert data.one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    for bad, message in ((np.array([3]), "0..2"), (np.array([-1]), "0..2"), (np.array([0.5]), "whole")):
        with pytest.raises(ValueError, match=message):
            data.one_hot(bad, 3)


def test_images_know_whether_there_is_something_to_be_told():
    x = np.zeros((2, 4, 4, 1), np.uint8)
    alone, two = images(x, [0, 0], classes=1), images(x, [0, 1], classes=2)
    angle = Images(x, np.zeros((2, 1), np.float32), ("angle",), SOURCE)
    assert [part.labelled for part in (alone, two, angle)] == [True, True, False]
    assert [part.tells for part in (alone, two, angle)] == [False, True, True]
