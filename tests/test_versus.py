"""The published training of notebook 04, in small."""

import json

import numpy as np
import pytest
from pair import VAE, splits

from twinvae import backend, data
from twinvae_studies import burda2016

IMAGES = splits()


def test_the_published_training_goes_on_and_counts_through(tmp_path):
    twin = backend.get("torch")
    runs = [run.__class__(**(vars(run) | {"batch_size": 8})) for run in burda2016.settings([(2, 1e-2), (3, 1e-3)])]
    histories = []
    for _ in range(2):
        model = twin.models.build(VAE)
        histories.append(burda2016.train(model, twin, IMAGES, runs, tmp_path, few=4))
    assert json.dumps(histories[0]) == json.dumps(histories[1]), "the second is read from the checkpoints"
    epochs, marks = histories[0]
    assert [row["epoch"] for row in epochs] == [1, 2, 3, 4, 5] and [mark["epoch"] for mark in marks] == [2, 5]
    assert {run.seed for run in runs} == {0, 1}


def test_an_estimate_is_the_same_whole_or_in_blocks_and_its_interval_is_the_textbooks(tmp_path):
    twin = backend.get("torch")
    model = twin.models.build(VAE)
    x = data.binarise(data.scale(IMAGES.test.x), "fixed")
    nll = burda2016.estimate(model, twin, x, 10, tmp_path, block=4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["10-00000.npy", "10-00004.npy", "10-00008.npy"]
    assert (burda2016.estimate(None, twin, x, 10, tmp_path, block=4) == nll).all(), "read, not computed again"
    assert burda2016.interval(np.array([1.0, 3.0])) == pytest.approx({"nll": 2, "low": 2 - 1.96, "high": 2 + 1.96})
