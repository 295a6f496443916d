"""Kept measurements, the best epoch, and models that are published."""

import json
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from pair import CVAE, TWINS, VAE, same_arrays, splits

from twinvae import backend, checkpoints, data, training
from twinvae.spec import TrainSpec
from twinvae.training import Job, jobs, kept, publish, spot_check

IMAGES = splits()
JOB = Job(VAE, (TrainSpec(3, 8, 1e-2),), training.recipe_of(IMAGES))
X = data.scale(IMAGES.test.x)


# --- measurements --------------------------------------------------------------------------------


def test_a_measurement_is_kept_as_long_as_weights_and_inputs_are_the_same(results):
    trained, calls = training.train_or_load(JOB, IMAGES), []

    def measure():
        calls.append(1)
        return {"n": 3, "mean": X.mean(0)}

    for _ in range(2):
        found = training.measured(trained, "mean", measure, X, {"samples": 5})
        assert found["n"] == 3 and (found["mean"] == X.mean(0)).all()
    assert len(calls) == 1, "read the second time"
    training.measured(trained, "mean", measure, X + 1, {"samples": 5})
    training.measured(trained, "mean", measure, X, {"samples": 6})
    training.measured(replace(trained, card=trained.card | {"weights": "other"}), "mean", measure, X, {"samples": 5})
    assert len(calls) == 4


def test_blocks_go_on_where_they_stopped_and_are_whole(results):
    trained, seen = training.train_or_load(JOB, IMAGES), []

    def measure(first, x, stop=9):
        if first >= stop:
            raise KeyboardInterrupt
        seen.append((first, len(x)))
        return np.stack([x.sum((1, 2, 3)), x.max((1, 2, 3))])

    with pytest.raises(KeyboardInterrupt):
        training.per_image(trained, "sums", lambda first, x: measure(first, x, stop=8), X, block=4)
    assert seen == [(0, 2), (0, 2), (0, 4), (4, 4)]
    found = training.per_image(trained, "sums", measure, X, block=4)
    assert seen[4:] == [(0, 2), (8, 1)], "the first two again, then what was missing"
    np.testing.assert_array_equal(found, np.stack([X.sum((1, 2, 3)), X.max((1, 2, 3))]))


def test_blocks_that_todays_code_finds_otherwise_are_measured_again(results):
    trained = training.train_or_load(JOB, IMAGES)
    for power in (1, 2):
        found = training.per_image(trained, "sums", lambda _, x, p=power: x.sum((1, 2, 3)) ** p, X, block=4)
        np.testing.assert_allclose(found, X.sum((1, 2, 3)) ** power)


# --- the best epoch ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TWINS)
def test_each_phase_ends_at_its_best_epoch(results, name):
    rising = (TrainSpec(4, 8, 1e-2), TrainSpec(3, 8, 0.5))  # the second phase does harm
    job = replace(JOB, phases=rising, backend=name, best=True)
    trained = training.train_or_load(job, IMAGES)
    first = training.train_or_load(replace(job, phases=rising[:1]), IMAGES)
    for one, rows in ((first, slice(0, 4)), (trained, slice(4, 7))):
        loss = one.twin.train.evaluate(one.model, IMAGES.valid, one.settings)[0]
        assert loss == pytest.approx(trained.history.valid_loss[rows].min(), rel=1e-5)
    shorter = training.train_or_load(replace(job, phases=(replace(rising[0], epochs=2),)), IMAGES)
    assert len(shorter.history) == 2 and not same_arrays(shorter.model.get_arrays(), first.model.get_arrays())
    assert replace(job, best=False).key != job.key


def test_the_best_epoch_takes_no_marks():
    with pytest.raises(ValueError, match="the best epoch is kept of a model without marks"):
        replace(JOB, best=True, marks=(1,))


# --- the other twin, and models that are published -----------------------------------------------


def test_a_model_is_built_in_the_other_twin(results):
    job = replace(JOB, spec=CVAE)
    ours = training.train_or_load(job, IMAGES)
    theirs = training.train_or_load(job, IMAGES, twin=backend.get("tf"))
    y = np.eye(3)[IMAGES.test.y]
    np.testing.assert_allclose(
        theirs.predict("reconstruct", X, y, None), ours.predict("reconstruct", X, y, None), atol=1e-6
    )


