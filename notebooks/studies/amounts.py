"""What a report trained, from `report/amounts.yaml`, beside what a run trained: whether it is the report's own model.

A claim about a model is tested where the run gave that model as many image presentations as the report did, in batches
of its size and at its learning rate.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from twinvae.data.strict_yaml import read_yaml
from twinvae.run.results import Result, scoreboards

ENOUGH = 0.95  # of a report's image presentations


@dataclass(frozen=True)
class Amount:
    """What a model was trained on; batch size and rate are None where a report does not state them."""

    model: str
    images: int
    epochs: int
    batch_size: int | None = None
    learning_rate: float | None = None
    report: str = ""
    assumed: str = ""

    @property
    def presented(self) -> int:
        """How many images the training saw, each as often as it came."""
        return self.images * self.epochs


def load(path: Path) -> dict[str, Amount]:
    """Return what the reports trained, by the names of the models; nothing where no file says it."""
    rows = read_yaml(path) if path.is_file() else []
    return {row["model"]: Amount(**row) for row in rows}


@cache
def _board(result: Result) -> pd.DataFrame:
    """Return the scoreboard of a run, read once for all claims."""
    return scoreboards({result.key: result})


def trained(result: Result, model: str) -> Amount | None:
    """Return what a run trained of a model, the least of its seeds; None where it trained none."""
    board = _board(result)
    rows = board[board.model == model]
    if rows.empty:
        return None
    specs, splits = result.manifest["specs"], result.manifest["splits"]
    own = (name for name in specs if name.startswith("training_") and model.endswith(name.removeprefix("training_")))
    settings = specs[next(own, "training")]
    images = next(split["train"]["images"] for split in splits if split["data"] == rows.data_source.iloc[0])
    return Amount(model, images, int(rows.epochs.min()), settings["batch_size"], settings["learning_rate"])


def shortfall(theirs: Amount, ours: Amount | None) -> str:
    """Return in words why what a run trained is not what the report trained; '' where it is."""
    if ours is None:
        return f"{theirs.model} was not trained"
    if ours.presented < ENOUGH * theirs.presented:
        share = ours.presented / theirs.presented
        return f"{theirs.model} saw {ours.presented:,} images, {share:.1%} of the report's {theirs.presented:,}"
    for name in ("batch_size", "learning_rate"):
        wanted, got = getattr(theirs, name), getattr(ours, name)
        if wanted is not None and got != wanted:
            return f"{theirs.model} was trained with a {name.replace('_', ' ')} of {got:g}, the report's is {wanted:g}"
    return ""
