"""A model in one line: the one that a name means, what it can do in both twins, its files, and errors of a sentence."""

import json
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import torch
from pair import AE, CVAE, TWINS, VAE, same_arrays, splits
from tiny import ROOT

import twinvae
from twinvae import backend, checkpoints, data, training, zoo
from twinvae.metrics import likelihood
from twinvae.pretrained import all_found, onnx_file
from twinvae.spec import (
    LAYERS,
    Activation,
    Conv,
    Dense,
    Flatten,
    GlobalMaxPool,
    ModelSpec,
    Reshape,
    SpectralConv,
    TrainSpec,
    count_weights,
    mlp,
)
from twinvae.training import Job, NotTrained, published, spot_check
from twinvae_studies import evaluation, parity_models

IMAGES = splits()
X = data.scale(IMAGES.test.x)
SETTINGS = TrainSpec(2, 8, 1e-2)
KEPT = [model for model in all_found(ROOT / "results" / "models") if model.folder in published()]
over_twins = pytest.mark.parametrize("twin", TWINS)


def keep(spec=CVAE, epochs=2, **more) -> training.Trained:
    """Train a tiny model and keep it."""
    return training.train_or_load(
        Job(spec, (replace(SETTINGS, epochs=epochs),), training.recipe_of(IMAGES), **more), IMAGES
    )


# --- which model a name means --------------------------------------------------------------------


def test_a_name_means_the_model_that_has_seen_most(results, capsys):
    kept = {(e, s): keep(epochs=e, seed=s).folder.name for e, s in ((2, 0), (3, 1), (3, 0))}
    keep(VAE)
    chosen = twinvae.load("tiny_cvae")
    assert chosen.trained.folder.name == kept[3, 0]
    said = capsys.readouterr().out
    assert said.startswith(f"tiny_cvae: 3 models are kept; this is {kept[3, 0]}: seed 0") and "3 epochs of 26" in said
    assert twinvae.load(kept[2, 0]).trained.folder.name == kept[2, 0] and not capsys.readouterr().out
    listed = twinvae.models()
    listed = listed[listed.folder.isin(kept.values())]
    assert list(listed.folder) == [kept[3, 0], kept[3, 1], kept[2, 0]] and list(listed.seed) == [0, 1, 0]
    assert set(listed.name) == {"tiny_cvae"} and not listed.published.any()


def test_a_failed_training_and_a_folder_without_weights_are_no_models(results):
    folder = keep().folder
    (keep(VAE).folder / "weights.safetensors").unlink()
    assert [model.folder for model in all_found(results / "models")] == [folder.name]
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"failed": "loss is NaN"}))
    assert all_found(results / "models") == []


def test_an_unknown_name_gets_those_that_are_kept(results):
    keep()
    with pytest.raises(NotTrained, match=r"^model 'tiny' is unknown; those that are kept: .*tiny_cvae"):
        twinvae.load("tiny")
    wanted = next(name for name in zoo.ZOO if name not in set(twinvae.models().name))
    with pytest.raises(NotTrained, match=f"{wanted!r} has not been trained; make train trains it"):
        twinvae.load(wanted)
    with pytest.raises(ValueError, match="backend is 'jax'"):
        twinvae.load("tiny_cvae", backend="jax")


def test_weights_that_the_card_does_not_know_are_refused(results):
    trained = keep()
    checkpoints.write(trained.folder / "weights.safetensors", keep(seed=1).model.get_arrays())
    with pytest.raises(ValueError, match="is not what its card says"):
        twinvae.load(trained.folder.name)


# --- what it can do ------------------------------------------------------------------------------


def test_both_twins_do_the_same(results):
    keep()
    ours, theirs = (twinvae.load("tiny_cvae", backend=name) for name in TWINS)
    y = IMAGES.test.y
    same = dict(rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.sample("b", n=4, seed=3), theirs.sample(1, n=4, seed=3), **same)
    np.testing.assert_allclose(ours.reconstruct(X, y), theirs.reconstruct(IMAGES.test.x, y), **same)
    np.testing.assert_allclose(ours.encode(X, y), theirs.encode(X, y), **same)
    for labels in (y, None):
        np.testing.assert_allclose(ours.log_px(X, labels, samples=5), theirs.log_px(X, labels, samples=5), **same)


