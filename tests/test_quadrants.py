"""Quadrant completion: the estimators where they are known, and a study that keeps the best epoch."""

import itertools
from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
from pair import LEAKY, SMALL, TWINS, splits

from twinvae import backend, data, training
from twinvae.spec import CompletionSpec, count_weights
from twinvae_studies import papers, sohn2015

IMAGES = splits()
X = data.scale(IMAGES.test.x)
CVAE = CompletionSpec("tiny_completion", "completion", quadrants=1, **SMALL)
NET = CVAE.of_kind("completer", name="tiny_completer", code_activation=LEAKY)
RUN = SimpleNamespace(profile="smoke", smoke=True, may_train=True)


@pytest.fixture
def small(results, monkeypatch):
    """Tiny models and images; what a task is worth is told in rows."""
    monkeypatch.setattr(sohn2015, "models", lambda at: {"baseline": NET, "completion": CVAE})
    monkeypatch.setattr(papers, "images", lambda recipe: IMAGES)
    amount = sohn2015.AMOUNTS["smoke"]._replace(completion=2, test=None)
    monkeypatch.setitem(sohn2015.AMOUNTS, "smoke", amount)


def model_of(name: str) -> SimpleNamespace:
    """What the estimators take of a trained model."""
    twin = backend.get(name)
    return SimpleNamespace(model=twin.models.build(CVAE, dtype="float64"), twin=twin, spec=CVAE)


def estimates(model: SimpleNamespace, samples: int) -> dict[str, np.ndarray]:
    return dict(zip(sohn2015.ESTIMATORS, sohn2015.estimates(model, samples, 0, X), strict=True))


@pytest.mark.parametrize("at", sohn2015.PYRO)
def test_the_models_are_those_of_the_example(at):
    """Of the CVAE: two nets 784-500-500 with two heads of 200, and a decoder 200-500-500-784; of the baseline
    784-500-500-784.
    """
    built = sohn2015.models(at)
    net = lambda *n: sum((a + 1) * b for a, b in itertools.pairwise(n))  # noqa: E731
    assert count_weights(built["baseline"]) == net(784, 500, 500, 784)
    one = net(784, 500, 500) + 2 * net(500, 200)
    assert count_weights(built["completion"]) == 2 * one + net(200, 500, 500, 784)
    assert {len(spec.missing()) for spec in built.values()} == {784 - 196 * at}


def test_both_twins_estimate_the_same():
    torch, tf = (estimates(model_of(name), 20) for name in TWINS)
    for name in sohn2015.ESTIMATORS:
        np.testing.assert_allclose(torch[name], tf[name], rtol=1e-10)


def test_estimators_bound_and_agree_as_they_should():
    trained = model_of("torch")
    few, many = (estimates(trained, samples) for samples in (5, 4_000))
    assert (few["importance"] <= few["elbo"]).all(), "the weighted bound is the tighter one"
    np.testing.assert_allclose(many["importance"], many["monte_carlo"], atol=0.1)
    same = trained.model.get_arrays()  # q(z | image) made p(z | observed): all weights are p(missing | z)
    for name in ("mu", "logvar"):
        for at in ("weight", "bias"):
            same[f"{name}.dense1.{at}"] = same[f"prior_{name}.dense1.{at}"] = 0 * same[f"{name}.dense1.{at}"]
    trained.model.set_arrays(same)
    prior = estimates(trained, 4_000)
    np.testing.assert_allclose(prior["importance"], prior["monte_carlo"], atol=0.05)


def test_a_task_is_made_once_with_the_best_epoch(small):
    facts = sohn2015.complete(RUN, "torch", 1)
    again = sohn2015.complete(SimpleNamespace(**vars(RUN) | {"may_train": False}), "torch", 1)
    assert (facts.pop("pictures") == again.pop("pictures")).all() and again == facts, "the second is read"
    assert facts["images"] == 9 and facts["baseline"]["nll"] > 0
    trained = [training.train_or_load(job, IMAGES) for job in sohn2015.jobs("smoke", "torch")[1, "completion"]]
    assert [len(one.history) for one in trained] == [2, 1, 2, 3]
    for one in trained:
        loss = sohn2015.losses(one, IMAGES.valid).mean()
        assert loss == pytest.approx(one.history.valid_loss.min(), rel=1e-5)
    assert facts["elbo_rate"] == papers.interval(sohn2015.losses(trained[0], IMAGES.test))
    best = min(trained[1:], key=lambda one: one.history.valid_loss.min())
    each = estimates(best, sohn2015.AMOUNTS["smoke"].samples)
    assert facts["elbo"]["nll"] == pytest.approx(each["elbo"].mean(), rel=1e-6)
    (row,) = (row for row in facts["lengths"] if row["epochs"] == len(best.history))
    assert row["importance"] == pytest.approx(each["importance"].mean(), rel=1e-6) == facts["importance"]["nll"]
    assert row["valid"] == best.history.valid_loss.min() == best.history.valid_loss[row["best"] - 1]


def test_pictures_show_what_is_observed_what_is_made_and_the_truth(small):
    jobs = sohn2015.jobs("smoke", "torch")
    net, cvae = (training.train_or_load(jobs[1, name][0], IMAGES) for name in ("baseline", "completion"))
    shown = sohn2015.pictures(cvae, net, X[:3])
    assert shown.shape == (3, 7, 5, 4, 1) and shown.dtype == np.uint8
    seen = ~np.isin(np.arange(20), CVAE.missing()).reshape(5, 4, 1)
    truth = np.round(255 * X[:3]).astype(np.uint8)
    assert (shown[:, -1] == truth).all() and (shown[:, :, seen] == truth[:, None][:, :, seen]).all()
    assert set(shown[:, 0][:, ~seen].ravel()) == {128}


def test_the_worse_twin_counts_and_a_missing_one_has_no_column(small):
    task = sohn2015.complete(RUN, "torch", 1)
    worse = deepcopy(task) | {"elbo": {"nll": 500.0, "low": 499.0, "high": 501.0}}
    found = {
        "torch": {"tasks": dict.fromkeys((1, 2, 3), task), "train_images": 20},
        "tf": {"tasks": {1: worse, 2: task, 3: task}, "train_images": 30},
    }
    numbers = sohn2015.numbers(found)
    assert numbers["q1_elbo"] == numbers["q1_elbo_tf"] == 500 and numbers["q1_elbo_low"] == 499
    assert numbers["q1_elbo_torch"] == task["elbo"]["nll"] and numbers["q1_elbo_published"] == 71.8
    assert numbers["q1_baseline_rate"] == task["baseline_rate"]["nll"] and numbers["q_images"] == 20
    table = sohn2015.table(found)
    assert len(table) == 3 * 6 and table.tf.notna().all()
    assert "tf" not in sohn2015.table({"torch": found["torch"]})
    assert numbers["q_baseline_off"] == max(abs(numbers["q1_baseline_rate"] - known) for known in (100.4, 61.9, 25.4))
    assert table.published[table.estimate == "net"].tolist() == [100.4, 61.9, 25.4]


def test_what_has_not_been_trained_is_said_and_left_out(capsys, results):
    def study(name):
        if name == "tf":
            raise training.NotTrained("tiny has not been trained; train it: make train")
        return {"made": name}

    assert papers.of_twins(study) == {"torch": {"made": "torch"}}
    assert capsys.readouterr().out == "tf: tiny has not been trained; train it: make train\n"
    full = SimpleNamespace(profile="full", smoke=False, may_train=False)
    with pytest.raises(training.NotTrained, match="completer_1 has not been trained; train it: python -m"):
        sohn2015.study(full, "tf")
