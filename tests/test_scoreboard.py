"""The scoreboard: its columns, which of them apply to which model, and that each is the number its name says."""

from types import SimpleNamespace

import numpy as np
import pytest
from pair import AE, CVAE, VAE, splits

from twinvae import backend, data
from twinvae.metrics import samples
from twinvae.metrics.judge import Judge
from twinvae.run import results
from twinvae.spec import TrainSpec
from twinvae_studies import evaluation, scoreboard, speed

RUN = SimpleNamespace(may_train=True)
IMAGES = splits()
Y = evaluation.balanced(3, 3)
ALWAYS = set(results.COLUMNS[:5]) - {"backend"} | {
    "seed",
    "parameters",
    "epochs",
    "seconds_per_epoch",
    "gemm_fraction",
    "judge_accuracy",
    "frechet",
    "frechet_floor",
    "sharpness",
    "precision",
    "recall",
}
CODES = {"elbo", "recon", "kl", "active_units", "nll_is"}
LABELS = {"conditional_accuracy", "diversity", "cas"}


class Pixels(Judge):
    """A judge that sees class 1 in everything; its features are the first four pixels."""

    def __init__(self):
        super().__init__(None, None, {})

    def probabilities(self, x):
        return np.tile([0.2, 0.5, 0.3], (len(x), 1))

    def features(self, x):
        return x.reshape(len(x), -1)[:, :4].astype(float)


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize(
    "spec, columns", [(AE, ALWAYS), (VAE, ALWAYS | CODES), (CVAE, ALWAYS | CODES | LABELS | {"nll_marginal"})]
)
@pytest.mark.parametrize("name", backend.TWINS)
def test_a_row_has_what_applies_to_its_model_and_nothing_else(spec, columns, name, monkeypatch):
    monkeypatch.setattr(speed, "measure", lambda *about: {"share": 0.5} if about == (twin, spec, 8, 512) else None)
    twin = backend.get(name)
    settings = TrainSpec(2, 8, binarize="dynamic")
    trained = evaluation.train_all(RUN, evaluation.job(twin, spec, settings, IMAGES), IMAGES)
    row = scoreboard.row(trained, Pixels(), IMAGES, Y, nll_images=4, nll_samples=20)
    assert set(row) == columns
    assert set(row) <= set(results.COLUMNS)
    assert row["gemm_fraction"] == 0.5
    assert row["seconds_per_epoch"] == trained.history.seconds.iloc[1]  # the first epoch warms up
    made = evaluation.generate(trained, Y)
    real = data.scale(IMAGES.test.x)
    judge = Pixels()
    assert row["frechet"] == samples.frechet_distance(judge.features(made), judge.features(real))
    assert row["judge_accuracy"] == (IMAGES.test.y == 1).mean()
    if spec is CVAE:
        assert row["conditional_accuracy"] == 1 / 3
        assert row["nll_marginal"] <= row["nll_is"] + np.log(26 / 8)  # p(x) is at least p(y) p(x | y)
    if spec is not AE:
        assert row["elbo"] == pytest.approx(-(row["recon"] + row["kl"]))
        without = scoreboard.row(trained, judge, IMAGES, Y, timed=False)
        assert set(row) - set(without) == {"nll_is", "nll_marginal", "gemm_fraction"} & columns
    more = scoreboard.row(trained, judge, IMAGES, evaluation.balanced(3, 4), timed=False)
    assert "frechet_floor" not in more, "nine validation images are no floor for twelve samples"


@pytest.mark.usefixtures("results")
def test_a_cgan_has_neither_codes_nor_a_share_of_the_limit():
    from test_gan import GAN

    twin = backend.get("torch")
    images = splits(shape=GAN.image_shape)
    trained = evaluation.train_all(RUN, evaluation.job(twin, GAN, TrainSpec(1, 8), images), images)
    assert set(scoreboard.row(trained, Pixels(), images, Y)) == (ALWAYS - {"gemm_fraction"}) | LABELS


def test_columns_come_in_order_and_what_is_missing_stays_empty():
    board = results.board([{"seed": 1, "model": "a"}, {"model": "b", "dataset": "usps"}], {"backend": "tf"})
    assert tuple(board.columns) == results.COLUMNS and board.backend.tolist() == ["tf", "tf"]
    assert board.nll_is.isna().all() and board.dataset.isna().tolist() == [True, False]


def test_an_unknown_column_is_refused():
    with pytest.raises(ValueError, match="no column nats; its columns are model, report"):
        results.board([{"model": "a", "nats": 1}], {})
