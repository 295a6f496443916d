"""Simple pictures of CIFAR-10's ten classes, 32 x 32 in colour: stand-ins for its photographs."""

from __future__ import annotations

import colorsys

import numpy as np

CANVAS, SIDE = 128, 32
SKY, ROAD, FIELD, SEA = (0.55, 0.5), (0.1, 0.1), (0.3, 0.5), (0.6, 0.7)

# Class: (hue and saturation of the ground, polygons and discs in units of the picture; the last are darker).
# A polygon is a tuple of points, a disc (x, y, radius).
ICONS = (
    (SKY, [((.1, .5), (.8, .42), (.92, .5), (.8, .56)), ((.4, .5), (.55, .12), (.62, .5)),
           ((.4, .52), (.55, .88), (.62, .52)), ((.1, .5), (.06, .3), (.2, .47))]),
    (ROAD, [((.08, .65), (.08, .5), (.3, .47), (.4, .3), (.68, .3), (.78, .47), (.92, .52), (.92, .65)),
            (.28, .68, .1), (.74, .68, .1)]),
    (SKY, [(.5, .52, .16), (.68, .38, .1), ((.76, .36), (.9, .4), (.76, .43)),
           ((.4, .5), (.08, .34), (.38, .64))]),
    (ROAD, [(.5, .58, .28), ((.26, .45), (.26, .1), (.46, .34)), ((.74, .45), (.74, .1), (.54, .34)),
            (.4, .54, .05), (.6, .54, .05)]),
    (FIELD, [((.3, .5), (.7, .5), (.68, .9), (.62, .9), (.6, .65), (.4, .65), (.38, .9), (.32, .9)),
             (.72, .36, .1), ((.7, .3), (.6, .06), (.64, .06), (.74, .26)),
             ((.74, .3), (.88, .06), (.92, .08), (.78, .32))]),
    (ROAD, [(.5, .5, .24), ((.3, .36), (.12, .3), (.16, .7), (.3, .6)),
            ((.7, .36), (.88, .3), (.84, .7), (.7, .6)), (.5, .66, .08)]),
    (FIELD, [(.5, .64, .3), (.34, .34, .12), (.66, .34, .12), (.34, .32, .05), (.66, .32, .05)]),
    (FIELD, [((.12, .45), (.66, .45), (.74, .15), (.94, .26), (.8, .34), (.76, .62), (.7, .92), (.64, .92),
              (.62, .62), (.26, .62), (.22, .92), (.16, .92))]),
    (SEA, [((.06, .6), (.94, .6), (.8, .82), (.2, .82)), ((.3, .58), (.3, .44), (.66, .44), (.66, .58)),
           ((.4, .42), (.4, .2), (.5, .2), (.5, .42))]),
    (ROAD, [((.06, .66), (.06, .2), (.6, .2), (.6, .66)),
            ((.62, .66), (.62, .36), (.8, .36), (.94, .5), (.94, .66)), (.24, .7, .1), (.78, .7, .1)]),
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
    return np.stack([_picture(label // hues, hue, rng) for label, hue in zip(y, chosen)]), y
