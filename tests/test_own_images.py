"""Notebook 11's study on six sets as people have them, in both twins; and its example, angles that are told."""

import json
from types import SimpleNamespace

import numpy as np
import own_sets
import pytest
from PIL import Image
from tiny import ROOT

from twinvae import data
from twinvae.metrics import latent
from twinvae.spec import TrainSpec
from twinvae.training import Job, recipe_of, train_or_load
from twinvae_studies import evaluation, latent_space, own_images

GAP = (60.0, 120.0)


@pytest.fixture(autouse=True)
def results(monkeypatch, tmp_path):
    """Models are kept in the test's own folder."""
    monkeypatch.setenv("TWINVAE_RESULTS", str(tmp_path / "results"))


def read(name, tmp_path):
    dataset, parameters = own_sets.SETS[name](tmp_path / "sets")
    return data.splits(dataset, **parameters)


BOTH = ("transparent", "numbers")  # what may touch the twins: an odd shape in colour, a condition of floats


@pytest.mark.parametrize(
    "name, backend", [*((name, "torch") for name in own_sets.SETS), *((name, "tf") for name in BOTH)]
)
def test_each_set_goes_through(name, backend, tmp_path):
    images = read(name, tmp_path)
    jobs = own_images.jobs("smoke", backend, images, 2, epochs=1, seeds=1)
    assert ("CVAE" in jobs) == (name != "unlabelled")
    x, y = data.scale(images.test.x), images.test.y
    for kind, (job,) in jobs.items():
        trained = train_or_load(job, images)
        assert evaluation.reconstruct(trained, x, y).shape == x.shape
        if kind != "AE":
            assert evaluation.generate(trained, y).shape == x.shape
            mu, _ = evaluation.codes(trained, x, y)
            assert latent_space.principal(mu).shape == (len(x), 2)
            moved, units, _ = latent_space.traversal(trained, x, y, 5, np.array([-1.0, 1.0]))
            assert moved.shape == (2, 2, *images.test.shape) and sorted(units) == [0, 1]
    rows = own_images.examples(images.test)
    assert len(rows) == min(8, len(x) if name in ("numbers", "unlabelled") else images.test.num_classes)
    if name != "unlabelled":
        reader = own_images.Reader(images.train)
        assert 0.5 < reader.score(data.scale(images.train.x), images.train.y) <= 1


def test_a_code_of_one_number_is_drawn_in_a_plane():
    z = np.arange(5.0)[:, None]
    assert np.array_equal(latent_space.principal(z)[:, 1], np.zeros(5)) and latent_space.principal(z).shape == (5, 2)


@pytest.mark.parametrize("kind", ["folder", "npz", "csv"])
def test_images_that_are_too_large_are_refused_before_any_training(tmp_path, kind):
    """Only a folder's pictures can be brought to a size."""
    x = np.random.default_rng(0).integers(0, 256, (4, 300, 300, 3), np.uint8)
    path, shape = tmp_path / f"a.{kind}", {}
    if kind == "folder":
        path.mkdir()
        for at, picture in enumerate(x):
            Image.fromarray(picture).save(path / f"{at}.png")
    elif kind == "npz":
        np.savez(path, x=x)
    else:
        rows = ["label," + ",".join(map(str, range(x[0].size))), *("0," + ",".join(map(str, p.ravel())) for p in x)]
        path.write_text("\n".join(rows))
        shape = {"shape": (300, 300, 3)}
    images = data.splits(f"{kind}:{path}", **shape)
    message = r"images of 300 x 300 x 3 .* [0-9,]+ weights; make them smaller" + ", -p size 64" * (kind == "folder")
    with pytest.raises(ValueError, match=f"{message}$"):
        own_images.jobs("smoke", "torch", images, 2, None, None)


def test_epochs_are_as_many_as_the_steps_take(tmp_path):
    images = read("twelve", tmp_path)
    (job,) = own_images.jobs("quick", "torch", images, 2, None, 1)["VAE"]
    steps = job.phases[0].epochs * -(-len(images.train) // job.phases[0].batch_size)
    assert steps >= own_images.AMOUNTS["quick"].steps or job.phases[0].epochs == own_images.MOST_EPOCHS
    assert own_images.jobs("quick", "torch", images, 2, 7, 1)["VAE"][0].phases[0].epochs == 7


def test_turned_images_know_their_angle_and_leave_the_gap():
    images = data.splits("digits", train_size=300)
    angled = data.transformed(images, "twinvae_studies.own_images:turned", gap=GAP)
    for part in (angled.train, angled.valid):
        assert not own_images.inside(part, GAP).any()
    assert own_images.inside(angled.test, GAP).mean() == pytest.approx(1 / 6, abs=0.08)
    for at in range(5):
        angle = np.rad2deg(np.arctan2(*angled.train.y[at, ::-1]))
        assert np.abs(own_images.turn(images.train.x[at], angle).astype(int) - angled.train.x[at]).max() <= 1
    again = data.from_recipe(angled.recipe)
    assert np.array_equal(again.train.x, angled.train.x) and np.array_equal(again.test.y, angled.test.y)
    quarter = own_images.turn(images.train.x[0], 90)
    assert np.abs(quarter.astype(int) - np.rot90(images.train.x[0])).max() <= 1


def test_errors_of_turning_are_those_of_what_is_decoded(monkeypatch):
    """A model that turns without a fault has no error; one that never turns is off by more than the nearest angle."""
    images = data.splits("digits").test
    perfect = lambda _, image, angles: 2 * (data.scale(np.stack([own_images.turn(image, a) for a in angles])),)  # noqa: E731
    monkeypatch.setattr(own_images, "around", perfect)
    found = own_images.of_turning(None, images, GAP, 5)
    assert found["inside"] == found["outside"] == 0 < found["nearest"]


def test_a_condition_of_one_number_can_be_told(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", x=x, y=np.linspace(0, 1, 60), class_names=["age"])
    images = data.splits(f"npz:{tmp_path / 'a.npz'}")
    spec = own_images.models(images.train, 2)["CVAE"]
    trained = train_or_load(Job(spec, (TrainSpec(1, 32, 1e-3),), recipe_of(images)), images)
    assert evaluation.generate(trained, images.test.y).shape == (6, 8, 8, 1)


@pytest.mark.parametrize("spread, collapsed", [(0.0, True), (1.0, False)])
def test_a_collapsed_posterior_is_said_in_words(spread, collapsed):
    cells = json.loads((ROOT / "notebooks" / "11_your_images.ipynb").read_text(encoding="utf-8"))["cells"]
    (source,) = (text for cell in cells if "latent.active_units" in (text := "".join(cell["source"])))
    mu, said = spread * np.random.default_rng(0).standard_normal((9, 4)), []
    run = SimpleNamespace(number=lambda *given: None, findings=lambda words, **more: said.append(more["so"]))
    codes = SimpleNamespace(codes=lambda *given: (mu, np.zeros_like(mu)))
    exec(
        source,
        {"run": run, "evaluation": codes, "latent": latent, "np": np, "latent_dim": 4}
        | {"trained": {"VAE": [None]}, "x_test": None, "y_test": None},
    )
    assert ("The posterior has collapsed" in said[0]) == collapsed
