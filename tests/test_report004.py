"""Report 004: what notebook 03 trains, and the numbers that its claims ask for."""

from types import SimpleNamespace

import numpy as np
import pytest
from pair import AE, VAE, splits
from tiny import Kept

from twinvae import backend, data
from twinvae.spec import TrainSpec
from twinvae_studies import evaluation, planning, report004

PARAMETERS = {"dataset": "mnist", "epochs": None, "seeds": None, "batch_size": 128, "learning_rate": 1e-3}
PARAMETERS["latent_dim"] = 100
IMAGES = splits()
X, Y = data.scale(IMAGES.test.x), IMAGES.test.y


def test_the_remedies_are_trained_as_long_as_the_reports_own_which_is_the_first_of_them():
    found = report004.jobs("full", "torch", **PARAMETERS)
    first = found["models"]["CVAE"][0]
    assert {job.phases[0].epochs for job in found["remedies"].values()} == {first.phases[0].epochs}
    assert found["remedies"]["report: N(0, 0.01^2), lambda 1"].key == first.key
    assert report004.jobs("full", "torch", **PARAMETERS | {"epochs": 3})["models"]["CVAE"][0].marks == ()


def test_the_other_lambda_is_the_reports_vae_with_a_smaller_variance_over_all_seeds():
    found = report004.jobs("full", "tf", **PARAMETERS)
    for small, plain in zip(found["lambda 0.2"], found["models"]["VAE"], strict=True):
        assert (small.spec.variance, plain.spec.variance, small.seed) == (0.1, 0.5, plain.seed)
        assert small.phases[0].epochs == plain.phases[0].epochs
    assert [job.spec.latent_dim for job in found["plane"].values()] == [2, 2]
    assert found["plane"]["VAE"].key in {job.key for job in found["code sizes"]["VAE"]}


@pytest.mark.parametrize("name", backend.TWINS)
def test_rows_of_the_table_are_the_numbers_that_claims_ask_for(results, name):
    def trained(spec):
        job = evaluation.job(backend.get(name), spec, TrainSpec(1, 8), IMAGES)
        return evaluation.train_all(SimpleNamespace(may_train=True), planning.over_seeds(job, 2), IMAGES)

    run = Kept(numbers={})
    models = {"ae": trained(AE), "vae02": trained(VAE)}
    judge = SimpleNamespace(probabilities=lambda x: np.eye(3)[np.zeros(len(x), int)])
    rows = report004.reconstructions(run, models, X, Y, judge)
    assert [row["reconstruction by"] for row in rows] == [
        "AE, mean",
        "VAE, lambda 0.2, mean",
        "VAE, lambda 0.2, sampled",
    ]
    back = [evaluation.reconstruct(m, X, Y) for m in models["vae02"]]
    sse = [((X - b) ** 2).sum() / len(X) for b in back]
    assert run.numbers["vae02_mean_sse"] == rows[1]["squared error"] == pytest.approx(np.mean(sse), rel=1e-5)
    assert run.numbers["vae02_mean_sse_sd"] == pytest.approx(np.std(sse, ddof=1), rel=1e-3)
    assert rows[0]["judge agrees"] == pytest.approx((Y == 0).mean())
    row = report004.kl_taken_apart(run, "vae02", models["vae02"], X, Y)
    assert row["q(z) against N(0, I)"] == run.numbers["vae02_aggregate"] and row["active units"] <= 2
    assert report004.from_fitted_codes(models["ae"][0], X, 5).shape == (5, *X.shape[1:])


def test_the_vae_that_never_sees_the_last_class_is_trained_as_the_others_on_what_is_left():
    found = report004.jobs("quick", "torch", **PARAMETERS)
    for blind, plain in zip(found["last left out"], found["models"]["VAE"], strict=True):
        assert (blind.spec, blind.phases, blind.seed) == (plain.spec, plain.phases, plain.seed)
    left = data.from_recipe(found["last left out"][0].data).train
    assert left.class_names == data.splits("mnist", train_size=100).train.class_names[:-1] and left.y.max() == 8


def test_what_is_taken_for_the_last_class_is_counted_in_samples_and_in_what_is_restored(results):
    job = evaluation.job(backend.get("torch"), VAE, TrainSpec(1, 8), IMAGES)
    seeds = evaluation.train_all(SimpleNamespace(may_train=True), [job], IMAGES)
    run, last = Kept(numbers={}), IMAGES.train.num_classes - 1
    says = iter((last, 0))  # of the samples, then of what is restored
    judge = SimpleNamespace(probabilities=lambda x: np.eye(last + 1)[np.full(len(x), next(says))])
    x = X[last == Y]
    row = report004.of_class(run, "last_with", seeds, x, Y, judge)
    assert (row["samples taken for it"], row["restored as it"]) == (1, 0)
    back = evaluation.reconstruct(seeds[0], x, np.zeros(len(x), int))
    assert run.numbers["last_with_sse"] == pytest.approx(((x - back) ** 2).sum() / len(x), rel=1e-5)


def test_half_way_lies_the_mean_of_two_mean_codes(results):
    job = evaluation.job(backend.get("torch"), AE, TrainSpec(1, 8), IMAGES)
    trained = evaluation.train_all(SimpleNamespace(may_train=True), job, IMAGES)
    found = report004.halfway(trained, X, Y, range(3))
    assert found.shape == (2, 3, *X.shape[1:])
    np.testing.assert_allclose(found[0, 2], found[1, 0], rtol=1e-5)
    z = trained.predict("encode", X)
    both = (z[Y == 0].mean(0) + z[Y == 1].mean(0)) / 2
    np.testing.assert_allclose(found[0, 1], trained.predict("generate", both[None])[0], rtol=1e-4, atol=1e-6)


def test_locality_is_one_of_a_corner_and_a_sixteenth_of_what_is_even():
    corner, even = np.zeros((8, 8, 1)), np.ones((8, 8, 1))
    corner[3, 2] = -5
    assert report004.locality(np.stack([corner, even])) == pytest.approx([1, 1 / 16])


def test_what_is_alike_everywhere_packs_into_few_bytes():
    plain = np.zeros((3, 28, 28, 1), np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, plain.shape).astype(np.uint8)
    assert evaluation.packed_bytes(plain).max() < 25 < 784 <= evaluation.packed_bytes(noise).min()
