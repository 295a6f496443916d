"""Training in both twins: the optimisers' rules, the history, checkpoints, what stops or refuses a run."""

import json
import multiprocessing
import signal
from dataclasses import replace
from pathlib import Path

import killed
import numpy as np
import pandas as pd
import pytest
from pair import CVAE, TWINS, VAE, array, images, same_arrays, splits
from tiny import write_project

from twinvae import backend, checkpoints, randomness, reference
from twinvae.data import Splits
from twinvae.spec import OPTIMIZERS, Conv, Flatten, TrainSpec

SETTINGS = TrainSpec(epochs=3, batch_size=8, learning_rate=0.01)
DATA = splits()
over_twins = pytest.mark.parametrize("twin", TWINS)


def fit(
    twin: str,
    settings: TrainSpec = SETTINGS,
    folder=None,
    model=VAE,
    data: Splits = DATA,
    dtype="float32",
    seed: int = 0,
    **kwargs,
):
    """A model trained from its first weights: (model, history)."""
    twin = backend.get(twin)
    built = twin.models.build(model, seed, dtype)
    return built, pd.DataFrame(twin.train.fit(built, data, settings, folder, **kwargs))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Per twin: an uninterrupted run of three epochs, with its folder."""
    runs = {}
    for twin in TWINS:
        folder = tmp_path_factory.mktemp(twin)
        runs[twin] = (folder, *fit(twin, folder=folder, tensorboard=folder / "events"))
    return runs


# --- one step ------------------------------------------------------------------------------------


def by_reference(optimizer: str, weight, gradients, lr: float) -> list[np.ndarray]:
    """The weight after each step, by the written-out rules."""
    after = []
    m = np.zeros_like(weight)
    v = np.zeros_like(weight)
    for step, g in enumerate(gradients, 1):
        if optimizer == "adam":
            weight, m, v = reference.adam_step(weight, g, m, v, step, lr)
        elif optimizer == "rmsprop":
            weight, v = reference.rmsprop_step(weight, g, v, lr, rho=0.9)
        elif optimizer == "adagrad":
            weight, v = reference.adagrad_step(weight, g, v, lr, epsilon=1e-8)
        else:
            weight = reference.sgd_step(weight, g, lr)
        after.append(weight)
    return after


def small_gradients(optimizer, seed: int) -> list:
    """A gradient for each weight, some so small that epsilon's place shows."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=tuple(w.shape)) * rng.choice([1e-9, 1e-4, 1], tuple(w.shape)) for w in optimizer.weights]


@over_twins
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_follow_the_written_rule(twin, name):
    twin = backend.get(twin)
    settings = replace(SETTINGS, optimizer=name, learning_rate=0.03)
    model = twin.models.build(VAE, dtype="float64")
    optimizer = twin.train.Optimizer(model, settings)
    gradients = [small_gradients(optimizer, seed) for seed in range(3)]
    expected = [
        by_reference(name, array(w).copy(), gs, 0.03) for w, *gs in zip(optimizer.weights, *gradients, strict=True)
    ]
    for step, gs in enumerate(gradients):
        optimizer.step(twin.train.tensors(gs))
        for w, after in zip(optimizer.weights, expected, strict=True):
            np.testing.assert_allclose(array(w), after[step], rtol=1e-13, atol=1e-15)


@over_twins
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_an_optimiser_can_be_taken_up(twin, name):
    twin = backend.get(twin)
    settings = replace(SETTINGS, optimizer=name)
    model, other = (twin.models.build(VAE) for _ in range(2))
    first, second = twin.train.Optimizer(model, settings), twin.train.Optimizer(other, settings)
    gradients = [[g.astype("float32") for g in small_gradients(first, seed)] for seed in range(3)]
    for gs in gradients[:2]:
        first.step(twin.train.tensors(gs))
    other.set_arrays(model.get_arrays())
    state = {name: np.asfortranarray(a) if np.ndim(a) else a for name, a in first.get_arrays().items()}
    second.set_arrays(state)  # whatever its order in memory
    assert same_arrays(second.get_arrays(), first.get_arrays())
    for optimizer in (first, second):
        optimizer.step(twin.train.tensors(gradients[2]))
    assert same_arrays(model.get_arrays(), other.get_arrays())
    assert same_arrays(first.get_arrays(), second.get_arrays())


