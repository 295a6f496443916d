"""The long training of Burda et al., in small, and what the studies of papers share."""

from types import SimpleNamespace

import numpy as np
import pytest
from pair import VAE, splits

from twinvae import data, training
from twinvae.metrics import likelihood
from twinvae.spec import TrainSpec
from twinvae_studies import ablations, burda2016, burda2016_bounds, digits_cvae, papers, sohn2015
from twinvae_studies.jobs import flat

IMAGES = splits()
STUDIES = (ablations, burda2016, burda2016_bounds, digits_cvae, sohn2015)


def test_the_long_training_is_kept_and_its_rate_falls(results, monkeypatch):
    monkeypatch.setattr(burda2016.zoo, "get", lambda _: VAE)
    monkeypatch.setattr(papers, "images", lambda recipe: IMAGES)
    amount = burda2016.AMOUNTS["smoke"]
    first, again = (
        burda2016.study(SimpleNamespace(profile="smoke", smoke=True, may_train=may), "torch") for may in (True, False)
    )
    assert all(one.equals(two) for one, two in zip(first, again, strict=True)), "the second is read"
    epochs, test = first
    assert epochs.epoch.tolist() == [*range(1, 1 + amount.epochs)]
    assert test.samples.tolist() == list(amount.samples) and (test["images"] == 9).all()
    (job,) = burda2016.jobs("smoke", "torch")
    assert job.phases[0].schedule == "cosine"


def test_an_estimate_is_the_same_whole_or_in_blocks_and_its_interval_is_the_textbooks(results):
    job = training.Job(VAE, (TrainSpec(1, 8),), training.recipe_of(IMAGES))
    trained = training.train_or_load(job, IMAGES)
    x = data.binarise(data.scale(IMAGES.test.x), "fixed")
    found = papers.nll(trained, "test", x, None, 10)
    whole = -likelihood.importance_sampled(trained.model, trained.twin, x, np.zeros((9, 1)), 10)
    np.testing.assert_allclose(found, whole, rtol=1e-12)
    assert papers.interval(np.array([1.0, 3.0])) == pytest.approx({"nll": 2, "low": 2 - 1.96, "high": 2 + 1.96})


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.__name__.rpartition(".")[2])
def test_every_study_has_jobs_for_every_profile_and_twin(study):
    for name in ("torch", "tf"):
        trained = {profile: flat(study.jobs(profile, name)) for profile in ("smoke", "quick", "full")}
        for profile, each in trained.items():
            assert each and {job.backend for job in each} == {name}
            assert len({job.key for job in each}) == len(each), f"a job twice in {profile}"
        epochs = {p: sum(phase.epochs for job in each for phase in job.phases) for p, each in trained.items()}
        assert epochs["smoke"] <= epochs["quick"] < epochs["full"]
