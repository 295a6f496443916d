"""Report 001's tables: rows say what images, codes and trainings are worth, and numbers are kept where claims ask."""

from types import SimpleNamespace

import numpy as np
import pytest
from pair import VAE, splits

from twinvae import backend, data, zoo
from twinvae.metrics import samples
from twinvae.spec import TrainSpec
from twinvae_studies import evaluation, planning, report001
from twinvae_studies import report001_tables as tables

IMAGES = splits()
X, Y = data.scale(IMAGES.test.x), IMAGES.test.y
SQUARE = splits(shape=(6, 6, 1))


class Kept(SimpleNamespace):
    """A run as far as numbers are kept."""

    def number(self, name, value, fmt=".2f", sources=None):
        assert name not in self.numbers
        self.numbers[name] = value
        return value


@pytest.fixture
def run():
    return Kept(numbers={}, may_train=True)


class Reader:
    """A judge that is sure of the class whose place the brightest pixel is in, and has pixels as features."""

    def probabilities(self, x):
        return np.eye(3)[x.reshape(len(x), -1).argmax(1) % 3]

    def features(self, x):
        return x.reshape(len(x), -1)[:, :4].astype(float)


def test_table_1_is_the_reports_and_the_light_models_stand_below():
    exact, light = ({t: zoo.get(f"{name}_task{t}") for t in (1, 2, 3)} for name in ("report001", "light"))
    table = tables.architectures(exact, light)
    assert list(table.columns) == ["task 1", "task 2", "task 3"]
    rows = ["classes", "condition", "size of the code", "weights", "light: weights", "decoder, filters"]
    assert table.loc[rows, "task 2"].to_list() == [24, "one-hot, 24 letters", 512, "16,411,969", "384,657", "128-64-1"]
    assert table.loc["encoder, filters", "task 1"] == "128-64-128" and table.loc["classes"].to_list() == [2, 24, 4]


def test_every_small_training_of_a_table_is_one_that_is_trained():
    jobs = report001.jobs("smoke", "torch", epochs=None, seeds=None, batch_size=64, learning_rate=1e-3)
    names = {name for part in ("small", "remedies") for by_name in jobs[part].values() for name in by_name}
    assert {*tables.LAYERS, *tables.CURED, *tables.SIZES} == names


def test_samples_of_task_3_are_turned_upright_before_they_are_looked_at():
    judges, images = dict.fromkeys((1, 2, 3), Reader()), dict.fromkeys((1, 2, 3), SQUARE)
    x, y = data.scale(SQUARE.train.x), SQUARE.train.y
    turned = np.stack([np.rot90(one, turns) for one, turns in zip(x, y, strict=True)])
    upright = tables.of_samples(0, x, y, judges, images)
    assert set(upright) == set(tables.LOOKS) and upright["frechet"] == pytest.approx(0, abs=1e-6)
    seen = tables.of_samples(3, turned, y, judges, images)
    assert {name: seen[name] for name in upright} == pytest.approx(upright)
    assert seen["accuracy"] == samples.conditional_accuracy(Reader().probabilities(turned), y)
    assert tables.of_samples(2, turned, y, judges, images)["frechet"] > 1e-3


def test_samples_are_held_against_principal_components_and_real_images(run):
    rows = tables.held_against(run, Reader(), SQUARE, np.arange(30) % 3, components=2)
    assert [row["images"] for row in rows] == ["PCA per letter", "training images", "test images"]
    assert run.numbers["training_diversity"] == 1 and run.numbers["training_frechet"] == pytest.approx(0, abs=1e-6)
    assert run.numbers["pca_accuracy"] == rows[0]["accuracy"] and "test_diversity" not in run.numbers
    seen = Reader().probabilities(data.scale(SQUARE.test.x)).argmax(1)
    assert run.numbers["test_accuracy"] == (seen == SQUARE.test.y).mean()


