"""The scoreboard: one row a trained model, in the same columns everywhere (`results.COLUMNS`).

A cell is empty where its column does not apply to a model, or was not measured; nothing in it is guessed.
"""

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from twinvae import data
from twinvae.metrics import cost, latent, samples
from twinvae.metrics.judge import Judge
from twinvae.spec import ModelSpec, count_weights
from twinvae_studies import evaluation, speed
from twinvae_studies.evaluation import Trained

BURST = 20_000_000_000  # floating point operations of an epoch by which a training's speed is measured


def row(
    trained: Trained,
    judge: Judge,
    images: data.Splits,
    y: np.ndarray,
    nll_images: int = 0,
    nll_samples: int = 500,
    timed: bool = True,
) -> dict[str, Any]:
    """Return all columns of one trained model but those that the run knows.

    y [N] are the labels to sample for.  The first `nll_images` test images have their likelihood estimated, with
    `nll_samples` codes each.  `timed` measures the share of the matrix-multiply limit, in seconds.
    """
    taken = costs(trained, images, timed)
    return taken | encoded(trained, images, nll_images, nll_samples) | sampled(trained, judge, images, y)


def costs(trained: Trained, images: data.Splits, timed: bool) -> dict[str, Any]:
    """Return what was trained, on what, and what it took."""
    spec, settings = trained.spec, trained.settings
    row = {
        "model": spec.name,
        "report": spec.report,
        "dataset": images.source.dataset,
        "data_source": images.source.label,
        "seed": settings.seed,
        "parameters": count_weights(spec),
        "epochs": settings.epochs,
        "seconds_per_epoch": cost.epoch_seconds(trained.history.seconds)[0],
    }
    if not timed or spec.kind == "cgan":
        return row
    return row | {"gemm_fraction": share_of_limit(trained.twin, spec, settings.batch_size)}


@cache
def share_of_limit(twin: ModuleType, spec: ModelSpec, batch_size: int) -> float:
    """Return the share of the matrix-multiply limit that a training reaches, both measured side by side, once a run.

    The seconds of the training itself may be of a busier or a calmer machine.  A CGAN has none: its step is not one
    pass forward and one back.
    """
    batches = np.clip(BURST // cost.training_flops(cost.multiply_adds(spec), batch_size), 2, 64)
    return speed.measure(twin, spec, batch_size, int(batches) * batch_size)["share"]


def encoded(trained: Trained, images: data.Splits, nll_images: int, nll_samples: int) -> dict[str, float]:
    """Return ELBO, its parts, active units, likelihood, in nats per test image; nothing for models without q(z | x).

    `nll_is` is -log p(x), of a CVAE -log p(x | y); only `nll_marginal`, a CVAE's -log p(x), compares with a VAE's.
    Densities where the pixels are Gaussian, probabilities where they are Bernoulli, and never the one beside the other.
    """
    if trained.spec.kind in ("ae", "cgan"):
        return {}
    test = images.test
    units = latent.active_units(evaluation.codes(trained, data.scale(test.x), test.y)[0])
    row = evaluation.elbo_terms(trained, test) | {"active_units": int(units.sum())}
    if not nll_images:
        return row
    few = test.subset(np.arange(min(nll_images, len(test))))
    shares = np.bincount(images.train.y) / len(images.train)
    log_p = evaluation.log_likelihoods(trained, evaluation.as_trained(trained, few), few.y, nll_samples, shares)
    if trained.spec.kind != "cvae":
        return row | {"nll_is": -log_p["log_px"].mean()}
    return row | {"nll_is": -log_p["log_px_given_y"].mean(), "nll_marginal": -log_p["log_px"].mean()}


def sampled(trained: Trained, judge: Judge, images: data.Splits, y: np.ndarray) -> dict[str, float]:
    """Return what samples for the labels y [N] are worth against test images; some of it of conditional models alone.

    `frechet_floor` is the distance of as many validation images, and empty where there are fewer.  Precision and recall
    are against as many test images as there are samples, and empty where these have no five neighbours.
    """
    x = evaluation.generate(trained, y)
    test = images.test
    features = judge.features(x)
    real = evaluation.real_features(judge, test)
    seen = evaluation.judged(judge, x, y, test)
    row = {name: seen[name] for name in ("frechet", "sharpness")}
    row["judge_accuracy"] = evaluation.real_accuracy(judge, test)
    if len(images.valid) >= len(y):
        held_out = evaluation.real_features(judge, images.valid)[: len(y)]
        row["frechet_floor"] = samples.frechet_distance(held_out, real)
    if min(len(real), len(y)) > 5:
        near = samples.prdc(real[: len(y)], features)
        row |= {name: near[name] for name in ("precision", "recall")}
    if trained.spec.kind in ("cvae", "cgan"):
        cas = samples.classification_accuracy_score(x, y, data.scale(test.x), test.y)
        row |= {"conditional_accuracy": seen["accuracy"], "diversity": seen["diversity"], "cas": cas}
    return row
