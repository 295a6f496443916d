"""Notebook 06's tables: who wins is who passes the floor, in time and clear of the seeds; numbers have their names."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_report003 import CGAN, CVAE, RUN, Y, images, jobs, judge  # noqa: F401 - images is a fixture

from twinvae import backend
from twinvae.spec import TrainSpec, count_weights
from twinvae_studies import evaluation, report003, speed
from twinvae_studies import report003_figures as figures
from twinvae_studies import report003_tables as tables

LOOK = {"accuracy": 0.5, "frechet": 10.0, "diversity": 0.5, "sharpness": 0.01, "checkerboard": 1.0}


class Kept(SimpleNamespace):
    """A run that keeps numbers and specs."""

    def number(self, name, value, fmt=".2f", sources=None):
        assert name not in self.numbers and format(value, fmt)
        self.numbers[name], self.sources[name] = value, sources
        return value

    def spec(self, name, spec):
        self.specs[name] = spec


def kept(**numbers):
    return Kept(numbers=numbers, sources={}, specs={}, may_train=True)


def raced(**more):
    """Two seeds of the CVAE and one of each other model, judged after 1, 2 and 4 epochs of 30 s."""
    seeds = [("CVAE", 0), ("CVAE", 1), *((name, 0) for name in tables.SLUGS if name != "CVAE")]
    rows = [
        LOOK | {"model": name, "seed": seed, "epoch": epoch, "seconds": 30.0 * epoch} | more
        for name, seed in seeds
        for epoch in (1, 2, 4)
    ]
    return pd.DataFrame(rows)


# --- the floor -----------------------------------------------------------------------------------


def outcome(never=(0, 0), minutes=((1.0, 0.01), (2.0, 0.01)), runs=(3, 3)):
    numbers = {}
    for slug, missing, (mean, sd), count in zip(("cvae", "cgan"), never, minutes, runs, strict=True):
        numbers |= {f"{slug}_floor_never": missing, f"{slug}_floor_minutes": mean, f"{slug}_floor_minutes_sd": sd}
        numbers[f"{slug}_runs"] = count
    return kept(**numbers)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (outcome(), "after 1.00 minutes and the CGAN passes it after 2.00 minutes, so the CVAE wins"),
        (outcome(minutes=((2.0, 0.01), (1.0, 0.01))), "so the CGAN wins"),
        (outcome(minutes=((1.0, 0.9), (1.2, 0.9))), "no more apart than seeds are"),
        (outcome(never=(3, 0)), "CGAN passes it after 2.00 minutes and the other does not in every run, so the CGAN"),
        (outcome(never=(1, 2)), "neither passes it in every run, so nobody has won"),
        (outcome(never=(1, 1), runs=(1, 1)), "neither passes it in every run, so nobody has won"),
        (outcome(runs=(3, 1)), "but with fewer than 3 runs of each nobody has won"),
        (outcome(never=(1, 0), runs=(1, 1)), "but with fewer than 3 runs of each nobody has won"),
    ],
)
def test_who_wins_is_past_the_floor_in_every_run_and_clear_of_the_seeds(found, words):
    assert words in tables.winner(found)


def test_two_that_are_not_past_the_floor_are_not_compared():
    sharp = {"cvae_sharpness": 0.01, "cvae_sharpness_sd": 0.0, "cgan_sharpness": 0.03, "cgan_sharpness_sd": 0.0}
    past = {"cvae_floor_never": 0, "cgan_floor_never": 0}
    assert "CVAE is the blurrier" in tables.blurrier(kept(**sharp, **past))
    assert "CGAN is the blurrier" in tables.blurrier(kept(**sharp | {"cgan_sharpness": 0.001}, **past))
    assert "no clear" in tables.blurrier(kept(**sharp | {"cgan_sharpness_sd": 0.1}, **past))
    assert "is not compared" in tables.blurrier(kept(**sharp, **past | {"cgan_floor_never": 1}))


def test_a_mark_is_past_the_floor_by_accuracy_and_by_distance_at_once():
    rows = pd.DataFrame(
        {
            "seed": [0, 0, 0, 1, 1, 1],
            "seconds": [3.0, 6, 12, 2, 4, 8],
            "accuracy": [0.6, 0.4, 0.6, 0.6, 0.6, 0.4],
            "frechet": [90, 10, 20, 90, 80, 10],
        }
    )
    floor = {"accuracy": 0.5, "frechet": 50}
    assert np.array_equal(report003.first_better(rows, floor), [12, np.nan], equal_nan=True)
    assert np.array_equal(report003.first_better(rows, {"frechet": 50}), [6, 8])


def test_who_never_arrives_is_a_lower_bound():
    assert tables.arrival([1, 2], "1.5") == "1.5" and tables.arrival([np.nan], "5") == "never"
    assert tables.arrival([1, np.nan], "3") == "at least 3, 1 never"


# --- the race ------------------------------------------------------------------------------------


@pytest.fixture
def trained(images, results):  # noqa: F811 - the fixture
    twin = backend.get("torch")
    models = {name: CVAE if "CVAE" in name else CGAN for name in tables.SLUGS}
    found = {name: jobs(twin, model, images, (1, 2, 4), 2 if name == "CVAE" else 1) for name, model in models.items()}
    return evaluation.train_all(RUN, found, images)


def test_the_end_the_thresholds_and_the_time_of_a_race(trained):
    run, race = kept(train_images=24, pca_accuracy=0.4, pca_frechet=20.0), raced()
    late = (race.model == "CVAE") & (race.seed == 1)
    race.loc[late, "frechet"] = 30.0
    race.loc[late, "accuracy"] = 0.2
    race.loc[race.epoch == 1, "accuracy"] = 0.1
    tables.keep_race(run, race, trained)
    assert run.numbers["cvae_frechet"] == 20 and run.numbers["cvae_frechet_sd"] == pytest.approx(200**0.5)
    assert run.numbers["cvae_pace"] == 30 and run.numbers["cvae_speed"] == pytest.approx(24 / 30)
    assert run.numbers["cvae_runs"] == run.numbers["seeds"] == 2 and run.numbers["cgan_runs"] == 1
    assert run.numbers["time_ratio"] == 1 and run.numbers["cvae_pace_iqr"] >= 0
    table = tables.thresholds(run, race).set_index("model")
    assert table.loc["CGAN", "40 %"] == "2 (60 s)" and table.loc["CVAE", "40 %"] == "at least 3.5 (105 s), 1 never"
    assert run.numbers["cvae_never25"] == 1 and run.numbers["cvae_epochs15"] == 2
    table = tables.takes(run, race, trained, Y).set_index("model")
    assert run.numbers["cgan_floor_minutes"] == 1 and run.numbers["cgan_floor_never"] == 0
    assert run.numbers["cvae_floor_minutes"] == (1 + 2.5) / 2 and run.numbers["cvae_floor_never"] == 1
    assert table.loc["CGAN", "minutes past PCA"] == "1.00"
    assert table.loc["CVAE", "minutes past PCA"] == "at least 1.75 (sd 1.06), 1 never"
    assert table.loc["CGAN", "MiB"] == count_weights(CGAN) * 16 / 2**20 and (table["ms a sample"] > 0).all()
    rows = tables.end(run, race, LOOK, LOOK | {"frechet": 1.0})
    assert rows.model.tolist() == [*tables.SLUGS, "PCA per class", "real images"]
    assert rows.frechet.tolist() == [20, 10, 10, 10, 10, 1] and rows["s/epoch"].tolist()[:4] == [30] * 4


def test_another_race_keeps_its_numbers_beside_and_judges_by_a_floor_and_seconds_of_its_own(trained):
    run, race = kept(), raced(class_frechet=50.0)
    race = race[race.model.isin(["CVAE", "CGAN"])]
    race.loc[(race.model == "CGAN") & (race.epoch < 4), "class_frechet"] = 99.0
    part = evaluation.Part(run, "digits_", ["scans"])
    for name, value in {
        "train_images": 24,
        "pca_accuracy": 0.9,
        "pca_frechet": 20.0,
        "pca_class_frechet": 60.0,
    }.items():
        part.number(name, value)
    pair = {name: trained[name] for name in ("CVAE", "CGAN")}
    tables.keep_race(part, race, pair, {"class_frechet": ".1f"}, {"CVAE": [1, 2, 3, 4, 5], "CGAN": [3, 3, 3]})
    assert run.numbers["digits_cvae_pace_iqr"] == 2 and run.numbers["digits_cgan_pace_iqr"] == 0
    assert "digits_cvae_accuracy" not in run.numbers and not any(name.startswith("cvae") for name in run.numbers)
    table = tables.takes(part, race, pair, Y, ("class_frechet", "frechet")).set_index("model")
    assert table["minutes past PCA"].tolist() == ["0.50 (sd 0.00)", "2.00"]
    assert "nobody has won" in tables.winner(part) and run.sources == {name: ["scans"] for name in run.numbers}
    ends = tables.end(part, race, {"class_frechet": 60.0}, {"class_frechet": 40.0}, ["class_frechet"])
    assert ends.model.tolist() == ["CVAE", "CGAN", "PCA per class", "real images"]
    assert ends.class_frechet.tolist() == [50, 50, 60, 40]


def test_the_memory_of_a_training_is_that_of_its_optimiser(trained, monkeypatch):
    run, race = kept(pca_accuracy=0.4, pca_frechet=20.0, cvae_pace=1.0, cvae_pace_iqr=0.0), raced()
    settings = TrainSpec(1, optimizer="rmsprop", average=0.9)
    one = SimpleNamespace(spec=CVAE, settings=settings)
    monkeypatch.setattr(tables, "seconds_in_turns", lambda draws, rounds: dict.fromkeys(draws, [1.0]))
    tables.takes(run, race[race.model == "CVAE"], {"CVAE": [one, one]}, Y)
    assert run.numbers["cvae_mib"] == count_weights(CVAE) * 4 * 4 / 2**20


def test_models_with_fewer_seeds_leave_places_and_curves_are_in_minutes():
    race = raced()
    assert np.array_equal(tables.ends(race, "seconds", 1 / 60)[:2], [[2, 2], [2, np.nan]], equal_nan=True)
    minutes, values = tables.curve(race, "CVAE", "frechet")
    assert minutes.tolist() == [0.5, 1, 2] and values.shape == (2, 3)


def test_a_race_is_drawn_against_minutes_between_the_floor_and_real_images():
    race, real = raced(), LOOK | {"frechet": 1.0}
    fig = figures.quality(race, [["frechet"] * 2, ["accuracy", "diversity"]], LOOK | {"frechet": 4.0}, real)
    large, *small = fig.axes
    assert [ax.get_ylabel() for ax in fig.axes] == ["Fréchet distance", "accuracy of samples", "diversity"]
    assert all(large.get_position().height > ax.get_position().height for ax in small)
    level = {line.get_label(): line.get_ydata()[0] for line in large.lines}
    assert level["PCA per class"] == 4 and level["real images"] == 1
    words = [text.get_text() for text in fig.legends[0].get_texts()]
    assert words == [*tables.SLUGS, "PCA per class", "real images"]
    fig = figures.ends(race, ["frechet", "accuracy", "diversity", "seconds"], LOOK, real)
    assert [bar.get_height() for bar in fig.axes[3].patches] == [2] * 4  # minutes
    assert [line.get_ydata()[0] for line in fig.axes[0].lines if line.get_linestyle() == "-."] == [1]


def test_actions_take_turns_and_the_first_round_is_not_timed(monkeypatch):
    clock, turns = [0.0], []

    def act(name):
        turns.append(name)
        clock[0] += 100 if len(turns) <= 2 else {"a": 1, "b": 2}[name]

    monkeypatch.setattr(speed.time, "perf_counter", lambda: clock[0])
    actions = {"CVAE": lambda: act("a"), "CGAN": lambda: act("b")}
    assert speed.seconds_in_turns(actions, rounds=2) == {"CVAE": [1, 1], "CGAN": [2, 2]}
    assert turns == ["a", "b"] * 3


def test_real_images_are_what_samples_are_held_against(images):  # noqa: F811 - the fixture
    run, few = kept(), images.test
    found = tables.of_real_images(run, judge(backend.get("torch")), few, few)
    assert found["frechet"] == pytest.approx(0, abs=1e-6) and found["diversity"] == 1
    assert set(found) == {*tables.LOOKS, *tables.DIGITS} and run.numbers["real_sharpness"] == found["sharpness"]


# --- costs and small trainings -------------------------------------------------------------------


def test_costs_are_the_reports_beside_ours():
    run = kept(cvae_speed=600.0, cgan_speed=300.0)
    rows = tables.costs(run, {}, 320).set_index("model")
    assert rows.loc["CVAE", "minutes in all"] == pytest.approx(51.15 * 75 / 60) and "exact_ratio" not in run.numbers
    assert run.numbers["report_total_ratio"] == pytest.approx(4.8, abs=0.01)
    timed = {"CVAE": [7.0, 5.0], "CGAN": [2.0, 2.0]}
    rows = tables.costs(run := kept(cvae_speed=1.0, cgan_speed=1.0), timed, 320)
    assert run.numbers["exact_ratio"] == 3 and run.numbers["exact_ratio_sd"] == pytest.approx(0.5**0.5)
    assert rows["exact, here: images/s"].tolist() == [pytest.approx(320 / 6), 160]


def test_all_models_are_counted():
    run = kept()
    rows = tables.models(run)
    assert len(rows) == len(run.specs) == 6 and run.numbers["report003_cvae_weights"] == 714_588


def test_small_trainings_are_kept_by_name_and_shown_as_what_they_are():
    row = dict.fromkeys([*tables.SMALL, "squared_error", "cat"], 1.0)
    found = {name: row for name in (*report003.PRINTED, "mlp_ae", "mlp_vae", "mlp_cvae")}
    tables.keep_small(run := kept(), {"z70": row}, cat=".3f")
    assert set(run.numbers) == {f"z70_{column}" for column in (*tables.SMALL, "cat")}
    rows = tables.printed(found)
    assert rows["label planes"].tolist() == ["scrambled", "scrambled", "right", "right"]
    assert rows.normalisation.tolist() == ["frozen", "trained", "frozen", "trained"]
    trained = {name: SimpleNamespace(spec=CVAE) for name in found}
    rows = tables.in_colour(found, trained).set_index("model")
    assert rows.accuracy.isna().tolist() == [True, True, False, False] and (rows["squared error"] == 1).all()
