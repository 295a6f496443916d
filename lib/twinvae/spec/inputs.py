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
    """Raise ValueError unless arrays of these names fit the model: images x in 0..1, conditions y, codes z, as many.

    Images may be noisy. What has another name, or is a y that the model does not look at, passes.
    """
    wanted = {"x": spec.image_shape, "x_in": spec.image_shape, "z": (spec.latent_dim,)}
    wanted |= {"y": (spec.num_classes,)} if spec.num_classes else {}
    parts = ("decoder",) if "z" in names else ("encoder", "decoder") if "eps" in names else ("encoder",)
    looks = names == ["y"] or {getattr(spec, f"{part}_condition", "") for part in parts} != {"none"}
    given = {name: a for name, a in zip(names, arrays, strict=False) if name in wanted}
    for name, array in given.items():
        if array is None and name == "y" and not looks:
            continue
        if array is None or np.shape(array)[1:] != tuple(wanted[name]) or not len(array):
            takes = ", ".join(map(str, ("N", *wanted[name])))
            what = "is None" if array is None else f"has shape {np.shape(array)}"
            raise ValueError(f"{name} {what}; model {spec.name!r} takes [{takes}]")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite; check where it comes from")
        low, high = np.min(array), np.max(array)
        if name in ("x", "x_in") and not -NOISE <= low <= high <= 1 + NOISE:
            raise ValueError(f"the pixels of {name} run from {low:.3g} to {high:.3g}: scale them to [0, 1]")
    if len({len(array) for array in given.values() if array is not None}) > 1:
        rows = ", ".join(f"{name} {len(array):,}" for name, array in given.items() if array is not None)
        raise ValueError(f"the arrays differ in how many rows they have: {rows}")
