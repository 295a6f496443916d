"""The trained models that the apps open: those that are published, and the images that they were trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from twinvae import data
from twinvae.pretrained import Found, all_found
from twinvae.training import published

KINDS = ("cvae", "vae", "cgan")  # those whose codes have a known prior, N(0, I)


def find_models(*folders: Path) -> list[Found]:
    """Find the published models whose codes have a known prior, each in the first of these `results/` folders.

    Those whose images are a transform's are left out; CVAEs of digits come first.
    """
    names, found = published(), all_found(*(folder / "models" for folder in folders))
    models = (m for m in found if m.folder in names and m.spec.kind in KINDS and not m.job.data.transform)
    return sorted(models, key=place_in_list)


def place_in_list(model: Found) -> tuple:
    """Return what a list of models is sorted by."""
    kind = KINDS.index(model.spec.kind)
    return model.dataset != "mnist", kind, model.spec.latent_dim, -model.settings.epochs, model.title


def as_table(models: list[Found]) -> pd.DataFrame:
    """Return a row a model: its name, the data that it was trained on, its latent units and its epochs."""
    rows = [(m.spec.name, m.dataset, m.spec.latent_dim, m.settings.epochs) for m in models]
    return pd.DataFrame(rows, columns=["model", "data", "units", "epochs"])


def images_of(model: Found, train_size: int, test_size: int) -> data.Splits:
    """Return the images that a model was trained on, or their stand-in where they are not at hand."""
    return data.from_recipe(replace(model.job.data, train_size=train_size, test_size=test_size))
