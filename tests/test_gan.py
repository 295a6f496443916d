"""The conditional GAN in both twins: its losses, its alternating step, its training, and where the label enters."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from pair import TWINS, apply, array, same_arrays, splits
from scipy import integrate, special, stats

from twinvae import backend, checkpoints, randomness
from twinvae.data import Images, Splits
from twinvae.spec import Activation, BatchNorm, Conv, Dense, Flatten, GanSpec, GlobalMaxPool, Reshape, TrainSpec, mlp
from twinvae_studies import evaluation, parity, parity_models

LEAKY = Activation("leaky_relu", 0.2)
GAN = GanSpec(
    "tiny_gan",
    "cgan",
    (5, 4, 1),
    2,
    3,
    generator=(*mlp(6, activation=LEAKY), Dense(20), Reshape((5, 4, 1))),
    discriminator=(Conv(4, 3, 2), LEAKY, GlobalMaxPool()),
)
NORMED = replace(GAN, generator=(Dense(6, bias=False), BatchNorm(momentum=0.9), *GAN.generator[1:]))
SETTINGS = TrainSpec(epochs=3, batch_size=8, learning_rate=0.01)
DATA = splits()
LN2 = np.log(2)
over_twins = pytest.mark.parametrize("twin", TWINS)


def loss(twin: str, name: str, *logits) -> np.ndarray:
    return apply(twin, "losses", f"{name}_loss", *logits)


def made(twin: str, model: GanSpec = GAN, settings: TrainSpec = SETTINGS):
    """(twin, model, its optimisers, the tensors of a batch), float64."""
    twin = backend.get(twin)
    built = twin.models.build(model, dtype="float64")
    batch = twin.train.tensors(next(randomness.batches(DATA.train, settings, model.noise_dim, 1, "float64")))
    return twin, built, twin.gan.Optimizers(built, settings), batch


# --- losses --------------------------------------------------------------------------------------


@over_twins
def test_an_undecided_discriminator_loses_2_ln_2_and_the_generator_ln_2(twin):
    zero = np.zeros(3)
    np.testing.assert_allclose(loss(twin, "discriminator", zero, zero), 2 * LN2, rtol=1e-15)
    np.testing.assert_allclose(loss(twin, "generator", zero), LN2, rtol=1e-15)


@over_twins
def test_extreme_logits_cost_what_they_are(twin):
    real, fake = np.array([1e4, -1e4, 1e4]), np.array([-1e4, -1e4, 1e4])
    assert loss(twin, "discriminator", real, fake).tolist() == [0, 1e4, 1e4]
    assert loss(twin, "generator", fake).tolist() == [1e4, 1e4, 0]


@over_twins
def test_losses_are_keras_binary_cross_entropies(twin):
    real, fake = np.random.default_rng(0).normal(0, 3, (2, 40))
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    theirs = 2 * float(entropy(np.repeat([1.0, 0.0], 40), np.concatenate([real, fake])))  # its mean is over both halves
    assert loss(twin, "discriminator", real, fake).mean() == pytest.approx(theirs, rel=1e-6)
    assert loss(twin, "generator", fake).mean() == pytest.approx(float(entropy(np.ones(40), fake)), rel=1e-6)


@over_twins
def test_the_best_discriminator_of_two_gaussians_has_logit_half_less_x(twin):
    """Its loss is 2 ln 2 - 2 JSD by quadrature, and every other one's is larger  (Goodfellow et al. 2014, Eq. 4)."""
    x, step = np.linspace(-9, 10, 4001, retstep=True)
    p, q = stats.norm(0).pdf(x), stats.norm(1).pdf(x)

    def mean_loss(logit):
        zero = np.zeros_like(x)  # softplus(-d) and softplus(d), each by the loss at (d, 0) or (0, d) less ln 2
        real, fake = (loss(twin, "discriminator", *pair) - LN2 for pair in ((logit, zero), (zero, logit)))
        return step * (p * real + q * fake).sum()

    entropy = lambda t: -stats.norm(0).pdf(t) * special.log_expit(0.5 - t)  # noqa: E731
    expected = 2 * integrate.quad(entropy, -9, 10)[0]  # both halves alike, by symmetry
    assert mean_loss(0.5 - x) == pytest.approx(expected, rel=1e-9) and expected < 2 * LN2
    for other in (0.45 - x, 0.55 - x, 0.5 - 0.9 * x, 0.5 - 1.1 * x):
        assert mean_loss(other) > expected + 1e-4


