"""Checks of what a model is given, the same in both twins: each raises ValueError with what is allowed."""

from __future__ import annotations

import numpy as np

from twinvae.spec.gans import GanSpec
from twinvae.spec.models import ModelSpec

NOISE = 4  # so far may added noise take a pixel out of 0..1


def check_images(spec: ModelSpec | GanSpec, shape: tuple[int, ...], classes: int) -> None:
    """Raise ValueError unless images have this shape, and their labels this number of classes, as the model takes."""
    if tuple(shape) != tuple(spec.image_shape):
        raise ValueError(
            f"the images have shape {tuple(shape)}; model {spec.name!r} takes {spec.image_shape}: "
            "build it from spec.for_images(...)"
        )
    if spec.num_classes not in (0, classes):
        raise ValueError(
            f"the images have {classes} classes; model {spec.name!r} takes {spec.num_classes}: "
            "build it from spec.for_images(...)"
        )


def check_arrays(spec: ModelSpec | GanSpec, names: list[str], arrays: tuple[np.ndarray | None, ...]) -> None:
    """Raise ValueError unless arrays of these names fit the model: images x in 0..1, conditions y, codes z.

    Images may be noisy. What has another name, is None, or is a y that the model does not look at, passes.
    """
    wanted = {"x": spec.image_shape, "x_in": spec.image_shape, "z": (spec.latent_dim,)}
    wanted |= {"y": (spec.num_classes,)} if spec.num_classes else {}
    for name, array in zip(names, arrays, strict=False):
        if array is None or name not in wanted:
            continue
        if np.shape(array)[1:] != tuple(wanted[name]):
            takes = ", ".join(map(str, ("N", *wanted[name])))
            raise ValueError(f"{name} has shape {np.shape(array)}; model {spec.name!r} takes [{takes}]")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite; check where it comes from")
        low, high = np.min(array, initial=0), np.max(array, initial=0)
        if name in ("x", "x_in") and not -NOISE <= low <= high <= 1 + NOISE:
            raise ValueError(f"the pixels of {name} run from {low:.3g} to {high:.3g}: scale them to [0, 1]")
