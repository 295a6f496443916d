"""`load` and `splits`: from the name of a data set to images."""

from dataclasses import replace
from pkgutil import resolve_name

import numpy as np

from .finding import find
from .images import KINDS, Images, Recipe, Source, Splits
from .splitting import balanced, cut, cut_groups
from .table import DataSet, function, sets

OWN = ("folder", "npz", "csv")


def load(name: str, split: str = "train", edition: str | None = None, **options) -> Images:
    """Read one half of a data set, 'train' or 'test', or 'all' of it.

    `name` is one of `SETS`, or 'folder:PATH', 'npz:PATH', 'csv:PATH' for own data. `edition` asks for one known form of
    the set ('official', a variant or 'stand-in') instead of the best one at hand. A set published without halves is cut
    by seed 0, a tenth for testing. Raises ValueError for an unknown name or option, DataError, FileNotFoundError.
    """
    if split not in ("train", "test", "all"):
        raise ValueError(f"split is {split!r}; choose 'train', 'test' or 'all'.")
    dataset, options = _lookup(name, options)
    parts = _read(dataset, ("train", "test") if split == "all" else (split,), edition, options)
    images, *more = parts.values()
    if more:
        x, y = (np.concatenate([getattr(part, array) for part in parts.values()]) for array in "xy")
        images = Images(x, y, images.class_names, images.source)
    if "all" in parts and split != "all":
        rest, test = _cut(dataset, images, len(images) // 10, seed=0)
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
    """Return training, validation and test images, disjoint; near-duplicates stay together where the set knows them.

    The seed holds out validation images from the training half (or from what is left of the one pile after a tenth
    was cut off for testing, by seed 0). The sizes ask for class-balanced parts; a smaller one is part of a larger
    one. Where a set has fewer images, all are taken, and a line says so.
    """
    sizes = {"train": train_size, "valid": valid_size, "test": test_size}
    for part, size in sizes.items():
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
            raise ValueError(f"{part}_size is {size!r}; it must be a whole number of images, at least 1, or None.")
    dataset, options = _lookup(name, options)
    parts = _read(dataset, ("train", "test"), edition, options)
    if "all" in parts:
        pile = test_pile = parts["all"]
        held, test = _cut(dataset, pile, len(pile) // 10, seed=0)
    else:
        pile, test_pile = parts["train"], parts["test"]
        held, test = np.arange(len(pile)), np.arange(len(test_pile))
    tenth = (len(held) + len(test)) // 10
    train, valid = _cut(dataset, pile.subset(held), min(dataset.valid or tenth, tenth), seed)
    index = {"train": held[train], "valid": held[valid], "test": test}
    made = {}
    for part, size in sizes.items():
        images = test_pile if part == "test" else pile
        if size is not None and size > len(index[part]):
            print(f"{name}: {part}_size={size:,}, but there are {len(index[part]):,} images; all are taken.")
        if size is not None:
            index[part] = index[part][balanced(images.strata[index[part]], size)]
        made[part] = _finish(dataset, images.subset(index[part]), options)
    recipe = Recipe(name, seed, *sizes.values(), edition, tuple(sorted(options.items())))
    return Splits(**made, seed=seed, indices=index).made_by(recipe)


def transformed(images: Splits, transform: str, **arguments) -> Splits:
    """Return the splits that the function 'package.module:function' makes of these, with the recipe that says so.

    Raises ValueError where the splits have no recipe or have been transformed before: a recipe holds one transform.
    """
    if images.recipe is None or images.recipe.transform:
        raise ValueError(f"{transform} needs splits as data.splits gives them; these have another or no recipe.")
    changed = replace(images.recipe, transform=transform, arguments=tuple(sorted(arguments.items())))
    return resolve_name(transform)(images, **arguments).made_by(changed)


def made(function: str, **arguments) -> Splits:
    """Return the splits that 'package.module:function' makes of its arguments alone, with the recipe that says so."""
    recipe = Recipe("", transform=function, arguments=tuple(sorted(arguments.items())))
    return resolve_name(function)(**arguments).made_by(recipe)


def from_recipe(recipe: Recipe) -> Splits:
    """Return the splits that a recipe describes; one without a data set says what makes them."""
    if not recipe.dataset:
        return made(recipe.transform, **dict(recipe.arguments))
    sizes = (recipe.seed, recipe.train_size, recipe.valid_size, recipe.test_size, recipe.edition)
    images = splits(recipe.dataset, *sizes, **dict(recipe.options))
    return transformed(images, recipe.transform, **dict(recipe.arguments)) if recipe.transform else images


def _lookup(name: str, options: dict) -> tuple[DataSet, dict]:
    """Return the data set of this name and its options, defaults filled in."""
    own = name.partition(":")[0] in OWN and ":" in name
    dataset = function("own.dataset")(name) if own else sets().get(name)
    if dataset is None:
        known = ", ".join([*sets(), *(f"{kind}:PATH" for kind in OWN)])
        raise ValueError(f"Data set {name!r} is unknown; choose one of {known}.")
    if unknown := sorted(set(options) - set(dataset.options)):
        raise ValueError(f"{name} has no option {unknown[0]!r}; its options: {', '.join(dataset.options) or 'none'}.")
    return dataset, {**dataset.options, **options}


def _read(dataset: DataSet, halves: tuple[str, ...], edition: str | None, options: dict) -> dict[str, Images]:
    """Read the images of each half, or of the one pile 'all'."""
    if dataset.parts:
        read = [_read(sets()[part], halves, edition, {}) for part in dataset.parts]
        return {half: _together(dataset, [images[half] for images in read]) for half in halves}
    if not dataset.editions:
        if edition is not None:
            raise ValueError(f"{dataset.name} has no editions, so edition={edition!r} cannot be chosen.")
        images = function("own.read")(dataset.name, **options)
        return images if "all" in images else {half: images[half] for half in halves}
    found = find(dataset, halves, edition)
    if found is None:
        return function("standins.make")(dataset, halves, options)
    read = function(found.edition.read)
    source = found.source(dataset)
    arrays = {half: read(paths, half, **found.edition.arguments, **options) for half, paths in found.paths.items()}
    return {half: Images(x, y, dataset.class_names, source) for half, (x, y) in arrays.items()}


def _together(dataset: DataSet, parts: list[Images]) -> Images:
    """Put the images of several sets together; the classes of each follow those of the one before."""
    sources = [part.source for part in parts]
    first = np.cumsum([0, *(part.num_classes for part in parts[:-1])])
    kind = max((source.kind for source in sources), key=KINDS.index)
    files = tuple(file for source in sources for file in source.files)
    source = Source(dataset.name, " and ".join(source.label for source in sources), kind, files)
    x = np.concatenate([part.x for part in parts])
    y = np.concatenate([part.y + start for part, start in zip(parts, first, strict=True)])
    return Images(x, y, dataset.class_names, source)


def _cut(dataset: DataSet, images: Images, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut off `size` images, groups of near-duplicates undivided where the set knows them."""
    rng = np.random.default_rng(seed)
    if dataset.groups:
        return cut_groups(images.strata, function(dataset.groups)(images), size, rng)
    return cut(images.strata, size, rng)


def _finish(dataset: DataSet, images: Images, options: dict) -> Images:
    return function(dataset.finish)(images, **options) if dataset.finish else images
