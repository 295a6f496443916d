"""Anomaly detection: what is normal and what is not, and how strange a model finds it, by hand."""

import socket
from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, TWINS, VAE, splits

from twinvae import backend, data
from twinvae.spec import TrainSpec
from twinvae_studies import evaluation, planning, report001_anomalies

SETTINGS = TrainSpec(1, 8)
IMAGES = splits()


def untrained(model, twin):
    return evaluation.Trained(
        evaluation.job(twin, model, SETTINGS, IMAGES), twin.models.build(model), twin, None, {}, None
    )


def test_the_detectors_are_for_the_images_of_the_cases():
    letters = data.splits("sign_language", 0, 480, 96, 96)
    cases = report001_anomalies.cases("smoke", letters)
    jobs = report001_anomalies.jobs("smoke", "torch", letters.recipe, SETTINGS)
    assert jobs.keys() == cases.keys() == report001_anomalies.DETECTORS.keys() - {"traffic"}
    for name, (normal, strange) in cases.items():
        for kind, job in jobs[name].items():
            assert job.data == normal.recipe and job.spec.image_shape == normal.train.shape
            assert job.spec.num_classes == (normal.train.num_classes if kind == "CVAE" else 0)
        assert all(len(x) and x.shape[1:] == normal.train.shape for x in strange.values())
    again = data.from_recipe(cases["signs"][0].recipe)
    assert (again.train.x == cases["signs"][0].train.x).all() and again.recipe == cases["signs"][0].recipe


def test_held_out_classes_are_gone_and_the_rest_numbered_anew():
    rest, out = planning.without(IMAGES, (1,)), report001_anomalies.only(IMAGES, 1)
    assert rest.train.class_names == ("a", "c") and set(rest.train.y) == {0, 1}
    assert len(out) + len(rest.test) == len(IMAGES.test)
    assert (rest.train.x == IMAGES.train.x[IMAGES.train.y != 1]).all()


def test_the_tables_of_scikit_learn_are_images():
    benign, malignant = report001_anomalies.tumours()
    assert [len(part) for part in (benign.train, benign.valid, benign.test)] == [214, 35, 108] and len(malignant) == 212
    assert (benign.train.x.min(), benign.train.x.max()) == (64, 191) and malignant.max() > 0.9


def test_a_table_fills_the_middle_shades_and_what_is_beyond_is_cut():
    normal = np.c_[np.arange(101.0), np.ones(101)]
    strange = np.array([[-1e9, 1], [1e9, 2]])
    images, x = report001_anomalies.as_images(normal, strange, "usual", IMAGES.source)
    assert images.train.x.shape == (60, 1, 2, 1) and images.train.class_names == ("usual",)
    assert (images.train.x[..., 0, 0].min(), images.train.x[..., 0, 0].max()) == (64, 191)
    assert (x[:, 0, 0, 0] == [0, 1]).all() and (x[:, 0, 1, 0] * 255).round().tolist() == [64, 191]


def test_network_traffic_is_its_numbers_or_nothing(monkeypatch):
    def row(size, kind):
        return [0, b"tcp", b"http", b"SF", size, *[0.5] * 36, kind]

    table = np.array([row(10 * k, b"normal.") for k in range(30)] + [row(1e9, b"smurf.")], dtype=object)
    given = SimpleNamespace(data=table[:, :-1], target=table[:, -1])
    monkeypatch.setattr(report001_anomalies, "fetch_kddcup99", lambda **options: given)
    normal, attacks = report001_anomalies.network_traffic(cases=20)
    assert normal.train.shape == (1, 38, 1) and len(normal.train) == 12 and attacks.shape == (1, 1, 38, 1)
    assert attacks[0, 0, 1, 0] == 1, "the second number is the size: far above all normal ones"


@pytest.mark.filterwarnings("ignore:Retry downloading")
def test_without_a_network_there_is_no_network_traffic(monkeypatch, tmp_path):
    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", offline)
    assert report001_anomalies.network_traffic() is None


@pytest.mark.parametrize("name", TWINS)
def test_scores_are_those_of_the_model_with_the_label_summed_out(name):
    twin = backend.get(name)
    x = data.scale(IMAGES.test.x)
    shares = np.array([0.5, 0.25, 0.25])
    eps = None
    for model in (VAE, CVAE):
        built = untrained(model, twin)
        ours = report001_anomalies.scores(built, x, shares, samples=2)
        eps = np.random.default_rng([0, 2]).standard_normal((2, len(x), 2))
        labels = range(3) if model is CVAE else [0]
        bounds, errors = [], []
        for k in labels:
            hot = np.eye(3)[np.full(len(x), k)]
            terms = [np.add(*twin.models.call(built.model, "loss_terms", x, x, hot, e)) for e in eps]
            bounds.append(-np.mean(terms, axis=0))
            mean = twin.models.call(built.model, "reconstruct", x, hot, None)
            errors.append(((x - mean) ** 2).sum((1, 2, 3)))
        weights = shares if model is CVAE else [1.0]
        exact = -np.log(sum(w * np.exp(b - bounds[0]) for w, b in zip(weights, bounds, strict=True))) - bounds[0]
        np.testing.assert_allclose(ours["elbo"], exact, rtol=1e-5)
        np.testing.assert_allclose(ours["error"], np.min(errors, axis=0), rtol=1e-5)


def test_every_detector_scores_every_image():
    twin = backend.get("torch")
    model = report001_anomalies.detector("tiny", (5, 4, 1), 6, 2, 3)
    built = untrained(model, twin)
    found = report001_anomalies.all_scores({"CVAE": built}, IMAGES.train, data.scale(IMAGES.test.x))
    assert set(found) == {"CVAE, error", "CVAE, -ELBO", "PCA, error", "isolation forest"}
    assert all(values.shape == (9,) and np.isfinite(values).all() for values in found.values())


def test_each_strange_thing_has_a_row_of_areas_and_each_area_is_kept():
    numbers, usual = {}, np.arange(20.0)
    run = SimpleNamespace(number=lambda name, value, fmt: numbers.setdefault(name, value))
    score = {("small", "normal"): {"VAE, error": usual, "PCA, error": usual}}
    score["small", "one"] = {"VAE, error": usual + 100, "PCA, error": usual}
    (row,) = report001_anomalies.areas(run, score, times=20)
    assert (row["normal"], row["strange"], row["VAE, error"]) == ("small", "one", "1.00 (1.00-1.00)")
    assert numbers == pytest.approx({"small_one_vae_error": 1, "small_one_pca": 0.5})
    assert row["PCA, error"].startswith("0.50 (0.") and row["PCA, error"] < "0.50 (0.50"


def test_a_roc_curve_is_the_shares_above_each_threshold():
    normal, strange = np.array([0.0, 1, 2, 3]), np.array([2.5, 4.0])
    across, up = report001_anomalies.roc(normal, strange)
    assert {(0, 0), (0, 0.5), (0.25, 0.5), (0.25, 1), (1, 1)} <= set(zip(across, up, strict=True))
    assert np.trapezoid(up, across) == pytest.approx(7 / 8)
