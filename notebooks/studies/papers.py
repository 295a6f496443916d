"""What the studies of papers share: trainings in phases, both twins, likelihoods that are kept, sources.

A study has `AMOUNTS` by profile, `jobs(profile, backend_name)`, and `study(run, backend_name)`, which gives its facts.
"""

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from twinvae import backend, data
from twinvae.metrics import likelihood
from twinvae.spec import TrainSpec
from twinvae.training import Job, NotTrained, Trained, per_image, train_or_load
from twinvae_studies import evaluation

SOURCE_COLUMNS = ["study", "twin", "commit", "data", "CPU", "threads"]
images = lru_cache(maxsize=4)(data.from_recipe)  # the same splits, and the same object, for each twin and seed


def settings(phases: Sequence[tuple[int, float]], batch_size: int, seed: int = 0) -> tuple[TrainSpec, ...]:
    """Return the settings of phases (epochs, learning rate) on binarised pixels, each with noise of its own."""
    return tuple(
        TrainSpec(epochs, batch_size, rate, binarize="dynamic", seed=10 * seed + number)
        for number, (epochs, rate) in enumerate(phases)
    )


def train(run, job: Job) -> Trained:
    """Return the trained model of a job, trained now where the run's profile may; in smoke nothing is compiled."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its notes on compiling for each model anew
    with evaluation.eager(run, backend.get(job.backend)):
        return train_or_load(job, images(job.data), run.may_train)


def of_twins(study: Callable[[str], Any]) -> dict[str, Any]:
    """Return what a study finds of each twin, by its name; what has not been trained is said in a line and left out."""
    found = {}
    for name in backend.TWINS:
        try:
            found[name] = study(name)
        except NotTrained as error:
            print(f"{name}: {error}")
    return found


def nll(trained: Trained, name: str, x: np.ndarray, y: np.ndarray | None, samples: int) -> np.ndarray:
    """Return -log p(x) in nats, or with one-hot y -log p(x | y), importance-sampled and kept.  -> [N]"""

    def measure(first: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return -likelihood.importance_sampled(trained.model, trained.twin, x, y, samples, seed=first)

    return per_image(trained, f"nll-{name}-{samples}", measure, x, np.zeros((len(x), 1)) if y is None else y)


def interval(values: np.ndarray) -> dict[str, float]:
    """Return the mean of -log p over images and its 95 % interval.  [N] -> nll, low, high"""
    mean, half = float(values.mean()), float(1.96 * values.std(ddof=1) / np.sqrt(len(values)))
    return {"nll": mean, "low": mean - half, "high": mean + half}


def sources(studies: dict[str, dict[str, dict]]) -> pd.DataFrame:
    """Return a row a study and twin: the commits, data and machines that the `cards` of its models name.

    A commit's + says that the library or the notebooks differed from it.
    """
    rows = []
    for study, found in studies.items():
        for twin, facts in found.items():
            for card in facts["cards"]:
                git, machine = card["git"], card["machine"]
                row = {"study": study, "twin": twin, "commit": git["commit"][:12] + "+" * git["dirty"]}
                rows.append(row | {"data": card["source"], "CPU": machine["cpu"], "threads": machine["threads"]})
    groups = pd.DataFrame(rows, columns=SOURCE_COLUMNS).groupby(["study", "twin"], sort=False)
    return groups.agg(lambda values: ", ".join(dict.fromkeys(map(str, values)))).reset_index()
