"""Report 000: the clipped loss in both twins, the training that stops, events, look-alikes, the pipeline's pictures."""

import zipfile
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
from pair import CVAE, TWINS, array, splits

from twinvae import backend, reference
from twinvae.checkpoints import NotFinite
from twinvae.data import by_class
from twinvae.metrics import latent
from twinvae.spec import Dense, Film, TrainSpec
from twinvae_studies import evaluation, mistakes, planning, report000

RNG = np.random.default_rng(0)
X = RNG.random((6, 4, 3, 1))
LOGITS = RNG.normal(0, 3, (6, 4, 3, 1))
IMAGES = splits()


def white(images):
    return replace(images, x=images.x | 255)


WHITE = replace(IMAGES, train=white(IMAGES.train), valid=white(IMAGES.valid))
FAST = TrainSpec(epochs=6, batch_size=6, learning_rate=0.5)


# --- the loss that fails -------------------------------------------------------------------------


def clipped(name: str, x, x_logits, clip: float, dtype: str = "float64") -> np.ndarray:
    """The clipped loss of a twin on NumPy arrays, in NumPy."""
    twin = backend.get(name)
    tensors = twin.train.tensors([np.asarray(a, dtype) for a in (x, x_logits)])
    return array(mistakes.clipped_nll(twin, *tensors, clip))


@pytest.mark.parametrize("name", TWINS)
def test_the_clipped_loss_is_its_formula_and_the_right_one_where_nothing_is_clipped(name):
    p = np.clip(1 / (1 + np.exp(-LOGITS)), 0.1, 0.9)
    wanted = -(X * np.log(p) + (1 - X) * np.log(1 - p)).sum((1, 2, 3))
    np.testing.assert_allclose(clipped(name, X, LOGITS, 0.1), wanted, rtol=1e-12)
    found = clipped(name, X, LOGITS, 1e-9)
    np.testing.assert_allclose(found, reference.bernoulli_nll(X, LOGITS), rtol=1e-6)


@pytest.mark.parametrize("name", TWINS)
def test_in_single_precision_a_clip_below_the_rounding_does_nothing_at_one(name):
    def at(logit, x, clip):
        return clipped(name, [[x]], [[logit]], clip, dtype="float32")[0]

    for clip in report000.CLIPS:
        assert np.isfinite(at(40, 1, clip)) == np.isfinite(at(40, 0, clip)) == (clip > report000.ROUNDED)
        assert np.isfinite(at(-40, 0, clip)), "at the other end the clip is a number that float32 knows"
    np.testing.assert_allclose(at(40, 0, 1e-4), -np.log(1e-4), rtol=1e-3)


@pytest.mark.parametrize("name", TWINS)
def test_only_trainings_with_a_rounded_clip_fail(name, results, monkeypatch):
    monkeypatch.setattr(report000, "CLIPS", (1e-8, 1e-7))
    twin = backend.get(name)
    with twin.train.uncompiled():
        curves = report000.clipped(twin, CVAE, FAST, WHITE)
    lost = {key: not np.isfinite(curve.loss).all() for key, curve in curves.items()}
    assert lost == {f"{clip:.0e}": clip < report000.ROUNDED for clip in report000.CLIPS} | {"logits": False}
    with twin.train.uncompiled():
        plain = mistakes.train(evaluation.job(twin, CVAE, FAST, WHITE), WHITE)[1]
    assert plain.equals(curves["logits"])


@pytest.mark.parametrize("name", TWINS)
def test_the_training_loop_stops_at_the_first_loss_that_is_not_finite(name, results):
    twin, run = backend.get(name), SimpleNamespace(may_train=True)

    def trained(least, settings):
        clip = {"change": report000.CLIP, "arguments": (("least", least),)}
        return evaluation.train_all(run, evaluation.job(twin, CVAE, settings, WHITE, **clip), WHITE)

    with twin.train.uncompiled():
        with pytest.raises(NotFinite, match="^the loss is (nan|inf) at epoch") as first:
            trained(1e-12, FAST)
        with pytest.raises(NotFinite) as again:
            trained(1e-12, FAST)
        assert str(again.value) == str(first.value)
        assert len(trained(1e-4, replace(FAST, epochs=1)).history) == 1


