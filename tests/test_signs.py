"""Report 001's tasks: turned back as they were, the light models' variants, small trainings; anomalies by hand."""

import socket
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from pair import CVAE, TWINS, VAE, splits
from twinvae import backend, data, spec, zoo
from twinvae.metrics.judge import Judge
from twinvae.spec import BatchNorm, Conv, ConvTranspose, TrainSpec
from twinvae_studies import evaluation, report001, report001_anomalies

SETTINGS = TrainSpec(1, 8)
IMAGES = splits()
RNG = np.random.default_rng(0)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "quick" / "05_tiny-torch"
    return SimpleNamespace(name="05_tiny", profile="quick", backend="torch", folder=folder,
                           weights=folder / "weights", checkpoints=folder / "checkpoints")  # fmt: skip


def letters(n: int = 48) -> data.Splits:
    """Random pictures with the 24 letters."""

    def part(seed):
        return data.Images(np.random.default_rng(seed).integers(0, 256, (n, 28, 28, 1), dtype=np.uint8),
                                        np.arange(n) % 24, tuple("ABCDEFGHIKLMNOPQRSTUVWXY"), IMAGES.source)  # fmt: skip

    return data.Splits(part(0), part(1), part(2))


# --- report 001 ----------------------------------------------------------------------------------


def test_the_tasks_share_their_pictures():
    made = report001.tasks(letters())
    assert [made[t].train.num_classes for t in (1, 2, 3)] == [2, 24, 4]
    assert [len(made[t].test) for t in (1, 2, 3)] == [48, 48, 4 * 48]
    assert (made[1].valid.x == made[2].valid.x).all() and made[1].train.y.sum() == 10  # A, E, I, O, U, twice


def test_turned_back_pictures_are_as_they_were():
    turned = report001.tasks(letters())[3].train
    assert (report001.upright(turned.x, turned.y) == np.tile(letters().train.x, (4, 1, 1, 1))).all()


def test_complexity_grows_with_detail():
    flat, half, noise = np.zeros((1, 28, 28, 1)), np.zeros((1, 28, 28, 1)), RNG.random((1, 28, 28, 1))
    half[:, 14:] = 1
    counts = report001.complexity(np.concatenate([flat, half, noise]))
    assert counts[0] < counts[1] < counts[2]


def test_the_mean_of_each_class():
    assert report001.by_class(np.array([1.0, 3, 5]), np.array([0, 0, 1]), 2).tolist() == [2, 5]


def test_each_variant_changes_what_its_name_says():
    rows = report001.architectures()
    assert set(rows) == {"order_report", "no_batchnorm", "order_rising", "order_flat", "task3_report", "task3_filters",
                         "task3_layers"}  # fmt: skip

    def filters(name):
        return [layer.filters for layer in rows[name][1].encoder if isinstance(layer, Conv)]

    assert (filters("order_rising"), filters("order_flat")) == ([16, 32, 32], [32, 32, 32])
    assert filters("order_report") == filters("no_batchnorm") == [32, 16, 32]
    assert filters("task3_layers") == [32, 32, 16, 32]
    assert not any(isinstance(layer, BatchNorm) for layer in rows["no_batchnorm"][1].encoder)
    deep = [layer for layer in rows["task3_layers"][1].decoder if isinstance(layer, ConvTranspose)]
    assert [(layer.filters, layer.stride) for layer in deep] == [(32, 2), (32, 1), (16, 2), (1, 1)]
    assert len({model.name for _, model in rows.values()}) == len(rows)
    sizes = report001.latent_sizes(zoo.get("light_task2"))
    assert {name: model.latent_dim for name, model in sizes.items()} == {f"z{z}": z for z in (2, 8, 32, 128, 512)}
    assert evaluation.unlabelled(zoo.get("light_task2"), "light_vae").kind == "vae"
    wide = report001.widths(zoo.get("light_task2"))
    assert max(map(spec.count_weights, wide.values())) < 1_000_000 and list(wide) == ["width8", "width16", "width64"]
    cures = {name: how[1:] for task in (1, 2, 3) for name, how in report001.remedies(task, SETTINGS).items()}
    assert len(cures) == 9 and cures["remedy1_beta"][1].beta == 0.3 and cures["remedy2_prior"][0].prior == "learned"
    assert cures["remedy3_gaussian"][0].likelihood == "gaussian" and cures["remedy3_gaussian"][0].num_classes == 4


def test_small_trainings_are_measured_and_kept(run):
    twin = backend.get("torch")
    judge = Judge(twin.models.build(replace(zoo.get("judge_mnist").for_images((5, 4, 1), 3), name="judge")), twin, {})
    seen = report001.measured(run, twin, CVAE, SETTINGS, IMAGES, 2, judge, np.arange(12) % 3)
    assert seen["weights"] == spec.count_weights(CVAE) and len(seen["loss"]) == len(seen["accuracy"]) == 2
    with pytest.raises(FileNotFoundError, match="no small.json in the weights of profile quick or full"):
        report001.kept(run, "small")
    report001.keep(run, "small", seen)
    assert report001.kept(run, "small") == seen
    assert len(report001.fewer(IMAGES, 7).train) == 7 and report001.fewer(IMAGES, 7).test is IMAGES.test


# --- anomalies -----------------------------------------------------------------------------------


def test_held_out_classes_are_gone_and_the_rest_numbered_anew():
    rest, out = report001_anomalies.without(IMAGES, (1,))
    assert rest.train.class_names == ("a", "c") and set(rest.train.y) == {0, 1} and list(out) == [1]
    assert len(out[1]) + len(rest.test) == len(IMAGES.test)
    assert (rest.train.x == IMAGES.train.x[IMAGES.train.y != 1]).all()


def test_the_tables_of_scikit_learn_are_images():
    benign, malignant = report001_anomalies.tumours()
    assert [len(part) for part in (benign.train, benign.valid, benign.test)] == [214, 35, 108] and len(malignant) == 212
    assert (benign.train.x.min(), benign.train.x.max()) == (64, 191) and malignant.max() > 0.9


def test_a_table_fills_the_middle_shades_and_what_is_beyond_is_cut():
    normal, strange = np.c_[np.arange(101.0), np.ones(101)], np.array([[-1e9, 1], [1e9, 2]])
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
    twin, x = backend.get(name), data.scale(IMAGES.test.x)
    shares, eps = np.array([0.5, 0.25, 0.25]), None
    for model in (VAE, CVAE):
        built = evaluation.Trained(model, SETTINGS, twin.models.build(model), twin, None)
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
    built = evaluation.Trained(model, SETTINGS, twin.models.build(model), twin, None)
    found = report001_anomalies.all_scores({"CVAE": built}, IMAGES.train, data.scale(IMAGES.test.x))
    assert set(found) == {"CVAE, error", "CVAE, -ELBO", "PCA, error", "isolation forest"}
    assert all(values.shape == (9,) and np.isfinite(values).all() for values in found.values())
