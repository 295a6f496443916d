"""The race against the clock: every mark judged once, a killed race goes on, who never arrives is not late."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from twinvae import backend, data, zoo
from twinvae.metrics.judge import Judge
from twinvae.spec import Conv, Dense, Flatten, GanSpec, ModelSpec, Reshape, TrainSpec, mlp
from twinvae_studies import evaluation, report003

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
SETTINGS, Y = TrainSpec(epochs=4, batch_size=8), evaluation.balanced(4, 3)


@pytest.fixture(scope="module")
def images() -> data.Splits:
    rng = np.random.default_rng(0)
    source = data.Source("tiny", "tiny", "own")
    parts = [
        data.Images(rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8), np.arange(n) % 4, tuple("abcd"), source)
        for n in (24, 8, 16)
    ]
    return data.Splits(*parts)


@pytest.fixture
def uncompiled():
    """TensorFlow without graphs: a few steps of small models would spend their time compiling."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def judge(twin) -> Judge:
    """A classifier as it is drawn."""
    model = ModelSpec("tiny_judge", "classifier", (4, 4, 3), 5, (Flatten(), *mlp(6)), (), num_classes=4)
    return Judge(twin.models.build(model), twin, {})


def place(folder):
    return type("Run", (), {"checkpoints": folder})


@pytest.mark.parametrize("model", [CVAE, CGAN], ids=lambda m: m.kind)
@pytest.mark.parametrize("name", ["torch", "tf"])
def test_a_race_ends_where_the_ordinary_training_does(images, name, model, tmp_path, request):
    if name == "tf":
        request.getfixturevalue("uncompiled")
    twin = backend.get(name)
    rows, (trained,) = report003.run(place(tmp_path / "a"), twin, model, SETTINGS, images, 1, [1, 4], judge(twin), Y)
    ordinary = evaluation.train(place(tmp_path / "b"), twin, model, SETTINGS, images)
    assert all(np.array_equal(a, trained.model.get_arrays()[key]) for key, a in ordinary.model.get_arrays().items())
    assert rows.epoch.tolist() == [1, 4] and rows.seconds.iloc[1] == pytest.approx(4 * rows.seconds.iloc[0])
    seen = report003.looks(judge(twin), evaluation.generate(ordinary, Y), Y, images.test)
    assert all(rows[column].iloc[-1] == pytest.approx(value) for column, value in seen.items())


def test_a_killed_race_goes_on_and_judges_no_mark_twice(images, tmp_path, monkeypatch):
    twin, looks, seen = backend.get("torch"), report003.looks, []

    def dies_at_the_third(*arguments):
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return looks(*arguments)

    monkeypatch.setattr(report003, "looks", dies_at_the_third)
    arguments = (twin, CVAE, SETTINGS, images, 2, [1, 2, 4], judge(twin), Y)
    with pytest.raises(KeyboardInterrupt):
        report003.run(place(tmp_path / "a"), *arguments)
    assert [len(json.loads(path.read_text())) for path in tmp_path.rglob("judged*.json")] == [2]
    rows, trained = report003.run(place(tmp_path / "a"), *arguments)
    assert len(seen) == 3 + 4  # the third mark again, then the three of the second seed
    whole, again = report003.run(place(tmp_path / "b"), *arguments)
    pd.testing.assert_frame_equal(rows.drop(columns="seconds"), whole.drop(columns="seconds"))
    assert [list(m.history.epoch) for m in trained] == [list(m.history.epoch) for m in again] == [[1, 2, 3, 4]] * 2


@pytest.mark.parametrize("marks", [[], [0, 4], [2, 1, 4], [1, 2], [4, 4]])
def test_marks_that_do_not_ascend_to_the_epochs_are_refused(images, marks, tmp_path):
    with pytest.raises(ValueError, match="they must ascend from 1 or more to 4, the epochs"):
        report003.run(place(tmp_path), backend.get("torch"), CVAE, SETTINGS, images, 1, marks, None, Y)


def test_epochs_that_follow_a_stop_are_not_timed():
    assert report003.pace([9, 8, 7, 2, 6, 3, 1, 2], [1, 2, 4, 8]) == 2  # epochs 4, 6, 7 and 8
    assert report003.pace([9, 5], [1, 2]) == 7


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
    assert report003.at_least([2, np.nan], 5) == 3.5 and report003.at_the_end(rows).accuracy.tolist() == [0.2, 0.19]


def test_the_models_are_those_of_the_reports_but_for_what_is_said():
    sizes, mlps = report003.latent_sizes(zoo.get("light_cifar_cvae")), report003.in_colour()
    assert [m.latent_dim for m in sizes.values()] == list(report003.LATENT_DIMS)
    assert sizes["z110"].encoder == zoo.get("report003_cvae").encoder
    for kind in ("ae", "vae", "cvae"):
        old, new = zoo.get(f"report004_{kind}"), mlps[f"mlp_{kind}"]
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
def test_what_is_kept_of_a_small_training(images, model, tmp_path):
    twin = backend.get("torch")
    trained = evaluation.train(place(tmp_path), twin, model, SETTINGS, images)
    row = report003.measured(trained, judge(twin), Y, images)
    first = replace(images, train=images.train.subset(np.arange(16)))
    losses = [twin.train.evaluate(trained.model, part, SETTINGS)[0] for part in (images.test, first.train)]
    assert row["loss"] == losses[0] and row["gap"] == pytest.approx(losses[0] - losses[1])
    assert 0 <= row["active"] <= 2 and 0 <= row["cat"] <= 1 and row["squared_error"] > 0
    assert report003.gap(trained, replace(images, train=images.test))[1] == 0
