"""Drawn hands, one arrangement of fingers a class: stand-ins for the photographs of Sign Language MNIST."""

from __future__ import annotations

import numpy as np

CANVAS = 112


def _photograph(pattern: int, rng: np.random.Generator) -> np.ndarray:
    """A hand whose finger i is raised where bit i of `pattern` is set.  -> float32 [112, 112] in 0..255"""
    import cv2

    across, down = np.meshgrid(np.linspace(-1, 1, CANVAS), np.linspace(-1, 1, CANVAS))
    ground = rng.uniform(120, 190) + rng.uniform(-25, 25) * across + rng.uniform(-25, 25) * down
    image = ground.astype(np.float32)
    skin = float(rng.uniform(60, 110))
    centre = np.array([56, 72]) + rng.uniform(-5, 5, 2)
    palm = (int(rng.integers(20, 25)), int(rng.integers(22, 27)))
    cv2.ellipse(image, centre.astype(int).tolist(), palm, 0, 0, 360, skin, -1, cv2.LINE_AA)
    for finger in range(5):
        raised = pattern >> finger & 1
        angle = np.deg2rad((-70, -24, -8, 8, 24)[finger] + rng.normal(0, 3))
        way = np.array([np.sin(angle), -np.cos(angle)])
        root = centre + way * np.array(palm) * 0.8
        tip = root + way * (34 if raised else 7) * rng.uniform(0.9, 1.1)
        thick = int(rng.integers(8, 11))
        shade = skin * (1.0 if raised else 0.75)
        cv2.line(image, root.astype(int).tolist(), tip.astype(int).tolist(), shade, thick, cv2.LINE_AA)
    return image


def _copy(photograph: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A near-duplicate: turned by up to 3 degrees, brighter or darker by up to 15 %, with noise."""
    import cv2

    turn = cv2.getRotationMatrix2D((CANVAS / 2, CANVAS / 2), rng.uniform(-3, 3), 1)
    turned = cv2.warpAffine(photograph, turn, (CANVAS, CANVAS), borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(turned, (side, side), interpolation=cv2.INTER_AREA) * rng.uniform(0.85, 1.15)
    return np.clip(np.rint(small + rng.normal(0, 1, small.shape)), 0, 255).astype(np.uint8)


def draw(num_classes: int, photographs: int, copies: int, side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Hands of up to 31 classes -> x uint8 [N, side, side], y int64 [N], in random order."""
    rng = np.random.default_rng(seed)
    images, labels = [], []
    for label in range(num_classes):
        for _ in range(photographs):
            photograph = _photograph(label + 1, rng)
            images += [_copy(photograph, side, rng) for _ in range(copies)]
            labels += [label] * copies
    order = rng.permutation(len(labels))
    return np.stack(images)[order], np.array(labels)[order]
