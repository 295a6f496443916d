"""Preprocessing: scaling, binarisation, dequantisation, one-hot."""

import numpy as np

BINARISATIONS = ("none", "threshold", "fixed", "dynamic")


def scale(x: np.ndarray) -> np.ndarray:
    """Scale bytes 0..255 to float32 in [0, 1], same shape.  Raises ValueError for anything but uint8."""
    if x.dtype != np.uint8:
        raise ValueError(f"scale takes uint8 pixels 0..255, not {x.dtype}; are they scaled already?")
    return x.astype(np.float32) / np.float32(255)


def binarise(x01: np.ndarray, how: str, rng: np.random.Generator | None = None) -> np.ndarray:
    """Make pixels in [0, 1] 0.0 or 1.0, same shape and type.

    'none' changes nothing; 'threshold' is x > 0.5; 'fixed' and 'dynamic' draw each pixel with probability x, 'fixed'
    always the same by seed 0, 'dynamic' anew from `rng` at every call, as in training (Salakhutdinov & Murray 2008).
    """
    if how not in BINARISATIONS:
        raise ValueError(f"Binarisation {how!r} is unknown; choose one of {', '.join(BINARISATIONS)}.")
    if not np.issubdtype(x01.dtype, np.floating) or (x01.size and not (x01.min() >= 0 and x01.max() <= 1)):
        raise ValueError(f"binarise takes floats in [0, 1], not {x01.dtype} outside it; call scale(x) first.")
    if how == "none":
        return x01
    if how == "threshold":
        return (x01 > 0.5).astype(x01.dtype)
    if how == "dynamic" and rng is None:
        raise ValueError("Binarisation 'dynamic' needs rng, a NumPy generator, to draw from.")
    draw = (np.random.default_rng(0) if how == "fixed" else rng).random(x01.shape, dtype=np.float32)
    return (draw < x01).astype(x01.dtype)


def dequantise(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add uniform noise to bytes, (x + u) / 256 in [0, 1), float32, for densities (Theis et al. 2016)."""
    if x.dtype != np.uint8:
        raise ValueError(f"dequantise takes uint8 pixels 0..255, not {x.dtype}.")
    noisy = (x + rng.random(x.shape)) / 256
    # Rounding to float32 may reach 1.0 exactly, which is outside the interval.
    return np.minimum(noisy.astype(np.float32), np.nextafter(np.float32(1), np.float32(0)))


def one_hot(y: np.ndarray, num_classes: int) -> np.ndarray:
    """Return one-hot vectors of labels.  [N] in 0..K-1 -> float32 [N, K]  Raises ValueError for labels outside."""
    y = np.asarray(y)
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"one_hot takes whole labels [N], not {y.dtype} {list(y.shape)}.")
    if y.size and (y.min() < 0 or y.max() >= num_classes):
        raise ValueError(f"Labels run {y.min()}..{y.max()}; {num_classes} classes allow 0..{num_classes - 1}.")
    return np.eye(num_classes, dtype=np.float32)[y]
