"""The trained models that the apps open: where their weights lie, and the images that they were trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from twinvae import checkpoints, data
from twinvae import spec as specs
from twinvae.run.parameters import PROFILES

KINDS = ("cvae", "vae", "cgan")  # those whose codes have a known prior, N(0, I)
# Of sign_language, by the number of classes; otherwise the letters.
TASKS = {2: "vowel", 4: "rotation"}


@dataclass(frozen=True)
class TrainedModel:
    """A file of trained weights: its model, how and on which data set it was trained."""

    path: Path
    spec: specs.ModelSpec | specs.GanSpec
    settings: specs.TrainSpec
    dataset: str

    @property
    def title(self) -> str:
        """Return how a list of models names it, with the notebook and the profile that trained it."""
        run = self.path.parent.parent
        epochs = f"{self.settings.epochs} epoch{'s' * (self.settings.epochs > 1)}"
        return (
            f"{self.spec.name}, {self.spec.latent_dim} latent units, {epochs} "
            f"(notebook {run.name.split('_')[0]}, {run.parent.name})"
        )


def find_models(*folders: Path) -> list[TrainedModel]:
    """Find trained models in these `results/` folders, of each run those of its best profile.

    CVAEs of digits come first. Only models in their run's scoreboard count, since it names their data set; what
    `smoke` trains is for tests.
    """
    runs: dict[str, Path] = {}
    for profile in reversed(PROFILES[1:]):
        for folder in folders:
            for place in sorted((folder / profile).glob("*/weights")):
                if (place.parent / "scoreboard.csv").is_file():
                    runs.setdefault(place.parent.name, place)
    files = [path for place in runs.values() for path in sorted(place.glob("*.safetensors"))]
    return sorted((model for path in files if (model := read_model(path))), key=place_in_list)


def place_in_list(model: TrainedModel) -> tuple:
    """Return what a list of models is sorted by."""
    kind, epochs = KINDS.index(model.spec.kind), model.settings.epochs
    return model.dataset != "mnist", kind, -epochs, model.spec.latent_dim, model.title


def read_model(path: Path) -> TrainedModel | None:
    """Read what a file of weights holds; None where it is not of KINDS or its run's scoreboard does not have it."""
    metadata = checkpoints.read(path)[1]
    spec = specs.model_from_dict(metadata["spec"])
    board = pd.read_csv(path.parent.parent / "scoreboard.csv")
    names = board.dataset[board.model == spec.name]
    if spec.kind not in KINDS or names.empty or "settings" not in metadata:
        return None
    settings = specs.from_dict(specs.TrainSpec, metadata["settings"])
    return TrainedModel(path, spec, settings, names.iloc[0])


def images_of(model: TrainedModel, train_size: int | None = None, test_size: int | None = None) -> data.Splits:
    """Return the images that a model was trained on, or their stand-in where they are not at hand."""
    classes, options = model.spec.num_classes, {}
    if model.dataset == "sign_language":
        options = {"task": TASKS.get(classes, "letter")}
    return data.splits(model.dataset, train_size=train_size, test_size=test_size, **options)
