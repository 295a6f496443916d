"""`load` and `splits`: from the name of a data set to images."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .finding import find
from .images import Images, Recipe, Source, Splits
from .own import KINDS, own_dataset
from .sets import SETS
from .splitting import balanced, cut, cut_groups
from .table import DataSet

HALVES = ("train", "test")


def load(name: str, split: str = "train", edition: str | None = None, **options) -> Images:
    """Read one half of a data set, 'train' or 'test', or 'all' of it.

    `name` is one of `SETS`, or 'folder:PATH', 'npz:PATH', 'csv:PATH' for own data. `edition` asks for one
    known form of the set ('official', a variant or 'stand-in') instead of the best one at hand. A set
    published without halves is cut by seed 0, a tenth for testing. `options` are the set's own.
    Raises ValueError for an unknown name or option, DataError for a bad file, FileNotFoundError.
    """
    if split not in (*HALVES, "all"):
        raise ValueError(f"split is {split!r}; choose 'train', 'test' or 'all'.")
    dataset, options = _lookup(name, options)
    halves = HALVES if split == "all" else (split,)
    parts = _read(dataset, halves, edition, options)
    images = _join(list(parts.values()))
    if "all" in parts and split != "all":
        rest, test = _cut(dataset, images, len(images) // 10, np.random.default_rng(0))
        images = images.subset(test if split == "test" else rest)
    return _finish(dataset, images, options)


def splits(
    name: str,
    seed: int = 0,
    train_size: int | None = None,
    valid_size: int | None = None,
    test_size: int | None = None,
    edition: str | None = None,
    **options,
) -> Splits:
    """Training, validation and test images, disjoint; near-duplicates stay together where the set knows them.

    Validation is drawn by `seed` from the training half, each class in proportion. The test half is the same
    for every seed: the published one, or a tenth cut by seed 0. A size takes a class-balanced subset; a
    smaller one is part of a larger one. Where a set has fewer images, all are taken, and a line says so.
    """
    for key, size in (("train_size", train_size), ("valid_size", valid_size), ("test_size", test_size)):
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
            raise ValueError(f"{key} is {size!r}; it must be a whole number of images, at least 1, or None.")
    dataset, options = _lookup(name, options)
    parts = _read(dataset, HALVES, edition, options)
    if "all" in parts:
        pile = test_pile = parts["all"]
        held, test = _cut(dataset, pile, len(pile) // 10, np.random.default_rng(0))
    else:
        pile, test_pile = parts["train"], parts["test"]
        held, test = np.arange(len(pile)), np.arange(len(test_pile))
    tenth = (len(held) + len(test)) // 10
    valid_cut = min(dataset.valid or tenth, tenth)
    train, valid = _cut(dataset, pile.subset(held), valid_cut, np.random.default_rng(seed))
    train, valid = held[train], held[valid]
    index = {
        "train": _take(name, "train_size", pile.y, train, train_size),
        "valid": _take(name, "valid_size", pile.y, valid, valid_size),
        "test": _take(name, "test_size", test_pile.y, test, test_size),
    }
    made = {
        part: _finish(dataset, (test_pile if part == "test" else pile).subset(at), options)
        for part, at in index.items()
    }
    recipe = Recipe(name, seed, train_size, valid_size, test_size, edition, tuple(sorted(options.items())))
    return Splits(**made, seed=seed, indices=index).made_by(recipe)


def transformed(images: Splits, transform: str, **arguments) -> Splits:
    """Return the splits that the function 'package.module:function' makes of these, with the recipe that says so.

    Raises ValueError where the splits have no recipe or have been transformed before: a recipe holds one transform.
    """
    if images.recipe is None or images.recipe.transform:
        raise ValueError(f"{transform} needs splits as data.splits gives them; these have another or no recipe.")
    changed = replace(images.recipe, transform=transform, arguments=tuple(sorted(arguments.items())))
    return _named(transform)(images, **arguments).made_by(changed)


def made(function: str, **arguments) -> Splits:
    """Return the splits that 'package.module:function' makes of its arguments alone, with the recipe that says so."""
    recipe = Recipe("", transform=function, arguments=tuple(sorted(arguments.items())))
    return _named(function)(**arguments).made_by(recipe)


def _named(function: str) -> Callable[..., Splits]:
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)


def from_recipe(recipe: Recipe) -> Splits:
    """Return the splits that a recipe describes; one without a data set says what makes them."""
    if not recipe.dataset:
        return made(recipe.transform, **dict(recipe.arguments))
    sizes = (recipe.seed, recipe.train_size, recipe.valid_size, recipe.test_size, recipe.edition)
    images = splits(recipe.dataset, *sizes, **dict(recipe.options))
    return transformed(images, recipe.transform, **dict(recipe.arguments)) if recipe.transform else images


def _lookup(name: str, options: dict) -> tuple[DataSet, dict]:
    """The data set of this name and its options, defaults filled in."""
    dataset = own_dataset(name) or SETS.get(name)
    if dataset is None:
        own = ", ".join(f"{kind}:PATH" for kind in KINDS)
        raise ValueError(f"Data set {name!r} is unknown; choose one of {', '.join(SETS)}, or {own}.")
    if unknown := sorted(set(options) - set(dataset.options)):
        allowed = ", ".join(dataset.options) or "none"
        raise ValueError(f"{name} has no option {unknown[0]!r}; its options: {allowed}.")
    return dataset, {**dataset.options, **options}


def _read(dataset: DataSet, halves: tuple[str, ...], edition: str | None, options: dict) -> dict[str, Images]:
    """The images of each half, or of the one pile 'all'."""
    if dataset.direct:
        if edition is not None:
            raise ValueError(f"{dataset.name} has no editions, so edition={edition!r} cannot be chosen.")
        return {"all": dataset.direct(**options)}
    if dataset.parts:
        read = [_read(part, halves, edition, part.options) for part in dataset.parts]
        return {half: _together(dataset, [images[half] for images in read]) for half in halves}
    found = find(dataset, halves, edition)
    source = found.source(dataset)
    return {
        half: Images(*found.edition.read(paths, half, **options), dataset.class_names, source)
        for half, paths in found.paths.items()
    }


def _together(dataset: DataSet, parts: list[Images]) -> Images:
    """The images of several sets as one; the classes of each follow those of the one before."""
    first = np.cumsum([0, *(part.num_classes for part in parts[:-1])])
    sources = [part.source for part in parts]
    kind = max((source.kind for source in sources), key=("official", "variant", "stand-in").index)
    files = tuple(file for source in sources for file in source.files)
    source = Source(dataset.name, " and ".join(source.label for source in sources), kind, files)
    x, y = (
        np.concatenate(arrays)
        for arrays in ([p.x for p in parts], [p.y + k for p, k in zip(parts, first, strict=True)])
    )
    return Images(x, y, dataset.class_names, source)


def _join(parts: list[Images]) -> Images:
    if len(parts) == 1:
        return parts[0]
    x, y = np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts])
    return Images(x, y, parts[0].class_names, parts[0].source)


def _cut(dataset: DataSet, images: Images, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cut off `size` images, groups of near-duplicates undivided where the set knows them."""
    if dataset.groups:
        return cut_groups(images.y, dataset.groups(images), size, rng)
    return cut(images.y, size, rng)


def _take(name: str, key: str, y: np.ndarray, index: np.ndarray, size: int | None) -> np.ndarray:
    """A class-balanced part of the positions `index`; says so where there are not that many."""
    if size is not None and size > len(index):
        print(f"{name}: {key}={size:,}, but there are {len(index):,} images; all are taken.")
    return index if size is None else index[balanced(y[index], size)]


def _finish(dataset: DataSet, images: Images, options: dict) -> Images:
    return dataset.finish(images, **options) if dataset.finish else images
