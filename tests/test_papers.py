"""The long training of Burda et al., in small, and what the studies of papers share."""

from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, VAE, splits

from twinvae import data, training
from twinvae.metrics import likelihood
from twinvae.spec import BoundSpec, TrainSpec
from twinvae_studies import (
    ablations,
    burda2016,
    burda2016_bounds,
    burda2016_converged,
    digits_cvae,
    papers,
    planning,
    sohn2015,
)
from twinvae_studies.jobs import flat

IMAGES = splits()
STUDIES = (ablations, burda2016, burda2016_bounds, burda2016_converged, digits_cvae, sohn2015)


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


def test_a_label_is_summed_out_and_read_and_the_study_is_kept(results, monkeypatch):
    iwae = planning.recast(VAE, BoundSpec, name="iwae", kind="iwae", samples=2, weighted=True)
    monkeypatch.setattr(burda2016_bounds, "model", {"vae": VAE, "iwae_5": iwae, "cvae_learned": CVAE}.get)
    monkeypatch.setattr(papers, "images", lambda recipe: IMAGES)
    first, again = (
        burda2016_converged.study(SimpleNamespace(profile="smoke", smoke=True, may_train=may), "torch")
        for may in (True, False)
    )
    rows = first["rows"]
    assert rows.equals(again["rows"]), "the second is read"
    amount = burda2016_converged.AMOUNTS["smoke"]
    lengths, few, many = amount.lengths, amount.few, amount.samples
    assert rows.epochs.tolist() == [*lengths, amount.longer, *lengths, lengths[-1]]
    every = [few, few, few, many, few, few, many, many]
    assert rows.samples.tolist() == every, "many for the longest training of each model"
    assert set(first["trained"]) == set(zip(rows.model, rows.epochs, strict=True))
    assert all(len(known.history) == epochs for (_, epochs), known in first["trained"].items())
    assert rows.summed_out.notna().tolist() == rows["read"].notna().tolist() == [*[False] * 7, True]
    x = data.binarise(data.scale(IMAGES.test.x), "fixed")
    known = first["trained"]["cvae_learned", lengths[-1]]
    each = burda2016_converged.by_label(known, x, few)
    for label in range(3):
        y = np.eye(3)[np.full(9, label)]
        whole = likelihood.importance_sampled(known.model, known.twin, x, y, few)
        np.testing.assert_allclose(each[:, label], whole, rtol=1e-12)
    cvae = rows.iloc[-1]
    assert cvae.few == pytest.approx(-each[range(9), IMAGES.test.y].mean())
    assert cvae.summed_out == pytest.approx(-np.log(np.exp(each).mean(1)).mean())
    assert cvae["read"] == np.mean(each.argmax(1) == IMAGES.test.y)


def test_what_a_longer_training_promises_is_the_next_of_a_geometric_series():
    series = [80 + 4 * 0.5**step for step in range(5)]
    epochs = [100, 300, 900, 2_700, 8_100]
    for step in (3, 4):
        assert burda2016_converged.promised(series[:3], epochs[:3], epochs[step]) == pytest.approx(series[step])
    assert burda2016_converged.promised(series[:3], epochs[:3], 10**30) == pytest.approx(80), "Aitken's limit"
    assert burda2016_converged.promised(series[:3], epochs[:3], 900) == pytest.approx(series[2])
    for grows in ([90, 89, 87], [90, 89, 90]):
        assert burda2016_converged.promised(grows, epochs[:3], 2_700) == -np.inf


def test_one_of_the_trainings_is_the_one_of_notebook_04():
    (known,) = burda2016.jobs("full", "torch")
    assert known.key in {job.key for job in burda2016_converged.jobs("full", "torch").values()}


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