@over_twins
def test_samples_come_by_label_and_by_seed(results, twin):
    keep()
    model = twinvae.load("tiny_cvae", backend=twin)
    x = model.sample(["c", 0], n=3, seed=1)
    assert x.shape == (6, 5, 4, 1) and (x == model.sample([2, "a"], n=3, seed=1)).all()
    assert not (x == model.sample([2, 0], n=3, seed=2)).any() and model.sample(n=2).shape == (6, 5, 4, 1)
    keep(VAE)
    assert twinvae.load("tiny_vae", backend=twin).sample(n=2).shape == (2, 5, 4, 1)


def test_a_learned_prior_is_drawn_from(results):
    """The codes of a sample are those of p(z | y), whose parameters are set here to what no N(0, I) gives."""
    trained = keep()
    arrays = trained.model.get_arrays()
    arrays["prior_mu.dense1.bias"] += 50
    model = twinvae.load("tiny_cvae").model
    model.set_arrays(arrays)
    y = np.eye(3)[[0, 1]]
    z = np.random.default_rng([0, 6]).standard_normal((2, 2))
    mu, logvar = trained.twin.models.predict(model, "prior", y)
    expected = trained.twin.models.predict(model, "generate", mu + np.exp(logvar / 2) * z, y)
    np.testing.assert_allclose(spot_check.draw(model, trained.twin, y), expected, atol=1e-6)


def test_log_px_is_that_of_the_metrics_on_the_pixels_that_the_model_learned(results):
    settings = replace(SETTINGS, binarize="dynamic")
    trained = training.train_or_load(Job(CVAE, (settings,), training.recipe_of(IMAGES)), IMAGES)
    model, x, y = twinvae.load("tiny_cvae"), data.binarise(X, "fixed"), np.eye(3)[IMAGES.test.y]
    given_y = likelihood.importance_sampled(trained.model, trained.twin, x, y, 7)
    np.testing.assert_allclose(model.log_px(X, IMAGES.test.y, samples=7), given_y)
    each = likelihood.by_label(trained.model, trained.twin, x, 7)
    np.testing.assert_allclose(model.log_px(X, samples=7), np.log(np.exp(each).mean(1)))


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda m: m.sample("x"), "tiny_cvae has no label 'x'; it has a, b, c, or their positions from 0 to 2"),
        (lambda m: m.sample(3), "tiny_cvae has no label 3"),
        (lambda m: m.sample(n=0), "n is 0; it must be a whole number of at least 1"),
        (lambda m: m.sample(seed=-1), "seed is -1"),
        (lambda m: m.reconstruct(X), "tiny_cvae is conditional; give the images' labels, of a, b, c"),
        (lambda m: m.reconstruct(X, [0, 1]), "2 labels are given for 9 images; give one for each, or one for all"),
        (lambda m: m.encode(X[:, :4], 0), r"x has shape \(9, 4, 4, 1\); model 'tiny_cvae' takes \[N, 5, 4, 1\]"),
        (lambda m: m.log_px(X[0], 0), r"x has shape \(5, 4, 1\); model 'tiny_cvae' takes \[N, 5, 4, 1\]"),
        (lambda m: m.log_px(255 * X, 0), "the pixels of x run from 0 to 25[0-9]: scale them"),
        (lambda m: m.log_px(X, 0, samples=0), "samples is 0"),
        (lambda m: m.classify(X), "tiny_cvae is of kind 'cvae', which does not classify; take classifier"),
        (
            lambda m: m.save("my.h5"),
            "cannot save as 'my.h5'; its ending must be one of .keras, .safetensors, .pt, .onnx",
        ),
    ],
)
def test_wrong_input_gets_a_sentence(results, call, says):
    keep()
    with pytest.raises(ValueError, match=says) as error:
        call(twinvae.load("tiny_cvae"))
    assert "\n" not in str(error.value)