# --- the networks --------------------------------------------------------------------------------


@over_twins
@pytest.mark.parametrize("condition", ["planes", "projection"])
def test_the_label_enters_both_networks(twin, condition):
    twin, model, _, (_, x, y, eps) = made(twin, replace(GAN, discriminator_condition=condition))
    z, other = eps[:, :2], twin.train.tensors([array(y)[:, ::-1].copy()])[0]
    for a, b in (
        (model.generate(z, y), model.generate(z, other)),
        (model.discriminate(x, y), model.discriminate(x, other)),
    ):
        moved = np.abs(array(a) - array(b)).reshape(8, -1).max(1)
        middle = array(y).argmax(1) == 1  # the order of three classes turned round leaves the second
        assert (moved[middle] == 0).all() and (moved[~middle] > 1e-4).all()


@over_twins
def test_a_projection_adds_the_features_product_with_the_classs_vector(twin):
    model = replace(GAN, discriminator=(Flatten(),), discriminator_condition="projection")
    twin, built, _, (_, x, y, _) = made(twin, model)
    w = built.get_arrays()
    flat = array(x).reshape(8, -1)
    y_ = array(y)
    psi = flat @ w["discriminator_logit.dense1.weight"][0] + w["discriminator_logit.dense1.bias"]
    projected = (flat * (y_ @ w["discriminator_projection.dense1.weight"].T)).sum(1)
    np.testing.assert_allclose(array(built.discriminate(x, y)), psi + projected, rtol=1e-12)


@over_twins
def test_loss_terms_are_the_losses_of_the_logits(twin):
    twin, model, _, batch = made(twin)
    d_loss, g_loss, d_real, d_fake = (array(t) for t in model.loss_terms(*batch))
    _, x, y, eps = batch
    d_next = array(model.discriminate(model.generate(eps[:, 2:], y), y))
    np.testing.assert_allclose(d_real, array(model.discriminate(x, y)), rtol=1e-12)
    np.testing.assert_allclose(d_fake, array(model.discriminate(model.generate(eps[:, :2], y), y)), rtol=1e-12)
    np.testing.assert_allclose(d_loss, np.logaddexp(0, -d_real) + np.logaddexp(0, d_fake), rtol=1e-12)
    np.testing.assert_allclose(g_loss, np.logaddexp(0, -d_next), rtol=1e-12)


# --- one step ------------------------------------------------------------------------------------


@over_twins
def test_the_discriminator_steps_first_and_each_network_by_its_own_loss(twin):
    settings = replace(SETTINGS, optimizer="sgd", learning_rate=0.5)
    twin, model, optimizer, batch = made(twin, settings=settings)
    _, x, y, eps = batch
    layout = getattr(twin.layers, "to_pytorch", lambda a: a)

    def after(part, gradients):
        now = model.get_arrays()
        return now | {n: now[n] - 0.5 * layout(array(g)) for n, g in zip(part.names, gradients, strict=True)}

    before = model.get_arrays()
    (d_loss, *_), gradients = twin.gan.discriminator_gradients(model, optimizer.discriminator.weights, x, y, eps[:, :2])
    model.set_arrays(after(optimizer.discriminator, gradients))
    g_loss, gradients = twin.gan.generator_gradients(model, optimizer.generator.weights, y, eps[:, 2:])
    expected = after(optimizer.generator, gradients)
    model.set_arrays(before)
    values = array(twin.gan.make_step(model, optimizer, settings)(*batch))
    np.testing.assert_allclose(values[:2], [float(d_loss), float(g_loss)], rtol=1e-12)
    for name, a in model.get_arrays().items():
        np.testing.assert_allclose(a, expected[name], rtol=1e-11, atol=1e-14)
        assert np.abs(a - before[name]).max() > 1e-6


