"""Report 000's training: the clipped loss in both twins, the training that stops, rates, convergence, costs."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pair import CVAE, TWINS, array, splits
from tiny import Kept

from twinvae import backend, reference
from twinvae.checkpoints import NotFinite
from twinvae.spec import TrainSpec
from twinvae_studies import evaluation, mistakes, report000_training

RNG = np.random.default_rng(0)
IMAGES = splits()
FAST = TrainSpec(epochs=6, batch_size=6, learning_rate=0.5)
X = RNG.random((6, 4, 3, 1))
LOGITS = RNG.normal(0, 3, (6, 4, 3, 1))


def white(images):
    return replace(images, x=images.x | 255)


WHITE = replace(IMAGES, train=white(IMAGES.train), valid=white(IMAGES.valid))


def clipped(name: str, x, x_logits, clip: float, dtype: str = "float64") -> np.ndarray:
    """The clipped loss of a twin on NumPy arrays, in NumPy."""
    twin = backend.get(name)
    tensors = twin.train.tensors([np.asarray(a, dtype) for a in (x, x_logits)])
    return array(mistakes.clipped_nll(twin, *tensors, clip))


@pytest.mark.parametrize("name", TWINS)
def test_the_clipped_loss_is_its_formula_and_the_right_one_where_nothing_is_clipped(name):
    p = np.clip(1 / (1 + np.exp(-LOGITS)), 0.1, 0.9)
    wanted = -(X * np.log(p) + (1 - X) * np.log(1 - p)).sum((1, 2, 3))
    np.testing.assert_allclose(clipped(name, X, LOGITS, 0.1), wanted, rtol=1e-12)
    found = clipped(name, X, LOGITS, 1e-9)
    np.testing.assert_allclose(found, reference.bernoulli_nll(X, LOGITS), rtol=1e-6)


@pytest.mark.parametrize("name", TWINS)
def test_in_single_precision_a_clip_below_the_rounding_does_nothing_at_one(name):
    def at(logit, x, clip):
        return clipped(name, [[x]], [[logit]], clip, dtype="float32")[0]

    for clip in report000_training.CLIPS:
        assert np.isfinite(at(40, 1, clip)) == np.isfinite(at(40, 0, clip)) == (clip > report000_training.ROUNDED)
        assert np.isfinite(at(-40, 0, clip)), "at the other end the clip is a number that float32 knows"
    np.testing.assert_allclose(at(40, 0, 1e-4), -np.log(1e-4), rtol=1e-3)


@pytest.mark.parametrize("name", TWINS)
def test_only_trainings_with_a_rounded_clip_fail(name, results, monkeypatch):
    monkeypatch.setattr(report000_training, "CLIPS", (1e-8, 1e-7))
    twin = backend.get(name)
    with twin.train.uncompiled():
        curves = report000_training.clipped(twin, CVAE, FAST, WHITE)
    lost = {key: not np.isfinite(curve.loss).all() for key, curve in curves.items()}
    assert lost == {"1e-08": True, "1e-07": False, "logits": False}
    with twin.train.uncompiled():
        plain = mistakes.train(evaluation.job(twin, CVAE, FAST, WHITE), WHITE)[1]
    assert plain.equals(curves["logits"])


@pytest.mark.parametrize("name", TWINS)
def test_what_is_drawn_of_a_clip_is_the_loss_that_a_twin_takes(name):
    logits = np.array([-30, 0, 5, 17, 30], "float32")
    for clip in (1e-12, 1e-4):
        loss = clipped(name, np.zeros((5, 1)), logits[:, None], clip, dtype="float32")
        wanted = np.where(np.isfinite(loss), loss, np.nan)
        np.testing.assert_allclose(report000_training.black_pixel(logits, clip), wanted, rtol=1e-5, atol=1e-6)
        assert np.isnan(wanted).any() == (clip < report000_training.ROUNDED)


def test_lost_trainings_are_counted_by_the_size_of_their_clip():
    run = Kept(numbers={})
    whole, broken = pd.DataFrame({"loss": [2.0, 1.0]}), pd.DataFrame({"loss": [2.0, np.nan]})
    curves = {
        f"{clip:.0e}": broken if clip < report000_training.ROUNDED else whole for clip in report000_training.CLIPS
    }
    lost = report000_training.keep_lost(run, curves | {"logits": whole})
    assert run.numbers == {"nan_small": 3, "nan_large": 0, "nan_logits": 0}
    assert [name for name, is_lost in lost.items() if is_lost] == ["1e-12", "1e-10", "1e-08"]


def test_a_curve_has_nan_for_what_is_not_finite(monkeypatch):
    curve = pd.DataFrame({"epoch": [1.0, 2.0], "loss": [np.inf, 1.0]})
    monkeypatch.setattr(mistakes, "curve", lambda job, images, **how: curve if how == {"by_class": True} else None)
    assert report000_training.curve(None, IMAGES, by_class=True).loss.isna().tolist() == [True, False]


def test_the_quickest_rate_need_not_be_the_best_and_one_that_only_rises_is_neither():
    run = Kept(numbers={})
    losses = {"0.1": [9.0, 5, 5, 5, 5], "0.01": [9.0, 7, 5, 3, 1], "1": [9.0, 90, np.nan, np.nan, np.nan]}
    table = report000_training.rates(run, losses)
    assert table.iloc[:, 1].tolist() == [0.25, 1, 0] and table.iloc[:, 2].tolist() == [5, 1, 9]
    assert (run.numbers["rate_fastest"], run.numbers["rate_best"]) == (0.1, 0.01)
    assert (run.numbers["rate_excess"], run.numbers["rate_quick_excess"]) == (4, 4)
    assert (run.numbers["rate_fastest_epochs"], run.numbers["rate_best_epochs"]) == (0.25, 1)


def test_costs_are_of_an_epoch_that_needs_no_warming_up():
    history = pd.DataFrame({"seconds": [59.0, 0.5, 0.5]})
    (row,) = report000_training.costs([(SimpleNamespace(spec=CVAE, settings=FAST, history=history), 100)]).to_dict(
        "records"
    )
    assert (row["s/epoch"], row["images/s"], row["minutes in all"], row["epochs"]) == (0.5, 200, 1, 6)


@pytest.mark.parametrize("name", TWINS)
def test_the_training_loop_stops_at_the_first_loss_that_is_not_finite(name, results):
    twin, run = backend.get(name), SimpleNamespace(may_train=True)

    def trained(least, settings):
        clip = {"change": report000_training.CLIP, "arguments": (("least", least),)}
        return evaluation.train_all(run, evaluation.job(twin, CVAE, settings, WHITE, **clip), WHITE)

    with twin.train.uncompiled():
        with pytest.raises(NotFinite, match="^the loss is (nan|inf) at epoch") as first:
            trained(1e-12, FAST)
        with pytest.raises(NotFinite) as again:
            trained(1e-12, FAST)
        assert str(again.value) == str(first.value)
        assert len(trained(1e-4, replace(FAST, epochs=1)).history) == 1


def test_the_epoch_by_which_most_of_the_fall_is_done():
    assert report000_training.epochs_to(np.array([100.0, 50, 6, 4, 0])) == 3
    assert report000_training.epochs_to(np.array([100.0, 0, 5, 9])) == 1
    twin = backend.get("torch")
    assert report000_training.untrained(twin, CVAE, FAST, IMAGES) == pytest.approx(
        twin.train.evaluate(twin.models.build(CVAE), IMAGES.valid, FAST)[0]
    )


def test_a_model_that_never_beats_class_means_has_not_converged():
    assert report000_training.epochs_within(np.array([90.0, 50.5, 50, 51]), 100.0) == 2
    assert report000_training.epochs_within(np.array([120.0, 110, 105]), 100.0) == 3


def test_class_means_pay_what_a_bernoulli_of_them_pays():
    x = np.zeros((4, 1, 2, 1), np.uint8)
    x[[0, 2], 0, 0] = 255  # class 0: a pixel that is white in one of two, and one that is black in both
    few = replace(IMAGES.train, x=x, y=np.array([0, 0, 1, 1]))
    halves = replace(IMAGES, train=few, valid=few.subset(np.arange(2)))
    assert report000_training.class_means_loss(halves) == pytest.approx(np.log(2) - np.log(1 - 1e-3))
