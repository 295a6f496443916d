"""A Job: what is trained on what, as a frozen record that JSON can hold."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twinvae import data
from twinvae.spec import GanSpec, ModelSpec, TrainSpec, from_dict, model_from_dict

IGNORED = ("name", "report", "marks")


@dataclass(frozen=True)
class Job:
    """One training: a model, its phases (each goes on from the one before) and its images.

    `seed` draws the starting weights, unless the job goes on from another, `start`.  `change` names a function
    'package.module:function' that changes the built model (twin, model, **arguments) before it is trained.  `marks` are
    epochs of the last phase at which the model is kept, too: `at(mark)` is a job of its own.  With `best`, each phase
    ends at its epoch of the lowest validation loss instead of its last.
    """

    spec: ModelSpec | GanSpec
    phases: tuple[TrainSpec, ...]
    data: data.Recipe
    backend: str = "torch"
    seed: int = 0
    start: Job | None = None
    change: str = ""
    arguments: tuple[tuple[str, Any], ...] = ()
    marks: tuple[int, ...] = ()
    best: bool = False

    def __post_init__(self):
        last = self.phases[-1].epochs if self.phases else 0
        if not self.phases or list(self.marks) != sorted({m for m in self.marks if 0 < m <= last}):
            raise ValueError(f"marks are {self.marks}; with at least one phase, they must ascend from 1 to {last}")
        if self.marks and self.phases[-1].schedule == "cosine":
            raise ValueError("a cosine ends with its training, so none of its epochs is another training: no marks")
        if self.best and (self.marks or self.spec.kind == "cgan"):
            what = "the best epoch is kept of a model without marks whose validation loss ranks epochs"
            raise ValueError(f"{what}, no GAN")

    def at(self, epoch: int) -> Job:
        """Return the job that ends at this epoch of the last phase."""
        return replace(self, phases=(*self.phases[:-1], replace(self.phases[-1], epochs=epoch)), marks=())

    @property
    def key(self) -> str:
        """A checksum of all that decides the weights; names do not, nor do fields that have their defaults."""
        return hashlib.sha256(json.dumps(_compact(self), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def trajectory(self) -> str:
        """The key of one epoch of the last phase, which longer trainings go on from; with a cosine none does."""
        return self.key if self.phases[-1].schedule == "cosine" else self.at(1).key


def _compact(value: Any) -> Any:
    """Plain values of what a record says beyond its defaults, without names and marks, which decide no weight."""
    if dataclasses.is_dataclass(value):
        said = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.name not in IGNORED}
        defaults = {f.name: f.default for f in dataclasses.fields(value)}
        return {"": type(value).__name__} | {n: _compact(v) for n, v in said.items() if v != defaults[n]}
    return [_compact(v) for v in value] if isinstance(value, tuple | list) else value


def recipe_of(images: data.Splits) -> data.Recipe:
    """Return the recipe of these images; of images that no recipe makes again, one that knows them by their checksums.

    A job of the latter can be trained only where the images are at hand.
    """
    return images.recipe or data.Recipe("; ".join(fingerprints(images)))


def fingerprints(images: data.Splits) -> list[str]:
    """Return the checksums of the images that a training sees: those to train and those to validate on."""
    return [images.train.fingerprint, images.valid.fingerprint]


def read(path: Path) -> list[Job]:
    """Return the jobs of a file: a JSON list, whose `minutes` beside a job are no part of it, or a model's card."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    plain = [plain["job"]] if isinstance(plain, dict) else plain
    return [from_plain({name: value for name, value in values.items() if name != "minutes"}) for values in plain]


def from_plain(values: dict) -> Job:
    """Return the job that `spec.to_dict` gave as these plain values.  ValueError for a field that no job has."""
    pairs = {name: tuple((k, v) for k, v in values["data"][name]) for name in ("options", "arguments")}
    known = {
        "spec": model_from_dict(values["spec"]),
        "phases": tuple(from_dict(TrainSpec, phase) for phase in values["phases"]),
        "data": from_dict(data.Recipe, values["data"] | pairs),
        "start": from_plain(values["start"]) if values.get("start") else None,
        "arguments": tuple((k, v) for k, v in values.get("arguments", ())),
        "marks": tuple(values.get("marks", ())),
    }
    return from_dict(Job, values | known)
