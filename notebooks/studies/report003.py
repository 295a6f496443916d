"""Report 003, CVAE against CGAN on CIFAR-10: what notebook 06 trains, models against the clock, small trainings.

Knows no framework.  Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N].
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from twinvae import backend as backends
from twinvae import data, zoo
from twinvae.metrics import latent, samples
from twinvae.metrics.judge import Judge
from twinvae.spec import GanSpec, ModelSpec, TrainSpec
from twinvae.training import Job
from twinvae_studies import evaluation, latent_space, planning
from twinvae_studies.planning import Count, sizes

AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    images=(sizes(96, 32, 96), sizes(1_000, 100, 1_000), sizes(None, None, None)),
    seeds=(1, 1, 3),  # of the racing pair; ours run once
    # In 'full' the report's: as many presentations as 75 and 20 epochs of the 60,000 images that it trains on, to 5 %.
    epochs=({"CVAE": 1, "CGAN": 1}, {"CVAE": 12, "CGAN": 12}, {"CVAE": 95, "CGAN": 26}),
    batch_size=(16, 16, 32),
    learning_rate=(0.002, 0.002, 0.0001),
    learning_rate_cgan=(0.0003, 0.0003, 0.0001),
    small_images=(64, 400, 1_000),
    small_epochs=(1, 5, 8),
    digits=(sizes(600, 60, 100), sizes(10_000, 100, 2_000), sizes(None, None, None)),
    digits_seeds=(1, 3, 3),
    digits_epochs=({"CVAE": 1, "CGAN": 1}, {"CVAE": 24, "CGAN": 12}, {"CVAE": 24, "CGAN": 12}),
)
EXACT = {"CVAE": zoo.get("report003_cvae"), "CGAN": zoo.get("report003_cgan")}
LIGHT = {"CVAE": zoo.get("light_cifar_cvae"), "CGAN": zoo.get("light_cifar_cgan")}
BETTER = {"CVAE, ours": zoo.get("better_cifar_cvae"), "CGAN, ours": zoo.get("better_cifar_cgan")}
DIGITS = {"CVAE": zoo.get("conv_digits_cvae"), "CGAN": zoo.get("conv_digits_cgan")}
DIGITS_MARKS = (1, 2, 3, 4, 6, 8, 12, 16, 24)  # epochs; closer than on photographs, since here both arrive
OPTIMIZERS = {"CVAE": "adam", "CGAN": "rmsprop"}  # on digits; a GAN's two losses push each other, momentum overshoots
OWN_RATES = {"CVAE, ours": 0.002, "CGAN, ours": 0.0009}
SMALL = {"batch_size": 8, "learning_rate": 0.002}  # small trainings have few images, and need steps
AS_PRINTED = "twinvae_studies.mistakes:as_printed"
PRINTED = {  # the mistakes of the printed code that a CVAE is trained with, as fields of its job
    "printed": {"change": AS_PRINTED, "arguments": (("frozen", True), ("scrambled", True))},
    "planes": {"change": AS_PRINTED, "arguments": (("scrambled", True),)},
    "norms": {"change": AS_PRINTED, "arguments": (("frozen", True),)},
    "right": {},
}
THRESHOLDS = (0.15, 0.2, 0.25, 0.3, 0.4)  # of the judge's accuracy on samples of 10 classes
LATENT_DIMS = (10, 30, 70, 110, 256)  # 110 is report 003's, 70 that of its Figure 3
CAT, CARS, BOATS = 3, 1, 8  # labels of CIFAR-10


# ---------------------------------------------------------------- what is trained
def jobs(
    profile: str,
    backend: str,
    epochs: Count,
    seeds: Count,
    batch_size: Count,
    learning_rate: float | None,
    learning_rate_cgan: float | None,
) -> dict:
    """Return the trainings of notebook 06; what is None is the profile's.

    'race' and, at settings of its own, 'digits': model -> seeds, with marks; 'printed': mistake -> training; 'leaked',
    on test images, too; 'code sizes' and 'mlp': name -> training.
    """
    amounts = AMOUNTS[profile]
    images = planning.recipe("cifar10", amounts.images)
    few = replace(images, train_size=amounts.small_images)
    leak = {"transform": "twinvae_studies.mistakes:train_on_test", "arguments": (("count", few.train_size // 3),)}
    batch_size = batch_size or amounts.batch_size
    rates = {"CVAE": learning_rate or amounts.learning_rate, "CGAN": learning_rate_cgan or amounts.learning_rate_cgan}
    rates |= OWN_RATES
    small = TrainSpec(amounts.small_epochs, **SMALL)
    sizes_of_code = planning.code_sizes(LIGHT["CVAE"], LATENT_DIMS)
    right = Job(sizes_of_code["z110"], (small,), few, backend)

    def racing(name: str, model: ModelSpec | GanSpec) -> list[Job]:
        settings = TrainSpec(epochs or amounts.epochs[name[:4]], batch_size, rates[name])
        job = Job(model, (settings,), images, backend, marks=marks(settings.epochs))
        return planning.over_seeds(job, 1 if name in BETTER else seeds or amounts.seeds)

    def racing_on_digits(name: str, model: ModelSpec | GanSpec) -> list[Job]:
        settings = TrainSpec(amounts.digits_epochs[name], 64, 0.001, OPTIMIZERS[name], average=0.99)
        digits = planning.recipe("mnist", amounts.digits)
        close = tuple(mark for mark in DIGITS_MARKS if mark <= settings.epochs)
        return planning.over_seeds(Job(model, (settings,), digits, backend, marks=close), amounts.digits_seeds)

    racers = (EXACT if profile == "full" else LIGHT) | BETTER
    return {
        "race": {name: racing(name, model) for name, model in racers.items()},
        "digits": {name: racing_on_digits(name, model) for name, model in DIGITS.items()},
        "printed": {name: replace(right, **mistakes) for name, mistakes in PRINTED.items()},
        "leaked": replace(right, data=replace(few, **leak)),
        "code sizes": {name: replace(right, spec=model) for name, model in sizes_of_code.items()},
        "mlp": {name: replace(right, spec=model) for name, model in in_colour().items()},
    }


def exact_pair(backend: str) -> dict[str, Job]:
    """Return the report's own models at its batch size and our rates for it, to be timed and not to be trained."""
    race = jobs("full", backend, None, None, None, None, None)["race"]
    return {name: race[name][0] for name in EXACT}


