"""The judges: the kept files fit their recipes, and only the judge that fits the data judges it."""

from dataclasses import replace

import numpy as np
import pytest

from twinvae import backend, checkpoints, spec, zoo
from twinvae.data import Images, Source, Splits
from twinvae.metrics import judge

TORCH = backend.get("torch")
QUICK = (spec.TrainSpec(epochs=1, batch_size=16),)
KEPT = [name for name in judge.RECIPES if (judge.FOLDER / f"{name}.safetensors").exists()]


def splits(kind: str = "official", classes: int = 2, side: int = 8) -> Splits:
    """Images whose left or right half is bright, and says the class."""
    y = np.arange(64) % 2
    x = np.zeros((64, side, side, 1), np.uint8)
    x[y == 0, :, : side // 2], x[y == 1, :, side // 2 :] = 200, 200
    made = Images(x, y, tuple("abcdefghij"[:classes]), Source("tiny", "tiny, made for tests", kind))
    return Splits(made, made, made)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of kept judges with one of `usps`, that knows two classes of 8 x 8 images."""
    monkeypatch.setattr(judge, "FOLDER", tmp_path)
    monkeypatch.setitem(judge.RECIPES, "usps", judge.Recipe("usps", phases=QUICK))
    kept = judge.RECIPES["usps"].spec("usps", (8, 8, 1), 2)
    trained = judge.train(kept, splits(), TORCH, phases=QUICK)
    checkpoints.write(
        tmp_path / "usps.safetensors", trained.model.get_arrays(), spec=spec.to_dict(kept), facts=trained.facts
    )
    return tmp_path


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_judge_is_of_the_zoo_small_and_says_what_it_was_trained_on(name):
    facts = judge.load(name, TORCH).facts
    assert (judge.FOLDER / f"{name}.safetensors").stat().st_size < 1e6
    assert facts["settings"] == [spec.to_dict(phase) for phase in judge.RECIPES[name].phases]
    assert facts["fingerprint"].startswith(f"{facts['train_images']} images, crc ")
    assert 0 <= facts["calibration_error"] < 1


def test_the_table_has_a_row_for_each_kept_judge():
    table = judge.table()
    assert list(table["judge"]) == KEPT
    assert (table["accuracy"] > 1 / table["classes"]).all()


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
def test_a_kept_judge_judges_only_real_images_that_fit_it(folder, images, kept):
    name = judge.of("usps", images, TORCH, folder / "run").model.spec.name
    assert (name == "judge_usps") == kept
    assert (folder / "run").exists() != kept


def test_a_judge_of_another_architecture_is_refused(folder, monkeypatch):
    other = replace(zoo.get("judge_mnist"), latent_dim=64)
    monkeypatch.setattr(judge.zoo, "get", lambda name: other)
    with pytest.raises(ValueError, match="usps.safetensors is not that of 'judge_mnist' in the zoo any more; train it"):
        judge.load("usps", TORCH)


def test_a_judge_that_is_not_there_is_named(folder):
    with pytest.raises(FileNotFoundError, match="no judge of 'nist'.*twinvae.metrics.judge nist"):
        judge.load("nist", TORCH)


def test_training_finds_two_halves_and_keeps_the_facts():
    facts = judge.train(
        judge.Recipe("tiny").spec("tiny", (8, 8, 1), 2),
        splits(),
        TORCH,
        phases=(spec.TrainSpec(epochs=5, batch_size=16),),
    ).facts
    assert facts["test_accuracy"] == 1 and facts["source"] == "tiny, made for tests"


def test_calibration_error_of_a_sure_judge_is_its_error():
    sure = np.eye(2)[np.zeros(10, int)]
    assert judge.calibration_error(sure, np.zeros(10, int)) == 0
    assert judge.calibration_error(sure, np.arange(10) % 2) == pytest.approx(0.5)


def test_no_judge_of_stand_ins_is_kept(folder, monkeypatch):
    monkeypatch.setattr(judge.data, "splits", lambda *a, **b: splits("stand-in"))
    with pytest.raises(ValueError, match="stand-ins .*set TWINVAE_DATA"):
        judge.main("usps")