@over_twins
def test_a_training_step_is_gradient_and_rule(twin):
    """The compiled step: its losses are the batch's means, its weights those of one SGD step."""
    twin = backend.get(twin)
    settings = replace(SETTINGS, optimizer="sgd", beta=0.3)
    model = twin.models.build(CVAE, dtype="float64")
    batch = twin.train.tensors(next(randomness.batches(DATA.train, settings, 2, 1, "float64")))
    recon, kl = (array(t) for t in model.loss_terms(*batch))
    optimizer = twin.train.Optimizer(model, settings)
    before = model.get_arrays()
    _, gradients = twin.train.loss_and_gradients(model, optimizer.weights, settings.beta, *batch)
    values = array(twin.train.make_step(model, optimizer, settings)(*batch))
    np.testing.assert_allclose(values, [(recon + 0.3 * kl).mean(), recon.mean(), kl.mean()], rtol=1e-12)
    layout = getattr(twin.layers, "to_pytorch", lambda a: a)
    after = model.get_arrays()
    for name, gradient in zip(optimizer.names, gradients, strict=True):
        np.testing.assert_allclose(after[name], before[name] - 0.01 * layout(array(gradient)), rtol=1e-12, atol=1e-15)
    assert max(np.abs(after[name] - before[name]).max() for name in before) > 1e-3


def test_the_gradient_is_the_slope_of_the_loss():
    """Against central differences of the loss, for a weight of every stack; the twins agree elsewhere."""
    twin = backend.get("torch")
    model = twin.models.build(CVAE, dtype="float64")
    optimizer = twin.train.Optimizer(model, SETTINGS)
    batch = twin.train.tensors(next(randomness.batches(DATA.train, SETTINGS, 2, 1, "float64")))
    _, gradients = twin.train.loss_and_gradients(model, optimizer.weights, SETTINGS.beta, *batch)
    arrays = model.get_arrays()
    for name, gradient in zip(optimizer.names, gradients, strict=True):
        i = np.unravel_index(np.abs(array(gradient)).argmax(), gradient.shape)
        losses = []
        for h in (1e-6, -1e-6):
            moved = arrays[name].copy()
            moved[i] += h
            model.set_arrays(arrays | {name: moved})
            losses.append(sum(array(t).mean() for t in model.loss_terms(*batch)))
        assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(float(gradient[i]), rel=1e-6)


# --- the history ---------------------------------------------------------------------------------


@over_twins
def test_the_history_has_a_row_an_epoch(finished, twin):
    _, model, frame = finished[twin]
    assert tuple(frame.columns) == checkpoints.COLUMNS and list(frame.epoch) == [1, 2, 3]
    np.testing.assert_allclose(frame.loss, frame.recon + frame.kl, rtol=1e-6)
    np.testing.assert_allclose(frame.valid_loss, frame.valid_recon + frame.valid_kl, rtol=1e-6)
    assert (frame.seconds > 0).all() and (frame.kl > 0).all()
    assert frame.loss.iloc[-1] < frame.loss.iloc[0]
    last = backend.get(twin).train.evaluate(model, DATA.valid, SETTINGS)
    np.testing.assert_allclose(
        last, frame.iloc[-1][["valid_loss", "valid_recon", "valid_kl"]].astype(float), rtol=1e-12
    )


def test_both_twins_have_the_same_history(finished):
    a, b = (finished[twin][2].drop(columns="seconds") for twin in TWINS)
    np.testing.assert_allclose(a, b, rtol=1e-4)


@over_twins
def test_validation_weighs_every_image_alike(twin, monkeypatch):
    model = backend.get(twin).models.build(VAE, dtype="float64")
    evaluate = backend.get(twin).train.evaluate
    whole = evaluate(model, DATA.valid, SETTINGS)
    validation = randomness.validation
    monkeypatch.setattr(randomness, "validation", lambda *args: validation(*args, size=4))
    assert [len(b.x) for b in randomness.validation(DATA.valid, SETTINGS, 2, "float64")] == [4, 4, 1]
    np.testing.assert_allclose(evaluate(model, DATA.valid, SETTINGS), whole, rtol=1e-12)