def marks(epochs: int) -> tuple[int, ...]:
    """Return after how many epochs the samples of a race are judged: powers of 2, and the end."""
    return (*(mark for mark in (1, 2, 4, 8, 16, 32, 64) if mark < epochs), epochs)


def in_colour() -> dict[str, ModelSpec]:
    """Return report 004's three models for CIFAR-10's images, as its outlook has it: mlp_ae, mlp_vae, mlp_cvae."""
    models = {kind: zoo.get(f"report004_{kind}").for_images((32, 32, 3), 10) for kind in ("ae", "vae", "cvae")}
    return {f"mlp_{kind}": replace(model, name=f"colour_{kind}", report="") for kind, model in models.items()}


# ---------------------------------------------------------------- the race
def looks(judge: Judge, x: np.ndarray, y: np.ndarray, real: data.Images) -> dict[str, float]:
    """Return what the judge says of samples asked for as y, and their peak at the period of two pixels."""
    within = class_frechet(judge.features(x), y, evaluation.real_features(judge, real), real.y)
    seen = {"class_frechet": within, "checkerboard": samples.checkerboard_peak(x)}
    return evaluation.judged(judge, x, y, real) | seen


def class_frechet(made: np.ndarray, y: np.ndarray, real: np.ndarray, real_y: np.ndarray) -> float:
    """Return the mean over labels of the Frechet distance of features made for a label to those of its real images.

    It sees label, fidelity and variety at once  (the intra FID of Miyato & Koyama 2018).  [N, F], [N], [M, F], [M]
    """
    return float(np.mean([samples.frechet_distance(made[y == k], real[real_y == k]) for k in np.unique(y)]))


def race(
    run, jobs: list[Job], images: data.Splits, judge: Judge, y: np.ndarray
) -> tuple[pd.DataFrame, list[evaluation.Trained]]:
    """Judge samples for y at each mark of the jobs, one a seed, against the test images.

    -> a row a seed and mark: seed, epoch, seconds of training, and `looks`; the models at the end.
    """
    rows, finished = [], []
    for job in jobs:
        finished.append(evaluation.train_all(run, job, images))
        seconds = float(np.median(warm(finished[-1].history.seconds, job.marks)))
        for mark in job.marks:
            made = evaluation.generate(evaluation.train_all(run, job.at(mark), images), y)
            row = {"seed": job.seed, "epoch": mark, "seconds": mark * seconds}
            rows.append(row | looks(judge, made, y, images.test))
    return pd.DataFrame(rows), finished


