"""What the core can beyond the reports: any size, any condition, schedules, averages, warm-up, and what it refuses."""

import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from pair import CVAE, TWINS, VAE, array, images, same_arrays, splits
from test_parity import stacks_on_random_maps, terms_and_gradients, within_goals

from twinvae import backend, checkpoints, randomness, reference, zoo
from twinvae.data import Images, Recipe, Splits
from twinvae.spec import (
    AdaLN,
    Conv,
    Crop,
    Dense,
    ModelSpec,
    Reshape,
    StackSpec,
    TrainSpec,
    Upsample,
    count_weights,
    stacks,
)
from twinvae.training import Job

SETTINGS = TrainSpec(epochs=4, batch_size=8, learning_rate=0.01)
DATA = splits()
over_twins = pytest.mark.parametrize("twin", TWINS)
CONVOLUTIONAL = [
    name
    for name, model in zoo.ZOO.items()
    if any(isinstance(row.layer, Conv) for stack in model.stacks().values() for row in stack.walk())
]


# --- any size ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 8, 1), (20, 30, 3), (33, 47, 2), (64, 64, 3)])
@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_every_convolutional_model_takes_images_of_any_size(name, shape):
    model = zoo.get(name).for_images(shape, 5)
    maker = model.stacks().get("generator") or model.stacks().get("decoder")
    assert maker is None or maker.output == shape
    assert model.num_classes in (0, 5) and model.for_images(shape, 5) == model
    assert model.for_images((9, 9, 1), 3) == zoo.get(name).for_images((9, 9, 1), 3)


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_a_model_is_itself_for_its_own_images(name):
    model = zoo.get(name)
    assert model.for_images(model.image_shape, model.num_classes) == model


@pytest.mark.parametrize("shape", [(20, 30, 3), (33, 47, 1)])
@pytest.mark.parametrize("name", ["light_cifar_cvae", "light_task2", "light_cifar_cgan", "better_cifar_cgan"])
def test_models_of_other_sizes_train_alike_in_both_twins(name, shape):
    within_goals(zoo.get(name).for_images(shape, 3), TrainSpec(epochs=1, optimizer="sgd"), "float64", steps=3)


# --- layers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 4, 2), (5, 2, 3)])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("factor", [2, 3])
def test_phases_are_the_convolution_of_repeated_pixels(monkeypatch, kernel, factor, shape):
    layers = (Upsample(factor), Conv(3, kernel))
    phases = stacks_on_random_maps(layers, shape)
    monkeypatch.setattr(stacks, "in_phases", lambda layer: False)
    plain = stacks_on_random_maps(layers, shape)
    assert phases[0].shape == (2, factor * shape[0], factor * shape[1], 3)
    for a in (*phases, plain[1]):
        np.testing.assert_allclose(a, plain[0], atol=1e-13)


@over_twins
def test_phases_have_the_gradients_of_the_convolution_of_repeated_pixels(monkeypatch, twin):
    decoder = (Dense(24), Reshape((4, 3, 2)), Upsample(2), Conv(3, 4), Crop(7, 5))
    model = replace(VAE, image_shape=(7, 5, 3), decoder=decoder)
    terms, gradients = terms_and_gradients(twin, model, "float64")
    monkeypatch.setattr(stacks, "in_phases", lambda layer: False)
    plain_terms, plain = terms_and_gradients(twin, replace(model, name="plain"), "float64")
    np.testing.assert_allclose(terms, plain_terms, rtol=1e-13)
    for name in plain:
        np.testing.assert_allclose(gradients[name], plain[name], rtol=1e-10, atol=1e-13)