@over_twins
def test_a_gradient_is_the_slope_of_its_loss(twin):
    twin, model, optimizer, (_, x, y, eps) = made(twin)
    part = optimizer.generator
    z = eps[:, 2:]
    arrays = model.get_arrays()
    h = 1e-6
    g_loss = lambda: float(twin.gan.generator_gradients(model, part.weights, y, z)[0])  # noqa: E731
    _, gradients = twin.gan.generator_gradients(model, part.weights, y, z)
    layout = getattr(twin.layers, "to_pytorch", lambda a: a)
    for name, gradient in zip(part.names, gradients, strict=True):
        gradient = layout(array(gradient))
        losses = []
        i = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
        for shift in (h, -h):
            moved = arrays[name].copy()
            moved[i] += shift
            model.set_arrays(arrays | {name: moved})
            losses.append(g_loss())
        assert (losses[0] - losses[1]) / (2 * h) == pytest.approx(gradient[i], rel=1e-6)


@over_twins
def test_a_generator_that_makes_the_data_leaves_the_discriminator_at_2_ln_2(twin):
    """Black images, made exactly: whatever the discriminator, its loss is 2 ln 2 or more; training brings it there."""
    settings = replace(SETTINGS, learning_rate=0.05)
    twin, model, optimizer, (_, x, y, eps) = made(twin, settings=settings)
    arrays = model.get_arrays()
    black = x * 0
    last = {
        "generator.dense2.weight": arrays["generator.dense2.weight"] * 0,
        "generator.dense2.bias": np.full(20, -750.0),
        "discriminator_logit.dense1.bias": np.ones(1),
    }
    model.set_arrays(arrays | last)
    losses = []
    for _ in range(150):
        values, gradients = twin.gan.discriminator_gradients(
            model, optimizer.discriminator.weights, black, y, eps[:, :2]
        )
        optimizer.discriminator.step(gradients)
        losses.append(float(values[0]))
    assert min(losses) >= 2 * LN2 - 1e-15 and losses[0] > 2 * LN2 + 0.1
    assert losses[-1] == pytest.approx(2 * LN2, abs=1e-6)
    assert float(twin.gan.generator_gradients(model, optimizer.generator.weights, y, eps[:, 2:])[0]) == pytest.approx(
        LN2, abs=1e-2
    )


@over_twins
def test_batch_norm_moves_in_training_only(twin):
    twin, model, optimizer, batch = made(twin, NORMED)
    model.generate(batch[3][:, :2], batch[2])
    model.loss_terms(*batch)
    moving = {n: a for n, a in model.get_arrays().items() if "running" in n}
    assert len(moving) == 2 and all((a == a[0]).all() for a in moving.values())
    twin.gan.make_step(model, optimizer, SETTINGS)(*batch)
    assert all((model.get_arrays()[n] != a).all() for n, a in moving.items())


# --- training ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Per twin: an uninterrupted run of three epochs, with its folder."""
    return {twin: (folder := tmp_path_factory.mktemp(twin), *fit(twin, folder=folder)) for twin in TWINS}


def fit(twin: str, settings: TrainSpec = SETTINGS, folder=None, model=NORMED, data: Splits = DATA):
    """A GAN trained from its first weights: (model, history)."""
    twin = backend.get(twin)
    built = twin.models.build(model)
    return built, pd.DataFrame(twin.gan.fit(built, data, settings, folder))


