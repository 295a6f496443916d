"""Quadrant completion: the estimators where they are known, and a study that goes on where it was."""

import itertools
import json

import numpy as np
import pytest
from pair import LEAKY, SMALL, TWINS, splits

from twinvae import backend, data
from twinvae.spec import CompletionSpec, count_weights
from twinvae_studies import burda2016, sohn2015, sohn2015_models

IMAGES = splits()
X = data.scale(IMAGES.test.x)
CVAE = CompletionSpec("tiny_completion", "completion", quadrants=1, **SMALL)
NET = CVAE.of_kind("completer", name="tiny_completer", code_activation=LEAKY)
PHASES = {"baseline": ((2, 1e-2), (1, 1e-3)), "completion": ((2, 1e-2), (2, 1e-3))}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(sohn2015_models, "models", lambda at: {"baseline": NET, "completion": CVAE})


@pytest.mark.parametrize("at", sohn2015.PYRO)
def test_the_models_are_those_of_the_example(at):
    """Of the CVAE: two nets 784-500-500 with two heads of 200, and a decoder 200-500-500-784; of the baseline
    784-500-500-784.
    """
    built = sohn2015_models.models(at)
    net = lambda *n: sum((a + 1) * b for a, b in itertools.pairwise(n))  # noqa: E731
    assert count_weights(built["baseline"]) == net(784, 500, 500, 784)
    one = net(784, 500, 500) + 2 * net(500, 200)
    assert count_weights(built["completion"]) == 2 * one + net(200, 500, 500, 784)
    assert {len(spec.missing()) for spec in built.values()} == {784 - 196 * at}


def test_both_twins_estimate_the_same():
    found = []
    for name in TWINS:
        twin = backend.get(name)
        found.append(sohn2015_models.estimates(twin.models.build(CVAE, dtype="float64"), twin, X, 20))
    for name in sohn2015_models.ESTIMATORS[1:]:
        np.testing.assert_allclose(found[0][name], found[1][name], rtol=1e-10)


def test_estimators_bound_and_agree_as_they_should():
    twin = backend.get("torch")
    model = twin.models.build(CVAE, dtype="float64")
    few, many = (sohn2015_models.estimates(model, twin, X, samples) for samples in (5, 4_000))
    assert (few["importance"] <= few["elbo"]).all(), "the weighted bound is the tighter one"
    np.testing.assert_allclose(many["importance"], many["monte_carlo"], atol=0.1)
    same = model.get_arrays()  # q(z | image) made p(z | observed): all weights are p(missing | z)
    for name in ("mu", "logvar"):
        for at in ("weight", "bias"):
            same[f"{name}.dense1.{at}"] = same[f"prior_{name}.dense1.{at}"] = 0 * same[f"{name}.dense1.{at}"]
    model.set_arrays(same)
    prior = sohn2015_models.estimates(model, twin, X, 4_000)
    np.testing.assert_allclose(prior["importance"], prior["monte_carlo"], atol=0.05)


def test_a_study_goes_on_where_it_was_and_keeps_the_best_epoch(small, tmp_path):
    twin = backend.get("torch")
    made = []
    for _ in range(2):
        facts, shown = sohn2015_models.complete(1, twin, IMAGES, PHASES, tmp_path, samples=5)
        made.append(json.dumps(facts))
    assert made[0] == made[1], "the second is read"
    assert shown.shape == (3, 7, 5, 4, 1) and shown.dtype == np.uint8
    assert [row["epoch"] for row in facts["completion"]["epochs"]] == [1, 2, 3, 4]
    test = facts["test"]
    assert test["images"] == 9 and test["gain_elbo"]["nll"] == pytest.approx(
        test["baseline"]["nll"] - test["elbo"]["nll"]
    )
    model = twin.models.build(CVAE)
    runs = sohn2015_models.settings(PHASES["completion"])
    epochs, marks = sohn2015_models.train(model, twin, IMAGES, runs, tmp_path / "completion")
    best = [min(row["valid_loss"] for row in epochs[: mark["epoch"]]) for mark in marks]
    assert [mark["valid_loss"] for mark in marks] == best
    assert sohn2015_models.losses(model, twin, IMAGES.valid, runs[-1]).mean() == pytest.approx(best[-1], rel=1e-5)


def test_the_worse_twin_counts_and_what_is_missing_stays_empty(small, tmp_path):
    facts, _ = sohn2015_models.complete(1, backend.get("torch"), IMAGES, PHASES, tmp_path, samples=5)
    worse = json.loads(json.dumps(facts))
    worse["test"]["elbo"] = {"nll": 500.0, "low": 499.0, "high": 501.0}
    found = {"torch": {"quadrants": {"1": facts}}, "tf": {"quadrants": {"1": worse}}}
    numbers = sohn2015.numbers(found)
    assert numbers["q1_elbo"] == numbers["q1_elbo_tf"] == 500 and numbers["q1_elbo_low"] == 499
    assert numbers["q1_elbo_torch"] == facts["test"]["elbo"]["nll"] and numbers["q1_elbo_published"] == 71.8
    assert numbers["q1_baseline_rate"] == facts["baseline"]["marks"][0]["test"]["nll"]
    assert not [name for name in numbers if name.startswith("q2")]
    table = sohn2015.table(found)
    assert (
        len(table) == 3 * 6
        and table.tf[table.observed == 1].notna().all()
        and table.tf[table.observed > 1].isna().all()
    )
    assert np.isnan(sohn2015.farthest(found))
    three = {"torch": {"quadrants": {str(n): facts for n in (1, 2, 3)}}}
    assert sohn2015.farthest(three) == max(abs(numbers["q1_baseline_rate"] - known) for known in (100.4, 61.9, 25.4))
    assert table.published[table.estimate == "net"].tolist() == [100.4, 61.9, 25.4]


def test_what_is_missing_is_said_with_its_command(capsys):
    def load(name):
        if name == "tf":
            raise FileNotFoundError("make it")
        return {"made": name}

    assert burda2016.of_twins(load) == {"torch": {"made": "torch"}} and capsys.readouterr().out == "make it\n"


def test_what_has_not_been_made_is_asked_for_with_its_command(tmp_path, monkeypatch):
    monkeypatch.setattr(burda2016, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="no quadrants-tf.json .* 'python -m twinvae_studies.sohn2015 tf'"):
        sohn2015.load("tf")