@pytest.fixture
def project_of_models(project, monkeypatch):
    """A project under git whose results folder is its own; real images; weights of any size are large."""
    monkeypatch.delenv("TWINVAE_RESULTS", raising=False)
    monkeypatch.setattr(spot_check, "ROUNDED", 0)
    for module in (kept, publish):
        monkeypatch.setattr(module, "named_images", lambda job: parts[2])
    subprocess.run(["git", "init", "-q"], check=True)
    (project / ".gitignore").write_text("results/models/*\n!results/models/PUBLISHED\n")
    parts = [
        replace(one, source=replace(one.source, kind="official")) for one in (IMAGES.train, IMAGES.valid, IMAGES.test)
    ]
    return data.Splits(*parts)


def test_a_published_model_is_rounded_added_to_git_and_found_from_elsewhere(
    project_of_models, monkeypatch, tmp_path, capsys
):
    folder = training.folder_of(JOB, "official")
    (folder.parent).mkdir(parents=True)
    plain = training.train_or_load(JOB, project_of_models)
    (folder.parent / "PUBLISHED").write_text(folder.name + "\n")
    assert publish.main() == 1 and "was kept before it was named; delete" in capsys.readouterr().out
    (folder / "card.json").unlink()
    assert publish.main() == 1 and "has not been trained" in capsys.readouterr().out
    monkeypatch.setattr(checkpoints.Log, "record", lambda *_: pytest.fail("trained again"))
    again = training.train_or_load(JOB, project_of_models)
    assert all((a == plain.model.get_arrays()[n].astype("float16")).all() for n, a in again.model.get_arrays().items())
    training.measured(again, "facts", lambda: {"n": 1})
    assert publish.main() == 0
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
    names = {"card.json", "card.md", "history.csv", "weights.safetensors"}
    at = f"results/models/{folder.name}/"
    assert {t.removeprefix(at) for t in tracked if t.startswith(at) and "measures" not in t} == names
    assert len([t for t in tracked if t.startswith(at + "measures/facts-")]) == 1
    monkeypatch.setenv("TWINVAE_RESULTS", str(tmp_path / "elsewhere"))
    assert same_arrays(training.load(JOB).model.get_arrays(), again.model.get_arrays())
    assert json.loads((folder / "card.json").read_text())["weights"] == training.load(JOB).card["weights"]


def test_weights_are_not_rounded_where_that_changes_a_digit(project_of_models, monkeypatch, capsys):
    monkeypatch.setattr(spot_check, "LAST_DIGIT", 1e-9)
    folder = training.folder_of(JOB, "official")
    folder.parent.mkdir(parents=True)
    (folder.parent / "PUBLISHED").write_text(folder.name + "\n")
    training.train_or_load(JOB, project_of_models)
    assert {a.dtype for a in checkpoints.read(folder / "weights.safetensors")[0].values()} == {np.dtype("float32")}
    assert publish.main() == 0, "and it is published so"


def test_a_card_says_what_the_file_comes_to_and_how_the_model_is_made_again(project_of_models, monkeypatch, tmp_path):
    folder = training.folder_of(JOB, "official")
    folder.parent.mkdir(parents=True)
    (folder.parent / "PUBLISHED").write_text(folder.name + "\n")
    trained = training.train_or_load(JOB, project_of_models)
    assert publish.main() == 0
    card = json.loads((folder / "card.json").read_text())
    values = spot_check.measure(trained.model, trained.twin, project_of_models.test, trained.settings)
    assert card["spot_check"]["values"] == pytest.approx(values, abs=1e-6) and card["labels"] == []
    assert card["spot_check"]["untrained"]["recon"] > values["recon"] + 0.1
    words = (folder / "card.md").read_text()
    assert f"| recon | {values['recon']:.6g} | {card['spot_check']['untrained']['recon']:.6g} |" in words
    assert (
        f'twinvae.load("{folder.name}"' in words and "seed 0, PyTorch; 3 epochs in batches of 8, adam at 0.01" in words
    )
    (again,) = jobs.read(folder / "card.json")
    assert again.key == JOB.key


def test_stand_ins_are_no_named_images(project_of_models, monkeypatch, capsys):
    monkeypatch.setattr(publish, "named_images", lambda job: IMAGES.test)
    folder = training.folder_of(JOB, "official")
    folder.parent.mkdir(parents=True)
    (folder.parent / "PUBLISHED").write_text(folder.name + "\n")
    training.train_or_load(JOB, project_of_models)
    assert publish.main() == 1 and "cannot be measured on random pixels; set TWINVAE_DATA" in capsys.readouterr().out


def test_what_is_not_kept_is_not_loaded(results):
    with pytest.raises(training.NotTrained, match="tiny_vae has not been trained"):
        training.load(JOB)
