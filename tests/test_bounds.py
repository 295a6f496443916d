"""The study of bounds: its models, the gain over the VAE, and that it goes on where it was."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pair import CVAE, VAE, splits
from scipy.special import logsumexp

from twinvae import backend, data, zoo
from twinvae.spec import BoundSpec, TrainSpec, count_weights
from twinvae_studies import burda2016, burda2016_bounds

IMAGES = splits()
X = data.binarise(data.scale(IMAGES.test.x), "fixed")
Y = IMAGES.test.y
FEW = np.array([3, 0, 7])


def test_the_models_differ_in_one_thing_each():
    vae = zoo.get("vae_200_200")
    assert burda2016_bounds.model("vae") == burda2016_bounds.model("vae_long") == vae
    for name, samples, weighted in (("iwae_5", 5, True), ("vae_50", 50, False)):
        spec = burda2016_bounds.model(name)
        assert isinstance(spec, BoundSpec) and (spec.samples, spec.weighted) == (samples, weighted)
        assert spec.noise_dim == samples * 50 and count_weights(spec) == count_weights(vae)
    standard, learned = (burda2016_bounds.model(f"cvae_{prior}") for prior in ("standard", "learned"))
    assert replace(standard, name="", prior="learned") == replace(learned, name="")
    assert count_weights(learned) - count_weights(standard) == 2 * 11 * 50
    assert set(burda2016_bounds.WORDS) == set(burda2016_bounds.SEEDS)
    assert set(burda2016_bounds.PAPER) < set(burda2016_bounds.SEEDS) and all(
        burda2016_bounds.model(name) for name in burda2016_bounds.SEEDS
    )


def test_all_take_the_same_updates_and_one_takes_more():
    updates = lambda name: sum(run.epochs for run in burda2016_bounds.settings(name, 0))  # noqa: E731
    assert {updates(name) for name in burda2016_bounds.SEEDS} == {
        updates("vae"),
        burda2016_bounds.LONGER * updates("vae"),
    }
    assert len({run.seed for seed in range(3) for run in burda2016_bounds.settings("vae", seed)}) == 9
    order = burda2016_bounds.order()
    first = [(name, 0) for name in burda2016_bounds.SEEDS if name not in burda2016_bounds.LAST]
    assert order[: len(first)] == first and [name for name, _ in order[-3:]] == list(burda2016_bounds.LAST)
    assert len(order) == len(set(order)) == sum(burda2016_bounds.SEEDS.values())


def test_a_cvae_is_measured_with_its_label_summed_out(tmp_path):
    twin = backend.get("torch")
    found = burda2016_bounds.measured(twin.models.build(CVAE), twin, X, Y, 20, FEW, tmp_path)
    each = np.stack([np.load(tmp_path / f"label-{label}" / "20-00000.npy") for label in range(3)], 1)
    np.testing.assert_allclose(found["nll"], -(logsumexp(-each, 1) - np.log(3)), rtol=1e-12)
    np.testing.assert_array_equal(found["given_y"], each[range(3), Y[FEW]])
    assert (found["nll"] <= found["given_y"] + np.log(3) + 1e-9).all()
    assert burda2016_bounds.measured(twin.models.build(VAE), twin, X, Y, 20, FEW, tmp_path / "vae")["nll"].shape == (9,)


def test_a_gain_is_taken_image_by_image():
    base = np.arange(9.0)
    assert burda2016_bounds.gain(base, base - 2, FEW) == pytest.approx({"gain": 2, "low": 2, "high": 2})
    assert burda2016_bounds.gain(base, base[FEW] - 1, FEW) == pytest.approx({"gain": 1, "low": 1, "high": 1})


def test_the_study_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(burda2016, "FOLDER", tmp_path)
    monkeypatch.setattr(burda2016_bounds, "SEEDS", {"vae": 2, "iwae_5": 1, "cvae_learned": 1})
    monkeypatch.setattr(burda2016_bounds, "SAMPLES", 5)
    tiny = {
        "vae": VAE,
        "cvae_learned": CVAE,
        "iwae_5": BoundSpec(**{k: v for k, v in vars(VAE).items() if k != "kind"}, kind="iwae", samples=5),
    }
    monkeypatch.setattr(burda2016_bounds, "model", tiny.get)
    monkeypatch.setattr(
        burda2016_bounds, "settings", lambda which, seed: [TrainSpec(1, 8, binarize="dynamic", seed=seed)] * 2
    )
    monkeypatch.setattr(burda2016_bounds.data, "splits", lambda _: IMAGES)
    with pytest.raises(FileNotFoundError, match="'python -m twinvae_studies.burda2016_bounds"):
        burda2016_bounds.load("torch")
    made = []
    for _ in range(2):
        burda2016_bounds.main("torch")
        made.append(burda2016_bounds.load("torch")["models"])
    assert json.dumps(made[0]) == json.dumps(made[1]), "the second is read"
    assert [entry["seed"] for entry in made[0]["vae"]["seeds"]] == [0, 1]
    assert made[0]["vae"]["seeds"][0]["against_vae"] == {"gain": 0, "low": 0, "high": 0}
    table = burda2016_bounds.table(burda2016_bounds.load("torch")).set_index("model")
    gains = [seed["against_vae"]["gain"] for seed in made[0]["iwae_5"]["seeds"]]
    assert table.mean_gain["iwae_5"] == pytest.approx(np.mean(gains)) and np.isnan(table.mean_gain_sd["iwae_5"])
    assert table.mean_gain_sd["vae"] == 0, "each VAE against itself"
    sources = burda2016.sources().set_index("study")
    assert (
        list(sources.index) == ["bounds"] and sources.twin["bounds"] == "torch" and len(sources.commit["bounds"]) >= 12
    )
    assert list(table.seeds) == [2, 1, 1] and table.gain["vae"] == 0 and table.published["iwae_5"] == 85.54
    assert (
        table.given_y.notna().tolist() == [False, False, True] == (table.images == burda2016_bounds.LABELLED).tolist()
    )
    assert made[0]["iwae_5"]["seeds"][0]["nll"]["nll"] > 0 and "given_y" in made[0]["cvae_learned"]["seeds"][0]
