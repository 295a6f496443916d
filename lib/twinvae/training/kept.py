"""Models that are kept: loaded where they lie, else trained here, each folder with its card."""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from twinvae import backend, checkpoints, data, paths, provenance
from twinvae.spec import GanSpec, ModelSpec, TrainSpec, to_dict
from twinvae.training.jobs import Job, fingerprints, from_plain
from twinvae.training.places import folder_of, models_in_git, published
from twinvae.training.probe import changed, core_checksum, probe, same
from twinvae.training.spot_check import as_published, named_images


class NotTrained(LookupError):
    """A model that is not there, asked for where nothing may be trained."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model of either twin with its job, its history (a row an epoch, through all phases) and its card."""

    job: Job
    model: Any
    twin: ModuleType
    history: Any  # a pandas.DataFrame
    card: dict
    folder: Path

    @property
    def spec(self) -> ModelSpec | GanSpec:
        """What the model is."""
        return self.job.spec

    @property
    def settings(self) -> TrainSpec:
        """How it was trained last."""
        return self.job.phases[-1]

    def predict(self, method: str, *arrays: np.ndarray | None) -> Any:
        """Return model.method(*arrays), worked out in chunks, NumPy in and out."""
        return self.twin.models.predict(self.model, method, *arrays)


_used: dict[str, dict] = {}


def used() -> list[dict]:
    """Return the models that this process has trained or loaded: key, name, checksum of the weights, card."""
    return list(_used.values())


def train_or_load(
    job: Job, images: data.Splits | None = None, may_train: bool = True, twin: ModuleType | None = None
) -> Trained:
    """Return the trained model of a job, from its folder, or trained now where it is missing or stale.

    `images` are those of `job.data`, where they are at hand; `twin` builds the model in the other twin than the job's.
    A killed training goes on where it was.
    Raises NotTrained where it would have to train and may not, checkpoints.NotFinite for a training that fails.
    """
    images = images or data.from_recipe(job.data)
    folder = folder_of(job, images.source.kind)
    if may_train and not _usable(folder, images):
        with _locked(folder):
            if _unusable(folder, images):  # nobody else has trained it meanwhile
                _train(job, images, folder)
    return _load(job, folder, images, twin)


def load(job: Job, twin: ModuleType | None = None) -> Trained:
    """Return the kept model of a job on real images, whatever images are at hand.  Raises NotTrained."""
    return _load(job, folder_of(job, "official"), None, twin)


def _usable(folder: Path, images: data.Splits | None) -> Path | None:
    """Return the folder, or that of its name that is published with the project, if its model serves these images."""
    return next((at for at in (folder, models_in_git() / folder.name) if not _unusable(at, images)), None)


def _unusable(folder: Path, images: data.Splits | None) -> str:
    """Return why the folder's model cannot serve these images (None: those that it was trained on), '' if it can."""
    if not (folder / "card.json").exists():
        return "has not been trained"
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    if images and card["data"] != fingerprints(images):
        return "was trained on other images"
    return stale(folder)


def _load(job: Job, home: Path, images: data.Splits | None, twin: ModuleType | None) -> Trained:
    """Return the model of a job; where it is not there, raise NotTrained, beside a file of the job to be trained."""
    if not (folder := _usable(home, images)):
        wanted = home.parent / "wanted.json"
        paths.write_text(wanted, json.dumps([to_dict(job)]))
        why = f"{job.spec.name} {_unusable(home, images)}"
        raise NotTrained(f"{why}; train it: python -m twinvae.training {wanted}, or make train")
    return replace(opened(folder, twin or backend.get(job.backend)), job=job)


def opened(folder: Path, twin: ModuleType | None = None) -> Trained:
    """Return the model in a folder, built by `twin`, or by the twin that trained it.

    Raises checkpoints.NotFinite for a training that failed, ValueError for weights that its card does not know.
    """
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    if card["failed"]:
        raise checkpoints.NotFinite(card["failed"])
    job, weights = from_plain(card["job"]), folder / "weights.safetensors"
    for part, name in (("weights", weights.name), ("history", "history.csv")):
        if part in card and paths.sha256(folder / name) != card[part]:  # cards of before say nothing of the history
            raise ValueError(f"{folder / name} is not what its card says; delete its folder and train it again")
    twin = twin or backend.get(job.backend)
    model = changed(job, twin, twin.models.build(job.spec))
    model.set_arrays(checkpoints.read(weights)[0])
    history = pd.read_csv(folder / "history.csv") if (pd := _package("pandas")) else None
    card_file = f"models/{folder.name}/card.json"
    _used[job.key] = {"key": job.key, "name": job.spec.name, "weights": card["weights"], "card": card_file}
    return Trained(job, model, twin, history, card, folder)