@over_twins
def test_events_for_tensorboard_are_written(finished, twin):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder, _, frame = finished[twin]
    events = EventAccumulator(str(folder / "events"))
    events.Reload()
    if twin == "torch":
        found = [(e.step, e.value) for e in events.Scalars("valid_loss")]
    else:
        from tensorflow import make_ndarray

        found = [(e.step, float(make_ndarray(e.tensor_proto))) for e in events.Tensors("valid_loss")]
    assert [step for step, _ in found] == [1, 2, 3]
    np.testing.assert_allclose([value for _, value in found], frame.valid_loss, rtol=1e-6)


# --- checkpoints ---------------------------------------------------------------------------------


@over_twins
def test_last_and_best_are_what_they_say(finished, twin):
    folder, model, frame = finished[twin]
    arrays, metadata = checkpoints.read(folder / "last.safetensors")
    assert all((arrays[name] == a).all() for name, a in model.get_arrays().items())
    assert [row["epoch"] for row in metadata["history"]] == [1, 2, 3] and arrays["optimizer.t"] == 9
    _, metadata = checkpoints.read(folder / "best.safetensors")
    assert metadata["history"][-1]["epoch"] == frame.epoch[frame.valid_loss.idxmin()]


def test_a_worse_epoch_leaves_the_best_alone(tmp_path):
    log = checkpoints.Log(backend.get("torch").models.build(VAE), SETTINGS, DATA, tmp_path, 1)
    for epoch, loss in enumerate([3.0, 2.0, 2.5], 1):
        log.record(epoch, 1.0, np.full(3, loss), np.full(3, loss), lambda at=epoch: {"at": np.array(float(at))})
    assert checkpoints.read(tmp_path / "best.safetensors")[0]["at"] == 2
    assert checkpoints.read(tmp_path / "last.safetensors")[0]["at"] == 3


@over_twins
def test_a_longer_run_continues_a_shorter_one_bit_for_bit(finished, twin, tmp_path):
    fit(twin, replace(SETTINGS, epochs=1), tmp_path)
    model, frame = fit(twin, SETTINGS, tmp_path)
    assert same_arrays(model.get_arrays(), finished[twin][1].get_arrays())
    assert same_arrays(*(checkpoints.read(folder / "last.safetensors")[0] for folder in (tmp_path, finished[twin][0])))
    assert frame.drop(columns="seconds").equals(finished[twin][2].drop(columns="seconds"))


@over_twins
def test_a_shorter_run_is_that_run_and_leaves_the_longer_one(finished, twin):
    folder, model, frame = finished[twin]
    shorter, few = fit(twin, replace(SETTINGS, epochs=2), folder)
    assert few.drop(columns="seconds").equals(frame.drop(columns="seconds")[:2])
    assert not same_arrays(shorter.get_arrays(), model.get_arrays())
    again, same = fit(twin, SETTINGS, folder)
    assert same_arrays(again.get_arrays(), model.get_arrays()) and same.equals(frame)


@over_twins
def test_a_model_that_is_trained_is_not_trained_again(finished, twin):
    folder, model, frame = finished[twin]
    before = model.get_arrays()
    assert pd.DataFrame(backend.get(twin).train.fit(model, DATA, SETTINGS, folder)).equals(frame)
    assert same_arrays(model.get_arrays(), before)


@over_twins
def test_a_finished_run_is_not_done_again(finished, twin, monkeypatch):
    folder, model, frame = finished[twin]
    monkeypatch.setattr(randomness, "chunks", lambda *args: pytest.fail("trained again"))
    again, same = fit(twin, SETTINGS, folder)
    assert same_arrays(again.get_arrays(), model.get_arrays()) and same.equals(frame)


