"""VAE against CVAE: kept models, the label summed out, codes, straight lines; and the published training, in small."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, VAE, splits

from twinvae import backend, data
from twinvae.spec import TrainSpec
from twinvae_studies import burda2016, evaluation, report002

IMAGES = splits()
SETTINGS = TrainSpec(2, 8, binarize="dynamic")
X = data.scale(IMAGES.test.x)
Y = IMAGES.test.y


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "quick" / "04_tiny-torch"
    return SimpleNamespace(name="04_tiny", profile="quick", backend="torch", folder=folder,
                           weights=folder / "weights", checkpoints=folder / "checkpoints")  # fmt: skip


def trained(run, spec=CVAE, name="torch", seeds=2, train=True):
    return report002.models(run, backend.get(name), spec, SETTINGS, IMAGES, seeds, train)


def test_kept_models_load_into_either_twin_without_training(run):
    original = trained(run)[0]
    for name in ("torch", "tf"):
        (kept,) = trained(run, name=name, train=False)
        assert (kept.spec, kept.settings) == (original.spec, original.settings)
        assert kept.history.equals(original.history)
        same = evaluation.reconstruct(kept, X, Y) - evaluation.reconstruct(original, X, Y)
        assert np.abs(same).max() < 2e-3, "float16"


def test_a_model_that_is_not_kept_is_asked_for_in_one_sentence(run):
    with pytest.raises(FileNotFoundError, match="no tiny_vae-z2-e2.safetensors in the weights of profile quick or"):
        trained(run, VAE, train=False)


def test_the_label_summed_out_lies_between_its_bounds(run):
    m = trained(run)[0]
    shares = np.full(3, 1 / 3)
    found = evaluation.log_likelihoods(m, (X > 0.5).astype("float32"), Y, 50, shares)
    assert (found["log_px"] >= found["log_px_given_y"] - np.log(3) - 1e-6).all()
    assert evaluation.log_likelihoods(trained(run, VAE)[0], X, Y, 5, shares).keys() == {"log_px"}


def test_codes_in_the_plane_and_straight_lines(run):
    m = trained(run, VAE)[0]
    z = report002.sampled_codes(m, X, Y)
    assert report002.plane(z) is z and report002.plane(np.c_[z, z]).shape == (9, 2)
    lines = report002.straight_lines(m, X, Y, 4, 5)
    mu = evaluation.codes(m, X, Y)[0]
    ends = m.predict("generate", mu, evaluation.one_hot(m, Y))
    assert lines.shape == (4, 5, 5, 4, 1)
    for line in lines:
        assert all(np.abs(ends - end).max((1, 2, 3)).min() < 1e-6 for end in (line[0], line[-1]))


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
