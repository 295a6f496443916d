"""Jobs: a model is trained once, known by what decides its weights, and noticed when the code trains it otherwise."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock
from pair import AE, CVAE, TWINS, VAE, images, same_arrays, splits

from twinvae import backend, checkpoints, data, spec, training, zoo
from twinvae.spec import TrainSpec
from twinvae.training import Job, kept
from twinvae.training.__main__ import main
from twinvae.training.probe import probe

RECIPE = data.Recipe("by hand")
DATA = splits().made_by(RECIPE)
SETTINGS = TrainSpec(epochs=3, batch_size=8, learning_rate=0.01)
JOB = Job(VAE, (SETTINGS,), RECIPE)
over_twins = pytest.mark.parametrize("twin", TWINS)


def arrays(job: Job, images: data.Splits = DATA) -> dict[str, np.ndarray]:
    return training.train_or_load(job, images).model.get_arrays()


@pytest.fixture
def no_training(monkeypatch):
    """From now on a training is a failed test."""

    def forbid():
        for twin in map(backend.get, TWINS):
            monkeypatch.setattr(twin.train, "fit", lambda *args, **kwargs: pytest.fail("trained again"))

    return forbid


# --- what a job is -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", zoo.ZOO.values(), ids=lambda model: model.name)
def test_a_job_survives_json(model):
    before = Job(model, (SETTINGS,), data.Recipe("mnist", options=(("a", 1),)), arguments=(("x", 2.5),), marks=(1, 2))
    job = replace(before, start=replace(before, seed=3), change="a:b")
    again = training.from_plain(json.loads(json.dumps(spec.to_dict(job))))
    assert again == job and again.key == job.key


@pytest.mark.parametrize(
    "change",
    [
        dict(spec=replace(VAE, latent_dim=3)),
        dict(phases=(replace(SETTINGS, beta=2.0),)),
        dict(phases=(SETTINGS, SETTINGS)),
        dict(phases=(replace(SETTINGS, epochs=4),)),
        dict(data=replace(RECIPE, seed=1)),
        dict(backend="tf"),
        dict(seed=1),
        dict(start=JOB),
        dict(change="a:b"),
        dict(arguments=(("x", 1),)),
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_the_weights_is_in_the_key(change):
    assert replace(JOB, **change).key != JOB.key


def test_names_and_marks_are_not_in_the_key():
    named = replace(JOB, spec=replace(VAE, name="other", report="004"), marks=(1,))
    assert named.key == JOB.key
    assert replace(JOB, start=named).key == replace(JOB, start=JOB).key


def test_a_key_is_a_constant():
    """A field that is added with its default later leaves every key as it is: no model is then trained again."""
    assert Job(zoo.get("report004_cvae"), (TrainSpec(15),), data.Recipe("mnist")).key == "e3e42c3f454d3672"


@pytest.mark.parametrize("marks", [(0,), (4,), (2, 1), (1, 1)])
def test_marks_that_cannot_be_are_refused(marks):
    with pytest.raises(ValueError, match="they must ascend from 1 to 3"):
        replace(JOB, marks=marks)


# --- trained once --------------------------------------------------------------------------------


@over_twins
def test_a_model_is_trained_once_and_loaded_bit_for_bit(twin, results, no_training):
    job = replace(JOB, spec=CVAE, backend=twin)
    first = training.train_or_load(job, DATA)
    built = backend.get(twin).models.build(CVAE)
    rows = backend.get(twin).train.fit(built, DATA, SETTINGS)
    assert same_arrays(first.model.get_arrays(), built.get_arrays())
    no_training()
    again = training.train_or_load(job, DATA)
    assert same_arrays(first.model.get_arrays(), again.model.get_arrays())
    assert again.history.equals(first.history) and list(again.history.loss) == [row["loss"] for row in rows]
    files = {path.name for path in (results / "models" / f"tiny_cvae-stand-in-{job.key}").iterdir()}
    assert files == {"weights.safetensors", "history.csv", "card.json"}
    assert training.from_plain(again.card["job"]) == job and not again.card["resumed"]
    (used,) = [entry for entry in training.used() if entry["key"] == job.key]
    assert used["weights"] == again.card["weights"] and (results / used["card"]).is_file()


@over_twins
def test_a_longer_training_goes_on_and_a_shorter_one_is_no_error(twin, results):
    job, straight = replace(JOB, backend=twin), backend.get(twin).models.build(VAE)
    backend.get(twin).train.fit(straight, DATA, SETTINGS)
    short = arrays(job.at(2))
    longer = training.train_or_load(job, DATA)
    assert longer.card["resumed"] and same_arrays(longer.model.get_arrays(), straight.get_arrays())
    assert same_arrays(arrays(job.at(2)), short) and not same_arrays(short, straight.get_arrays())
    assert len(training.train_or_load(job.at(1), DATA).history) == 1


@over_twins
def test_a_mark_is_the_model_of_that_epoch(twin, results, no_training):
    job = replace(JOB, backend=twin, phases=(SETTINGS, SETTINGS), marks=(1,))
    whole = training.train_or_load(job, DATA)
    no_training()
    mark = training.train_or_load(job.at(1), DATA)
    assert list(whole.history.epoch) == [1, 2, 3, 4, 5, 6] and list(mark.history.epoch) == [1, 2, 3, 4]
    assert mark.history.equals(whole.history[:4])
    assert not same_arrays(mark.model.get_arrays(), whole.model.get_arrays())


@over_twins
def test_a_mark_that_was_passed_is_made_again_and_the_rest_goes_on(twin, results):
    job = replace(JOB, backend=twin, phases=(SETTINGS, SETTINGS), marks=(1,))
    straight, mark = arrays(job), arrays(job.at(1))
    for one in (job, job.at(1)):
        (training.folder_of(one, "stand-in") / "card.json").unlink()
    again = training.train_or_load(job, DATA)
    assert again.card["resumed"] and same_arrays(again.model.get_arrays(), straight)
    assert same_arrays(arrays(job.at(1)), mark)


def test_a_job_goes_on_from_another(results):
    on = replace(JOB, start=JOB, phases=(replace(SETTINGS, epochs=1, learning_rate=1e-9),))
    for name, a in arrays(JOB).items():
        np.testing.assert_allclose(arrays(on)[name], a, atol=1e-7)


def test_seeds_and_images_are_trainings_of_their_own(results):
    weights = [arrays(replace(JOB, seed=seed)) for seed in (0, 1, 2)]
    assert not same_arrays(weights[0], weights[1]) and not same_arrays(weights[1], weights[2])
    other = replace(DATA, valid=images(9, 7)).made_by(RECIPE)
    assert not training.train_or_load(JOB, other).history.equals(training.train_or_load(JOB, DATA).history)


def test_a_change_is_made_before_training_and_after_loading(results):
    job = replace(JOB, change="test_training:darker", arguments=(("by", 2.0),))
    first, again = training.train_or_load(job, DATA), training.train_or_load(job, DATA)
    z = np.zeros((1, 2))
    np.testing.assert_array_equal(first.predict("generate", z, None), again.predict("generate", z, None))
    plain = training.train_or_load(JOB, DATA)
    assert not same_arrays(first.model.get_arrays(), plain.model.get_arrays())


def darker(twin, model, by):
    """A change for the test: the logits of the decoder less a constant."""
    decode = model.decode
    model.decode = lambda z, y=None, training=False: decode(z, y, training) - by


# --- interrupted, failed, locked -----------------------------------------------------------------


def test_without_its_card_a_model_is_not_there_and_goes_on(results, monkeypatch):
    straight, write = arrays(replace(JOB, data=data.Recipe("the same by another name"))), kept.paths.write_text

    def full(path, text):
        if path.name == "card.json":
            raise OSError("the disk is full")
        write(path, text)

    monkeypatch.setattr(kept.paths, "write_text", full)
    with pytest.raises(OSError, match="full"):
        arrays(JOB)
    monkeypatch.setattr(kept.paths, "write_text", write)
    done = training.train_or_load(JOB, DATA)
    assert done.card["resumed"] and same_arrays(done.model.get_arrays(), straight)


def test_a_failed_training_says_so_each_time(results, no_training):
    job = replace(JOB, phases=(replace(SETTINGS, optimizer="sgd", learning_rate=1e6, noise=0.5),))
    with pytest.raises(checkpoints.NotFinite, match="the learning rate is probably too high"):
        arrays(job)
    no_training()
    with pytest.raises(checkpoints.NotFinite, match="the learning rate is probably too high"):
        arrays(job)


def test_a_second_process_waits_and_then_loads(results, no_training, capsys):
    folder = training.folder_of(JOB, "stand-in")
    arrays(JOB)
    card = (folder / "card.json").read_text()
    (folder / "card.json").unlink()
    held, done = threading.Event(), threading.Event()

    def other():
        with FileLock(folder.parent / f".{folder.name}.lock"):
            held.set()
            done.wait(0.5)
            (folder / "card.json").write_text(card)

    thread = threading.Thread(target=other)
    thread.start()
    held.wait(10)
    no_training()
    arrays(JOB)
    thread.join()
    assert f"another process is training {folder.name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["weights.safetensors", "history.csv"])
def test_what_is_not_the_cards_is_refused(results, name):
    folder = training.train_or_load(JOB, DATA).folder
    with open(folder / name, "ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError, match="is not what its card says; delete its folder"):
        arrays(JOB)


def test_where_nothing_may_be_trained_the_command_is_said_and_works(results, capsys):
    few = data.splits("digits", train_size=30, valid_size=10, test_size=10)
    job = Job(AE.for_images(few.train.shape, 10), (replace(SETTINGS, epochs=1),), few.recipe)
    with pytest.raises(
        training.NotTrained, match=r"tiny_ae has not been trained; .* python -m twinvae.training"
    ) as error:
        training.train_or_load(job, few, may_train=False)
    (path,) = [word for word in str(error.value).replace(",", " ").split() if word.endswith(".json")]
    assert main([path]) == 0 and "1 of 1: tiny_ae, torch" in capsys.readouterr().out
    assert len(training.train_or_load(job, few, may_train=False).history) == 1


# --- stale or not --------------------------------------------------------------------------------


@over_twins
def test_a_changed_formula_makes_the_models_stale_that_use_it(twin, results, monkeypatch):
    bernoulli, gaussian = (
        replace(JOB, backend=twin, spec=replace(VAE, likelihood=name)) for name in ("bernoulli", "gaussian")
    )
    before = {job: training.train_or_load(job, DATA) for job in (bernoulli, gaussian)}
    losses = backend.get(twin).losses
    right = losses.gaussian_nll
    monkeypatch.setattr(losses, "gaussian_nll", lambda *args: right(*args) * (1 + 1e-6))
    monkeypatch.setattr("twinvae.training.kept.core_checksum", lambda name: "edited")
    assert not training.stale(before[bernoulli].folder)
    assert "today's code trains it otherwise" in training.stale(before[gaussian].folder)
    with pytest.raises(training.NotTrained, match="is stale"):
        training.train_or_load(gaussian, DATA, may_train=False)
    again = training.train_or_load(gaussian, DATA)
    assert not again.card["resumed"] and not training.stale(again.folder)
    assert not same_arrays(again.model.get_arrays(), before[gaussian].model.get_arrays())


def test_an_edited_comment_makes_nothing_stale(results, monkeypatch, no_training):
    before = arrays(JOB)
    monkeypatch.setattr("twinvae.training.kept.core_checksum", lambda name: "a comment was edited")
    no_training()
    assert same_arrays(arrays(JOB), before)
    monkeypatch.setattr("twinvae.training.kept.probe", lambda job: pytest.fail("probed again"))
    assert same_arrays(arrays(JOB), before)


@pytest.mark.parametrize(
    "job",
    [JOB, replace(JOB, spec=CVAE), Job(zoo.get("light_cifar_cgan"), (TrainSpec(1),), RECIPE)],
    ids=lambda job: job.spec.name,
)
def test_the_twins_have_one_probe(job):
    found = [probe(replace(job, backend=twin)) for twin in TWINS]
    for part, values in found[0].items():
        np.testing.assert_allclose(values, found[1][part], rtol=1e-9)


@pytest.mark.parametrize(
    "owner, name", [("losses", "kl_standard"), ("losses", "bernoulli_nll"), ("train", "Optimizer"), ("layers", "build")]
)
def test_a_probe_sees_losses_rules_and_layers(owner, name, monkeypatch):
    module = getattr(backend.get("torch"), owner)
    before, right = probe(JOB), getattr(module, name)

    class Slower(right if name == "Optimizer" else object):
        def step(self, gradients):
            super().step([g * 1.001 for g in gradients])

    wrong = {
        "Optimizer": Slower,
        "build": lambda row, *rest: (
            right(row._replace(layer=spec.Activation("tanh")), *rest)
            if isinstance(row.layer, spec.Activation)
            else right(row, *rest)
        ),
    }
    monkeypatch.setattr(module, name, wrong.get(name, lambda *args: right(*args) * 1.000001))
    assert not kept.same(before, probe(JOB))
