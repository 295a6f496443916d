"""Report 000's training: what makes it fail, how soon it converges, what it costs.

The failures are small trainings of the same model on the same characters, each changed in one thing; `mistakes.curve`
gives their curves.  Losses are in nats per image, E epochs.
"""

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from twinvae import data
from twinvae.metrics import baselines, cost
from twinvae.spec import ModelSpec, TrainSpec, count_weights
from twinvae.training import Job
from twinvae_studies import evaluation, mistakes
from twinvae_studies.evaluation import Trained

CLIPS = (1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
ROUNDED = 3e-8  # up to here 1 - clip is 1 in float32
RATES = (3e-5, 3e-4, 3e-3, 3e-2)
CLIP = "twinvae_studies.mistakes:clip"
SOON = 3  # epochs in which a training is done that the report would call quick


# ---------------------------------------------------------------- the training that fails
def curve(job: Job, images: data.Splits, **mistake: Any) -> pd.DataFrame:
    """Return `mistakes.curve` with NaN for infinity, so that what is not finite ends a line in a figure."""
    return mistakes.curve(job, images, **mistake).replace([np.inf, -np.inf], np.nan)


def clipped(twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits) -> dict[str, pd.DataFrame]:
    """Return curves of the same training with each clip, by its name '1e-12', and from logits; see `curve`."""
    right = evaluation.job(twin, spec, settings, images)
    changed = {f"{least:.0e}": replace(right, change=CLIP, arguments=(("least", least),)) for least in CLIPS}
    return {name: curve(job, images) for name, job in (changed | {"logits": right}).items()}


def keep_lost(run, curves: dict[str, pd.DataFrame]) -> dict[str, bool]:
    """Keep how many of the trainings of `clipped` met a loss that is not finite, and return which."""
    lost = {name: bool(of_one.loss.isna().any()) for name, of_one in curves.items()}
    run.number("nan_small", sum(lost[f"{c:.0e}"] for c in CLIPS if c <= ROUNDED), "d")
    run.number("nan_large", sum(lost[f"{c:.0e}"] for c in CLIPS if c > ROUNDED), "d")
    run.number("nan_logits", int(lost["logits"]), "d")
    return lost


def black_pixel(logits: np.ndarray, clip: float) -> np.ndarray:
    """Return what the clipped loss makes of a pixel of 0 in float32, NaN where its 1 - p is 0.  [P] -> [P]"""
    p = np.clip(1 / (1 + np.exp(-logits.astype("float32"))), np.float32(clip), 1 - np.float32(clip))
    return -np.log(1 - p, out=np.full_like(p, np.nan), where=p < 1)


def at_rate(twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits) -> list[float]:
    """Return the validation loss of a training before its first step and four times an epoch; see `curve`."""
    after = curve(evaluation.job(twin, spec, settings, images), images, checks=4).valid_loss
    return [untrained(twin, spec, settings, images), *after]


def rates(run, losses: dict[str, list[float]]) -> pd.DataFrame:
    """Keep which learning rate is fastest, and what the quick ones miss; return a row for each.  rate -> `at_rate`"""
    ends = {rate: np.nanmin(of_one) for rate, of_one in losses.items()}
    soon = {rate: epochs_to(np.nan_to_num(of_one, nan=np.inf)) / 4 for rate, of_one in losses.items()}
    fell = [rate for rate in ends if soon[rate] > 0]  # the others only rose
    fastest, best = min(fell, key=lambda rate: (soon[rate], ends[rate])), min(ends, key=ends.get)
    worst = max(ends[rate] for rate in fell if soon[rate] <= SOON)
    run.number("rate_fastest", float(fastest), "g")
    run.number("rate_best", float(best), "g")
    run.number("rate_excess", ends[fastest] - ends[best], ".1f")
    run.number("rate_quick_excess", worst - ends[best], ".1f")
    run.number("rate_fastest_epochs", soon[fastest], ".2f")
    run.number("rate_best_epochs", soon[best], ".2f")
    rows = {"learning rate": map(float, ends), "epochs to 95 % of its fall": soon.values()}
    return pd.DataFrame(rows | {"best validation loss": ends.values()})


# ---------------------------------------------------------------- how soon, and at what cost
def epochs_to(losses: np.ndarray, share: float = 0.95) -> int:
    """Return the epoch by which a share of the fall has happened.  [1 + E], first the loss from which it is counted"""
    fall = losses[0] - np.minimum.accumulate(losses)
    return int(np.argmax(fall >= share * fall[-1]))


def epochs_within(losses: np.ndarray, flat: float, share: float = 0.02) -> int:
    """Return the first epoch within a share of the fall from `flat` to the best; the last where nothing is below it.

    [E], in nats, and what class means pay.
    """
    return epochs_to(np.r_[flat, losses], 1 - share) if losses.min() < flat else len(losses)


def class_means_loss(images: data.Splits, least: float = 1e-3) -> float:
    """Return -log p of validation images, in nats, by the mean image of each class, kept `least` away from 0 and 1.

    What a model reaches that has learned no more than the look of each class, and codes nothing.
    """
    means = baselines.ClassMeans.fit(data.scale(images.train.x), images.train.y).sample(images.valid.y)
    p, x = np.clip(means, least, 1 - least), data.scale(images.valid.x)
    return float(-(x * np.log(p) + (1 - x) * np.log1p(-p)).sum((1, 2, 3)).mean())


def untrained(twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits) -> float:
    """Return the validation loss before the first step, in nats per image."""
    return float(twin.train.evaluate(twin.models.build(spec, seed=settings.seed), images.valid, settings)[0])


def costs(models: list[tuple[Trained, int]]) -> pd.DataFrame:
    """Return a row for each trained model and its number of images: what it took on the machine that trained it."""
    rows = []
    for trained, images in models:
        seconds = trained.history.seconds
        pace = cost.epoch_seconds(seconds)[0]
        row = {"model": trained.spec.name.replace("_", " "), "weights": count_weights(trained.spec), "images": images}
        row |= {"epochs": trained.settings.epochs, "s/epoch": pace, "images/s": images / pace}
        rows.append(row | {"minutes in all": seconds.sum() / 60})
    return pd.DataFrame(rows)
