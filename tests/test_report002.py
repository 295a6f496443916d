"""Report 002: models trained once, the label summed out, codes, straight lines."""

from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, VAE, splits

from twinvae import backend, data, training
from twinvae.spec import TrainSpec
from twinvae_studies import evaluation, planning, report002

IMAGES = splits()
SETTINGS = TrainSpec(2, 8, binarize="dynamic")
X = data.scale(IMAGES.test.x)
Y = IMAGES.test.y
PARAMETERS = {"epochs": None, "seeds": None, "batch_size": 256, "learning_rate": 1e-3, "latent_dim": 20}


def trained(spec=CVAE, name="torch", seeds=2, may_train=True):
    job = evaluation.job(backend.get(name), spec, SETTINGS, IMAGES)
    return evaluation.train_all(SimpleNamespace(may_train=may_train), planning.over_seeds(job, seeds), IMAGES)


@pytest.mark.parametrize("profile", planning.PROFILES)
def test_the_comparison_is_of_the_reports_models_on_the_same_images(profile):
    found = report002.jobs(profile, "torch", **PARAMETERS)
    assert [len(seeds) for seeds in found["models"].values()] == [1 if profile == "smoke" else 3] * 6
    assert len({job.data for seeds in found["models"].values() for job in seeds}) == 2
    for (dataset, kind), seeds in found["models"].items():
        assert seeds[0].spec.name == f"{report002.MODELS[kind]}_{dataset}" and seeds[0].data.dataset == dataset
    assert {job.spec.latent_dim for seeds in found["plane"].values() for job in seeds} == {2} and len(
        found["plane"]
    ) == 4
    assert [len(found["plane"][name, "cvae"]) for name in ("mnist", "usps")] == [1 if profile == "smoke" else 3] * 2
    for ae, vae in zip(found["ae"], found["models"]["mnist", "vae"], strict=True):
        assert (ae.spec.kind, ae.spec.encoder, ae.spec.latent_dim) == ("ae", vae.spec.encoder, vae.spec.latent_dim)
        assert (ae.phases, ae.data, ae.seed) == (vae.phases, vae.data, vae.seed)


def test_the_first_epoch_is_one_of_the_compared_training():
    found = report002.jobs("quick", "tf", **PARAMETERS | {"epochs": 3})
    for dataset, first in found["first epoch"].items():
        whole = found["models"][dataset, "cvae"][0]
        assert first.phases[0].epochs == 1 and first == whole.at(whole.marks[0])
        assert not found["models"][dataset, "cvae"][1].marks


@pytest.mark.parametrize("name", ["torch", "tf"])
def test_models_are_trained_once_and_then_used_without_training(results, name):
    for original, kept in zip(trained(name=name), trained(name=name, may_train=False), strict=True):
        assert (kept.spec, kept.settings) == (original.spec, original.settings)
        assert kept.history.equals(original.history)
        assert (evaluation.reconstruct(kept, X, Y) == evaluation.reconstruct(original, X, Y)).all()


def test_a_model_that_is_not_there_is_asked_for_in_one_sentence(results):
    with pytest.raises(training.NotTrained, match="tiny_vae has not been trained; train it: python -m twinvae.train"):
        trained(VAE, may_train=False)


def test_the_label_summed_out_lies_between_its_bounds(results):
    m = trained()[0]
    shares = np.full(3, 1 / 3)
    found = evaluation.log_likelihoods(m, (X > 0.5).astype("float32"), Y, 50, shares)
    assert (found["log_px"] >= found["log_px_given_y"] - np.log(3) - 1e-6).all()
    assert evaluation.log_likelihoods(trained(VAE)[0], X, Y, 5, shares).keys() == {"log_px"}


def test_codes_in_the_plane(results):
    z = report002.sampled_codes(trained(VAE)[0], X, Y)
    assert report002.plane(z) is z and report002.plane(np.c_[z, z]).shape == (9, 2)