@over_twins
def test_an_interrupt_leaves_a_model_that_works_and_the_same_cell_goes_on(finished, twin, tmp_path, monkeypatch):
    module = backend.get(twin)
    model = module.models.build(VAE)
    chunks = randomness.chunks

    def pressed(*args):
        for count, chunk in enumerate(chunks(*args)):
            if args[3] == 2 and count == 1:
                raise KeyboardInterrupt
            yield chunk

    monkeypatch.setattr(randomness, "CHUNK", 1)  # a step a chunk
    monkeypatch.setattr(randomness, "chunks", pressed)
    with pytest.raises(KeyboardInterrupt):
        module.train.fit(model, DATA, SETTINGS, tmp_path)
    assert np.isfinite(module.models.predict(model, "generate", np.zeros((2, 2)), None)).all()
    monkeypatch.setattr(randomness, "chunks", chunks)
    rows = module.train.fit(model, DATA, SETTINGS, tmp_path)
    assert [row["epoch"] for row in rows] == [1, 2, 3] and same_arrays(
        model.get_arrays(), finished[twin][1].get_arrays()
    )


# --- killed --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def processes():
    """A server that has imported both twins and forks a process for each run."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["twinvae.pt", "twinvae.tf", "twinvae.run", "torch._dynamo"])  # torch.optim wants it
    return context


def start(processes, folder: Path, twin: str, moment: str | None) -> int:
    """Runs `killed.run` to its end; returns the exit code."""
    folder.mkdir(exist_ok=True)
    write_project(folder)
    process = processes.Process(target=killed.run, args=(str(folder), twin, moment))
    process.start()
    process.join(120)
    return process.exitcode


def outcome(folder: Path, twin: str) -> tuple[dict, dict]:
    """The weights with the optimiser's state, and the numbers, of a finished run."""
    results = folder / "results" / "smoke" / f"03_killed-{twin}"
    assert (results / "manifest.json").exists()
    return checkpoints.read(results / "checkpoints" / "last.safetensors")[0], json.loads(
        (results / "numbers.json").read_text()
    )


@pytest.fixture(scope="module")
def uninterrupted(processes, tmp_path_factory):
    """Per twin, what a run that nobody kills comes to."""
    outcomes = {}
    for twin in TWINS:
        folder = tmp_path_factory.mktemp("whole")
        assert start(processes, folder, twin, None) == 0
        outcomes[twin] = outcome(folder, twin)
    return outcomes


@over_twins
@pytest.mark.parametrize("moment", killed.MOMENTS)
def test_a_killed_run_ends_as_if_nobody_had_killed_it(processes, uninterrupted, tmp_path, twin, moment):
    assert start(processes, tmp_path, twin, moment) == -signal.SIGKILL
    assert not list(tmp_path.rglob("manifest.json"))
    assert start(processes, tmp_path, twin, None) == 0
    arrays, numbers = outcome(tmp_path, twin)
    assert same_arrays(arrays, uninterrupted[twin][0]) and numbers == uninterrupted[twin][1]


# --- what stops a run ----------------------------------------------------------------------------


def spoilt(x, epoch_and_batch):
    """`randomness.chunks`, with one batch's images replaced by x of them."""
    chunks = randomness.chunks

    def wrapped(images, settings, latent_dim, epoch, dtype):
        for chunk in chunks(images, settings, latent_dim, epoch, dtype):
            made = chunk.x.copy()
            if epoch == epoch_and_batch[0]:
                made[epoch_and_batch[1] - 1] = x(made[epoch_and_batch[1] - 1])
            yield chunk._replace(x=made, x_in=made)

    return wrapped


@over_twins
@pytest.mark.parametrize(
    "cause, x, message",
    [
        (
            "a pixel that is no number",
            lambda x: np.where(x == x.max(), np.nan, x),
            "the batch itself holds values that are not finite: check the data",
        ),
        ("pixels far outside", lambda x: x * 1e30, r"the pixels run from .* to \S*e\+30: scale them to \[0, 1\]"),
    ],
)
def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(
    twin, cause, x, message, tmp_path, monkeypatch
):
    fit(twin, replace(SETTINGS, epochs=1), tmp_path)
    before = (tmp_path / "last.safetensors").read_bytes()
    monkeypatch.setattr(randomness, "chunks", spoilt(x, (2, 3)))
    model = replace(VAE, likelihood="gaussian")
    with pytest.raises(ValueError, match="spec has likelihood 'bernoulli', now 'gaussian'"):
        fit(twin, SETTINGS, tmp_path, model=model)
    kept = f"the checkpoint of epoch 1 is kept in {tmp_path}"
    expected = f"the loss is (nan|inf) at epoch 2, batch 3: {message}; {kept}"
    with pytest.raises(checkpoints.NotFinite, match=expected):
        fit(twin, SETTINGS, tmp_path)
    assert (tmp_path / "last.safetensors").read_bytes() == before