def test_kinds_without_prior_or_label_say_so(results):
    keep(AE), keep(VAE)
    with pytest.raises(ValueError, match="tiny_ae is of kind 'ae', which is not sampled"):
        twinvae.load("tiny_ae").sample()
    with pytest.raises(ValueError, match="tiny_ae is of kind 'ae', which has no likelihood"):
        twinvae.load("tiny_ae").log_px(X)
    with pytest.raises(ValueError, match="tiny_vae has no labels; leave them out"):
        twinvae.load("tiny_vae").sample("1")
    assert twinvae.load("tiny_ae").reconstruct(X).shape == X.shape


@pytest.mark.parametrize("name, other", [("torch", "tensorflow"), ("tf", "torch")])
def test_a_model_is_opened_without_the_other_framework_and_without_pandas(name, other):
    blocked = (other, "pandas", "matplotlib", "scipy", "sklearn", "IPython")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\nimport twinvae\n"
        f"print(twinvae.load('report004_cvae', {name!r}).sample('7').shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.endswith("(1, 28, 28, 1)\n"), done.stderr[-2000:]


# --- files ---------------------------------------------------------------------------------------


@over_twins
def test_saved_files_hold_the_same_model(results, twin, tmp_path):
    keep()
    model = twinvae.load("tiny_cvae", backend=twin)
    arrays = model.model.get_arrays()
    for ending in ("keras", "safetensors", "pt"):
        model.save(tmp_path / f"my.{ending}")
    assert same_arrays(keras.saving.load_model(tmp_path / "my.keras").get_arrays(), arrays)
    for name in TWINS:
        assert same_arrays(checkpoints.load_model(tmp_path / "my.safetensors", backend.get(name)).get_arrays(), arrays)
    plain = backend.get("torch").models.build(model.spec)
    plain.load_state_dict(torch.load(tmp_path / "my.pt", weights_only=True))
    assert same_arrays(plain.get_arrays(), arrays)


def test_a_folder_that_cannot_be_written_gets_a_sentence(results, tmp_path):
    keep()
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write .*my.pt"):
        twinvae.load("tiny_cvae").save(tmp_path / "file" / "my.pt")


def test_without_onnx_one_sentence_says_what_to_install(results, monkeypatch, tmp_path):
    keep()
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"needs the package onnx; install it: pip install -e '.\[onnx\]'"):
        twinvae.load("tiny_cvae").save(tmp_path / "my.onnx")


def sampled_models():
    """Every small model of the parity tests that can be sampled, and one with the layers that their decoders lack."""
    maps = (
        Dense(60),
        Reshape((5, 4, 3)),
        SpectralConv(4),
        Activation("tanh"),
        Flatten(),
        Dense(60),
        Reshape((5, 4, 3)),
    )
    shape = dict(image_shape=(5, 4, 1), latent_dim=2, encoder=(Flatten(), *mlp(6)))
    others = ModelSpec("other_layers", "vae", decoder=(*maps, Conv(8, padding="valid"), GlobalMaxPool()), **shape)
    return [spec for spec in (*parity_models.small_models(), others) if spec.kind in spot_check.SAMPLED]


def test_onnx_is_tried_with_every_layer():
    stacks = [stack for spec in sampled_models() for stack in spec.stacks().values()]
    decoders = [stack for stack in stacks if stack.name in ("decoder", "generator", "conditioner")]
    assert {type(row.layer) for stack in decoders for row in stack.walk()} == set(LAYERS.values())


