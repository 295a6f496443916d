"""Splits by seed, class-balanced subsets, and the search for images that two parts share."""

from __future__ import annotations

import numpy as np

from .images import Images


def _rank_in_class(y: np.ndarray) -> np.ndarray:
    """How many earlier entries have the same label.  [N] -> int [N]"""
    order = np.argsort(y, kind="stable")
    sorted_y = y[order]
    first = np.searchsorted(sorted_y, sorted_y)
    rank = np.empty(len(y), np.int64)
    rank[order] = np.arange(len(y)) - first
    return rank


def balanced(y: np.ndarray, size: int) -> np.ndarray:
    """Positions of `size` entries of y, as equal over the classes as they allow, in the order of y.

    Of the same y, a smaller subset is always part of a larger one.  [N] -> int [size]
    """
    return np.sort(np.argsort(_rank_in_class(y), kind="stable")[:size])


def cut(y: np.ndarray, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Shuffle positions and cut off `size` of them, each class in proportion.  [N] -> [N - size], [size]"""
    shuffled = rng.permutation(len(y))
    labels = y[shuffled]
    share = (_rank_in_class(labels) + 0.5) / np.bincount(labels)[labels]
    taken = np.zeros(len(y), bool)
    taken[np.argsort(share, kind="stable")[:size]] = True
    return shuffled[~taken], shuffled[taken]


def cut_groups(
    y: np.ndarray, groups: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """As `cut`, but a group (near-duplicates) is never divided, so the sizes are met only nearly.

    In each class whole groups, in random order, are taken while they fit into the class's share.
    """
    taken = np.zeros(len(y), bool)
    for label in np.unique(y):
        room = round(size * np.mean(y == label))
        members, counts = np.unique(groups[y == label], return_counts=True)
        for at in rng.permutation(len(members)):
            if counts[at] <= room:
                taken |= (groups == members[at]) & (y == label)
                room -= counts[at]
    shuffled = rng.permutation(len(y))
    return shuffled[~taken[shuffled]], shuffled[taken[shuffled]]


def exact_groups(x: np.ndarray) -> np.ndarray:
    """Give equal images the same number.  uint8 [N, H, W, C] -> int [N]"""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(image.tobytes(), at) for at, image in enumerate(x)])


def shared_images(a: Images, b: Images) -> np.ndarray:
    """Pairs (position in a, position in b) of images equal in every pixel.  -> int [M, 2]"""
    where = {image.tobytes(): at for at, image in enumerate(a.x)}
    pairs = [(where[key], at) for at, image in enumerate(b.x) if (key := image.tobytes()) in where]
    return np.array(pairs, np.int64).reshape(-1, 2)
