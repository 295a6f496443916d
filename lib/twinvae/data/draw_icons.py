"""Simple pictures of CIFAR-10's ten classes, 32 x 32 in colour: stand-ins for its photographs."""

from __future__ import annotations

import colorsys

import numpy as np

CANVAS, SIDE = 128, 32
SKY, ROAD, FIELD, SEA = (0.55, 0.5), (0.1, 0.1), (0.3, 0.5), (0.6, 0.7)

# Class: (hue and saturation of the ground, polygons and discs in units of the picture; the last are darker).
# A polygon is a tuple of points, a disc (x, y, radius).
ICONS = (
    (
        SKY,
        [
            ((0.1, 0.5), (0.8, 0.42), (0.92, 0.5), (0.8, 0.56)),
            ((0.4, 0.5), (0.55, 0.12), (0.62, 0.5)),
            ((0.4, 0.52), (0.55, 0.88), (0.62, 0.52)),
            ((0.1, 0.5), (0.06, 0.3), (0.2, 0.47)),
        ],
    ),
    (
        ROAD,
        [
            ((0.08, 0.65), (0.08, 0.5), (0.3, 0.47), (0.4, 0.3), (0.68, 0.3), (0.78, 0.47), (0.92, 0.52), (0.92, 0.65)),
            (0.28, 0.68, 0.1),
            (0.74, 0.68, 0.1),
        ],
    ),
    (
        SKY,
        [
            (0.5, 0.52, 0.16),
            (0.68, 0.38, 0.1),
            ((0.76, 0.36), (0.9, 0.4), (0.76, 0.43)),
            ((0.4, 0.5), (0.08, 0.34), (0.38, 0.64)),
        ],
    ),
    (
        ROAD,
        [
            (0.5, 0.58, 0.28),
            ((0.26, 0.45), (0.26, 0.1), (0.46, 0.34)),
            ((0.74, 0.45), (0.74, 0.1), (0.54, 0.34)),
            (0.4, 0.54, 0.05),
            (0.6, 0.54, 0.05),
        ],
    ),
    (
        FIELD,
        [
            ((0.3, 0.5), (0.7, 0.5), (0.68, 0.9), (0.62, 0.9), (0.6, 0.65), (0.4, 0.65), (0.38, 0.9), (0.32, 0.9)),
            (0.72, 0.36, 0.1),
            ((0.7, 0.3), (0.6, 0.06), (0.64, 0.06), (0.74, 0.26)),
            ((0.74, 0.3), (0.88, 0.06), (0.92, 0.08), (0.78, 0.32)),
        ],
    ),
    (
        ROAD,
        [
            (0.5, 0.5, 0.24),
            ((0.3, 0.36), (0.12, 0.3), (0.16, 0.7), (0.3, 0.6)),
            ((0.7, 0.36), (0.88, 0.3), (0.84, 0.7), (0.7, 0.6)),
            (0.5, 0.66, 0.08),
        ],
    ),
    (FIELD, [(0.5, 0.64, 0.3), (0.34, 0.34, 0.12), (0.66, 0.34, 0.12), (0.34, 0.32, 0.05), (0.66, 0.32, 0.05)]),
    (
        FIELD,
        [
            (
                (0.12, 0.45),
                (0.66, 0.45),
                (0.74, 0.15),
                (0.94, 0.26),
                (0.8, 0.34),
                (0.76, 0.62),
                (0.7, 0.92),
                (0.64, 0.92),
                (0.62, 0.62),
                (0.26, 0.62),
                (0.22, 0.92),
                (0.16, 0.92),
            )
        ],
    ),
    (
        SEA,
        [
            ((0.06, 0.6), (0.94, 0.6), (0.8, 0.82), (0.2, 0.82)),
            ((0.3, 0.58), (0.3, 0.44), (0.66, 0.44), (0.66, 0.58)),
            ((0.4, 0.42), (0.4, 0.2), (0.5, 0.2), (0.5, 0.42)),
        ],
    ),
    (
        ROAD,
        [
            ((0.06, 0.66), (0.06, 0.2), (0.6, 0.2), (0.6, 0.66)),
            ((0.62, 0.66), (0.62, 0.36), (0.8, 0.36), (0.94, 0.5), (0.94, 0.66)),
            (0.24, 0.7, 0.1),
            (0.78, 0.7, 0.1),
        ],
    ),
)


def _colour(hue: float, saturation: float, value: float) -> tuple[float, ...]:
    return tuple(255 * part for part in colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), value))


def _picture(label: int, hue: float, rng: np.random.Generator) -> np.ndarray:
    """One picture, its thing of this hue, randomly placed, sized and mirrored.  -> uint8 [32, 32, 3]"""
    import cv2

    (ground_hue, ground_saturation), shapes = ICONS[label]
    ground = _colour(ground_hue + rng.normal(0, 0.03), ground_saturation, rng.uniform(0.55, 0.95))
    fade = np.linspace(rng.uniform(0.7, 1), rng.uniform(0.7, 1), CANVAS)[:, None, None]
    image = np.ascontiguousarray(np.broadcast_to(ground * fade, (CANVAS, CANVAS, 3)), np.float32)
    size, shift, mirror = rng.uniform(0.7, 1) * CANVAS, rng.uniform(-0.1, 0.1, 2) * CANVAS, rng.random() < 0.5
    value = rng.uniform(0.3, 0.9)
    for at, shape in enumerate(shapes):
        colour = _colour(hue, 0.7, value * (1 - 0.12 * at))
        points = np.array(shape[:2] if np.isscalar(shape[0]) else shape, float).reshape(-1, 2) - 0.5
        points = np.rint(points * ((-size if mirror else size), size) + CANVAS / 2 + shift).astype(np.int32)
        if np.isscalar(shape[0]):
            cv2.circle(image, points[0].tolist(), round(shape[2] * size), colour, -1, cv2.LINE_AA)
        else:
            cv2.fillPoly(image, [points], colour, cv2.LINE_AA)
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) + rng.normal(0, 4, (SIDE, SIDE, 3))
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)


def draw(count: int, seed: int, hues: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """`count` pictures a class -> x uint8 [N, 32, 32, 3], y int64 [N], in random order.

    With hues = 1 the colour is random and there are ten classes; else class = thing * hues + colour.
    """
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(ICONS) * hues), count))
    chosen = rng.random(len(y)) if hues == 1 else (y % hues) / hues + rng.normal(0, 0.01, len(y))
    return np.stack([_picture(label // hues, hue, rng) for label, hue in zip(y, chosen, strict=True)]), y