def test_the_epoch_by_which_most_of_the_fall_is_done():
    assert report000.epochs_to(np.array([100.0, 50, 6, 4, 0])) == 3
    assert report000.epochs_to(np.array([100.0, 0, 5, 9])) == 1
    twin = backend.get("torch")
    assert report000.untrained(twin, CVAE, FAST, IMAGES) == pytest.approx(
        twin.train.evaluate(twin.models.build(CVAE), IMAGES.valid, FAST)[0]
    )


def test_a_model_that_never_beats_class_means_has_not_converged():
    assert report000.epochs_within(np.array([90.0, 50.5, 50, 51]), 100.0) == 2
    assert report000.epochs_within(np.array([120.0, 110, 105]), 100.0) == 3


def test_class_means_pay_what_a_bernoulli_of_them_pays():
    x = np.zeros((4, 1, 2, 1), np.uint8)
    x[[0, 2], 0, 0] = 255  # class 0: a pixel that is white in one of two, and one that is black in both
    few = replace(IMAGES.train, x=x, y=np.array([0, 0, 1, 1]))
    halves = replace(IMAGES, train=few, valid=few.subset(np.arange(2)))
    assert report000.class_means_loss(halves) == pytest.approx(np.log(2) - np.log(1 - 1e-3))


# --- what is trained -----------------------------------------------------------------------------


@pytest.mark.parametrize("profile", planning.PROFILES)
def test_digits_are_as_many_as_characters_and_seeds_are_pytorchs(profile, monkeypatch):
    monkeypatch.setattr(report000.data, "from_recipe", lambda recipe: IMAGES)
    parameters = dict(epochs=None, seeds=None, batch_size=128, learning_rate=1e-3, beta=2.0)
    found = {name: report000.jobs(profile, name, **parameters) for name in TWINS}
    recipe = found["torch"]["mnist"].data
    assert (recipe.train_size, recipe.valid_size, recipe.test_size) == (26, 9, 9)
    many = 3 if profile == "full" else 1
    counts = {name: {len(part["cvae"]), *map(len, part["small"].values())} for name, part in found.items()}
    assert counts == {"torch": {many}, "tf": {1}}
    assert found["tf"]["nist"].spec.num_classes == 62 and found["tf"]["vae"].data == found["tf"]["cvae"][0].data


# --- TensorBoard ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TWINS)
def test_graph_images_and_codes_lie_beside_the_curves(name, tmp_path):
    twin = backend.get(name)
    model = twin.models.build(CVAE)
    curve = pd.DataFrame({"epoch": [1, 2], "valid_loss": [3.0, 2.0]})
    trained = evaluation.Trained(evaluation.job(twin, CVAE, FAST, IMAGES), model, twin, curve, {}, None)
    before = model.get_arrays()
    run = SimpleNamespace(folder=tmp_path)
    for _ in range(2):  # the second takes the place of the first
        assert report000.events(run, trained, IMAGES.valid, shown=3) == ["curves", "graph", "images", "codes"]
    assert len(list((tmp_path / "events").glob("events.out*"))) == 1
    assert all((a == model.get_arrays()[key]).all() for key, a in before.items())
    twin.train.fit(model, IMAGES, TrainSpec(1, 8))  # it still trains
    report000.projector(tmp_path, np.array([[1.5, -2], [0, 3]]), ["a", "b"])
    assert (tmp_path / "codes.tsv").read_text() == "1.5\t-2\n0\t3\n"
    assert (tmp_path / "names.tsv").read_text() == "a\nb\n"
    assert 'tensor_path: "codes.tsv"' in (tmp_path / "projector_config.pbtxt").read_text()