def in_turns(timed: dict[str, Job], images: data.Splits, rounds: int, steps: int = 50) -> dict[str, list[float]]:
    """Return the seconds of an epoch, name -> one a round, from `steps` steps of each model, which take turns.

    So whatever else a machine does hits all alike, wherever the models were trained.  The first of two trainings is not
    timed: it warms up, and in TensorFlow compiles.
    """
    found = {name: [] for name in timed}
    for _ in range(rounds):
        for name, job in timed.items():
            twin, settings = backends.get(job.backend), replace(job.phases[0], epochs=2)
            batches = len(images.train) // settings.batch_size
            few = images.train.subset(np.arange(min(steps, batches) * settings.batch_size))
            seconds = twin.train.fit(twin.models.build(job.spec), replace(images, train=few), settings)[-1]["seconds"]
            found[name].append(seconds * batches / min(steps, batches))
    return found


def retimed(race: pd.DataFrame, paces: dict[str, list[float]]) -> pd.DataFrame:
    """Return the rows of a race with the seconds that its epochs take `in_turns`: a seed's are those of its round."""
    seconds = [epoch * paces[name][seed] for name, seed, epoch in zip(race.model, race.seed, race.epoch, strict=True)]
    return race.assign(seconds=seconds)


def warm(seconds: Sequence[float], marks: Sequence[int]) -> list[float]:
    """Return the epochs' seconds without those that follow a mark: they warm up, and in TensorFlow compile.

    Where every epoch follows a mark, all.
    """
    return [s for epoch, s in enumerate(seconds, 1) if epoch - 1 not in (0, *marks)] or list(seconds)


def first_past(rows: pd.DataFrame, threshold: float, unit: str = "epoch") -> list[float]:
    """Return each seed's first mark with an accuracy of the threshold, in epochs or seconds; NaN for never."""
    past = rows[rows.accuracy >= threshold].groupby("seed")[unit].min()
    return [float(past.get(seed, np.nan)) for seed in sorted(rows.seed.unique())]


def first_better(rows: pd.DataFrame, floor: dict[str, float]) -> list[float]:
    """Return each seed's seconds to its first mark no worse in any column of the floor; NaN for never.

    More is better of accuracy, less of all distances.
    """
    past = [rows[c] >= value if c == "accuracy" else rows[c] <= value for c, value in floor.items()]
    return first_past(rows.assign(accuracy=np.all(past, 0)), 1, "seconds")


def at_the_end(race: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each model's last mark, one a seed."""
    return race[race.epoch == race.groupby("model").epoch.transform("max")]


# ---------------------------------------------------------------- small trainings
def measured(trained: evaluation.Trained, judge: Judge, y: np.ndarray, images: data.Splits) -> dict[str, float]:
    """Return what a small training came to: `loss` on test images and its `gap` in nats; `squared_error` of an image by
    the posterior's mean; units that vary; `looks` of samples for y; `cat`, the judge's mean probability of asked ones.
    """
    loss, excess = gap(trained, images)
    x, test = evaluation.generate(trained, y), data.scale(images.test.x)
    row = {
        "loss": loss,
        "gap": excess,
        "cat": judge.probabilities(x[y == CAT])[:, CAT].mean(),
        "squared_error": evaluation.squared_error(test, evaluation.reconstruct(trained, test, images.test.y)).mean(),
        "active": latent.active_units(latent_space.centres(trained, test, images.test.y)).sum(),
    }
    return {name: float(value) for name, value in (row | looks(judge, x, y, images.test)).items()}


def gap(trained: evaluation.Trained, images: data.Splits) -> tuple[float, float]:
    """Return the loss on test images, in nats, and how much lower it is on as many training images."""
    few = images.train.subset(np.arange(min(len(images.train), len(images.test))))
    evaluate = trained.twin.train.evaluate
    unseen, seen = (evaluate(trained.model, part, trained.settings)[0] for part in (images.test, few))
    return float(unseen), float(unseen - seen)
