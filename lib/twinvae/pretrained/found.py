"""The kept models that are at hand, from their cards, and the one that a name means."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from twinvae import spec as specs
from twinvae import zoo
from twinvae.training import Job, NotTrained, from_plain, models_here, models_in_git, published


@dataclass(frozen=True, eq=False)
class Found:
    """A file of trained weights, the training that it came from, and its card."""

    path: Path
    job: Job
    card: dict

    @property
    def spec(self) -> specs.ModelSpec | specs.GanSpec:
        """What the model is."""
        return self.job.spec

    @property
    def settings(self) -> specs.TrainSpec:
        """How it was trained last."""
        return self.job.phases[-1]

    @property
    def dataset(self) -> str:
        """The data set that it was trained on."""
        return self.job.data.dataset

    @property
    def folder(self) -> str:
        """The name of its folder, which no other model has."""
        return self.path.parent.name

    @property
    def train_images(self) -> int:
        """How many images it was trained on."""
        return int(self.card["data"][0].split()[0])

    @property
    def epochs(self) -> int:
        """How many times it has seen them, in all phases and in the trainings that it goes on from."""
        jobs = [self.job]
        while jobs[-1].start:
            jobs.append(jobs[-1].start)
        return sum(phase.epochs for job in jobs for phase in job.phases)

    @property
    def title(self) -> str:
        """Return how a list of models names it."""
        epochs = f"{self.epochs} epoch{'s' * (self.epochs > 1)}"
        return f"{self.spec.name}, {self.spec.latent_dim} latent units, {epochs} ({self.dataset})"

    @property
    def words(self) -> str:
        """Return what tells it from others of its name."""
        images = f"{self.epochs} epochs of {self.train_images:,} images"
        return f"{self.folder}: seed {self.job.seed}, {self.spec.latent_dim} latent units, {images}"


def all_found(*folders: Path) -> list[Found]:
    """Return the models of these folders, by name, each from the first that has it; left out: what was trained in vain.

    Without folders, those of `results/` and those that are published with the project.
    """
    found = {}
    for path in (path for folder in folders or (models_here(), models_in_git()) for path in folder.glob("*/card.json")):
        weights = path.with_name("weights.safetensors")
        if path.parent.name not in found and weights.is_file():
            card = json.loads(path.read_text(encoding="utf-8"))
            if not card["failed"]:
                found[path.parent.name] = Found(weights, from_plain(card["job"]), card)
    names = published()
    return sorted(found.values(), key=lambda model: _rank(model, names))


def _rank(model: Found, public: set[str]) -> tuple:
    """Return by what models are sorted: their name, then which is meant by it.

    That is the one on real data, unchanged, that has seen most images; then a published one, the lowest seed, the
    largest code, PyTorch's.
    """
    job, other_data = model.job, model.folder != f"{model.spec.name}-{model.job.key}"
    seen = model.epochs * model.train_images
    where = (model.folder not in public, job.seed, -model.spec.latent_dim, job.backend != "torch", model.folder)
    return model.spec.name, other_data, bool(job.change), -seen, *where


def find(name: str) -> Found:
    """Return the model of a name, or of a folder's name; where several have the name, a line says which one it is.

    Raises NotTrained for a model that is not kept.
    """
    there = all_found()
    if not (named := [model for model in there if name in (model.spec.name, model.folder)]):
        known = ", ".join(dict.fromkeys(model.spec.name for model in there)) or "none"
        why = "has not been trained; make train trains it" if name in zoo.ZOO else "is unknown"
        raise NotTrained(f"model {name!r} {why}; those that are kept: {known}")
    if len(named) > 1:
        print(f"{name}: {len(named)} models are kept; this is {named[0].words}")
    return named[0]


def models():
    """Return what is known of each kept model, as a pandas.DataFrame, a row each, the one that its name means first.

    `values` is what the file comes to on its named images (spot_check), None where it is not published.
    """
    import pandas as pd

    public = published()
    rows = [
        {
            "name": model.spec.name,
            "kind": model.spec.kind,
            "report": model.spec.report,
            "seed": model.job.seed,
            "latent_dim": model.spec.latent_dim,
            "labels": model.spec.num_classes,
            "weights": specs.count_weights(model.spec),
            "data": model.card["source"],
            "train_images": model.train_images,
            "epochs": model.epochs,
            "trained_in": model.job.backend,
            "published": model.folder in public,
            "values": model.card.get("spot_check", {}).get("values"),
            "folder": model.folder,
        }
        for model in all_found()
    ]
    return pd.DataFrame(rows)
