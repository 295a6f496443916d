"""The judges: jobs as their recipes say, and only the judge that fits the data judges it."""

from dataclasses import replace

import numpy as np
import pytest

from twinvae import backend, checkpoints, spec, training
from twinvae.data import Images, Recipe, Source, Splits
from twinvae.metrics import judge

TORCH = backend.get("torch")
QUICK = (spec.TrainSpec(epochs=1, batch_size=16),)
USPS = judge.Recipe("usps", 2, shape=(8, 8, 1), phases=QUICK)


def splits(kind: str = "official", classes: int = 2, side: int = 8) -> Splits:
    """Images whose left or right half is bright, and says the class."""
    y = np.arange(64) % 2
    x = np.zeros((64, side, side, 1), np.uint8)
    x[y == 0, :, : side // 2], x[y == 1, :, side // 2 :] = 200, 200
    made = Images(x, y, tuple("abcdefghij"[:classes]), Source("tiny", "tiny, made for tests", kind))
    return Splits(made, made, made)


@pytest.fixture
def usps(results, monkeypatch):
    """A judge of `usps` that knows two classes of 8 x 8 images; what is at hand of the set, in a list of one."""
    at_hand = [splits()]
    monkeypatch.setattr(judge, "RECIPES", {"usps": USPS})
    monkeypatch.setattr(judge.data, "from_recipe", lambda recipe: at_hand[0])
    return at_hand


def test_the_jobs_are_those_of_the_recipes():
    jobs = dict(zip(judge.RECIPES, judge.jobs(), strict=True))
    assert len({job.key for job in jobs.values()}) == len(jobs)
    for name, job in jobs.items():
        recipe = judge.RECIPES[name]
        assert (job.phases, job.data.dataset, job.backend) == (recipe.phases, recipe.dataset, "torch")
        assert (job.spec.image_shape, job.spec.num_classes) == (recipe.shape, recipe.classes)
        assert spec.count_weights(job.spec) * 2 < 1e6, "small enough for git as float16"
    assert jobs["sign_vowel"].data == Recipe("sign_language", options=(("task", "vowel"),))


@pytest.mark.parametrize(
    ("images", "kept"),
    [
        (splits(), True),
        (splits("variant"), True),
        (splits("stand-in"), False),
        (splits(classes=3), False),
        (splits(side=12), False),
    ],
    ids=["official", "variant", "stand-in", "other classes", "other shape"],
)
def test_a_data_sets_judge_judges_only_real_images_that_fit_it(usps, images, kept):
    name = judge.of("usps", images, TORCH).model.spec.name
    assert name == ("judge_usps" if kept else "judge")


def test_a_judge_is_trained_once_and_rounded_in_both_twins(usps, monkeypatch):
    first = judge.load("usps", TORCH)
    monkeypatch.setattr(TORCH.train, "fit", lambda *args: pytest.fail("trained again"))
    usps[0] = splits("stand-in")  # the judge is there: what is at hand does not matter
    again, twin = (judge.load("usps", backend.get(name)) for name in ("torch", "tf"))
    assert again.facts == twin.facts == first.facts
    x = np.random.default_rng(0).random((5, 8, 8, 1), dtype="float32")
    np.testing.assert_allclose(twin.probabilities(x), again.probabilities(x), atol=1e-5)
    assert all((a == a.astype("float16")).all() for a in again.model.get_arrays().values())


def test_other_images_or_validation_images_are_a_judge_of_their_own(results):
    images = splits("stand-in")
    other = replace(images, valid=splits("stand-in", side=8).train.subset(np.arange(32)))
    ours, theirs = (judge.of("tiny", one, TORCH) for one in (images, other))
    assert len(list((results / "models").glob("judge-stand-in-*"))) == 2
    assert ours.facts["test_accuracy"] >= 0.5 and theirs.facts["test_images"] == 64


def test_a_judge_that_is_not_there_is_named(usps):
    with pytest.raises(
        training.NotTrained, match="judge_usps has not been trained; train it: python -m twinvae.training"
    ):
        judge.load("usps", TORCH, may_train=False)
    with pytest.raises(ValueError, match="judge is 'birds'"):
        judge.load("birds", TORCH)


def test_no_judge_of_stand_ins_is_trained_for_others(usps):
    usps[0] = splits("stand-in")
    with pytest.raises(ValueError, match="no judge of 'usps', and its images are stand-ins .*set TWINVAE_DATA"):
        judge.load("usps", TORCH)


def test_training_finds_two_halves_and_keeps_the_facts(usps, results):
    judge.RECIPES["usps"] = replace(USPS, phases=(spec.TrainSpec(epochs=5, batch_size=16),))
    facts = judge.load("usps", TORCH).facts
    assert facts == {
        "source": "tiny, made for tests",
        "train_images": 64,
        "test_images": 64,
        "test_accuracy": 1,
        "calibration_error": facts["calibration_error"],
    }
    (kept,) = (results / "models").glob("judge_usps-*/measures/facts-*.safetensors")
    assert checkpoints.read(kept)[0]["test_accuracy"] == 1
    table = judge.table()
    assert tuple(table) == judge.COLUMNS and table.notna().all(axis=None)
    assert table.judge.tolist() == ["usps"] and table.accuracy[0] == 1 and table.weights[0] > 0


def test_calibration_error_of_a_sure_judge_is_its_error():
    sure = np.eye(2)[np.zeros(10, int)]
    assert judge.calibration_error(sure, np.zeros(10, int)) == 0
    assert judge.calibration_error(sure, np.arange(10) % 2) == pytest.approx(0.5)
