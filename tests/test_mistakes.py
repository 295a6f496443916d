"""The mistakes made on purpose: without one it is the ordinary training, with one only that one differs."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from twinvae import backend, data, randomness
from twinvae.spec import BatchNorm, Conv, Flatten, ModelSpec, TrainSpec, mlp
from twinvae_studies import evaluation, mistakes, parity_models

SPEC = ModelSpec(
    "tiny",
    "cvae",
    (3, 2, 1),
    2,
    (Flatten(), *mlp(4)),
    mlp(4),
    num_classes=3,
    encoder_condition="concat",
    decoder_condition="concat",
    init="keras",
)
SETTINGS = TrainSpec(epochs=2, batch_size=5)


@pytest.fixture(scope="module")
def images() -> data.Splits:
    rng = np.random.default_rng(0)
    source = data.Source("tiny", "tiny", "own")
    parts = [
        data.Images(rng.integers(0, 256, (n, 3, 2, 1), dtype=np.uint8), rng.integers(0, 3, n), tuple("abc"), source)
        for n in (22, 6, 6)
    ]
    return data.Splits(*parts)


@pytest.mark.parametrize("name", ["torch", "tf"])
def test_without_a_mistake_it_is_the_ordinary_training(images, name):
    twin = backend.get(name)
    model, curve = mistakes.train(evaluation.job(twin, SPEC, SETTINGS, images), images, checks=1)
    ordinary = twin.models.build(SPEC)
    rows = twin.train.fit(ordinary, images, SETTINGS)
    assert all(np.array_equal(a, ordinary.get_arrays()[key]) for key, a in model.get_arrays().items())
    assert curve.epoch.tolist() == [1, 2]
    np.testing.assert_allclose(curve.valid_loss, [row["valid_loss"] for row in rows], rtol=1e-6)


def test_class_order_changes_the_order_alone(images):
    shuffled = list(randomness.batches(images.train, SETTINGS, 2, 1, "float32"))
    ordered = mistakes.class_order(shuffled)
    labels = np.concatenate([batch.y for batch in ordered]).argmax(1)
    assert [len(batch.x) for batch in ordered] == [5] * 4 and (np.diff(labels) >= 0).all()
    for part in range(4):
        before, after = (np.concatenate([b[part] for b in made]).reshape(20, -1) for made in (shuffled, ordered))
        assert np.array_equal(before[np.lexsort(before.T)], after[np.lexsort(after.T)])


def test_factors_undo_the_scaling(images):
    twin = backend.get("torch")
    job = evaluation.job(twin, SPEC, SETTINGS, images)
    model, scaled = mistakes.train(job, images, checks=2)
    _, curve = mistakes.train(job, images, input_factor=255.0, target_factor=255.0, checks=2)
    assert list(curve.columns) == ["epoch", "loss", "valid_loss"] and len(curve) == 4
    assert not np.allclose(curve.loss, scaled.loss)
    losses = mistakes.image_losses(twin, model, images.valid, SETTINGS)
    assert losses.shape == (6,) and losses.mean() == pytest.approx(scaled.valid_loss.iloc[-1])


def test_a_curve_is_worked_out_once_for_each_mistake_and_for_images_of_each_kind(images, results, monkeypatch):
    job = evaluation.job(backend.get("torch"), SPEC, SETTINGS, images)
    curves = [mistakes.curve(job, images, by_class=mistake) for mistake in (False, True)]
    other = dataclasses.replace(images, valid=images.train)
    assert not curves[0].equals(curves[1]) and not mistakes.curve(job, other).equals(curves[0])
    monkeypatch.setattr(mistakes, "train", lambda *_, **__: pytest.fail("trained again"))
    assert mistakes.curve(job, images, by_class=True).equals(curves[1])


# --- report 003 ----------------------------------------------------------------------------------

PLANES = ModelSpec(
    "tiny_planes",
    "cvae",
    (3, 2, 1),
    2,
    (Conv(3, 2), BatchNorm()),
    mlp(4),
    num_classes=3,
    encoder_condition="planes",
    decoder_condition="concat",
    init="keras",
)


def test_82_per_cent_of_the_scrambled_planes_are_right_and_the_class_is_a_band_of_rows():
    eye = np.eye(10)
    right = mistakes.right_planes(eye, 32, 32)
    scrambled = mistakes.scrambled_planes(eye, 32, 32)
    assert (right == scrambled).mean() == pytest.approx(0.82, abs=1e-12) and scrambled.sum() == right.sum()
    for k in range(10):
        rows = np.flatnonzero(scrambled[k].any(axis=(1, 2)))
        assert rows[0] == int(3.2 * k) and rows[-1] == int(np.ceil(3.2 * (k + 1))) - 1
    assert scrambled[3, 10].all() and not scrambled[3, 5].any()


def test_the_scrambled_planes_are_those_of_the_printed_tensorflow_calls():
    import tensorflow as tf

    y = np.eye(10)[[3, 1, 9]]
    printed = tf.reshape(tf.repeat(tf.constant(y)[:, :, None, None], repeats=[1024]), (-1, 32, 32, 10))
    assert (printed.numpy() == mistakes.scrambled_planes(y, 32, 32)).all()


@pytest.mark.parametrize("name", ["torch", "tf"])
def test_a_model_can_be_made_to_see_the_scrambled_planes(name):
    twin = backend.get(name)
    for spec in (PLANES, parity_models.small_gans()[0]):
        model = twin.models.build(spec, dtype="float64")
        k = spec.num_classes
        x = np.random.default_rng(0).random((k, *spec.image_shape))
        y = np.eye(k)
        mistakes.scramble_planes(twin, model)
        seen = twin.models.call(model, "with_planes", x, y)
        assert (seen == np.concatenate([x, mistakes.scrambled_planes(y, *spec.image_shape[:2])], 3)).all()


@pytest.mark.parametrize("name", ["torch", "tf"])
def test_as_printed_batch_norm_keeps_its_first_statistics(images, name, results):
    run = SimpleNamespace(may_train=True)
    twin = backend.get(name)
    ways = {"none": (), "frozen": (("frozen", True),), "both": (("frozen", True), ("scrambled", True))}
    change = "twinvae_studies.mistakes:as_printed"
    found = {
        way: evaluation.train_all(
            run, evaluation.job(twin, PLANES, SETTINGS, images, change=change, arguments=arguments), images
        )
        for way, arguments in ways.items()
    }
    for way, trained in found.items():
        arrays = trained.model.get_arrays()
        moved = (
            (arrays["encoder.batchnorm1.running_mean"] != 0).all(),
            (arrays["encoder.batchnorm1.running_var"] != 1).all(),
        )
        assert moved == ((True, True) if way == "none" else (False, False))
        assert (arrays["encoder.batchnorm1.weight"] != 1).all()
    ordinary = evaluation.train_all(run, evaluation.job(twin, PLANES, SETTINGS, images), images)
    losses = [trained.history.drop(columns="seconds") for trained in (ordinary, *found.values())]
    assert losses[0].equals(losses[1])  # none of the mistakes: the ordinary training
    assert len(list(results.rglob("card.json"))) == 4
    assert found["frozen"].history.loss.iloc[-1] != found["both"].history.loss.iloc[-1]


def test_test_images_can_be_put_among_those_trained_on(images):
    both = mistakes.train_on_test(images, 4)
    assert len(both.train) == 26 and (both.train.x[22:] == images.test.x[:4]).all()
    assert (both.train.y[22:] == images.test.y[:4]).all() and both.test is images.test
    assert len(mistakes.train_on_test(images, 99).train) == 28
