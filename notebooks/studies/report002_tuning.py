"""The tuning study of report 002 as a grid of points, each trained once and kept in a file of its own.

`make grid` runs the missing points through snakemake and papermill, on as many cores as it is given; notebook 04 trains
what is still missing and draws the rest.  A point that was killed goes on from its checkpoint; one whose loss is not
finite is kept with the reason, and stops nobody.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
from twinvae import data, paths, zoo
from twinvae import spec as specs
from twinvae.checkpoints import NotFinite

KINDS = ("vae", "cvae")
# profile -> (training images, validation images, epochs, seeds)
AMOUNT = {
    "smoke": (300, 100, 2, 1),
    "quick": (20_000, 2_000, 4, 1),
    "full": (20_000, 2_000, 4, 3),
}
HIDDEN = {
    ("vae", "mnist"): (512, 256),
    ("cvae", "mnist"): (400,),
    ("vae", "usps"): (128, 64),
    ("cvae", "usps"): (400,),
}
BATCH_SIZES, LEARNING_RATES, LATENT_DIMS = (64, 256, 1024), (3e-4, 1e-3, 3e-3), (2, 10, 50)


@dataclass(frozen=True)
class Point:
    """One setting of the study; the defaults are those that report 002 found best, and our code size."""

    dataset: str
    kind: str
    hidden: tuple[int, ...]
    batch_size: int = 256
    learning_rate: float = 1e-3
    optimizer: str = "adam"
    latent_dim: int = 20
    seed: int = 0

    @property
    def name(self) -> str:
        """'mnist-cvae-400-b256-lr0.001-adam-z20-s0': the name of its file; `named` is the inverse."""
        hidden = "x".join(map(str, self.hidden))
        return (
            f"{self.dataset}-{self.kind}-{hidden}-b{self.batch_size}-lr{self.learning_rate:g}-"
            f"{self.optimizer}-z{self.latent_dim}-s{self.seed}"
        )

    def model(self) -> specs.ModelSpec:
        """The model of report 002 with these hidden layers and this code size."""
        model = zoo.get(f"report002_{self.kind}_{self.dataset}")
        return replace(
            model,
            latent_dim=self.latent_dim,
            encoder=(specs.Flatten(), *specs.mlp(*self.hidden)),
            decoder=specs.mlp(*self.hidden[::-1]),
        )

    def settings(self, epochs: int) -> specs.TrainSpec:
        return specs.TrainSpec(
            epochs,
            self.batch_size,
            self.learning_rate,
            self.optimizer,
            binarize="dynamic",
            seed=self.seed,
        )


def named(name: str) -> Point:
    """The point of this name.  ValueError if it is no name of a point."""
    try:
        # a learning rate may hold a hyphen itself, as in 1e-05
        dataset, kind, hidden, batch, rest = name.split("-", 4)
        rate, optimizer, latent, seed = rest.rsplit("-", 3)
        point = Point(
            dataset,
            kind,
            tuple(map(int, hidden.split("x"))),
            int(batch[1:]),
            float(rate[2:]),
            optimizer,
            int(latent[1:]),
            int(seed[1:]),
        )
    except ValueError:
        point = None
    if point is None or point.name != name:
        raise ValueError(
            f"{name!r} is no point of the grid; a name looks like {Point('mnist', 'cvae', (400,)).name!r}"
        )
    return point


def grid(profile: str, backend: str, dataset: str, kind: str) -> list[Point]:
    """All points of a twin for one data set and model, the report's choice first.

    The CVAE gets batch size by learning rate, optimisers at two learning rates, hidden layers; the VAE one change at a
    time; both get other code sizes.  PyTorch carries the seeds, TensorFlow trains the first: the twins are proven alike.
    """
    base = Point(dataset, kind, HIDDEN[kind, dataset])

    def change(**fields):
        return replace(base, **fields)

    if profile == "smoke":  # no more than the report asks numbers of
        few = [change(optimizer="rmsprop"), change(optimizer="adagrad", learning_rate=1e-2)]
        few += [change(hidden=hidden) for hidden in (HIDDEN["vae", dataset], (200,))]
        return (
            [base, *few, *(change(latent_dim=z) for z in LATENT_DIMS)] if kind == "cvae" else [base]
        )
    points = [base]
    if kind == "cvae":  # the report's own study is of its CVAE
        points += [
            change(batch_size=b, learning_rate=rate) for b in BATCH_SIZES for rate in LEARNING_RATES
        ]
        points += [
            change(optimizer=o, learning_rate=rate)
            for o in ("rmsprop", "adagrad")
            for rate in (1e-3, 1e-2)
        ]
        points += [change(hidden=hidden) for hidden in (HIDDEN["vae", dataset], (200,))]
    else:
        points += [change(batch_size=b) for b in BATCH_SIZES] + [
            change(learning_rate=rate) for rate in LEARNING_RATES
        ]
        points += [change(optimizer="rmsprop"), change(optimizer="adagrad", learning_rate=1e-2)]
    points += [change(latent_dim=z) for z in LATENT_DIMS]
    seeds = AMOUNT[profile][3] if backend == "torch" else 1
    return [replace(point, seed=seed) for seed in range(seeds) for point in dict.fromkeys(points)]


def everything(profile: str, backend: str) -> list[Point]:
    """The whole study: both data sets, both models."""
    return [
        point
        for dataset in ("mnist", "usps")
        for kind in KINDS
        for point in grid(profile, backend, dataset, kind)
    ]


def folder(profile: str, backend: str) -> Path:
    """Where the points are kept."""
    return paths.results_folder(paths.find_root(Path.cwd())) / "grid" / profile / backend


def images(profile: str, dataset: str) -> data.Splits:
    """The images that the points of a profile are trained on."""
    train_size, valid_size, _, _ = AMOUNT[profile]
    return data.splits(dataset, train_size=train_size, valid_size=valid_size)


def compute(point: Point, twin: ModuleType, splits: data.Splits, epochs: int, into: Path) -> dict:
    """The record of a point: read where it is kept, trained otherwise.  Losses in nats per image.

    {"point", "history": a row an epoch, "failed": why, or "", "source", "train_images"}
    """
    path, unfinished = into / f"{point.name}.json", into / "checkpoints" / point.name
    if path.exists():
        return json.loads(path.read_text())
    failed, model = "", twin.models.build(point.model(), seed=point.seed)
    try:
        history = twin.train.fit(model, splits, point.settings(epochs), unfinished)
    except NotFinite as error:
        failed, history = str(error), pd.DataFrame()
    record = {
        "point": asdict(point),
        "failed": failed,
        "source": splits.source.label,
        "train_images": len(splits.train),
        "history": history.to_dict("records"),
    }
    paths.write_text(path, json.dumps(record) + "\n")
    shutil.rmtree(unfinished, ignore_errors=True)
    return record


def run_all(
    points: Iterable[Point], twin: ModuleType, splits: data.Splits, epochs: int, into: Path
) -> pd.DataFrame:
    """Every point, in order.  -> a row a point: its fields, valid_loss at the end, seconds, failed, history"""
    rows = []
    for point in points:
        record = compute(point, twin, splits, epochs, into)
        history = pd.DataFrame(record["history"])
        last = history.iloc[-1] if len(history) else {"valid_loss": np.nan}
        rows.append(
            asdict(point)
            | {
                "valid_loss": float(last["valid_loss"]),
                "failed": record["failed"],
                "seconds": history.seconds.sum() if len(history) else np.nan,
                "history": history,
            }
        )
    return pd.DataFrame(rows)


def along(table: pd.DataFrame, base: Point, field: str) -> dict[float | str, np.ndarray]:
    """Validation loss by epoch for each value of one field, all else as in `base`.  -> value -> [S, E]"""
    fixed = [f.name for f in fields(Point) if f.name not in (field, "seed")]
    same = [
        all(row[name] == getattr(base, name) for name in fixed) and not row["failed"]
        for _, row in table.iterrows()
    ]
    return {
        value: np.stack([history.valid_loss for history in rows.history])
        for value, rows in table[same].groupby(field)
    }


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """A row a setting, best first: mean and standard deviation over seeds of the last validation loss, seconds."""
    settings = [f.name for f in fields(Point) if f.name not in ("seed", "dataset", "kind")]
    means = table.groupby(settings, as_index=False, sort=False).agg(
        valid_loss=("valid_loss", "mean"), sd=("valid_loss", "std"), seconds=("seconds", "mean")
    )
    means["hidden"] = ["-".join(map(str, hidden)) for hidden in means.hidden]
    return means.sort_values("valid_loss").reset_index(drop=True)
