"""VAE against CVAE: kept models, the label summed out, codes, straight lines."""

from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, VAE, splits

from twinvae import backend, data
from twinvae.spec import TrainSpec
from twinvae_studies import evaluation, report002

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
