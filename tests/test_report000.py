"""Report 000: what is trained, event files, the pipeline's pictures, modules."""

import zipfile
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
from pair import CVAE, TWINS, splits

from twinvae import backend
from twinvae.data import by_class
from twinvae.spec import Dense, Film, TrainSpec
from twinvae_studies import evaluation, planning, report000

IMAGES = splits()
FAST = TrainSpec(epochs=6, batch_size=6, learning_rate=0.5)


# --- what is trained -----------------------------------------------------------------------------


@pytest.mark.parametrize("profile", planning.PROFILES)
def test_digits_are_as_many_as_characters_and_seeds_are_pytorchs(profile, monkeypatch):
    monkeypatch.setattr(report000.data, "from_recipe", lambda recipe: IMAGES)
    parameters = dict(epochs=None, seeds=None, batch_size=128, learning_rate=1e-3, beta=2.0)
    found = {name: report000.jobs(profile, name, **parameters) for name in TWINS}
    recipe = found["torch"]["mnist"].data
    assert (recipe.train_size, recipe.valid_size, recipe.test_size) == (26, 9, 9)
    many = 3 if profile == "full" else 1
    seeds = {name: [part["cvae"], part["vae"], *part["small"].values()] for name, part in found.items()}
    counts = {name: set(map(len, lists)) for name, lists in seeds.items()}
    assert counts == {"torch": {many}, "tf": {1}}
    assert found["tf"]["nist"].spec.num_classes == 62 and found["tf"]["vae"][0].data == found["tf"]["cvae"][0].data


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


# --- the pipeline --------------------------------------------------------------------------------


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


def test_modules_are_counted_in_the_files_that_import_them():
    table = report000.modules({"torch": "a twin", "cv2": "pictures", "no_such_module": "nothing"}).set_index("module")
    assert table.files["torch"] >= 5 and table.files["cv2"] >= 1 and table.files["no_such_module"] == 0
    assert table.version["no_such_module"] == "-" and table.version["torch"][0].isdigit()
