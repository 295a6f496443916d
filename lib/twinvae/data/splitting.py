"""Splits by seed, class-balanced subsets, and the search for images that two parts share."""

import hashlib

import numpy as np

from .images import Images


def _rank_in_class(y: np.ndarray) -> np.ndarray:
    """Count how many earlier entries have the same label.  [N] -> int [N]"""
    order = np.argsort(y, kind="stable")
    sorted_y = y[order]
    first = np.searchsorted(sorted_y, sorted_y)
    rank = np.empty(len(y), np.int64)
    rank[order] = np.arange(len(y)) - first
    return rank


def balanced(y: np.ndarray, size: int) -> np.ndarray:
    """Return positions of `size` entries, classes as equal as may be; a smaller part is in a larger.  -> int [size]"""
    return np.sort(np.argsort(_rank_in_class(y), kind="stable")[:size])


def cut(y: np.ndarray, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Shuffle positions and cut off `size` of them, each class in proportion.  [N] -> [N - size], [size]"""
    shuffled = rng.permutation(len(y))
    labels = y[shuffled]
    share = (_rank_in_class(labels) + 0.5) / np.bincount(labels)[labels]
    taken = np.zeros(len(y), bool)
    taken[np.argsort(share, kind="stable")[:size]] = True
    return shuffled[~taken], shuffled[taken]


def cut_groups(y: np.ndarray, groups: np.ndarray, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cut as `cut` does, but never divide a group (near-duplicates), so that the sizes are met only nearly.

    In each class (that of a group's first member) whole groups, in random order, are taken while they fit into the
    class's share; a class of more than one group loses at least one of them.
    """
    numbers, first, counts = np.unique(groups, return_index=True, return_counts=True)
    taken = []
    for label in np.unique(y[first]):
        members = rng.permutation(np.flatnonzero(y[first] == label))
        room = round(size * counts[members].sum() / len(y))
        chosen = []
        for at in members:
            if counts[at] <= room:
                chosen.append(at)
                room -= counts[at]
        if not chosen and len(members) > 1:
            chosen = [members[np.argmin(counts[members])]]
        taken += chosen
    inside = np.isin(groups, numbers[taken])
    shuffled = rng.permutation(len(y))
    return shuffled[~inside[shuffled]], shuffled[inside[shuffled]]


def _fingerprints(x: np.ndarray) -> list[bytes]:
    """Return 16 bytes an image, equal for equal images and for no others that will ever be met."""
    return [hashlib.blake2b(np.ascontiguousarray(image), digest_size=16).digest() for image in x]


def exact_groups(images: Images) -> np.ndarray:
    """Give images equal in every pixel the same number.  -> int [N]"""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(key, at) for at, key in enumerate(_fingerprints(images.x))])


def shared_images(a: Images, b: Images) -> np.ndarray:
    """Find pairs (position in a, position in b) of images equal in every pixel.  -> int [M, 2]"""
    where = {key: at for at, key in enumerate(_fingerprints(a.x))}
    pairs = [(where[key], at) for at, key in enumerate(_fingerprints(b.x)) if key in where]
    return np.array(pairs, np.int64).reshape(-1, 2)
