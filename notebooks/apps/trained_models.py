"""The trained models that the apps open: those that are published, and the images that they were trained on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from twinvae import checkpoints, data, paths
from twinvae import spec as specs
from twinvae.training import Job, from_plain, published

KINDS = ("cvae", "vae", "cgan")  # those whose codes have a known prior, N(0, I)


@dataclass(frozen=True)
class TrainedModel:
    """A file of trained weights, and the training that it came from."""

    path: Path
    job: Job

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
    def title(self) -> str:
        """Return how a list of models names it."""
        epochs = f"{self.settings.epochs} epoch{'s' * (self.settings.epochs > 1)}"
        return f"{self.spec.name}, {self.spec.latent_dim} latent units, {epochs} ({self.dataset})"

    def load(self, twin: ModuleType) -> Any:
        """Return the model, built by `twin`.  Raises ValueError for a file that is not what its card says."""
        card = json.loads((self.path.parent / "card.json").read_text(encoding="utf-8"))
        if paths.sha256(self.path) != card["weights"]:
            raise ValueError(f"{self.path} is not what its card says; fetch it again")
        return checkpoints.load_model(self.path, twin)


def find_models(*folders: Path) -> list[TrainedModel]:
    """Find the published models whose codes have a known prior, each in the first of these `results/` folders.

    Those whose images are a transform's are left out; CVAEs of digits come first.
    """
    found = {}
    for folder in (folder / "models" / name for folder in folders for name in published()):
        card, weights = folder / "card.json", folder / "weights.safetensors"
        if folder.name not in found and card.is_file() and weights.is_file():
            found[folder.name] = TrainedModel(weights, from_plain(json.loads(card.read_text(encoding="utf-8"))["job"]))
    models = (model for model in found.values() if model.spec.kind in KINDS and not model.job.data.transform)
    return sorted(models, key=place_in_list)


def place_in_list(model: TrainedModel) -> tuple:
    """Return what a list of models is sorted by."""
    kind = KINDS.index(model.spec.kind)
    return model.dataset != "mnist", kind, model.spec.latent_dim, -model.settings.epochs, model.title


def images_of(model: TrainedModel, train_size: int, test_size: int) -> data.Splits:
    """Return the images that a model was trained on, or their stand-in where they are not at hand."""
    return data.from_recipe(replace(model.job.data, train_size=train_size, test_size=test_size))
