"""The tuning study of report 002: one training for each setting and seed, and the table of what came out."""

from dataclasses import replace

import numpy as np
import pandas as pd

from twinvae import data, zoo
from twinvae.checkpoints import NotFinite
from twinvae.spec import Dense, Flatten, TrainSpec, mlp
from twinvae.training import Job
from twinvae_studies import evaluation, planning
from twinvae_studies.planning import sizes

RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    images=(sizes(300, 100, None), sizes(20_000, 2_000, None), sizes(None, None, None)),
    seeds=(1, 1, 3),  # in PyTorch; TensorFlow trains the first: the twins are proven alike
    epochs=(2, 4, 10),
    rates=((), (3e-4, 1e-3, 3e-3), RATES),
    other_rates=((), (1e-3, 1e-2), RATES),  # of RMSProp and Adagrad
)
HIDDEN = {("vae", "mnist"): (512, 256), ("cvae", "mnist"): (400,), ("vae", "usps"): (128, 64), ("cvae", "usps"): (400,)}
BATCH_SIZES, LATENT_DIMS = (64, 256, 1024), (2, 10, 50)
SETTINGS = ["hidden", "batch_size", "learning_rate", "optimizer", "latent_dim"]


# ---------------------------------------------------------------- what is trained
def jobs(profile: str, backend: str) -> dict[tuple[str, str], list[Job]]:
    """Return all trainings of the study, (data set, kind of model) -> a job a setting and seed, the report's first."""
    amounts = AMOUNTS[profile]
    found = {}
    for dataset in ("mnist", "usps"):
        images = planning.recipe(dataset, amounts.images)
        for kind in ("vae", "cvae"):
            tried = [job(dataset, kind, images, backend, amounts.epochs, **c) for c in changes(profile, dataset, kind)]
            once = {one.key: one for one in tried}.values()
            over_seeds = [planning.over_seeds(one, amounts.seeds if backend == "torch" else 1) for one in once]
            found[dataset, kind] = [one for same_seed in zip(*over_seeds, strict=True) for one in same_seed]
    return found


def changes(profile: str, dataset: str, kind: str) -> list[dict]:
    """Return what is changed in the report's choice, which comes first.

    The CVAE gets batch size by learning rate, optimisers at several learning rates, hidden layers; the VAE one change
    at a time; both get other code sizes.  'smoke' has no more than the report asks numbers of.
    """
    amounts = AMOUNTS[profile]
    optimizers = [{"optimizer": "rmsprop"}, {"optimizer": "adagrad", "learning_rate": 1e-2}]
    layers = [{"hidden": hidden} for hidden in (HIDDEN["vae", dataset], (200,))]
    codes = [{"latent_dim": z} for z in LATENT_DIMS]
    if profile == "smoke":
        return [{}, *optimizers, *layers, *codes] if kind == "cvae" else [{}]
    if kind == "vae":
        one_by_one = [{"batch_size": b} for b in BATCH_SIZES] + [{"learning_rate": rate} for rate in amounts.rates]
        return [{}, *one_by_one, *optimizers, *codes]
    crossed = [{"batch_size": b, "learning_rate": rate} for b in BATCH_SIZES for rate in amounts.rates]
    crossed += [{"optimizer": o, "learning_rate": rate} for o in ("rmsprop", "adagrad") for rate in amounts.other_rates]
    return [{}, *crossed, *layers, *codes]


def job(
    dataset: str,
    kind: str,
    images: data.Recipe,
    backend: str,
    epochs: int,
    hidden: tuple[int, ...] = (),
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    optimizer: str = "adam",
    latent_dim: int = 20,
) -> Job:
    """Return one training of the study; the defaults are what report 002 found best, and our size of the code."""
    hidden = hidden or HIDDEN[kind, dataset]
    layers = {"encoder": (Flatten(), *mlp(*hidden)), "decoder": mlp(*hidden[::-1])}
    model = replace(zoo.get(f"report002_{kind}_{dataset}"), latent_dim=latent_dim, **layers)
    return Job(model, (TrainSpec(epochs, batch_size, learning_rate, optimizer, binarize="dynamic"),), images, backend)


