"""What a study trains, said before an image is read: amounts by profile, recipes of images, seeds."""

from collections import namedtuple
from dataclasses import fields, replace
from typing import Any

import numpy as np

from twinvae import data
from twinvae.spec import ModelSpec
from twinvae.training import Job

PROFILES = ("smoke", "quick", "full")
Count = int | None  # of epochs or seeds, as a notebook's parameters ask for them; None: as many as the profile says


def amounts(**each: tuple[Any, Any, Any]) -> dict[str, Any]:
    """Return profile -> a record of the amounts, each of which is given as (smoke, quick, full)."""
    record = namedtuple("Amounts", each)
    return dict(zip(PROFILES, map(record._make, zip(*each.values(), strict=True)), strict=True))


def sizes(train: int | None, valid: int | None, test: int | None) -> dict[str, int | None]:
    """Return numbers of images as `data.splits` takes them; None is all."""
    return {"train_size": train, "valid_size": valid, "test_size": test}


def recipe(name: str, images: dict[str, int | None], **options: Any) -> data.Recipe:
    """Return the recipe of `data.splits(name, **images, **options)`; only own data are read for it."""
    if name not in data.SETS:
        return data.splits(name, **images, **options).recipe
    options = data.SETS[name].options | options
    return data.Recipe(name, **images, options=tuple(sorted(options.items())))


def shape(images: data.Recipe) -> tuple[tuple[int, int, int], int]:
    """Return the size (H, W, C) of the images of a recipe without options, and the number of their classes."""
    known = data.SETS.get(images.dataset) or data.from_recipe(images).train
    return known.shape, len(known.class_names)


def left_out(images: data.Recipe, classes: tuple[int, ...]) -> data.Recipe:
    """Return the recipe of the images that are of none of these classes; see `without`."""
    return replace(images, transform=f"{__name__}:{without.__name__}", arguments=(("held_out", classes),))


def without(images: data.Splits, held_out: tuple[int, ...]) -> data.Splits:
    """Return the splits without some classes; those that stay are numbered anew, in order."""
    kept = np.setdiff1d(np.arange(images.train.num_classes), held_out)

    def part(images: data.Images) -> data.Images:
        inside = np.isin(images.y, kept)
        names = tuple(images.class_names[k] for k in kept)
        return data.Images(images.x[inside], np.searchsorted(kept, images.y[inside]), names, images.source)

    return replace(images, train=part(images.train), valid=part(images.valid), test=part(images.test))


def recast(model: ModelSpec, record: type[ModelSpec], **changes: Any) -> ModelSpec:
    """Return the model as another kind of record, with changes: in fields that only it has, as `samples`, or others."""
    return record(**{field.name: getattr(model, field.name) for field in fields(ModelSpec)} | changes)


def code_sizes(model: ModelSpec, latent_dims: tuple[int, ...]) -> dict[str, ModelSpec]:
    """Return the model with each size of the code, by the names of their numbers: z2, z8, ..."""
    return {f"z{z}": replace(model, name=f"{model.name}_z{z}", latent_dim=z) for z in latent_dims}


def changed(job: Job, changes: dict[str, dict[str, Any]]) -> dict[str, Job]:
    """Return the job with each change, by its name: other fields of the model, or another `beta` of the training."""
    found = {}
    for name, change in changes.items():
        fields = {field: value for field, value in change.items() if field != "beta"}
        spec = replace(job.spec, name=f"{job.spec.name}_{name}", **fields)
        phases = tuple(replace(phase, beta=change.get("beta", phase.beta)) for phase in job.phases)
        found[name] = replace(job, spec=spec, phases=phases)
    return found


def over_seeds(job: Job, seeds: int) -> list[Job]:
    """Return the job with the seeds 0, 1, ..., which draw weights, noise and the order of images."""
    return [replace(job, seed=s, phases=tuple(replace(phase, seed=s) for phase in job.phases)) for s in range(seeds)]