@over_twins
def test_the_history_has_a_row_an_epoch_and_no_best(finished, twin):
    folder, model, frame = finished[twin]
    assert tuple(frame.columns) == checkpoints.GAN_COLUMNS and list(frame.epoch) == [1, 2, 3]
    assert np.isfinite(frame).all(axis=None) and (frame.seconds > 0).all()
    assert [path.name for path in folder.iterdir()] == ["last.safetensors"]
    arrays, _ = checkpoints.read(folder / "last.safetensors")
    assert arrays["optimizer.t"] == 9 and all((arrays[n] == a).all() for n, a in model.get_arrays().items())
    valid = backend.get(twin).gan.evaluate(model, DATA.valid, SETTINGS)
    np.testing.assert_allclose(valid, frame.iloc[-1][list(checkpoints.GAN_COLUMNS[5:9])].astype(float), rtol=1e-12)


def test_both_twins_have_the_same_history(finished):
    a, b = (finished[twin][2].drop(columns="seconds") for twin in TWINS)
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@over_twins
def test_an_interrupted_run_goes_on_bit_for_bit(finished, twin, tmp_path):
    fit(twin, replace(SETTINGS, epochs=1), tmp_path)
    model, frame = fit(twin, SETTINGS, tmp_path)
    assert same_arrays(model.get_arrays(), finished[twin][1].get_arrays())
    assert same_arrays(*(checkpoints.read(folder / "last.safetensors")[0] for folder in (tmp_path, finished[twin][0])))
    assert frame.drop(columns="seconds").equals(finished[twin][2].drop(columns="seconds"))


@over_twins
def test_a_loss_that_is_not_finite_stops_the_run(twin):
    with pytest.raises(checkpoints.NotFinite, match=r"the loss is (nan|inf) at epoch \d, batch \d: the learning rate"):
        fit(twin, replace(SETTINGS, optimizer="sgd", learning_rate=1e30), model=GAN)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"beta": 0.5}, "beta is 0.5 and noise is 0.0; a GAN has neither"),
        ({"noise": 0.1}, "beta is 1.0 and noise is 0.1; a GAN has neither"),
    ],
)
def test_settings_that_a_gan_has_not_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        fit("torch", replace(SETTINGS, **change))


@over_twins
def test_a_gan_learns_two_grey_levels_by_their_labels(twin):
    """Class 0 is dark, class 1 light, class 2 between: after training the generated means are in that order."""
    y = np.arange(240) % 3
    levels = np.array([30, 220, 120], dtype=np.uint8)[y]
    x = np.broadcast_to(levels[:, None, None, None], (240, 5, 4, 1)).copy()
    part = Images(x, y, ("dark", "light", "between"), DATA.train.source)
    model, _ = fit(
        twin, TrainSpec(epochs=30, batch_size=24, learning_rate=0.01), data=Splits(part, part, part), model=GAN
    )
    z = np.random.default_rng(0).standard_normal((30, 2))
    mean = [
        backend.get(twin).models.call(model, "generate", z, np.tile(np.eye(3)[k], (30, 1))).mean() for k in range(3)
    ]
    assert mean[0] < mean[2] < mean[1] and mean[1] - mean[0] > 0.3


def test_a_study_trains_and_samples_a_gan_as_any_model(results):
    run = SimpleNamespace(may_train=True)
    trained = evaluation.train_all(
        run, evaluation.job(backend.get("torch"), GAN, replace(SETTINGS, epochs=1), DATA), DATA
    )
    assert tuple(trained.history.columns) == checkpoints.GAN_COLUMNS
    x = evaluation.generate(trained, np.arange(6) % 3)
    assert x.shape == (6, 5, 4, 1) and 0 <= x.min() <= x.max() <= 1
    again = evaluation.train_all(
        run, evaluation.job(backend.get("torch"), GAN, replace(SETTINGS, epochs=1), DATA), DATA
    )
    assert (evaluation.generate(again, np.arange(6) % 3) == x).all()


# --- the goals -----------------------------------------------------------------------------------


def test_50_alternating_steps_keep_the_twins_together():
    seen = parity.measure(parity_models.small_gans()[0], TrainSpec(1), "float64", size=4, steps=50)
    assert seen["training loss"] <= 1e-10 and seen["gradients"] <= 1e-10 and seen["weights"] <= 1e-8
