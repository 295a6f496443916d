"""The models of both twins: weights, shapes, the same numbers, and their own frameworks' files."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pytest
import torch
from pair import AE, CLASSES, CVAE, SHAPE, TWINS, VAE, array

from twinvae import backend, randomness, reference, spec, zoo
from twinvae_studies import parity_models

RNG = np.random.default_rng(0)
X = RNG.random((6, *SHAPE))
Y = np.eye(CLASSES)[[0, 1, 2, 2, 1, 0]]
EPS = RNG.normal(size=(6, 2))
over_twins = pytest.mark.parametrize("twin", TWINS)
MODELS = {model.name: model for model in (AE, VAE, CVAE)}


@pytest.fixture(scope="module")
def built():
    """Each small model in both twins, float64."""
    return {
        (twin, name): backend.get(twin).models.build(model, dtype="float64")
        for twin in TWINS
        for name, model in MODELS.items()
    }


def call(built, twin: str, name: str, method: str, *arrays):
    """A method of a model, NumPy in and out, without compiling it."""
    model = built[twin, name]
    to_tensors = backend.get(twin).train.tensors
    out = getattr(model, method)(*[None if a is None else to_tensors([a])[0] for a in arrays])
    return [array(t) for t in out] if isinstance(out, tuple) else array(out)


# --- weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, count", [("report004_ae", 1_158_772), ("report004_vae", 1_171_672), ("report004_cvae", 1_182_696)]
)
def test_report_004_has_the_counted_weights_in_both_frameworks(name, count):
    torch_model, keras_model = (backend.get(twin).models.build(zoo.get(name)) for twin in TWINS)
    assert sum(p.numel() for p in torch_model.parameters()) == keras_model.count_params() == count
    if name == "report004_cvae":
        conditioner = sum(p.numel() for p in torch_model.conditioner.parameters())
        assert conditioner == keras_model.conditioner.count_params() == 2_832


@over_twins
@pytest.mark.parametrize("model", parity_models.small_models(), ids=lambda model: model.name)
def test_a_model_holds_the_weights_of_its_spec_as_drawn(twin, model):
    built = backend.get(twin).models.build(model, seed=5, dtype="float64")
    arrays = built.get_arrays()
    drawn = randomness.initial_weights(model, 5)
    assert sorted(arrays) == sorted(w.name for w in model.weights())
    assert all((arrays[name] == drawn[name]).all() and arrays[name].shape == drawn[name].shape for name in drawn)
    optimizer = backend.get(twin).train.Optimizer(built, spec.TrainSpec(epochs=1))
    assert sorted(optimizer.names) == sorted(w.name for w in model.weights() if w.trainable)


@over_twins
def test_report_004_begins_at_ln_2_a_pixel_and_no_kl(twin):
    model = dataclasses.replace(zoo.get("report004_vae"), likelihood="bernoulli")
    twin = backend.get(twin)
    x, y, eps = (a.astype("float32") for a in (RNG.random((8, 28, 28, 1)), np.eye(10)[:8], RNG.normal(size=(8, 100))))
    recon, kl = (array(t) for t in twin.models.build(model).loss_terms(*twin.train.tensors([x, x, y, eps])))
    np.testing.assert_allclose(recon, 543.427, atol=0.01)
    assert (kl < 1e-4).all()


@over_twins
def test_weights_of_another_model_are_refused(twin, built):
    model = built[twin, "tiny_vae"]
    arrays = model.get_arrays()
    for change, message in [
        ({"mu.dense1.bias": np.zeros(3)}, r"weight 'mu.dense1.bias' has shape \(3,\); .* needs \(2,\)"),
        ({"extra": np.zeros(3)}, "model 'tiny_vae' has no weight 'extra'"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.set_arrays(arrays | change)
    with pytest.raises(ValueError, match="weight 'mu.dense1.bias' of model 'tiny_vae' is missing"):
        model.set_arrays({name: a for name, a in arrays.items() if name != "mu.dense1.bias"})


# --- what goes in and comes out ------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, method, arguments, shapes",
    [
        ("tiny_ae", "encode", (X, Y), [(6, 2)]),
        ("tiny_vae", "encode", (X, Y), [(6, 2), (6, 2)]),
        ("tiny_cvae", "encode", (X, Y), [(6, 2), (6, 2)]),
        ("tiny_cvae", "prior", (Y,), [(6, 2), (6, 2)]),
        *[(name, "decode", (EPS, Y), [(6, *SHAPE)]) for name in MODELS],
        *[(name, "generate", (EPS, Y), [(6, *SHAPE)]) for name in MODELS],
        *[(name, "reconstruct", (X, Y), [(6, *SHAPE)]) for name in MODELS],
        *[(name, "reconstruct", (X, Y, EPS), [(6, *SHAPE)]) for name in MODELS],
        *[(name, "loss_terms", (X, X, Y, EPS), [(6,), (6,)]) for name in MODELS],
        *[
            (name, "log_weights", (X, Y, np.stack([EPS, -EPS, 2 * EPS])), [(3, 6)])
            for name in ("tiny_vae", "tiny_cvae")
        ],
    ],
)
def test_both_twins_return_the_same(built, name, method, arguments, shapes):
    ours, theirs = (call(built, twin, name, method, *arguments) for twin in TWINS)
    ours, theirs = ([out] if isinstance(out, np.ndarray) else out for out in (ours, theirs))
    assert [out.shape for out in ours] == shapes
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
        assert a.std() > 0 or (name, method) == ("tiny_ae", "loss_terms")  # an AE has no KL


@over_twins
def test_a_vae_is_the_references_mlp(built, twin):
    w = built[twin, "tiny_vae"].get_arrays()
    layer = lambda name: (w[f"{name}.weight"], w[f"{name}.bias"])  # noqa: E731
    h = reference.mlp(X.reshape(6, -1), [layer("encoder.dense1")], slope=0.2, activate_last=True)
    mu, logvar = reference.dense(h, *layer("mu.dense1")), reference.dense(h, *layer("logvar.dense1"))
    z = reference.reparameterize(mu, logvar, EPS)
    x_logits = reference.mlp(z, [layer("decoder.dense1"), layer("decoder.dense2")], slope=0.2).reshape(X.shape)
    recon, kl = call(built, twin, "tiny_vae", "loss_terms", X, X, Y, EPS)
    np.testing.assert_allclose(recon, reference.bernoulli_nll(X, x_logits), rtol=1e-13)
    np.testing.assert_allclose(kl, reference.kl_standard(mu, logvar), rtol=1e-12)
    np.testing.assert_allclose(
        call(built, twin, "tiny_vae", "reconstruct", X, Y, EPS), reference.sigmoid(x_logits), rtol=1e-12
    )
    log_weight = reference.log_normal(z, 0 * mu, 0 * mu) - reference.log_normal(z, mu, logvar) - recon
    np.testing.assert_allclose(call(built, twin, "tiny_vae", "log_weights", X, Y, EPS[None])[0], log_weight, rtol=1e-12)


@over_twins
def test_the_condition_moves_a_cvae_and_not_a_vae(built, twin):
    other = Y[:, ::-1].copy()
    moved = {
        name: np.abs(
            call(built, twin, name, "generate", EPS, Y) - call(built, twin, name, "generate", EPS, other)
        ).max()
        for name in ("tiny_vae", "tiny_cvae")
    }
    assert moved["tiny_vae"] == 0 and moved["tiny_cvae"] > 0.01


@over_twins
@pytest.mark.parametrize("way", ["concat", "planes", "plane", "film"])
def test_the_condition_enters_the_encoder(twin, way):
    model = next(s for s in parity_models.small_specs() if s.encoder_condition == way)
    twin = backend.get(twin)
    built = twin.models.build(model, dtype="float64")
    x = RNG.random((2, *model.image_shape))
    (a, _), (b, _) = (built.encode(*twin.train.tensors([x, np.eye(4)[labels]])) for labels in ([0, 1], [0, 2]))
    difference = np.abs(array(a) - array(b)).max(1)
    assert difference[0] == 0 and difference[1] > 1e-3


@over_twins
def test_a_label_plane_is_one_hot_at_every_pixel(twin, monkeypatch):
    model = next(s for s in parity_models.small_specs() if s.encoder_condition == "planes")
    twin = backend.get(twin)
    built = twin.models.build(model, dtype="float64")
    x = RNG.random((2, *model.image_shape))
    seen = []
    stack = type(built.encoder)
    method = "forward" if hasattr(stack, "forward") else "call"
    original = getattr(stack, method)
    monkeypatch.setattr(
        stack, method, lambda self, h, *args, **kwargs: (seen.append(h), original(self, h, *args, **kwargs))[1]
    )
    built.encode(*twin.train.tensors([x, np.eye(4)[[1, 3]]]))
    planes = array(seen[0])
    assert planes.shape == (2, 7, 5, 3 + 4)
    assert (planes[..., :3] == x).all()
    assert (planes[..., 3:] == np.eye(4)[[1, 3]][:, None, None, :]).all()


@over_twins
def test_a_label_as_a_number_runs_from_0_to_1(twin):
    model = next(s for s in parity_models.small_specs() if s.decoder_condition == "number")
    twin = backend.get(twin)
    built = twin.models.build(model, dtype="float64")
    (y,) = twin.train.tensors([np.eye(4)])
    np.testing.assert_allclose(array(built.number(y)), np.array([[0], [1 / 3], [2 / 3], [1]]), rtol=1e-15)
    hot = np.eye(4)
    zero = np.zeros((4, 3))
    images = twin.models.call(built, "generate", zero, hot)
    weight, _ = (built.get_arrays()[f"decoder.dense1.{name}"] for name in ("weight", "bias"))
    assert weight.shape[1] == 3 + 1 and np.abs(np.diff(images, axis=0)).max() > 1e-3


@over_twins
def test_call_and_predict_give_the_same_in_numpy(twin):
    twin = backend.get(twin)
    model = twin.models.build(VAE, dtype="float64")
    mu, logvar = twin.models.call(model, "encode", X, Y)
    assert isinstance(mu, np.ndarray) and mu.dtype == np.float64
    for a, b in zip((mu, logvar), twin.models.predict(model, "encode", X, Y, batch=4), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    one = twin.models.call(model, "generate", EPS[:4], None)
    more = twin.models.predict(model, "generate", EPS, None, batch=4)
    np.testing.assert_allclose(one, more[:4], rtol=1e-13)


# --- batch normalisation -------------------------------------------------------------------------


@over_twins
def test_batch_norm_moves_in_training_only_and_by_keras_rule(twin):
    model = dataclasses.replace(VAE, encoder=(spec.Flatten(), spec.BatchNorm(momentum=0.9, epsilon=1e-2)))
    twin = backend.get(twin)
    built = twin.models.build(model, dtype="float64")
    before = built.get_arrays()
    batch = twin.train.tensors([X, X, Y, EPS])
    built.loss_terms(*batch)
    assert all((before[name] == a).all() for name, a in built.get_arrays().items())
    built.loss_terms(*batch, training=True)
    after = built.get_arrays()
    flat = X.reshape(6, -1)
    np.testing.assert_allclose(after["encoder.batchnorm1.running_mean"], 0.1 * flat.mean(0), rtol=1e-12)
    np.testing.assert_allclose(after["encoder.batchnorm1.running_var"], 0.9 + 0.1 * flat.var(0), rtol=1e-12)
    h = array(built.features(batch[0], training=True))
    np.testing.assert_allclose(h, (flat - flat.mean(0)) / np.sqrt(flat.var(0) + 1e-2), rtol=1e-10)


# --- the frameworks' own files -------------------------------------------------------------------


def test_a_keras_user_can_use_the_model(built, capsys):
    model = built["tf", "tiny_cvae"]
    assert isinstance(model, keras.Model)
    model.summary()
    assert f"{model.count_params():,}" in capsys.readouterr().out.replace(" ", "")
    x, y = backend.get("tf").train.tensors([X, Y])
    np.testing.assert_allclose(array(model(x, y)), call(built, "tf", "tiny_cvae", "reconstruct", X, Y), rtol=1e-13)
    np.testing.assert_allclose(
        array(built["tf", "tiny_vae"](x)), call(built, "tf", "tiny_vae", "reconstruct", X), rtol=1e-13
    )


def test_a_torch_user_can_use_the_model(built, tmp_path):
    model = built["torch", "tiny_cvae"]
    assert isinstance(model, torch.nn.Module)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    other = backend.get("torch").models.build(CVAE, seed=9, dtype="float64")
    assert (other.mu.dense1.weight != model.mu.dense1.weight).any()
    other.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert all((a == model.get_arrays()[name]).all() for name, a in other.get_arrays().items())


@pytest.mark.parametrize("name", ["small_vae", "small_conditioner", "small_planes", "small_film", "small_cgan"])
def test_a_keras_file_gives_the_model_back(name, tmp_path):
    model = next(s for s in parity_models.small_models() if s.name == name)
    built = backend.get("tf").models.build(model, seed=7, dtype="float64")
    built.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.spec == model
    assert all((a == built.get_arrays()[n]).all() for n, a in loaded.get_arrays().items())
    x = RNG.random((2, 3) if model.kind == "cgan" else (2, *model.image_shape))  # a GAN is called with z
    x, y = backend.get("tf").train.tensors([x, np.eye(4)[:2]])
    assert (array(loaded(x, y)) == array(built(x, y))).all()


def test_a_keras_file_needs_no_more_than_the_models(tmp_path):
    """In a fresh process that imports Keras and the models, nothing else."""
    model = backend.get("tf").models.build(VAE, seed=3)
    model.save(tmp_path / "model.keras")
    script = (
        "import keras, twinvae.tf.models\n"
        "model = keras.saving.load_model('model.keras')\n"
        "print(float(abs(model.get_arrays()['mu.dense1.weight']).sum()))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) == float(abs(model.get_arrays()["mu.dense1.weight"]).sum())


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match="backend is 'jax'; allowed are 'torch', 'tf'"):
        backend.get("jax")


def test_importing_twinvae_imports_no_framework():
    script = (
        "import sys, twinvae, twinvae.spec, twinvae.randomness, twinvae.checkpoints, "
        "twinvae_studies.parity; print(sorted({'torch', 'tensorflow', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["pt", "tf"])
def test_triton_is_imported_with_its_own_llvm(tmp_path, package):
    (tmp_path / "triton.py").write_text("import sys\nflags = sys.getdlopenflags()\n")
    script = (
        f"import os, sys\nsys.path.insert(0, {str(tmp_path)!r})\nbefore = sys.getdlopenflags()\n"
        f"import twinvae.{package}\nused = sys.modules['triton'].flags\n"
        "print(used & os.RTLD_DEEPBIND > 0, sys.getdlopenflags() == before)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True"], done.stderr[-2000:]


def test_an_optimizer_of_pytorch_is_made_after_tensorflow_was_imported():
    """Where PyTorch brought Triton, this ended the process."""
    script = (
        "import tensorflow, twinvae.pt, torch\nprint(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 0.1).state)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
