"""The study of bounds: its models, the gain over the VAE, and that it is measured once."""

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, VAE, splits
from scipy.special import logsumexp

from twinvae import data, training, zoo
from twinvae.metrics import likelihood
from twinvae.spec import BoundSpec, TrainSpec, count_weights
from twinvae_studies import burda2016_bounds, papers

IMAGES = splits()
X = data.binarise(data.scale(IMAGES.test.x), "fixed")
Y = IMAGES.test.y
FEW = np.array([3, 0, 7])
RUN = SimpleNamespace(profile="smoke", smoke=True, may_train=True)
MODELS = burda2016_bounds.MODELS["torch"]


def trained(spec) -> training.Trained:
    return training.train_or_load(training.Job(spec, (TrainSpec(1, 8),), training.recipe_of(IMAGES)), IMAGES)


def test_the_models_differ_in_one_thing_each():
    vae = zoo.get("vae_200_200")
    assert burda2016_bounds.model("vae") == burda2016_bounds.model("vae_long") == vae
    for name, samples, weighted in (("iwae_5", 5, True), ("vae_50", 50, False)):
        spec = burda2016_bounds.model(name)
        assert isinstance(spec, BoundSpec) and (spec.samples, spec.weighted) == (samples, weighted)
        assert spec.noise_dim == samples * 50 and count_weights(spec) == count_weights(vae)
    standard, learned = (burda2016_bounds.model(f"cvae_{prior}") for prior in ("standard", "learned"))
    assert replace(standard, name="", prior="learned") == replace(learned, name="")
    assert count_weights(learned) - count_weights(standard) == 2 * 11 * 50
    assert set(burda2016_bounds.WORDS) == set(MODELS) > set(burda2016_bounds.MODELS["tf"])
    assert set(burda2016_bounds.PAPER) < set(MODELS) and all(burda2016_bounds.model(name) for name in MODELS)


@pytest.mark.parametrize("profile", burda2016_bounds.AMOUNTS)
def test_all_take_the_same_updates_and_one_takes_more(profile):
    amount, jobs = burda2016_bounds.AMOUNTS[profile], burda2016_bounds.jobs(profile, "torch")
    updates = {key: sum(phase.epochs for phase in job.phases) for key, job in jobs.items()}
    assert set(updates.values()) == {updates["vae", 0], amount.longer * updates["vae", 0]}
    assert [key for key, epochs in updates.items() if epochs != updates["vae", 0]] == [("vae_long", 0)]
    phases = [phase.seed for seed in range(amount.seeds) for phase in jobs["vae", seed].phases]
    assert len(set(phases)) == len(phases) and {job.seed for job in jobs.values()} == set(range(amount.seeds))
    assert list(jobs)[: len(MODELS)] == [(name, 0) for name in MODELS]
    assert {seed for _, seed in burda2016_bounds.jobs(profile, "tf")} == {0}


def test_a_cvae_is_measured_with_its_label_summed_out(results):
    model = trained(CVAE)
    found = burda2016_bounds.measured(model, X, Y, FEW, 20)
    each = likelihood.by_label(model.model, model.twin, X[FEW], 20)
    np.testing.assert_allclose(found["nll"], -(logsumexp(each, 1) - np.log(3)), rtol=1e-12)
    np.testing.assert_array_equal(found["given_y"], -each[range(3), Y[FEW]])
    assert (found["nll"] <= found["given_y"] + np.log(3) + 1e-9).all()
    assert burda2016_bounds.measured(trained(VAE), X, Y, FEW, 20)["nll"].shape == (9,)


def test_a_gain_is_taken_image_by_image():
    base = np.arange(9.0)
    assert burda2016_bounds.gain(base, base - 2, FEW) == pytest.approx({"gain": 2, "low": 2, "high": 2})
    assert burda2016_bounds.gain(base, base[FEW] - 1, FEW) == pytest.approx({"gain": 1, "low": 1, "high": 1})


def test_the_study_is_made_once_and_told_in_a_table(results, monkeypatch):
    tiny = {
        "vae": VAE,
        "cvae_learned": CVAE,
        "iwae_5": BoundSpec(**{f.name: getattr(VAE, f.name) for f in fields(VAE)} | {"kind": "iwae", "samples": 5}),
    }
    few = [("vae", 0), ("iwae_5", 0), ("cvae_learned", 0), ("vae", 1)]
    jobs = {
        (name, seed): training.Job(tiny[name], (TrainSpec(1, 8, seed=seed),) * 2, training.recipe_of(IMAGES), seed=seed)
        for name, seed in few
    }
    monkeypatch.setattr(burda2016_bounds, "jobs", lambda *_: jobs)
    monkeypatch.setattr(papers, "images", lambda recipe: IMAGES)
    first = burda2016_bounds.study(RUN, "torch")
    again = burda2016_bounds.study(SimpleNamespace(**vars(RUN) | {"may_train": False}), "torch")
    kept, read = (found["points"].drop(columns="minutes") for found in (first, again))
    assert read.equals(kept) and again["cards"] == first["cards"], "the second is read"
    assert first["train_images"] == len(IMAGES.train)
    points = first["points"].set_index(["model", "seed"])
    assert len(points.loc["vae"]) == 2 and points.loc[("vae", 0), ["gain", "low", "high"]].tolist() == [0, 0, 0]
    assert points.minutes["vae", 0] == points.minutes["vae", 1] > 0, "timed once, for all seeds"
    assert points.nll["iwae_5", 0] > 0 and points.given_y.notna().tolist() == [False, False, True, False]
    table = burda2016_bounds.table(first).set_index("model")
    assert table.mean_gain["iwae_5"] == points.gain["iwae_5", 0] and np.isnan(table.mean_gain_sd["iwae_5"])
    assert table.mean_gain_sd["vae"] == 0, "each VAE against itself"
    assert list(table.seeds) == [2, 1, 1] and table.gain["vae"] == 0 and table.published["iwae_5"] == 85.54
    assert table.given_y.notna().tolist() == [False, False, True]
    shown = burda2016_bounds.shown(table.reset_index())
    assert shown.model.tolist() == ["VAE", "IWAE, k = 5", "CVAE, prior of the label"] and "images" not in shown
    kept = {}
    keeper = SimpleNamespace(number=lambda name, value, fmt: kept.update({name: (value, fmt)}))
    burda2016_bounds.keep(keeper, "torch", table.reset_index())
    assert kept["iwae_5_gain_torch"] == (table.gain["iwae_5"], ".2f") and kept["vae_minutes_torch"][1] == ".1f"
    assert "vae_mean_gain_torch_sd" in kept and "iwae_5_mean_gain_torch" not in kept, "one seed has no mean over seeds"
    assert table.images.tolist() == [9, 9, burda2016_bounds.AMOUNTS["smoke"].labelled]
    sources = papers.sources({"bounds": {"torch": first}})
    assert sources.study.tolist() == ["bounds"] and sources.twin[0] == "torch" and len(sources.commit[0]) >= 12
    assert sources.data[0] == "random pixels" and "," not in sources.data[0], "each said once"
