"""The scoreboard: one row a trained model, in the same columns everywhere (`results.COLUMNS`).

A cell is empty where its column does not apply to a model, or was not measured; nothing in it is guessed.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from twinvae import data, study
from twinvae.metrics import cost, latent, samples
from twinvae.metrics.judge import Judge
from twinvae.spec import count_weights
from twinvae.study import Trained

_limit = cache(cost.machine_limit)  # once a run


def row(trained: Trained, judge: Judge, images: data.Splits, y: np.ndarray, nll_images: int = 0,
        nll_samples: int = 500) -> dict[str, Any]:
    """All columns of one trained model but those that the run knows.

    y [N] are the labels to sample for.  The first `nll_images` test images have their likelihood estimated, with
    `nll_samples` codes each.
    """
    return (costs(trained, images) | encoded(trained, images, nll_images, nll_samples)
            | sampled(trained, judge, images, y))


def costs(trained: Trained, images: data.Splits) -> dict[str, Any]:
    """What was trained, on what, and what it took.

    The matrix-multiply limit is measured now: an epoch that was trained on a busier machine shows as a smaller share.
    A CGAN has none: its step is not one pass forward and one back.
    """
    settings, work = trained.settings, cost.multiply_adds(trained.spec)
    seconds, _ = cost.epoch_seconds(trained.history.seconds)
    row = {"model": trained.spec.name, "report": trained.spec.report, "dataset": images.source.dataset,
           "data_source": images.source.label, "seed": settings.seed, "parameters": count_weights(trained.spec),
           "epochs": settings.epochs, "seconds_per_epoch": seconds}
    if trained.spec.kind == "cgan":
        return row
    seen = len(images.train) // settings.batch_size * settings.batch_size
    return row | {"gemm_fraction": cost.gemm_fraction(work, seen, seconds, _limit(trained.twin))}


def encoded(trained: Trained, images: data.Splits, nll_images: int, nll_samples: int) -> dict[str, float]:
    """ELBO, its parts, active units, and the likelihood, in nats per test image; nothing for models without q(z | x).

    `nll_is` is -log p(x), of a CVAE -log p(x | y); only `nll_marginal`, a CVAE's -log p(x), compares with a VAE's.
    Densities where the pixels are Gaussian, probabilities where they are Bernoulli, and never the one beside the other.
    """
    if trained.spec.kind in ("ae", "cgan"):
        return {}
    test = images.test
    units = latent.active_units(study.codes(trained, data.scale(test.x), test.y)[0])
    row = study.elbo_terms(trained, test) | {"active_units": int(units.sum())}
    if not nll_images:
        return row
    few, shares = test.subset(np.arange(min(nll_images, len(test)))), np.bincount(images.train.y) / len(images.train)
    log_p = study.log_likelihoods(trained, study.as_trained(trained, few), few.y, nll_samples, shares)
    if trained.spec.kind != "cvae":
        return row | {"nll_is": -log_p["log_px"].mean()}
    return row | {"nll_is": -log_p["log_px_given_y"].mean(), "nll_marginal": -log_p["log_px"].mean()}


def sampled(trained: Trained, judge: Judge, images: data.Splits, y: np.ndarray) -> dict[str, float]:
    """What samples for the labels y [N] are worth against the test images; what needs a label only of conditional models.

    `frechet_floor` is the distance of as many validation images, and empty where there are fewer.  Precision and recall
    are against as many test images as there are samples, and empty where these have no five neighbours.
    """
    x, test = study.generate(trained, y), images.test
    features, real = judge.features(x), study.real_features(judge, test)
    seen = study.judged(judge, x, y, test)
    row = {"judge_accuracy": study.real_accuracy(judge, test), "frechet": seen["frechet"], "sharpness": seen["sharpness"]}
    if len(images.valid) >= len(y):
        held_out = study.real_features(judge, images.valid)[:len(y)]
        row["frechet_floor"] = samples.frechet_distance(held_out, real)
    if min(len(real), len(y)) > 5:
        near = samples.prdc(real[:len(y)], features)
        row |= {name: near[name] for name in ("precision", "recall")}
    if trained.spec.kind in ("cvae", "cgan"):
        row |= {"conditional_accuracy": seen["accuracy"], "diversity": seen["diversity"],
                "cas": samples.classification_accuracy_score(x, y, data.scale(test.x), test.y)}
    return row
