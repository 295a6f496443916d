"""Report 001: what is trained, pictures turned back, small trainings measured."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, images, splits

from twinvae import backend, spec, zoo
from twinvae.data import sign_language
from twinvae.metrics.judge import Judge
from twinvae.spec import BatchNorm, Conv, ConvTranspose, TrainSpec
from twinvae_studies import evaluation, planning, report001

SETTINGS = TrainSpec(1, 8)
IMAGES = splits()
RNG = np.random.default_rng(0)
PARAMETERS = dict(epochs=None, seeds=None, batch_size=64, learning_rate=1e-3)


def jobs(profile="smoke", name="torch", **changed):
    return report001.jobs(profile, name, **PARAMETERS | changed)


# --- what is trained -----------------------------------------------------------------------------


def test_the_tasks_share_their_pictures_and_a_vae_sees_the_letters():
    tasks = jobs("quick", epochs=8)["tasks"]
    assert [dict(tasks[t][0].data.options)["task"] for t in (1, 2, 3, 0)] == ["vowel", "letter", "rotation", "letter"]
    assert len({replace(seeds[0].data, options=()) for seeds in tasks.values()}) == 1
    assert [tasks[t][0].phases[0].epochs for t in (1, 2, 3, 0)] == [8, 8, 2, 8]
    assert tasks[0][0].spec.kind == "vae" and tasks[2][0].spec == zoo.get("light_task2")


@pytest.mark.parametrize("profile", planning.PROFILES)
def test_seeds_are_pytorchs_and_the_reports_own_models_are_for_a_night(profile):
    found = {name: jobs(profile, name) for name in backend.TWINS}
    full = profile == "full"
    assert {name: len(part["tasks"][1]) for name, part in found.items()} == {"torch": 3 if full else 1, "tf": 1}
    (model, *_), (remedy,) = found["torch"]["tasks"][2], found["torch"]["remedies"][2]["remedy2_prior"]
    assert model.spec == zoo.get("report001_task2" if full else "light_task2")
    assert remedy.spec == replace(zoo.get("light_task2"), name=remedy.spec.name, prior="learned")


def test_in_full_a_task_is_shown_as_many_pictures_as_in_the_report():
    shown = 6_041 * jobs("full")["tasks"][2][0].phases[0].epochs  # those to train of the part that is at hand
    assert 0.95 < shown / (27_455 * 100) < 1


def test_each_variant_changes_what_its_name_says():
    rows = report001.variants(2) | report001.variants(3)

    def filters(name):
        return [layer.filters for layer in rows[name].encoder if isinstance(layer, Conv)]

    assert (filters("order_rising"), filters("order_flat")) == ([16, 32, 32], [32, 32, 32])
    assert filters("order_report") == filters("no_batchnorm") == [32, 16, 32]
    assert filters("task3_layers") == [32, 32, 16, 32]
    assert not any(isinstance(layer, BatchNorm) for layer in rows["no_batchnorm"].encoder)
    deep = [layer for layer in rows["task3_layers"].decoder if isinstance(layer, ConvTranspose)]
    assert [(layer.filters, layer.stride) for layer in deep] == [(32, 2), (32, 1), (16, 2), (1, 1)]
    assert len({model.name for model in rows.values()}) == len(rows) == 7 + 5 + 3
    sizes = {name: model.latent_dim for name, model in rows.items() if name.startswith("z")}
    assert sizes == {f"z{z}": z for z in (2, 8, 32, 128, 512)}
    assert evaluation.unlabelled(zoo.get("light_task2"), "light_vae").kind == "vae"
    wide = {name: model for name, model in rows.items() if name.startswith("width")}
    assert max(map(spec.count_weights, wide.values())) < 1_000_000 and list(wide) == ["width8", "width16", "width64"]


def test_each_remedy_changes_what_its_name_says():
    found = {name: job for part in jobs()["remedies"].values() for name, (job,) in part.items()}
    assert len(found) == 9 and found["remedy1_beta"].phases[0].beta == 0.3
    assert found["remedy2_prior"].spec.prior == "learned"
    assert found["remedy3_gaussian"].spec.likelihood == "gaussian" and found["remedy3_gaussian"].spec.num_classes == 4


# --- pictures ------------------------------------------------------------------------------------


def test_turned_back_pictures_are_as_they_were():
    letters = images(48, shape=(28, 28, 1))
    turned = sign_language.for_task(letters, "rotation")
    assert (report001.upright(turned.x, turned.y) == np.tile(letters.x, (4, 1, 1, 1))).all()


def test_complexity_grows_with_detail():
    flat = np.zeros((1, 28, 28, 1))
    half = np.zeros((1, 28, 28, 1))
    noise = RNG.random((1, 28, 28, 1))
    half[:, 14:] = 1
    counts = report001.complexity(np.concatenate([flat, half, noise]))
    assert counts[0] < counts[1] < counts[2]


def test_the_mean_of_each_class():
    assert report001.by_class(np.array([1.0, 3, 5]), np.array([0, 0, 1]), 2).tolist() == [2, 5]


# --- what came out -------------------------------------------------------------------------------


def test_small_trainings_are_measured(results):
    twin = backend.get("torch")
    judge = Judge(twin.models.build(replace(zoo.get("judge_mnist").for_images((5, 4, 1), 3), name="judge")), twin, {})
    seeds = planning.over_seeds(evaluation.job(twin, CVAE, SETTINGS, IMAGES), 2)
    models = evaluation.train_all(SimpleNamespace(may_train=True), seeds, IMAGES)
    seen = report001.measured(models, judge, np.arange(12) % 3, IMAGES.train)
    assert seen["weights"] == spec.count_weights(CVAE) and len(seen["loss"]) == len(seen["accuracy"]) == 2
    assert seen["loss"] == [m.history.valid_loss.min() for m in models] and len(set(seen["loss"])) == 2
