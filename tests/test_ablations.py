"""The small studies: every point is what its name says, and is trained once."""

from dataclasses import fields
from types import SimpleNamespace

import pandas as pd
import pytest
from pair import VAE, splits

from twinvae import training
from twinvae.spec import FreeBitsSpec, TrainSpec
from twinvae_studies import ablations, papers

IMAGES = splits()
FREE = FreeBitsSpec(**{f.name: getattr(VAE, f.name) for f in fields(VAE)} | {"kind": "free_bits", "free": 5.0})
RUN = SimpleNamespace(profile="smoke", smoke=True, may_train=True)


def test_every_combination_is_there_once_under_its_name():
    jobs = ablations.jobs("full", "tf")
    assert len(jobs) == len({job.key for job in jobs.values()}) == 7 + 3 * (18 + 5)
    betas = {job.phases[0].beta for (study, _, _), job in jobs.items() if study == "beta"}
    assert betas == set(ablations.AMOUNTS["full"].betas)
    for (study, change, seed), job in jobs.items():
        assert sum(phase.epochs for phase in job.phases) == 8 and job.backend == "tf"
        assert {phase.seed for phase in job.phases} == {job.seed} == {seed}
        if study == "condition":
            assert change == f"{job.spec.encoder_condition}-{job.spec.decoder_condition}-{job.spec.prior}"
    where = {change for study, change, _ in jobs if study == "condition"}
    assert len(where) == 18 and "none-concat-standard" in where and "film-film-learned" in where


@pytest.mark.parametrize("profile", ablations.AMOUNTS)
def test_every_profile_asks_what_notebook_09_tells(profile):
    encoders, _, priors = zip(*(where.split("-") for where in ablations.AMOUNTS[profile].conditions), strict=True)
    assert set(encoders) == {"none", "concat", "film"} and set(priors) == {"standard", "learned"}
    studies = {study for study, _, _ in ablations.jobs(profile, "torch")}
    assert studies == {"beta", "collapse", "condition"}


def test_the_remedies_change_one_thing_each():
    report, *others = (spec for spec, _ in ablations.remedies().values())
    for spec in others:
        changed = [f.name for f in fields(report) if getattr(spec, f.name) != getattr(report, f.name)]
        assert changed in ([], ["init"], ["kind"], ["likelihood"])


def test_points_are_trained_once_and_free_bits_show_their_true_kl(results, monkeypatch):
    phases = (TrainSpec(1, 8, seed=1), TrainSpec(1, 8, beta=0.5, seed=1))
    job = training.Job(VAE, phases, training.recipe_of(IMAGES), seed=1)
    free = training.Job(FREE, phases, job.data, seed=1)
    few = {("beta", "1", 1): job, ("collapse", "free bits", 1): free}
    monkeypatch.setattr(ablations, "jobs", lambda *_: few)
    monkeypatch.setattr(papers, "images", lambda recipe: IMAGES)
    first = ablations.study(RUN, "torch")
    again = ablations.study(SimpleNamespace(**vars(RUN) | {"may_train": False}), "torch")
    assert again["points"].equals(first["points"]) and again["cards"] == first["cards"]
    row = first["points"].set_index("change").loc["free bits"]
    assert row.elbo == pytest.approx(-(row.recon + row.kl)) and row.kl < 5, "less than the free bits"
    table = ablations.table(first, "beta")
    assert list(table.change) == ["1"] and table.seeds[0] == 1


def test_a_gain_of_a_place_is_a_mean_over_the_others_and_remedies_bear_a_readers_heads():
    elbo = {"none-concat-standard": -200.0, "none-concat-learned": -196.0}
    elbo |= {"concat-concat-standard": -199.0, "film-concat-learned": -194.0}
    known = {"seed": 0, "recon": 190.0, "kl": 5.0, "active": 20, "squared_error": 70.0}
    rows = [{"study": "condition", "change": change, "elbo": value} | known for change, value in elbo.items()]
    rows += [{"study": "collapse", "change": "warm-up", "elbo": -500.0} | known]
    facts = {"points": pd.DataFrame(rows)}
    places = ablations.conditions(facts)
    assert places.encoder.tolist() == ["none", "none", "concat", "film"] and places.ELBO[1] == -196
    kept = {}
    ablations.keep_conditions(SimpleNamespace(number=lambda name, value, fmt: kept.update({name: value})), "tf", places)
    assert kept == {"prior_learned_gain_tf": 4.5, "encoder_sees_gain_tf": 1.5, "condition_spread_tf": 6}
    assert ablations.collapse(facts).to_dict("records") == [
        {"remedy": "warm-up", "KL": 5.0, "active": 20, "squared error": 70.0, "seeds": 1}
    ]
