"""What notebooks train, known before they run: each training once, as files of jobs hold it; `make train`."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, VAE, splits
from tiny import ROOT, write_trainings

from twinvae import backend, data, training
from twinvae.spec import TrainSpec, to_dict
from twinvae_studies import amounts, burda2016, evaluation, jobs, planning, report002_tuning

IMAGES = splits()
SETTINGS = TrainSpec(2, 8)


@pytest.fixture
def no_images(monkeypatch):
    """No image is read but those that stand for all."""
    monkeypatch.setattr(data, "from_recipe", lambda recipe: IMAGES)
    monkeypatch.setattr(data, "splits", lambda *_, **__: pytest.fail("images were read"))


@pytest.mark.parametrize("name", jobs.STUDIES)
@pytest.mark.parametrize("profile", planning.PROFILES)
def test_a_notebook_trains_each_job_once_and_a_file_holds_it(no_images, name, profile):
    for twin in backend.TWINS:
        found = jobs.of_notebook(name, profile, twin)
        assert found and {job.backend for job in found} == {twin}
        assert len({job.key for job in found}) == len(found)
        read = [training.from_plain(values) for values in json.loads(json.dumps([*map(to_dict, found)]))]
        assert [job.key for job in read] == [job.key for job in found]
        assert [job.marks for job in read] == [job.marks for job in found]


def test_other_parameters_are_other_jobs_and_a_notebook_that_trains_nothing_has_none(no_images):
    name = "04_digits_vae_vs_cvae"
    usual, changed = (
        {job.key for job in jobs.of_notebook(name, "smoke", "torch", **more)} for more in ({}, {"epochs": 3})
    )
    fixed = [report002_tuning.jobs("smoke", "torch"), burda2016.jobs("smoke", "torch")]
    assert usual & changed == {job.key for job in jobs.flat(fixed)}
    assert jobs.of_notebook("02_data", "smoke", "torch") == []


@pytest.mark.parametrize("theirs", amounts.load(ROOT / "report" / "amounts.yaml").values(), ids=lambda one: one.model)
def test_in_full_a_reports_own_model_is_trained_as_the_report_says(theirs):
    """As many images are presented, in batches of its size and at its rate, as far as the report states them."""
    wanted = [
        job for name in jobs.STUDIES for job in jobs.of_notebook(name, "full", "torch") if job.spec.name == theirs.model
    ]
    job = max(wanted, key=lambda job: job.phases[-1].epochs)
    images = data.from_recipe(job.data)
    if "stand-in" in images.source.kind:
        pytest.skip(f"{job.data.dataset} is not at hand")
    (how,) = job.phases
    photographs = len(images.train) // (4 if theirs.model == "report001_task3" else 1)
    ours = amounts.Amount(theirs.model, photographs, how.epochs, how.batch_size, how.learning_rate)
    few = theirs.model == "report000_cvae_62"  # NIST itself is not at hand
    assert bool(amounts.shortfall(theirs, ours)) == few, amounts.shortfall(theirs, ours)


def test_own_data_are_read_for_their_recipe_and_shape(tmp_path):
    np.savez(tmp_path / "own.npz", x=np.tile(IMAGES.train.x, (4, 1, 1, 1)), y=np.tile(IMAGES.train.y, 4))
    recipe = planning.recipe(f"npz:{tmp_path / 'own.npz'}", planning.sizes(30, 9, 9))
    assert recipe == data.from_recipe(recipe).recipe and recipe.train_size == 30
    assert planning.shape(recipe) == ((5, 4, 1), 3)
    assert planning.shape(planning.recipe("digits", {})) == ((8, 8, 1), 10)


def test_what_is_kept_at_a_mark_is_no_job_of_its_own(monkeypatch):
    whole = evaluation.job(backend.get("torch"), VAE, SETTINGS, IMAGES, marks=(1, 2))
    monkeypatch.setitem(jobs.STUDIES, "03_tiny", lambda profile, backend: {"first": [whole.at(1)], "all": whole})
    monkeypatch.setattr(jobs, "_parameters", lambda name: {})
    assert jobs.of_notebook("03_tiny", "smoke", "torch") == [whole]


def test_the_command_prints_a_list_of_jobs(no_images, capsys):
    jobs.main(["04", "--profile", "smoke", "--backend", "tf"])
    printed = [training.from_plain(values).key for values in json.loads(capsys.readouterr().out)]
    assert printed == [job.key for job in jobs.of_notebook("04_digits_vae_vs_cvae", "smoke", "tf")]
    jobs.main([])
    everything = [training.from_plain(values) for values in json.loads(capsys.readouterr().out)]
    order = ["judge" if job.spec.kind == "classifier" else job.spec.report for job in everything]
    assert list(dict.fromkeys(order)) == ["judge", "004", "002", "000", "001", "003", ""]
    assert [job.spec.name for job in everything if job.spec.report == "001"][-1] == "report001_task3"
    assert {job.key for job in jobs.shared()} < {job.key for job in everything}
    with pytest.raises(SystemExit):
        jobs.main(["13"])
    assert "'13' trains nothing or is no notebook; choose among 03_" in capsys.readouterr().err


def test_the_card_of_a_stale_model_is_taken_away(results, monkeypatch):
    two = [evaluation.job(backend.get("torch"), spec, SETTINGS, IMAGES) for spec in (VAE, CVAE)]
    trained = evaluation.train_all(SimpleNamespace(may_train=True), two, IMAGES)
    monkeypatch.setattr(data, "from_recipe", lambda recipe: IMAGES)
    jobs.kind_of.cache_clear()
    assert jobs.cards(two) == [model.folder / "card.json" for model in trained]
    monkeypatch.setattr(jobs, "stale", lambda folder: folder.name.startswith("tiny_vae"))
    assert [card.exists() for card in jobs.cards(two)] == [False, True]


@pytest.mark.slow
def test_make_train_trains_what_is_missing_and_no_more(tmp_path):
    write_trainings(tmp_path)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--keep-going", "--ignore-incomplete", "--nolock"]
    command += ["--quiet", "all", "--config", "profile=smoke", "backend=torch", "--", "train"]

    def trained() -> dict[str, int]:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = tmp_path.glob("results/models/*/card.json")
        return {path.parent.name.partition("-")[0]: path.stat().st_mtime_ns for path in found}

    first = trained()
    assert first.keys() == {"good", "bad"}
    (bad,) = tmp_path.glob("results/models/bad-*/card.json")
    assert json.loads(bad.read_text())["failed"].startswith("the loss is ")
    assert trained() == first
    bad.unlink()
    again = trained()
    assert again["good"] == first["good"] and again["bad"] > first["bad"]


def test_make_grid_says_what_is_in_its_place():
    done = subprocess.run(["make", "grid"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0 and "make grid is gone: make train trains its models with all others" in done.stderr
