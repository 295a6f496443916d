"""The trained models that the apps open, published or the user's own, and the images that they were trained on."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd

from twinvae import data
from twinvae.pretrained import Found, all_found
from twinvae.training import published

KINDS = ("cvae", "vae", "cgan")  # those whose codes have a known prior, N(0, I)
NEWEST = 30  # so many of the models that were trained here are listed: make train makes hundreds
MOST_PIXELS = 40_000_000  # of the images of a model, colours counted: 160 MB of float32


def find_models(*folders: Path) -> list[Found]:
    """Find the published models whose codes have a known prior, each in the first of these `results/` folders.

    Those whose images are a transform's are left out; CVAEs of digits come first.
    """
    names, found = published(), all_found(*(folder / "models" for folder in folders))
    models = (m for m in found if m.folder in names and m.spec.kind in KINDS and not m.job.data.transform)
    return sorted(models, key=place_in_list)


def find_own(*folders: Path) -> list[Found]:
    """Find the models that were trained here, the newest first, at most NEWEST.

    Those on own data come before all; of the others each spec is there once for a data set, as it was trained last.
    """
    names, found = published(), all_found(*(folder / "models" for folder in folders))
    models = (m for m in found if m.folder not in names and m.spec.kind in KINDS and not m.job.change)
    listed = {}
    for m in sorted(models, key=lambda m: (":" in m.dataset, m.card["ended"]), reverse=True):
        listed.setdefault(m.folder if ":" in m.dataset else (m.spec, m.dataset), m)
    return [*listed.values()][:NEWEST]


def title(model: Found) -> str:
    """Return how a list names a model: one that was trained here by its data, its seed and the time, too."""
    if model.folder in published():
        return model.title
    words, changed = model.title.partition(" (")[0], model.job.data.transform.rpartition(":")[2]
    images = ", ".join(filter(None, (model.card["source"], changed)))
    ended = model.card["ended"][:16].replace("T", " ")
    return f"your own: {words} ({images}), seed {model.job.seed}, {ended} UTC"


def place_in_list(model: Found) -> tuple:
    """Return what a list of models is sorted by."""
    kind = KINDS.index(model.spec.kind)
    return model.dataset != "mnist", kind, model.spec.latent_dim, -model.settings.epochs, model.title


def as_table(models: list[Found]) -> pd.DataFrame:
    """Return a row a model: its name, the data that it was trained on, its latent units and its epochs."""
    rows = [(m.spec.name, m.dataset, m.spec.latent_dim, m.settings.epochs) for m in models]
    return pd.DataFrame(rows, columns=["model", "data", "units", "epochs"])


def images_of(model: Found, train_size: int, test_size: int) -> data.Splits:
    """Return images that a model was trained on, or their stand-in; of large ones fewer than asked for.

    Raises OSError or ValueError where own data are gone, or are no longer those that it was trained on.
    """
    most, recipe = max(1, MOST_PIXELS // math.prod(model.spec.image_shape)), model.job.data
    sizes = dict(train_size=min(train_size, model.train_images, most), test_size=min(test_size, most))
    images = data.from_recipe(replace(recipe, **sizes))
    if ":" in recipe.dataset and images.valid.fingerprint != model.card["data"][1]:
        raise ValueError(f"{recipe.dataset} holds other images today than those that the model was trained on")
    return images