# ---------------------------------------------------------------- what came out
def table(run, jobs: list[Job], images: data.Splits) -> pd.DataFrame:
    """Return a row a training, in order: `SETTINGS`, seed, valid_loss in nats, seconds, history; `failed`, why."""
    rows = []
    for one in jobs:
        (how,) = one.phases
        hidden = tuple(layer.units for layer in one.spec.encoder if isinstance(layer, Dense))
        setting = (hidden, how.batch_size, how.learning_rate, how.optimizer, one.spec.latent_dim, one.seed)
        try:
            history = evaluation.train_all(run, one, images).history
            came_out = (history.valid_loss.iloc[-1], history.seconds.sum(), history, "")
        except NotFinite as error:
            came_out = (np.nan, np.nan, pd.DataFrame(), str(error))
        rows.append(setting + came_out)
    return pd.DataFrame(rows, columns=[*SETTINGS, "seed", "valid_loss", "seconds", "history", "failed"])


def along(table: pd.DataFrame, field: str) -> dict[float | str, np.ndarray]:
    """Return validation losses by epoch for each value of a field, all else as in the first row.  -> value -> [S, E]"""
    others = [name for name in SETTINGS if name != field]
    same = table[others].eq(table[others].iloc[0]).all(axis=1) & (table.failed == "")
    return {value: np.stack([h.valid_loss for h in rows.history]) for value, rows in table[same].groupby(field)}


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting, best first: mean and deviation over seeds of the last validation loss, mean seconds."""
    means = table.groupby(SETTINGS, as_index=False, sort=False).agg(
        valid_loss=("valid_loss", _mean), sd=("valid_loss", "std"), seconds=("seconds", "mean")
    )
    means["hidden"] = ["-".join(map(str, hidden)) for hidden in means.hidden]
    return means.sort_values("valid_loss").reset_index(drop=True)


def keep_losses(run, dataset: str, table: pd.DataFrame, sources: list) -> None:
    """Keep what the claims ask of the CVAE's grid, in nats: means over seeds, the best of each part.

    Numbers grid_{dataset}_cvae_...: report, its own choice; best, over batch size and learning rate; adam and so on,
    an optimiser at its best rate; z20, a size of the code; h512x256, hidden layers.
    """
    means = table.groupby(SETTINGS, as_index=False, sort=False).valid_loss.agg(_mean)
    report = table.iloc[0][SETTINGS].to_dict()

    def rows(*open_to: str, **fixed) -> pd.DataFrame:
        wanted = {name: value for name, value in report.items() if name not in open_to} | fixed
        return means[np.logical_and.reduce([means[name].map(str) == str(value) for name, value in wanted.items()])]

    found = {"report": rows(), "best": rows("batch_size", "learning_rate")}
    found |= {name: rows("learning_rate", optimizer=name) for name in means.optimizer.unique()}
    found |= {f"z{z}": rows(latent_dim=z) for z in rows("latent_dim").latent_dim}
    found |= {"h" + "x".join(map(str, hidden)): rows(hidden=hidden) for hidden in rows("hidden").hidden}
    for name, part in found.items():
        run.number(f"grid_{dataset}_cvae_{name}", part.valid_loss.min(), ".2f", sources)


def _mean(losses: pd.Series) -> float:
    """Return the mean over seeds; NaN where the training of one failed."""
    return losses.mean(skipna=False)


def shared_rates(table: pd.DataFrame) -> int:
    """Return how many learning rates every optimiser of a grid was tried with, at the report's batch size."""
    same = table[table.batch_size == table.batch_size.iloc[0]]
    return len(set.intersection(*(set(rows.learning_rate) for _, rows in same.groupby("optimizer"))))