@over_twins
def test_a_learning_rate_that_is_too_high_is_named(twin):
    settings = replace(SETTINGS, optimizer="sgd", learning_rate=1e6, noise=0.5)
    with pytest.raises(
        checkpoints.NotFinite, match=r"the loss is (nan|inf) at epoch \d, batch \d: the learning rate is probably"
    ):
        fit(twin, settings)


# --- what is refused -----------------------------------------------------------------------------


@over_twins
@pytest.mark.parametrize(
    "change, message",
    [
        (dict(settings=replace(SETTINGS, learning_rate=0.02)), "its settings has learning_rate 0.01, now 0.02"),
        (dict(settings=replace(SETTINGS, optimizer="sgd")), "its settings has optimizer 'adam', now 'sgd'"),
        (dict(settings=replace(SETTINGS, seed=1)), "its settings has seed 0, now 1"),
        (dict(seed=1), "its starting weights is 'crc .*, now 'crc .*"),
        (dict(data=replace(DATA, valid=images(9, 5))), "its validation is '9 images, crc .*, now '9 images, crc"),
        (dict(model=replace(VAE, latent_dim=3)), "its spec has latent_dim 2, now 3"),
        (
            dict(data=Splits(images(26, 9), images(9, 1), images(9, 2))),
            "its data is '26 images, crc .*, now '26 images, crc",
        ),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(finished, twin, change, message):
    folder = finished[twin][0]
    before = (folder / "last.safetensors").read_bytes()
    with pytest.raises(ValueError, match=message):
        fit(twin, **({"folder": folder} | change))
    assert (folder / "last.safetensors").read_bytes() == before


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_truncated_checkpoint_is_refused(finished, tmp_path, keep):
    path = tmp_path / "last.safetensors"
    path.write_bytes((finished["torch"][0] / "last.safetensors").read_bytes()[:keep])
    with pytest.raises(ValueError, match="last.safetensors is not a whole weights file .*; delete it and train"):
        fit("torch", folder=tmp_path)


@over_twins
@pytest.mark.parametrize(
    "model, data, message",
    [
        (VAE, splits(shape=(4, 5, 1)), r"the images have shape \(4, 5, 1\); model 'tiny_vae' takes \(5, 4, 1\)"),
        (replace(VAE, encoder=(Conv(2), Flatten())), splits(shape=(5, 4, 3)), r"the images have shape \(5, 4, 3\)"),
        (CVAE, splits(classes=4), "the images have 4 classes; model 'tiny_cvae' takes 3"),
        (CVAE, Splits(images(26), images(9, classes=2), images(9)), "the images have 2 classes"),
        (CVAE, Splits(images(26), images(9, shape=(5, 5, 1)), images(9)), r"the images have shape \(5, 5, 1\)"),
    ],
)
def test_images_that_do_not_fit_the_model_are_refused(twin, model, data, message):
    with pytest.raises(ValueError, match=message):
        fit(twin, model=model, data=data)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda x, y: (x[:0], y[:0]), "not empty"),
        (lambda x, y: (x, y + 1), r"Labels run 1..3; 3 classes allow 0..2"),
        (lambda x, y: (x, y - 1), "Labels run -1..1"),
        (lambda x, y: (x / 255, y), "must be uint8"),
        (lambda x, y: (x[:, :, :, 0], y), "must be uint8"),
        (lambda x, y: (x, y[:-1]), "one label an image"),
    ],
)
def test_images_that_cannot_be_are_refused(change, message):
    good = images(9)
    with pytest.raises(ValueError, match=message):
        type(good)(*change(good.x, good.y), good.class_names, good.source)


def test_what_is_uncompiled_within_something_uncompiled_leaves_it_so():
    import tensorflow as tf

    twin = backend.get("tf")
    with twin.train.uncompiled():
        with twin.train.uncompiled():
            pass
        assert tf.config.functions_run_eagerly()
    assert not tf.config.functions_run_eagerly()