def test_letters_are_ranked_by_the_probability_of_what_was_asked_for(run):
    names = tuple("ACLPQVY")
    shades = np.zeros((7, 8, 8, 1), np.uint8)
    for k in range(7):  # the later a letter, the more there is in its picture
        shades[k, : k + 1] = np.random.default_rng(k).integers(0, 256, (k + 1, 8, 1))
    letters = data.Images(shades, np.arange(7), names, IMAGES.train.source)
    y = np.repeat(np.arange(7), 2)
    p = np.full((14, 7), 0.01)
    p[np.arange(14), y] = np.repeat([0.1, 0.94, 0.2, 0.3, 0.4, 0.5, 0.6], 2)
    found = tables.by_letter(run, [p, p], y, letters)
    assert "".join(found.index) == "ALPQVYC" and found.quality["C"] == pytest.approx(0.94)
    assert found.accuracy.to_list() == [1] * 7 and found.bytes.idxmin() == "A"
    wanted = {"c_rank": 1, "c_simplicity": 2, "lpq_among_worst": 3, "lpq_accuracy": 1, "c_accuracy": 1, "q_accuracy": 1}
    assert {name: run.numbers[name] for name in wanted} == wanted
    assert run.numbers["complexity_correlation"] == pytest.approx(1 - 6 * (5**2 + 5 * 1) / (7 * 48))


@pytest.fixture(params=["torch", "tf"])
def trained(request, results, run):
    def of(spec, count):
        job = evaluation.job(backend.get(request.param), spec, TrainSpec(1, 8), IMAGES)
        return evaluation.train_all(run, planning.over_seeds(job, count), IMAGES)

    return of


def test_what_codes_say_is_kept_over_seeds_beside_the_chance(trained, run):
    models = trained(VAE, 2)
    row = tables.of_codes(run, 0, models, IMAGES.train)
    assert row["chance"] == run.numbers["vae_chance"] == 9 / 26
    kl = [evaluation.elbo_terms(m, IMAGES.train)["kl"] for m in models]
    assert row["kl"] == run.numbers["vae_kl"] == pytest.approx(np.mean(kl))
    assert run.numbers["vae_kl_sd"] == pytest.approx(np.std(kl, ddof=1))
    assert 0 <= row["probe"] <= 1 and row["active"] <= VAE.latent_dim
    mu, logvar = evaluation.codes(models[0], X, Y)
    every = 0.5 * (mu**2 + np.exp(logvar) - logvar - 1).mean(0)
    assert tables.kl_of_units(models[0], X, Y) == pytest.approx(sorted(every, reverse=True), rel=1e-4)


def test_a_neighbour_is_another_code_or_one_of_another_group():
    z, y = np.array([[0.0], [1], [10], [11.5]]), np.array([0, 0, 1, 0])
    assert tables.neighbours(z, y) == 0.5
    assert tables.neighbours(z, y, np.array([0, 0, 1, 1])) == 0.25, "10 is the nearest to 0 and 1, 1 to 10 and 11.5"


def test_one_code_is_as_far_from_itself_as_the_label_makes_it():
    rng = np.random.default_rng(0)
    codes = np.repeat(rng.random((5, 1, 4, 4, 1)), 3, axis=1)
    assert tables.same_code(codes) == 0
    assert tables.same_code(rng.random((40, 4, 8, 8, 1))) == pytest.approx(1, abs=0.05)
    labels = rng.random((1, 3, 4, 4, 1))
    assert tables.same_code(codes + 10 * labels) > 10


def test_small_trainings_keep_every_number_and_show_the_deviation_of_the_loss_alone(run):
    seen = {name: [1.0, 3.0] for name in tables.SMALL} | {"weights": 7}
    row = tables.small(run, "z2", seen)
    assert row == {"weights": 7, "sd": pytest.approx(2**0.5)} | dict.fromkeys(tables.SMALL, 2.0)
    assert run.numbers["z2_accuracy"] == 2 and run.numbers["z2_accuracy_sd"] == pytest.approx(2**0.5)
    one = tables.small(run, "z8", {name: [1.0] for name in tables.SMALL} | {"weights": 7})
    assert np.isnan(one["sd"]) and run.numbers["z8_loss_sd"] == 0, "one seed has no spread that a table could show"
    table = tables.named({"z2": row, "other": row}, {"z2": "code of 2"})
    assert table.model.to_list() == ["code of 2"] and table.columns[1] == "weights"


def test_small_trainings_are_not_compiled_in_smoke():
    tf = pytest.importorskip("tensorflow")
    for smoke in (True, False):
        for name in backend.TWINS:
            with evaluation.eager(SimpleNamespace(smoke=smoke), backend.get(name)):
                assert tf.config.functions_run_eagerly() == (smoke and name == "tf")
