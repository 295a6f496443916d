"""The tuning study: its settings, one training each, killed studies that go on, trainings that fail."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pair import splits

from twinvae import backend, randomness, zoo
from twinvae.checkpoints import NotFinite
from twinvae_studies import evaluation, planning, report002_tuning

IMAGES = splits()
RATES = (1e-3, 1e-2, 1e-05)
RUN = SimpleNamespace(may_train=True)


def small(epochs=2):
    """Three trainings that take no time."""
    found = []
    for rate in RATES:
        how = dict(hidden=(4,), batch_size=8, learning_rate=rate, latent_dim=2)
        job = report002_tuning.job("usps", "vae", planning.recipe("usps", {}), "torch", epochs, **how)
        shape, classes = IMAGES.train.shape, IMAGES.train.num_classes
        by_hand = evaluation.job(backend.get("torch"), job.spec.for_images(shape, classes), job.phases[0], IMAGES)
        found.append(by_hand)
    return found


def table(jobs):
    return report002_tuning.table(RUN, jobs, IMAGES)


@pytest.mark.parametrize("name", backend.TWINS)
@pytest.mark.parametrize("profile", planning.PROFILES)
def test_no_setting_is_trained_twice_and_each_has_its_seeds(profile, name):
    found = report002_tuning.jobs(profile, name)
    jobs = [job for part in found.values() for job in part]
    assert len({job.key for job in jobs}) == len(jobs)
    seeds = report002_tuning.AMOUNTS[profile].seeds if name == "torch" else 1
    assert {job.seed for job in jobs} == set(range(seeds)) and all(job.phases[0].seed == job.seed for job in jobs)
    counts = {"smoke": [1, 8, 1, 8], "quick": [10, 18, 10, 18], "full": [12, 30, 12, 30]}[profile]
    assert [len(part) // seeds for part in found.values()] == counts


def test_the_first_is_the_reports_and_the_others_have_other_layers_and_codes():
    first = report002_tuning.jobs("quick", "torch")["mnist", "cvae"][0]
    assert first.spec == replace(zoo.get("report002_cvae_mnist"), latent_dim=20)
    job = report002_tuning.job("mnist", "cvae", first.data, "torch", 1, hidden=(512, 256), latent_dim=3)
    assert [layer.units for layer in job.spec.encoder[1::2]] == [512, 256]
    assert [layer.units for layer in job.spec.decoder[::2]] == [256, 512]
    assert (job.spec.latent_dim, job.spec.kind) == (3, "cvae")


def test_what_is_trained_is_not_trained_again(results, monkeypatch):
    once = table(small())
    monkeypatch.setattr(backend.get("torch").train, "fit", lambda *_: pytest.fail("trained again"))
    again = table(small())
    assert list(again.valid_loss) == list(once.valid_loss)
    assert report002_tuning.along(again, "learning_rate").keys() == set(RATES)
    assert report002_tuning.summary(again).valid_loss.is_monotonic_increasing


def test_a_training_that_fails_is_in_the_table_with_the_reason_and_stops_nobody(results, monkeypatch):
    train = backend.get("torch").train
    fit = train.fit

    def failing(model, images, settings, folder):
        if settings.learning_rate == 1e-2:
            raise NotFinite("the loss is nan at epoch 1, batch 1")
        return fit(model, images, settings, folder)

    monkeypatch.setattr(train, "fit", failing)
    found = table(small(1))
    assert list(found.failed) == ["", "the loss is nan at epoch 1, batch 1", ""]
    assert list(np.isfinite(found.valid_loss)) == [True, False, True]
    assert report002_tuning.along(found, "learning_rate").keys() == {1e-3, 1e-5}


KILLED = """
import os, signal
from test_report002_tuning import small, table
from twinvae import randomness
chunks = randomness.chunks

def deadly(images, settings, latent_dim, epoch, dtype):
    if settings.learning_rate == 1e-2 and epoch == 2 and len(images) > 20:  # in training, not in a probe
        os.kill(os.getpid(), signal.SIGKILL)
    return chunks(images, settings, latent_dim, epoch, dtype)

randomness.chunks = deadly
table(small(3))
"""


@pytest.mark.slow
def test_a_study_killed_in_the_middle_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINVAE_RESULTS", str(tmp_path / "killed"))
    command = [sys.executable, "-c", KILLED]
    died = subprocess.run(command, env=os.environ | {"PYTHONPATH": os.path.dirname(__file__)})
    assert died.returncode == -signal.SIGKILL
    assert [path.parent.name.rpartition("-")[2] for path in tmp_path.rglob("card.json")] == [small(3)[0].key]

    chunks, trained = randomness.chunks, []

    def watched(images, settings, *more):
        if len(images) > 20:
            trained.append((settings.learning_rate, more[1]))
        return chunks(images, settings, *more)

    monkeypatch.setattr(randomness, "chunks", watched)
    killed = table(small(3))
    assert trained == [(1e-2, 2), (1e-2, 3), (1e-5, 1), (1e-5, 2), (1e-5, 3)]
    monkeypatch.setenv("TWINVAE_RESULTS", str(tmp_path / "whole"))
    assert list(killed.valid_loss) == list(table(small(3)).valid_loss)


def test_the_losses_that_claims_ask_for_are_means_over_seeds_of_the_part_that_they_name():
    settings = [((400,), 256, 1e-3, "adam", 20), ((400,), 64, 3e-3, "adam", 20), ((400,), 256, 1e-2, "rmsprop", 20)]
    settings += [
        ((400,), 256, 1e-3, "adam", 2),
        ((512, 256), 256, 1e-3, "adam", 20),
        ((400,), 256, 1e-3, "rmsprop", 20),
    ]
    losses = [100.0, 90.0, 95.0, 140.0, 99.0, 97.0]
    rows = [(*one, seed, loss + seed) for seed in (0, 2) for one, loss in zip(settings, losses, strict=True)]
    failed = ((400,), 64, 1e-2, "adam", 20)  # better than all others, in the one seed that came to its end
    rows += [(*failed, 0, 80.0), (*failed, 2, np.nan)]
    table = pd.DataFrame(rows, columns=[*report002_tuning.SETTINGS, "seed", "valid_loss"])
    kept = {}
    run = SimpleNamespace(number=lambda name, value, fmt, sources: kept.__setitem__(name, value))
    report002_tuning.keep_losses(run, "mnist", table, [])
    wanted = {
        "report": 101,
        "best": 91,
        "adam": 101,
        "rmsprop": 96,
        "z20": 101,
        "z2": 141,
        "h400": 101,
        "h512x256": 100,
    }
    assert kept == {f"grid_mnist_cvae_{name}": value for name, value in wanted.items()}
    assert report002_tuning.shared_rates(table) == 1
