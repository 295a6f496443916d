"""The race against the clock: every mark judged once, a killed race goes on, who never arrives is not late."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from twinvae import backend, data, zoo
from twinvae.metrics import samples
from twinvae.metrics.judge import Judge
from twinvae.spec import Conv, Dense, Flatten, GanSpec, ModelSpec, Reshape, TrainSpec, count_weights, mlp
from twinvae.training import Job
from twinvae_studies import evaluation, planning, report003

RUN = SimpleNamespace(may_train=True)
PARAMETERS = dict.fromkeys(["epochs", "seeds", "batch_size", "learning_rate", "learning_rate_cgan"])
CVAE = ModelSpec(
    "tiny_cvae",
    "cvae",
    (4, 4, 3),
    2,
    (Flatten(), *mlp(4)),
    mlp(4),
    num_classes=4,
    encoder_condition="concat",
    decoder_condition="concat",
    init="keras",
)
CGAN = GanSpec("tiny_cgan", "cgan", (4, 4, 3), 2, 4, (Dense(48), Reshape((4, 4, 3))), (Conv(2), Flatten()))
SETTINGS = TrainSpec(epochs=4, batch_size=8)
Y = evaluation.balanced(4, 3)


@pytest.fixture(scope="module")
def images() -> data.Splits:
    rng = np.random.default_rng(0)
    source = data.Source("tiny", "tiny", "own")
    parts = [
        data.Images(rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8), np.arange(n) % 4, tuple("abcd"), source)
        for n in (24, 8, 16)
    ]
    return data.Splits(*parts)


def judge(twin) -> Judge:
    """A classifier as it is drawn."""
    model = ModelSpec("tiny_judge", "classifier", (4, 4, 3), 5, (Flatten(), *mlp(6)), (), num_classes=4)
    return Judge(twin.models.build(model), twin, {})


def jobs(twin, model, images, marks, seeds=1, settings=SETTINGS):
    return planning.over_seeds(evaluation.job(twin, model, settings, images, marks=marks), seeds)


# --- what is trained -----------------------------------------------------------------------------


def test_a_race_is_judged_at_powers_of_two_and_at_its_end():
    assert report003.marks(1) == (1,) and report003.marks(12) == (1, 2, 4, 8, 12)
    assert report003.marks(64) == (1, 2, 4, 8, 16, 32, 64)


@pytest.mark.parametrize("profile", planning.PROFILES)
def test_the_racing_pair_runs_with_every_seed_and_ours_once(profile):
    found = report003.jobs(profile, "torch", **PARAMETERS)
    many = 3 if profile == "full" else 1
    assert {name: len(seeds) for name, seeds in found["race"].items()} == {
        "CVAE": many, "CGAN": many, "CVAE, ours": 1, "CGAN, ours": 1}  # fmt: skip
    assert {name: len(seeds) for name, seeds in found["digits"].items()} == dict.fromkeys(
        ("CVAE", "CGAN"), 1 if profile == "smoke" else 3
    )
    exact = profile == "full"
    assert found["race"]["CGAN"][0].spec == (report003.EXACT if exact else report003.LIGHT)["CGAN"]
    assert found["race"]["CGAN, ours"][0].phases[0].learning_rate == pytest.approx(9e-4)


def test_what_races_on_digits_makes_images_with_the_same_layers_and_is_judged_at_close_marks():
    cvae, cgan = report003.DIGITS.values()
    assert cvae.decoder == cgan.generator and cvae.latent_dim == cgan.latent_dim
    assert 0.5 < count_weights(cgan) / count_weights(cvae) < 2
    raced = report003.jobs("quick", "torch", **PARAMETERS)["digits"]
    assert [job.seed for job in raced["CVAE"]] == [job.phases[0].seed for job in raced["CVAE"]] == [0, 1, 2]
    assert raced["CGAN"][0].marks == (1, 2, 3, 4, 6, 8, 12) and raced["CGAN"][0].data.dataset == "mnist"
    longer = report003.jobs("quick", "torch", **PARAMETERS | {"epochs": 99, "batch_size": 1})["digits"]
    assert longer == raced


def test_what_is_printed_changes_the_model_and_nothing_else():
    found = report003.jobs("smoke", "torch", **PARAMETERS)
    right = found["printed"]["right"]
    assert right == found["code sizes"]["z110"] and not right.change
    assert len({job.key for job in found["printed"].values()}) == 4
    assert all(replace(job, change="", arguments=()) == right for job in found["printed"].values())
    assert replace(found["leaked"], data=right.data) == right
    assert found["leaked"].data.arguments == (("count", 21),)


# --- the race ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [CVAE, CGAN], ids=lambda m: m.kind)
@pytest.mark.parametrize("name", ["torch", "tf"])
def test_a_race_ends_where_the_ordinary_training_does(images, name, model, results, monkeypatch):
    twin = backend.get(name)
    with twin.train.uncompiled():
        rows, (trained,) = report003.race(RUN, jobs(twin, model, images, (1, 4)), images, judge(twin), Y)
        monkeypatch.setenv("TWINVAE_RESULTS", str(results / "another"))
        ordinary = evaluation.train_all(RUN, evaluation.job(twin, model, SETTINGS, images), images)
    assert all(np.array_equal(a, trained.model.get_arrays()[key]) for key, a in ordinary.model.get_arrays().items())
    assert rows.epoch.tolist() == [1, 4] and rows.seconds.iloc[1] == pytest.approx(4 * rows.seconds.iloc[0])
    seen = report003.looks(judge(twin), evaluation.generate(ordinary, Y), Y, images.test)
    assert all(rows[column].iloc[-1] == pytest.approx(value) for column, value in seen.items())


def test_a_killed_race_goes_on_and_trains_no_mark_twice(images, results, monkeypatch):
    twin = backend.get("torch")
    fit = twin.train.fit
    ends = []

    def dies_at_the_fifth(model, images, settings, folder):
        ends.append((settings.seed, settings.epochs))
        if len(ends) == 5:
            raise KeyboardInterrupt
        return fit(model, images, settings, folder)

    monkeypatch.setattr(twin.train, "fit", dies_at_the_fifth)
    race = (jobs(twin, CVAE, images, (1, 2, 4), seeds=2), images, judge(twin), Y)
    with pytest.raises(KeyboardInterrupt):
        report003.race(RUN, *race)
    assert len(list(results.rglob("card.json"))) == 3 + 1
    rows, trained = report003.race(RUN, *race)
    assert ends == [(0, 1), (0, 2), (0, 4), (1, 1), (1, 2), (1, 2), (1, 4)]
    monkeypatch.setenv("TWINVAE_RESULTS", str(results / "another"))
    whole, again = report003.race(RUN, *race)
    pd.testing.assert_frame_equal(rows.drop(columns="seconds"), whole.drop(columns="seconds"))
    assert [list(m.history.epoch) for m in trained] == [list(m.history.epoch) for m in again] == [[1, 2, 3, 4]] * 2


@pytest.mark.parametrize("marks", [(0, 4), (2, 1, 4), (4, 4), (5,)])
def test_marks_that_do_not_ascend_within_the_epochs_are_refused(images, marks):
    with pytest.raises(ValueError, match="they must ascend from 1 to 4"):
        jobs(backend.get("torch"), CVAE, images, marks)


def test_epochs_that_follow_a_stop_are_not_timed():
    assert report003.warm([9, 8, 7, 2, 6, 3, 1, 2], [1, 2, 4, 8]) == [2, 3, 1, 2]  # epochs 4, 6, 7 and 8
    assert report003.warm([9, 5], [1, 2]) == [9, 5]


def test_models_are_timed_in_turns_and_a_seed_takes_the_seconds_of_its_round(images, monkeypatch):
    turns, seconds = [], iter([5.0, 7.0, 6.0, 8.0])

    def fit(model, few, settings):
        turns.append((model, len(few.train), settings.epochs))
        return [{"seconds": 99.0}, {"seconds": next(seconds)}]

    twin = SimpleNamespace(train=SimpleNamespace(fit=fit), models=SimpleNamespace(build=lambda spec: spec.name))
    monkeypatch.setattr(report003.backends, "get", lambda name: twin)
    both = {name: Job(model, (SETTINGS,), data.Recipe("digits")) for name, model in {"a": CVAE, "b": CGAN}.items()}
    found = report003.in_turns(both, images, rounds=2, steps=2)
    assert found == {"a": [7.5, 9.0], "b": [10.5, 12.0]}  # 2 of an epoch's 3 batches of 8
    assert turns == [("tiny_cvae", 16, 2), ("tiny_cgan", 16, 2)] * 2
    rows = pd.DataFrame({"model": ["a", "b"], "seed": [1, 0], "epoch": [4, 2], "seconds": [0.0, 0.0]})
    assert report003.retimed(rows, found).seconds.tolist() == [36.0, 21.0]


def test_the_exact_pair_is_timed_at_the_reports_batch_size():
    pair = report003.exact_pair("tf")
    assert {name: job.spec for name, job in pair.items()} == report003.EXACT
    assert {(job.backend, job.phases[0].batch_size) for job in pair.values()} == {("tf", 32)}


def test_the_distance_within_classes_sees_a_label_that_is_not_obeyed():
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    real, made = (rng.normal(size=(400, 3)) + 5 * y[:, None] for _ in range(2))
    swapped = made[y.argsort(kind="stable")][np.r_[200:400, 0:200]][np.argsort(y.argsort(kind="stable"))]
    assert samples.frechet_distance(swapped, real) == pytest.approx(samples.frechet_distance(made, real))
    assert report003.class_frechet(made, y, real, y) < 1 < 50 < report003.class_frechet(swapped, y, real, y)
    parts = [samples.frechet_distance(made[y == k], real[y == k]) for k in (0, 1)]
    assert report003.class_frechet(made, y, real, y) == pytest.approx(np.mean(parts))


def test_who_never_gets_there_is_not_late():
    rows = pd.DataFrame(
        {
            "seed": [0, 0, 0, 1, 1, 1],
            "epoch": [1, 2, 4] * 2,
            "seconds": [3.0, 6, 12, 2, 4, 8],
            "accuracy": [0.1, 0.3, 0.2, 0.1, 0.1, 0.19],
        }
    )
    assert np.array_equal(report003.first_past(rows, 0.2), [2, np.nan], equal_nan=True)
    assert np.array_equal(report003.first_past(rows, 0.3, "seconds"), [6, np.nan], equal_nan=True)
    assert report003.at_the_end(rows.assign(model="a")).accuracy.tolist() == [0.2, 0.19]


def test_the_models_are_those_of_the_reports_but_for_what_is_said():
    sizes = planning.code_sizes(zoo.get("light_cifar_cvae"), report003.LATENT_DIMS)
    mlps = report003.in_colour()
    assert [m.latent_dim for m in sizes.values()] == list(report003.LATENT_DIMS)
    assert sizes["z110"].encoder == zoo.get("report003_cvae").encoder
    for kind in ("ae", "vae", "cvae"):
        old = zoo.get(f"report004_{kind}")
        new = mlps[f"mlp_{kind}"]
        assert replace(old, name=new.name, image_shape=(32, 32, 3), report="") == new
    assert (
        data.SETS["cifar10"].class_names[report003.CAT] == "cat"
        and data.SETS["cifar10"].class_names[report003.BOATS] == "ship"
    )


@pytest.mark.parametrize(
    "model",
    [CVAE, replace(CVAE, kind="ae", num_classes=0, encoder_condition="none", decoder_condition="none")],
    ids=lambda m: m.kind,
)
def test_what_is_measured_of_a_small_training(images, model, results):
    twin = backend.get("torch")
    trained = evaluation.train_all(RUN, evaluation.job(twin, model, SETTINGS, images), images)
    row = report003.measured(trained, judge(twin), Y, images)
    first = replace(images, train=images.train.subset(np.arange(16)))
    losses = [twin.train.evaluate(trained.model, part, SETTINGS)[0] for part in (images.test, first.train)]
    assert row["loss"] == losses[0] and row["gap"] == pytest.approx(losses[0] - losses[1])
    assert 0 <= row["active"] <= 2 and 0 <= row["cat"] <= 1 and row["squared_error"] > 0
    assert report003.gap(trained, replace(images, train=images.test))[1] == 0