@over_twins
@pytest.mark.parametrize("shape", [(6,), (3, 2, 6)])
def test_adaln_normalises_the_channels_of_each_position(twin, shape):
    """While gamma and beta are 0, as they are before weights are drawn, mean 0 and variance 1."""
    twin = backend.get(twin)
    dtype = __import__("torch").float64 if twin.__name__.endswith("pt") else "float64"
    stack = twin.layers.Stack(StackSpec("s", (AdaLN(),), shape, condition=3), dtype)
    h = 5 + 3 * np.random.default_rng(0).normal(size=(4, *shape))
    out = array(stack(*twin.train.tensors([h, np.eye(3)[[0, 1, 2, 0]]])))
    np.testing.assert_allclose(out.mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(out.var(-1), 1, rtol=1e-4)


# --- report 003's head and KL --------------------------------------------------------------------


def test_one_layer_for_both_heads_has_as_many_weights_but_less_spread():
    two = replace(CVAE, heads="two")
    one = replace(CVAE, heads="one")
    assert count_weights(one) == count_weights(two)
    assert [name for name in one.stacks() if name.startswith(("mu", "logvar"))] == ["mu_logvar"]
    spread = {s.heads: randomness.initial_weights(s, 0) for s in (one, two)}
    limit = {"one": math.sqrt(6 / (6 + 4)), "two": math.sqrt(6 / (6 + 2))}
    assert np.abs(spread["one"]["mu_logvar.dense1.weight"]).max() <= limit["one"]
    assert np.abs(spread["two"]["mu.dense1.weight"]).max() > 0.9 * limit["two"]


@over_twins
@pytest.mark.parametrize("model", [VAE, CVAE], ids=["vae", "cvae"])
def test_the_sampled_kl_is_its_definition_and_the_closed_one_on_average(twin, model):
    twin, rng = backend.get(twin), np.random.default_rng(0)
    closed, sampled = (twin.models.build(replace(model, kl=kl), dtype="float64") for kl in ("closed", "sample"))
    x, y = rng.random((1, *model.image_shape)), np.eye(3)[[1]]
    eps = rng.normal(size=(4000, 2))
    many = [np.repeat(a, len(eps), 0) for a in (x, x, y)]
    _, kl = twin.models.call(sampled, "loss_terms", *many, eps)
    _, wanted = twin.models.call(closed, "loss_terms", x, x, y, eps[:1])
    assert kl.std() > 0.01 and abs(kl.mean() - wanted[0]) < 4 * kl.std() / math.sqrt(len(eps))
    mu, logvar = (a[:5] for a in twin.models.call(closed, "encode", many[0], many[2]))
    prior = [a[:5] for a in twin.models.call(closed, "prior", many[2])]
    z = reference.reparameterize(mu, logvar, eps[:5])
    by_hand = reference.log_normal(z, mu, logvar) - reference.log_normal(z, *prior)
    np.testing.assert_allclose(kl[:5], by_hand, rtol=1e-10)


@pytest.mark.parametrize("field", [dict(heads="one"), dict(kl="sample")])
def test_heads_and_kl_are_for_models_with_a_posterior(field):
    with pytest.raises(ValueError, match="are for 'vae' and 'cvae'"):
        replace(zoo.get("report004_ae"), **field)


def test_report_003s_cvae_has_the_printed_head():
    model = zoo.get("report003_cvae")
    assert (model.heads, model.kl) == ("one", "sample")
    weight = next(w for w in model.weights() if w.name == "mu_logvar.dense1.weight")
    assert weight.shape == (220, 128) and weight.fan_out == 220


# --- conditions of any numbers -------------------------------------------------------------------


def conditioned(n: int, seed: int) -> Images:
    plain = images(n, seed)
    y = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    return Images(plain.x, y, plain.class_names, plain.source)


@over_twins
def test_a_condition_may_be_any_numbers(twin):
    twin = backend.get(twin)
    data = Splits(*(conditioned(n, seed) for seed, n in enumerate((26, 9, 9))))
    batch = next(randomness.batches(data.train, SETTINGS, 2, 1, "float32"))
    assert batch.y.shape == (8, 3) and set(map(tuple, batch.y)) <= set(map(tuple, data.train.y))
    model = twin.models.build(CVAE)
    rows = twin.train.fit(model, data, SETTINGS)
    assert len(rows) == 4 and rows[-1]["loss"] < rows[0]["loss"]
    z, y = np.zeros((2, 2), "float32"), np.array([[0.5, 0, 2], [0, 1, -1]], "float32")
    a, b = twin.models.predict(model, "generate", z, y)
    assert np.abs(a - b).max() > 1e-4


def test_a_one_hot_condition_is_the_label():
    labelled = images(12, 0)
    one_hot = Images(labelled.x, np.eye(3)[labelled.y], labelled.class_names, labelled.source)
    for a, b in zip(
        *(next(randomness.batches(s, SETTINGS, 2, 1, "float32")) for s in (labelled, one_hot)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("y", [np.ones((5, 2)), np.full((5, 3), np.nan), np.ones(5)])
def test_a_condition_has_a_finite_number_for_each_name(y):
    plain = images(5)
    with pytest.raises(ValueError, match="a condition must be finite"):
        Images(plain.x, y, plain.class_names, plain.source)


# --- the course of a training --------------------------------------------------------------------


def test_rates_follow_their_schedule():
    def rates(schedule, epochs):
        settings = TrainSpec(epochs, learning_rate=0.1, schedule=schedule)
        return [settings.rate_of(epoch) for epoch in range(1, epochs + 1)]

    assert rates("constant", 3) == [0.1] * 3
    np.testing.assert_allclose(rates("cosine", 4), 0.05 * (1 + np.cos(np.pi * np.arange(4) / 4)))
    stages = np.repeat(np.arange(4), 3 ** np.arange(4))
    np.testing.assert_allclose(rates("burda", 40), 0.1 * 10 ** (-stages / 7))


def test_the_kl_warms_up_evenly():
    settings = TrainSpec(5, beta=2.0, warmup=4)
    assert [settings.beta_of(epoch) for epoch in range(1, 6)] == [0.5, 1.0, 1.5, 2.0, 2.0]


@over_twins
def test_an_epochs_rate_and_beta_are_those_of_its_step(twin):
    twin = backend.get(twin)
    settings = replace(SETTINGS, optimizer="sgd", schedule="cosine", warmup=2)
    model, batch = (
        twin.models.build(VAE, dtype="float64"),
        next(randomness.batches(DATA.train, SETTINGS, 2, 1, "float64")),
    )
    optimizer = twin.train.Optimizer(model, settings)
    step = twin.train.make_step(model, optimizer, settings)
    moved = {}
    before = model.get_arrays()
    for epoch in (1, 2, 3):
        optimizer.start(epoch)
        model.set_arrays(before)
        loss, recon, kl = array(step(*twin.train.tensors(batch)))
        assert loss == pytest.approx(recon + settings.beta_of(epoch) * kl, rel=1e-12)
        moved[epoch] = model.get_arrays()["mu.dense1.bias"] - before["mu.dense1.bias"]
    ratio = settings.rate_of(3) / settings.rate_of(2)  # beta is the same in both
    np.testing.assert_allclose(moved[3], ratio * moved[2], rtol=1e-9)
    assert 0.5 < ratio < 0.9


@over_twins
def test_the_model_is_the_moving_average_of_its_weights(twin):
    twin = backend.get(twin)
    settings = replace(SETTINGS, epochs=2, average=0.9)
    plain, averaged = (twin.models.build(VAE, dtype="float64") for _ in range(2))
    optimizer = twin.train.Optimizer(plain, replace(settings, average=0.0))
    step = twin.train.make_step(plain, optimizer, settings)
    mean, t = plain.get_arrays(), 0
    for epoch in (1, 2):
        for batch in randomness.batches(DATA.train, settings, 2, epoch, "float64"):
            step(*twin.train.tensors(batch))
            t += 1
            decay = min(0.9, (1 + t) / (10 + t))
            mean = {name: decay * mean[name] + (1 - decay) * a for name, a in plain.get_arrays().items()}
    twin.train.fit(averaged, DATA, settings)
    for name, a in averaged.get_arrays().items():
        np.testing.assert_allclose(a, mean[name], rtol=1e-10, atol=1e-14)
    assert max(np.abs(mean[name] - a).max() for name, a in plain.get_arrays().items()) > 1e-3


@over_twins
@pytest.mark.parametrize(
    "field", [dict(average=0.9), dict(schedule="burda", average=0.99, warmup=3)], ids=["average", "all"]
)
def test_a_continued_training_is_the_uninterrupted_one_bit_for_bit(twin, field, tmp_path):
    twin, model = backend.get(twin), replace(VAE, likelihood="gaussian_learned")  # a weight that is a single number
    settings = replace(SETTINGS, **field)
    whole = twin.models.build(model)
    rows = twin.train.fit(whole, DATA, settings)
    for epochs in (1, 3, 4):
        parts = twin.models.build(model)
        again = twin.train.fit(parts, DATA, replace(settings, epochs=epochs), tmp_path)
    assert same_arrays(whole.get_arrays(), parts.get_arrays())
    assert [row["valid_loss"] for row in rows] == [row["valid_loss"] for row in again]


@over_twins
def test_a_cosine_does_not_go_on_to_more_epochs(twin, tmp_path):
    twin, settings = backend.get(twin), replace(SETTINGS, schedule="cosine", epochs=2)
    twin.train.fit(twin.models.build(VAE), DATA, settings, tmp_path)
    with pytest.raises(ValueError, match="epochs 2, now 3"):
        twin.train.fit(twin.models.build(VAE), DATA, replace(settings, epochs=3), tmp_path)


def test_a_job_of_a_cosine_is_no_beginning_of_a_longer_one():
    def job(schedule, epochs, **fields):
        return Job(VAE, (TrainSpec(epochs, schedule=schedule),), Recipe("mnist"), **fields)

    assert job("constant", 2).trajectory == job("constant", 3).trajectory
    assert job("cosine", 2).trajectory != job("cosine", 3).trajectory
    with pytest.raises(ValueError, match="no marks"):
        job("cosine", 3, marks=(1,))


@over_twins
def test_another_number_of_threads_is_said(twin, tmp_path, monkeypatch):
    twin = backend.get(twin)
    twin.train.fit(twin.models.build(VAE), DATA, replace(SETTINGS, epochs=1), tmp_path)
    threads = twin.models.threads() + 1
    monkeypatch.setattr(twin.models, "threads", lambda: threads)
    with pytest.warns(UserWarning, match=f"trained with {threads - 1} threads and goes on with {threads}"):
        twin.train.fit(twin.models.build(VAE), DATA, SETTINGS, tmp_path)


# --- what is refused, and what is taken ----------------------------------------------------------


@over_twins
@pytest.mark.parametrize(
    "method, arrays, message",
    [
        ("encode", [np.full((2, 5, 4, 1), 255.0)], "the pixels of x run from 0 to 255: scale them to"),
        ("encode", [np.full((2, 5, 4, 1), np.nan)], "x holds values that are not finite"),
        ("encode", [np.zeros((2, 4, 5, 1))], r"x has shape \(2, 4, 5, 1\); model 'tiny_cvae' takes \[N, 5, 4, 1\]"),
        ("encode", [np.zeros((5, 4, 1))], r"takes \[N, 5, 4, 1\]"),
        ("generate", [np.zeros((2, 3)), np.eye(3)[:2]], r"z has shape \(2, 3\); model 'tiny_cvae' takes \[N, 2\]"),
        ("generate", [np.zeros((2, 2)), np.zeros(2)], r"y has shape \(2,\); model 'tiny_cvae' takes \[N, 3\]"),
    ],
)
def test_predict_says_what_it_cannot_take(twin, method, arrays, message):
    twin = backend.get(twin)
    with pytest.raises(ValueError, match=message):
        twin.models.predict(twin.models.build(CVAE), method, *arrays)


def test_an_image_may_be_noisy():
    model = backend.get("torch").models.build(CVAE)
    x = 0.5 + np.random.default_rng(0).standard_normal((2, 5, 4, 1))
    assert backend.get("torch").models.predict(model, "encode", x, np.eye(3)[:2])[0].shape == (2, 2)


@over_twins
def test_a_cgan_trains_through_the_same_fit(twin):
    from twinvae_studies import parity_models

    twin, model = backend.get(twin), parity_models.small_gans()[0]
    data = splits(shape=model.image_shape, classes=4)
    rows = twin.train.fit(twin.models.build(model), data, TrainSpec(1, batch_size=8))
    assert tuple(rows[0]) == checkpoints.GAN_COLUMNS


def test_numpy_numbers_are_python_numbers():
    settings = TrainSpec(np.int64(3), np.int32(8), np.float32(0.5), seed=np.uint8(1))
    model = ModelSpec("a", "vae", tuple(np.array([5, 4, 1])), np.int64(2), (Conv(np.int64(2)),), (Dense(np.int16(3)),))
    assert settings == TrainSpec(3, 8, 0.5, seed=1) and type(settings.epochs) is int
    assert all(type(n) is int for n in (*model.image_shape, model.latent_dim, model.decoder[0].units))


KERAS = """
import numpy as np
from twinvae import backend, spec
model = spec.ModelSpec("a", "ae", (8, 6, 3), 2, (spec.Conv(2), spec.Flatten()), ())
twin = backend.get("tf")
import keras
print(keras.config.backend(), twin.models.predict(twin.models.build(model), "encode", np.zeros((2, 8, 6, 3))).shape)
"""


def test_the_settings_of_others_for_keras_do_not_reach_the_twin(tmp_path):
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first", "backend": "torch"}')
    others = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "torch"}
    done = subprocess.run([sys.executable, "-c", KERAS], env=os.environ | others, capture_output=True, text=True)
    assert done.stdout == "tensorflow (2, 2)\n", done.stderr


def test_a_process_without_stderr_gets_its_twin():
    code = "from twinvae.backend import stderr_closed\nwith stderr_closed():\n    print('there')"
    done = subprocess.run(f'exec "{sys.executable}" -c "{code}" 2>&-', shell=True, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (0, b"there\n")
