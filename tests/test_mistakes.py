"""The mistakes made on purpose: without one it is the ordinary training, with one only that one differs."""

import numpy as np
import pytest

from twinvae import backend, data, draws, mistakes
from twinvae.spec import Flatten, ModelSpec, TrainSpec, mlp

SPEC = ModelSpec("tiny", "cvae", (3, 2, 1), 2, (Flatten(), *mlp(4)), mlp(4), num_classes=3, encoder_condition="concat",
                 decoder_condition="concat", init="keras")
SETTINGS = TrainSpec(epochs=2, batch_size=5)


@pytest.fixture(scope="module")
def images() -> data.Splits:
    rng = np.random.default_rng(0)
    source = data.Source("tiny", "tiny", "own")
    parts = [data.Images(rng.integers(0, 256, (n, 3, 2, 1), dtype=np.uint8), rng.integers(0, 3, n), tuple("abc"), source)
             for n in (22, 6, 6)]
    return data.Splits(*parts)


@pytest.mark.parametrize("name", ["torch", "tf"])
def test_without_a_mistake_it_is_the_ordinary_training(images, name):
    twin = backend.get(name)
    model, curve = mistakes.train(twin, SPEC, SETTINGS, images, checks=1)
    ordinary = twin.models.build(SPEC)
    history = twin.train.fit(ordinary, images, SETTINGS)
    assert all(np.array_equal(a, ordinary.get_arrays()[key]) for key, a in model.get_arrays().items())
    assert curve.epoch.tolist() == [1, 2]
    np.testing.assert_allclose(curve.valid_loss, history.valid_loss, rtol=1e-6)


def test_class_order_changes_the_order_alone(images):
    shuffled = list(draws.batches(images.train, SETTINGS, 2, 1, "float32"))
    ordered = mistakes.class_order(shuffled)
    labels = np.concatenate([batch.y for batch in ordered]).argmax(1)
    assert [len(batch.x) for batch in ordered] == [5] * 4 and (np.diff(labels) >= 0).all()
    for part in range(4):
        before, after = (np.concatenate([b[part] for b in made]).reshape(20, -1) for made in (shuffled, ordered))
        assert np.array_equal(before[np.lexsort(before.T)], after[np.lexsort(after.T)])


def test_factors_undo_the_scaling(images):
    twin = backend.get("torch")
    model, scaled = mistakes.train(twin, SPEC, SETTINGS, images, checks=2)
    _, curve = mistakes.train(twin, SPEC, SETTINGS, images, input_factor=255.0, target_factor=255.0, checks=2)
    assert list(curve.columns) == ["epoch", "loss", "valid_loss"] and len(curve) == 4
    assert not np.allclose(curve.loss, scaled.loss)
    losses = mistakes.image_losses(twin, model, images.valid, SETTINGS)
    assert losses.shape == (6,) and losses.mean() == pytest.approx(scaled.valid_loss.iloc[-1])
