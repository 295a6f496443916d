"""Measurements of a trained model that take long: kept in its folder, gone on with where they stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from twinvae import checkpoints
from twinvae.training.kept import Trained

TOLERANCE = 1e-4  # relative; float32 on another machine differs by less


def measured(trained: Trained, name: str, measure: Callable[[], dict[str, Any]], *inputs: Any) -> dict[str, np.ndarray]:
    """Return `measure()`, arrays by name, kept in the model's folder under `name`.

    It is measured again when the weights change, or the `inputs`: arrays, or what JSON can hold, that it rests on.
    """
    digest = hashlib.sha256(trained.card["weights"].encode())
    for one in inputs:
        digest.update(np.ascontiguousarray(one) if isinstance(one, np.ndarray) else json.dumps(one).encode())
    path = trained.folder / "measures" / f"{name}-{digest.hexdigest()[:12]}.safetensors"
    if not path.exists():
        checkpoints.write(path, {key: np.asarray(value) for key, value in measure().items()})
    return checkpoints.read(path)[0]


def per_image(
    trained: Trained, name: str, measure: Callable[..., np.ndarray], *arrays: np.ndarray, block: int = 500
) -> np.ndarray:
    """Return `measure(first, *parts)` of all images, [N] or [M, N], worked out and kept block by block.

    `parts` are rows of the arrays from row `first` on.  All blocks are measured again when today's code no longer finds
    of the first two images what is kept of them.
    """

    def of(name: str, rows: slice) -> np.ndarray:
        parts = [a[rows] for a in arrays]
        return measured(trained, name, lambda: {"value": measure(rows.start, *parts)}, *parts)["value"]

    with trained.twin.train.uncompiled():  # two images alone are not worth compiling
        kept, now = of(f"{name}-first", slice(0, 2)), measure(0, *(a[:2] for a in arrays))
    if kept.shape != now.shape or not np.allclose(kept, now, rtol=TOLERANCE):
        for old in (trained.folder / "measures").glob(f"{name}-*"):
            old.unlink()
    starts = range(0, len(arrays[0]), block)
    return np.concatenate([of(f"{name}-{start:05d}", slice(start, start + block)) for start in starts], axis=-1)
