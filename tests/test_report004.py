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
