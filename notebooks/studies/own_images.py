"""The user's own images: what notebook 11 trains on them, and what it looks at.

Arrays are NumPy: images x [N, H, W, C] in [0, 1]; labels y [N], or conditions of numbers y [N, K].
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import ndimage
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from twinvae import data, randomness
from twinvae.data import Images, Splits
from twinvae.spec import Activation, Dense, Film, Flatten, Layer, ModelSpec, TrainSpec, count_weights, mlp
from twinvae.training import Job, Trained, recipe_of
from twinvae_studies import evaluation, latent_space, planning
from twinvae_studies.planning import Count, sizes

AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    images=(sizes(300, 60, 60), sizes(12_000, 2_000, 2_000), sizes(None, None, None)),
    steps=(10, 3_000, 20_000),
    seeds=(1, 1, 3),
)
MOST_EPOCHS, BATCH = 300, 64
MOST_WEIGHTS = 50_000_000  # of one model: a gigabyte with Adam's averages and gradients
NEIGHBOURS = 5
WIDTHS = (512, 256)  # of the hidden layers, from the image to the code


# ---------------------------------------------------------------- what is trained
def models(images: Images, latent_dim: int) -> dict[str, ModelSpec]:
    """Return AE, VAE and, where the images have more than one label or numbers, CVAE: kind -> spec.

    The loss is the squared error plus the KL. What the CVAE is told modulates every hidden layer: beside a code that
    has room for the whole image, a label that only stands at the entrance is not listened to.
    Raises ValueError for images so large that a model of them would not be trained on a CPU.
    """
    shared = dict(image_shape=images.shape, latent_dim=latent_dim, likelihood="gaussian", init="keras")
    plain = dict(encoder=(Flatten(), *mlp(*WIDTHS)), decoder=mlp(*WIDTHS[::-1]))
    made = {kind: ModelSpec(f"own_{kind.lower()}", kind.lower(), **plain, **shared) for kind in ("AE", "VAE")}
    if images.tells:
        told = dict(num_classes=images.num_classes, encoder_condition="film", decoder_condition="film")
        film = dict(encoder=(Flatten(), *_modulated(*WIDTHS)), decoder=_modulated(*WIDTHS[::-1]))
        made["CVAE"] = ModelSpec("own_cvae", "cvae", **told, **film, **shared)
    if (weights := count_weights(made["VAE"])) > MOST_WEIGHTS:
        size = " x ".join(map(str, images.shape))
        how = ", -p size 64" if images.source.dataset.startswith("folder:") else ""
        raise ValueError(f"images of {size} would take a VAE of {weights:,} weights; make them smaller{how}")
    return made


def _modulated(*widths: int) -> tuple[Layer, ...]:
    """Return dense layers, each modulated by the condition, with a ReLU after each."""
    return tuple(layer for n in widths for layer in (Dense(n), Film(), Activation("relu")))


def jobs(
    profile: str, backend: str, images: Splits, latent_dim: int, epochs: Count, seeds: Count
) -> dict[str, list[Job]]:
    """Return the trainings of each kind, a job a seed; epochs that are None are as many as the profile's steps take."""
    amounts, count = AMOUNTS[profile], len(images.train)
    batch = min(BATCH, count)
    epochs = epochs or min(MOST_EPOCHS, math.ceil(amounts.steps * batch / count))
    settings = TrainSpec(epochs, batch, 1e-3)
    found = {}
    for kind, spec in models(images.train, latent_dim).items():
        job = Job(spec, (settings,), recipe_of(images), backend)
        found[kind] = planning.over_seeds(job, seeds or amounts.seeds)
    return found


def turned(images: Splits, gap: tuple[float, float]) -> Splits:
    """Return the images, each turned by an angle of its own, with the condition (cos, sin) of it.

    No training or validation image is turned by an angle between those of `gap`, in degrees; test images are.
    """
    low, high = gap
    made = {}
    for at, part in enumerate(("train", "valid", "test")):
        old = getattr(images, part)
        angles = randomness.rng(images.seed, "prior", 20 + at).uniform(0, 360, len(old))
        if part != "test":
            angles = (high + angles * (360 - (high - low)) / 360) % 360
        x = np.stack([turn(image, angle) for image, angle in zip(old.x, angles, strict=True)])
        made[part] = Images(x, of_angles(angles), ("cos", "sin"), old.source)
    return replace(images, **made)


def turn(image: np.ndarray, angle: float) -> np.ndarray:
    """Turn one image, [H, W, C], by degrees to the left, in its frame; what comes in is as its edge."""
    return ndimage.rotate(image, angle, reshape=False, order=1, mode="nearest")


def of_angles(angles: np.ndarray) -> np.ndarray:
    """Return angles in degrees as points on the circle, where 359 is near 0.  [N] -> float32 [N, 2]"""
    radians = np.deg2rad(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


# ---------------------------------------------------------------- what came out
def examples(images: Images, most: int = 8) -> np.ndarray:
    """Return the rows of the images to be shown: the first of each class, or some along its first number."""
    if images.labelled and images.tells:
        return np.unique(images.y, return_index=True)[1][:most]
    order = np.arange(len(images)) if images.labelled else np.argsort(images.y[:, 0], kind="stable")
    return order[np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int)]


class Reader:
    """Reads the condition of an image from its nearest training images: no network, and nothing to be trained."""

    def __init__(self, images: Images):
        kind = KNeighborsClassifier if images.labelled else KNeighborsRegressor
        self.model = kind(min(NEIGHBOURS, len(images))).fit(self._rows(data.scale(images.x)), images.y)

    @staticmethod
    def _rows(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), -1)

    def score(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return how often it reads the label, or which share of the numbers' variance it explains (R^2)."""
        return float(self.model.score(self._rows(x), y))


def around(trained: Trained, image: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Encode an upright image and decode its code under other angles; beside it the image really turned.

    image uint8 [H, W, C], angles [A] in degrees -> two arrays [A, H, W, C] in [0, 1]: as decoded, as turned
    """
    upright = of_angles(np.zeros(1))
    mu, _ = evaluation.codes(trained, data.scale(image[None]), upright)
    made = latent_space.decode(trained, mu.repeat(len(angles), 0), of_angles(angles))
    return made, data.scale(np.stack([turn(image, angle) for angle in angles]))


def inside(images: Images, gap: tuple[float, float]) -> np.ndarray:
    """Return which images are turned by an angle between those of `gap`.  -> bool [N]"""
    angles = np.rad2deg(np.arctan2(images.y[:, 1], images.y[:, 0])) % 360
    return (angles > gap[0] + 0.01) & (angles < gap[1] - 0.01)


def of_turning(trained: Trained, images: Any, gap: tuple[float, float], count: int) -> dict[str, float]:
    """Return mean squared errors, a pixel, of upright test images that `around` turns by angles in the gap and outside.

    'nearest' is what the really turned image is off by at the nearest angle that was trained, for angles in the gap.
    """
    low, high = gap
    inside = np.linspace(low, high, 7)[1:-1]
    outside = np.arange(high + 15, low + 360, 30) % 360
    edges = np.where(inside < (low + high) / 2, low, high)
    found = {"inside": [], "outside": [], "nearest": []}
    for image in images.x[:count]:
        for name, angles in (("inside", inside), ("outside", outside)):
            found[name].append((evaluation.squared_error(*around(trained, image, angles)) / image.size).mean())
        right, near = (data.scale(np.stack([turn(image, angle) for angle in at])) for at in (inside, edges))
        found["nearest"].append((evaluation.squared_error(right, near) / image.size).mean())
    return {name: float(np.mean(values)) for name, values in found.items()}