@pytest.mark.parametrize("spec", sampled_models(), ids=lambda spec: spec.name)
def test_onnx_decodes_as_both_twins_do(spec, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="pip install -e '.[onnx]'")
    pytest.importorskip("onnx")
    rng = np.random.default_rng(0)
    arrays = {
        n: a + 0.3 * rng.standard_normal(a.shape)
        for n, a in backend.get("torch").models.build(spec).get_arrays().items()
    }
    arrays = {n: (np.abs(a) + 0.1 if n.endswith("running_var") else a).astype("float32") for n, a in arrays.items()}
    labels = tuple(map(str, range(spec.num_classes)))
    onnx_file.write(tmp_path / "my.onnx", spec, arrays, labels)
    session = runtime.InferenceSession(str(tmp_path / "my.onnx"))
    z = np.random.default_rng([5, 6]).standard_normal((7, spec.latent_dim))  # what `draw` draws by seed 5
    y = np.eye(max(1, spec.num_classes))[np.arange(7) % max(1, spec.num_classes)]
    given = {"z": z.astype("float32")} | ({"y": y.astype("float32")} if spec.num_classes else {})
    (x,) = session.run(["x"], given)
    assert json.loads(session.get_modelmeta().custom_metadata_map["labels"]) == list(labels)
    for name in TWINS:
        twin = backend.get(name)
        model = twin.models.build(spec)
        model.set_arrays(arrays)
        np.testing.assert_allclose(x, spot_check.draw(model, twin, y, 5), atol=1e-5)
    assert x.std() > 1e-3, "no constant picture"


# --- the models that are published ---------------------------------------------------------------


@pytest.fixture(scope="module")
def named_images():
    """The images on which a model was measured, read once for all models of a data set."""
    read = {}

    def images(job):
        key = replace(job.data, seed=0, train_size=None, valid_size=None, test_size=None, transform="", arguments=())
        key = (key, job.spec.num_classes)
        return read.setdefault(key, read.get(key) or spot_check.named_images(job))

    return images


@over_twins
@pytest.mark.parametrize("found", KEPT, ids=lambda found: found.folder)
def test_a_published_file_gives_the_values_of_its_card(found, twin, named_images):
    images, check = named_images(found.job), found.card["spot_check"]
    if images.fingerprint != check["images"].partition(":")[0]:
        pytest.skip(f"its images are not at hand: these are {images.source.label}")
    model = twinvae.load(found.folder, backend=twin)
    values = spot_check.measure(model.model, model.trained.twin, images, model.trained.settings)
    assert values.keys() == check["values"].keys()
    for name, value in values.items():
        assert abs(value - check["values"][name]) < 1e-4 * max(1, abs(value)), name


def printed(found) -> pd.Series | None:
    """The row of the scoreboard that a published model has, in the profile in which it was trained."""
    rows = pd.concat(
        [pd.read_csv(file, dtype={"report": str}) for file in ROOT.glob("results/*/*-torch/scoreboard.csv")]
    )
    spec = found.spec
    mine = rows[(rows.model == spec.name) & (rows.seed == found.job.seed) & (rows.parameters == count_weights(spec))]
    mine = mine[(mine.epochs == found.job.phases[-1].epochs) & mine.elbo.notna() & (mine.profile != "smoke")]
    return mine.iloc[0] if len(mine) else None


@pytest.mark.slow
@over_twins
@pytest.mark.parametrize(
    "found", [model for model in KEPT if printed(model) is not None], ids=lambda found: found.folder
)
def test_a_published_file_gives_what_the_scoreboard_prints_on_all_test_images(found, twin):
    images = data.from_recipe(found.job.data)
    row = printed(found)
    if images.source.label != row.data_source:
        pytest.skip(f"its images are not at hand: these are {images.source.label}")
    model = twinvae.load(found.folder, backend=twin)
    values = evaluation.elbo_terms(model.trained, images.test)
    for name in ("elbo", "recon", "kl"):  # with two digits behind the point
        assert abs(values[name] - row[name]) < 0.01, name


def test_every_published_model_has_its_card_in_words_and_its_labels():
    assert {model.folder for model in KEPT} == published()
    for model in KEPT:
        words = model.path.with_name("card.md").read_text(encoding="utf-8")
        assert f'twinvae.load("{model.folder}"' in words and "licence" in words
        assert len(model.card["labels"]) == model.spec.num_classes


def test_what_is_in_git_is_small():
    """All tracked files together have at most 50 MB, weights 30, a file of weights 5."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git repository")
    sizes = {
        name: (ROOT / name).stat().st_size for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()
    }
    weights = {name: size for name, size in sizes.items() if name.endswith(".safetensors")}
    assert sum(sizes.values()) <= 50 * 2**20 and sum(weights.values()) <= 30 * 2**20
    assert max(weights.values()) <= 5 * 2**20