# --- pipeline, codes, samples --------------------------------------------------------------------


def test_pictures_come_with_the_name_of_their_folder(tmp_path, monkeypatch):
    path = tmp_path / "by_class.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for code, character in by_class.HEX_TO_CHARACTER.items():
            picture = np.full((128, 128), ord(character), np.uint8)
            archive.writestr(f"by_class/{code}/hsf_0/hsf_0_00000.png", cv2.imencode(".png", picture)[1].tobytes())
    monkeypatch.setattr(report000.finding, "find", lambda *_: SimpleNamespace(paths={"all": (path,)}))
    codes, x = report000.pictures(3, 28)
    assert len(codes) == 3 and x.shape == (3, 28, 28, 1)
    assert [chr(image[0, 0, 0]) for image in x] == [by_class.HEX_TO_CHARACTER[code] for code in codes]


def test_quantiles_of_normal_codes_lie_on_the_line():
    normal, found = report000.quantiles(RNG.standard_normal((200_000, 2)))
    np.testing.assert_allclose(found, np.c_[normal, normal], atol=0.06)
    assert (latent.marginal_distance(RNG.standard_normal((20_000, 2))) < 0.02).all()


def test_lookalikes_are_pairs_in_either_direction():
    asked = np.array([[4, 4, 0], [0, 8, 0], [1, 0, 7]])
    table = report000.lookalikes(asked, np.eye(3), "abc", 2)
    assert table.pair.tolist() == ["a b", "a c"] and table.samples.tolist() == [0.25, 0.0625] and not table.real.any()


def test_each_small_training_changes_what_its_name_says():
    rows = planning.changed(evaluation.job(backend.get("torch"), CVAE, FAST, IMAGES), report000.SMALL)
    assert {name: job.spec.likelihood for name, job in rows.items()} == {
        "bernoulli": "bernoulli", "continuous": "continuous_bernoulli", "gaussian": "gaussian_learned",
        "beta": "bernoulli", "elbo": "bernoulli", "prior": "bernoulli"}  # fmt: skip
    assert rows["elbo"].phases[0].beta == 1 and rows["beta"].phases[0].beta == 0.3
    assert rows["prior"].spec.prior == "learned"
    assert len({job.spec.name for job in rows.values()}) == len(rows)


def test_a_vae_has_no_layer_that_serves_a_label():
    film = replace(CVAE, decoder_condition="film", decoder=(Dense(6), Film(), Dense(5)))
    vae = evaluation.unlabelled(film, "plain")
    assert (vae.kind, vae.name, vae.prior, vae.decoder) == ("vae", "plain", "standard", (Dense(6), Dense(5)))
    assert backend.get("torch").models.build(vae).spec.num_classes == 0


@pytest.mark.parametrize("name", TWINS)
def test_contrast_of_one_changes_nothing_and_more_goes_to_black_and_white(name):
    twin = backend.get(name)
    y = np.arange(12) % 3
    trained = evaluation.Trained(
        evaluation.job(twin, CVAE, FAST, IMAGES), twin.models.build(CVAE), twin, None, {}, None
    )
    plain = evaluation.generate(trained, y)
    np.testing.assert_allclose(report000.contrasted(trained, y, 1), plain, atol=1e-6)
    more = report000.contrasted(trained, y, 3)
    assert (np.abs(more - 0.5) >= np.abs(plain - 0.5) - 1e-6).all() and ((more > 0.5) == (plain > 0.5)).mean() > 0.99


def test_modules_are_counted_in_the_files_that_import_them():
    table = report000.modules({"torch": "a twin", "cv2": "pictures", "no_such_module": "nothing"}).set_index("module")
    assert table.files["torch"] >= 5 and table.files["cv2"] >= 1 and table.files["no_such_module"] == 0
    assert table.version["no_such_module"] == "-" and table.version["torch"][0].isdigit()