def _package(name: str) -> Any:
    """Return a package; None on a bare machine, where nobody reads histories, and `bare.run` keeps processes apart."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _locked(folder: Path) -> AbstractContextManager:
    """The lock of a folder, acquired; says who holds it where it has to wait."""
    if not (filelock := _package("filelock")):
        return nullcontext()
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout=0.1)
    except filelock.Timeout:
        print(f"another process is training {folder.name}; waiting for it", flush=True)
        lock.acquire()
    return lock


def _train(job: Job, images: data.Splits, folder: Path) -> None:
    """Train a job and write its folder and those of its marks."""
    twin, probed = backend.get(job.backend), probe(job)
    model = changed(job, twin, twin.models.build(job.spec, seed=job.seed))
    if job.start:
        model.set_arrays(train_or_load(job.start, images).model.get_arrays())
    place, rows = _unfinished(job, images, folder.parent, probed), []
    resumed = any(place.glob("phase-*"))

    def keep(job: Job, folder: Path, rows: list[dict], failed: str = "") -> None:
        _keep(job, folder, model, images, rows, {"probe": probed, "resumed": resumed, "failed": failed})

    for number, settings in enumerate(job.phases):
        last, before, begun = number == len(job.phases) - 1, len(rows), model.get_arrays()
        marks = [m for m in job.marks if last and _unusable(folder_of(job.at(m), images.source.kind), images)]
        for epochs in dict.fromkeys((*marks, settings.epochs)):
            model.set_arrays(begun)  # a mark may lie before the epoch that a killed training goes on from
            try:
                part = twin.train.fit(model, images, replace(settings, epochs=epochs), place / f"phase-{number}")
            except checkpoints.NotFinite as error:
                return keep(job, folder, rows, str(error).split(";")[0])
            through = rows + [row | {"epoch": before + row["epoch"]} for row in part]
            if last and epochs < settings.epochs:
                keep(job.at(epochs), folder_of(job.at(epochs), images.source.kind), through)
        rows = through
        if job.best:
            model.set_arrays(_best(place / f"phase-{number}", settings.epochs))
    keep(job, folder, rows)


def _best(phase: Path, epochs: int) -> dict[str, np.ndarray]:
    """Return the weights of a phase's best epoch; a shorter training than one before has a sub-folder of its own."""
    own = phase / f"to-{epochs}"
    arrays = checkpoints.read((own if own.exists() else phase) / "best.safetensors")[0]
    return {name: a for name, a in arrays.items() if not name.startswith("optimizer.")}


def _unfinished(job: Job, images: data.Splits, models: Path, probed: dict) -> Path:
    """The folder of a job's checkpoints, whatever its epochs, emptied where other code has left them."""
    data_key = hashlib.sha256("".join(fingerprints(images)).encode()).hexdigest()[:8]
    place = models / "unfinished" / f"{job.trajectory}-{data_key}"
    note = place / "probe.json"
    if place.exists() and not (note.exists() and same(json.loads(note.read_text()), probed)):
        shutil.rmtree(place)
    paths.write_text(note, json.dumps(probed))
    return place


def _keep(job: Job, folder: Path, model: Any, images: data.Splits, rows: list[dict], how: dict) -> None:
    """Write the folder of a model, the card last; `how` is what the card says beside what is known here."""
    weights = folder / "weights.safetensors"
    arrays = model.get_arrays()
    if folder.name in published():
        arrays = as_published(model, backend.get(job.backend), named_images(job), job.phases[-1])
    checkpoints.write(weights, arrays, spec=to_dict(job.spec))
    lines = [*rows[:1], *map(dict.values, rows)]  # names, then numbers
    paths.write_text(folder / "history.csv", "".join(",".join(map(str, line)) + "\n" for line in lines))
    card = {
        "job": to_dict(replace(job, marks=())),
        "key": job.key,
        "weights": paths.sha256(weights),
        "history": paths.sha256(folder / "history.csv"),
        "data": fingerprints(images),
        "source": images.source.label,
        "labels": list(images.train.class_names) if job.spec.num_classes else [],
        "ranges": _ranges(images.train) if job.spec.num_classes else {},
        "seconds": sum(row["seconds"] for row in rows),
        "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "git": provenance.git_state(paths.find_root(Path.cwd())),
        "machine": provenance.machine(),
        "versions": provenance.versions(job.backend),
        "core": core_checksum(job.backend),
        **how,
    }
    paths.write_text(folder / "card.json", json.dumps(card, indent=1) + "\n")


def _ranges(images: data.Images) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest value of each number that a model is told; none for labels."""
    if images.labelled:
        return {}
    ends = zip(images.y.min(0).tolist(), images.y.max(0).tolist(), strict=True)
    return dict(zip(images.class_names, ends, strict=True))


def stale(folder: Path) -> str:
    """Return why today's code no longer trains the model in a folder as its card says, '' if it does."""
    card, seen = json.loads((folder / "card.json").read_text(encoding="utf-8")), folder / "same_with.txt"
    job, core = from_plain(card["job"]), core_checksum(card["job"]["backend"])
    if core in (card["core"], seen.read_text() if seen.exists() else ""):
        return ""
    if same(card["probe"], probe(job)):
        paths.write_text(seen, core)  # the next to ask need not probe again
        return ""
    return f"is stale: today's code trains it otherwise than {card['git']['commit'][:12]} did"
