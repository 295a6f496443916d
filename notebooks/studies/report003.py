"""Models against the clock, for notebook 06: samples judged after so many epochs, and the seconds
until then.

Knows no framework.  Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N].
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd

from twinvae import data, zoo
from twinvae.metrics import latent, samples
from twinvae.metrics.judge import Judge
from twinvae.paths import write_text
from twinvae.spec import GanSpec, ModelSpec, TrainSpec
from twinvae_studies import evaluation

THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.4)  # of the judge's accuracy on samples of 10 classes
LATENT_DIMS = (10, 30, 70, 110, 256)  # 110 is report 003's, 70 that of its Figure 3
CAT, CARS, BOATS = 3, 1, 8  # labels of CIFAR-10


def looks(judge: Judge, x: np.ndarray, y: np.ndarray, real: data.Images) -> dict[str, float]:
    """What the judge says of samples asked for as y (`evaluation.judged`), and their peak at the
    period of two pixels.
    """
    return evaluation.judged(judge, x, y, real) | {"checkerboard": samples.checkerboard_peak(x)}


def run(
    place,
    twin: ModuleType,
    model: ModelSpec | GanSpec,
    settings: TrainSpec,
    images: data.Splits,
    seeds: int,
    marks: Sequence[int],
    judge: Judge,
    y: np.ndarray,
) -> tuple[pd.DataFrame, list[evaluation.Trained]]:
    """Trains to each mark (epochs, ascending, the last that of the settings) in turn and judges
    samples for y there.

    -> a row a seed and mark: seed, epoch, seconds of training, and `looks` against the test images;
    the models.  A row is kept beside its checkpoint as soon as it is known, so that a killed race
    goes on.  ValueError for other marks.
    """
    if list(marks) != sorted(set(marks)) or not marks or marks[-1] != settings.epochs or marks[0] < 1:
        raise ValueError(
            f"the marks are {list(marks)}; they must ascend from 1 or more to {settings.epochs}, the epochs"
        )
    there = SimpleNamespace(checkpoints=place.checkpoints / f"{settings.epochs}-epochs")
    rows, finished = [], []
    for seed in range(seeds):
        how = replace(settings, seed=seed)
        path = evaluation.checkpoints(there, model, how, images) / f"judged-{len(y)}-{'-'.join(map(str, marks))}.json"
        done = json.loads(path.read_text()) if path.exists() else []
        for mark in marks[len(done) :]:
            trained = evaluation.train(there, twin, model, replace(how, epochs=mark), images)
            done.append({"seed": seed, "epoch": mark} | looks(judge, evaluation.generate(trained, y), y, images.test))
            write_text(path, json.dumps(done))
        finished.append(evaluation.train(there, twin, model, how, images))
        seconds = pace(finished[-1].history.seconds, marks)
        rows += [row | {"seconds": row["epoch"] * seconds} for row in done]
    return pd.DataFrame(rows), finished


def pace(seconds: Sequence[float], marks: Sequence[int]) -> float:
    """Median seconds of an epoch, without those that follow a mark: they warm up, and in TensorFlow
    compile.

    Where every epoch follows a mark, the median of all.
    """
    warm = [s for epoch, s in enumerate(seconds, 1) if epoch - 1 not in (0, *marks)]
    return float(np.median(warm or list(seconds)))


def first_past(rows: pd.DataFrame, threshold: float, unit: str = "epoch") -> list[float]:
    """The first mark of each seed at which the accuracy has reached the threshold, in epochs or
    seconds; NaN for never.
    """
    past = rows[rows.accuracy >= threshold].groupby("seed")[unit].min()
    return [float(past.get(seed, np.nan)) for seed in sorted(rows.seed.unique())]


def at_the_end(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of each seed's last mark."""
    return rows[rows.epoch == rows.epoch.max()]


def at_least(firsts: Sequence[float], end: float) -> float:
    """The mean over seeds, a run that never got there counted with the `end` of its training: a
    lower bound then.
    """
    return float(np.mean([end if np.isnan(first) else first for first in firsts]))


# ---------------------------------------------------------------- small trainings
def latent_sizes(model: ModelSpec) -> dict[str, ModelSpec]:
    """The model with other sizes of the code, by their numbers' names: z10, z30, ..., z256."""
    return {f"z{z}": replace(model, name=f"{model.name}_z{z}", latent_dim=z) for z in LATENT_DIMS}


def in_colour() -> dict[str, ModelSpec]:
    """Report 004's three models for CIFAR-10's images, as its outlook has it: mlp_ae, mlp_vae,
    mlp_cvae.
    """
    models = {kind: zoo.get(f"report004_{kind}").for_images((32, 32, 3), 10) for kind in ("ae", "vae", "cvae")}
    return {f"mlp_{kind}": replace(model, name=f"colour_{kind}", report="") for kind, model in models.items()}


def measured(trained: evaluation.Trained, judge: Judge, y: np.ndarray, images: data.Splits) -> dict[str, float]:
    """What is kept of a small training: `loss` on test images and its `gap` in nats;
    `squared_error` of an image by the posterior's mean; units that vary; `looks` of samples for y;
    `cat`, the judge's mean probability of it where asked.
    """
    loss, excess = gap(trained, images)
    x = evaluation.generate(trained, y)
    test = data.scale(images.test.x)
    code = trained.predict("encode", test, evaluation.one_hot(trained, images.test.y))
    row = {
        "loss": loss,
        "gap": excess,
        "cat": judge.probabilities(x[y == CAT])[:, CAT].mean(),
        "squared_error": evaluation.squared_error(test, evaluation.reconstruct(trained, test, images.test.y)).mean(),
        "active": latent.active_units(code[0] if isinstance(code, tuple) else code).sum(),
    }
    return {name: float(value) for name, value in (row | looks(judge, x, y, images.test)).items()}


def gap(trained: evaluation.Trained, images: data.Splits) -> tuple[float, float]:
    """The loss on test images, in nats, and how much lower it is on as many training images."""
    few = images.train.subset(np.arange(min(len(images.train), len(images.test))))
    unseen, seen = (
        trained.twin.train.evaluate(trained.model, part, trained.settings)[0] for part in (images.test, few)
    )
    return float(unseen), float(unseen - seen)
