"""Hands: one style z of a CVAE of characters, held across all classes; and what moves a style.

Images are NumPy, ink 1 on paper 0, [N, H, W]; styles z [Z], labels as positions among the K classes.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.metrics import explained_variance_score

CLASSES = {
    36: string.digits + string.ascii_uppercase,
    62: string.digits + string.ascii_uppercase + string.ascii_lowercase,
}
VARIATION = 0.06  # standard deviation of what a character's style differs from the writer's; the prior's is 1
SHARE = 0.6  # of a drawn style, slant and thickness apart, that a writer has: less is read better, and told apart worse


@dataclass(frozen=True, eq=False)
class Places:
    """Where the codes of each class lie: their mean [K, Z] and the symmetric root of their covariance [K, Z, Z].

    A style z ~ N(0, I) is carried among the codes of a class by mean + root z, which of all linear maps to a Gaussian
    of their mean and covariance moves it the least (Olkin & Pukelsheim 1982).  Without it some characters of a style
    would be decoded where none of their class ever was.
    """

    mean: np.ndarray
    root: np.ndarray

    @classmethod
    def fit(cls, z: np.ndarray, y: np.ndarray) -> Places:
        """Fit places to codes drawn from q(z | x, y), one an image.  [N, Z], [N]"""
        mean, root = [], []
        for k in range(int(y.max()) + 1):
            values, axes = np.linalg.eigh(np.cov(z[y == k].T))
            mean.append(z[y == k].mean(0))
            root.append(axes * np.sqrt(np.maximum(values, 0)) @ axes.T)
        return cls(np.stack(mean), np.stack(root))

    def code(self, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Carry styles among the codes of these labels.  [N, Z], [N] -> [N, Z]"""
        return self.mean[labels] + (self.root[labels] @ z[..., None])[..., 0]

    def style(self, code: np.ndarray, label: int) -> np.ndarray:
        """Return the style of a code: the inverse of `code`.  [Z] -> [Z]"""
        return np.linalg.solve(self.root[label], code - self.mean[label])


@dataclass(frozen=True, eq=False)
class Pen:
    """A trained CVAE of characters in either twin, and where its codes lie; ValueError for one that cannot write."""

    model: Any
    twin: ModuleType
    places: Places

    def __post_init__(self):
        spec = self.model.spec
        if spec.kind != "cvae" or spec.num_classes not in CLASSES or spec.image_shape[2] != 1:
            raise ValueError(
                f"model {spec.name!r} is a {spec.kind} of {spec.num_classes} classes; writing takes a "
                f"CVAE of grey characters of {' or '.join(map(str, CLASSES))} classes"
            )

    @property
    def classes(self) -> str:
        """Return the characters that it knows: 36, in which the two cases of a letter are one, or 62."""
        return CLASSES[self.model.spec.num_classes]

    def label(self, character: str) -> int:
        """Return the label of a letter or digit; a model of one case gives both cases the same."""
        return self.classes.index(character if character in self.classes else character.upper())

    def draw(self, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Decode these labels in these styles to expected images.  [N, Z], [N] -> [N, H, W]"""
        code = self.places.code(z, labels)
        return self.twin.models.predict(self.model, "generate", code, np.eye(len(self.classes))[labels])[..., 0]

    def hand(self, writer: int) -> Hand:
        """Return the writer of that number: z from N(0, I) with the number as seed, the first draw, unselected.

        Slant and thickness are as drawn.  Of all else a writer has SHARE: far from the mean of all hands the decoder
        draws characters that nobody reads.  So writers differ less than the data's.
        """
        z = np.random.default_rng([writer, 0]).standard_normal(self.model.spec.latent_dim)
        along = self.plane @ (self.plane.T @ z)
        return Hand(self, along + SHARE * (z - along), writer)

    @cached_property
    def plane(self) -> np.ndarray:
        """Return an orthonormal basis of the directions of slant and thickness.  -> [Z, 2]"""
        return np.linalg.qr(np.stack([trait.direction for trait in traits(self).values()], axis=1))[0]


@dataclass(frozen=True, eq=False)
class Hand:
    """A writer: a style, and a seed for the variation from one character to the next."""

    pen: Pen
    z: np.ndarray
    seed: int = 0
    variation: float = VARIATION

    def characters(self, text: str, copies: int = 1) -> np.ndarray:
        """Draw letters and digits in this hand, `copies` of each with its own variation.  -> [copies * N, H, W]"""
        labels = np.array([self.pen.label(c) for c in text] * copies, int)
        rng = np.random.default_rng([self.seed, 1])
        z = self.z + self.variation * rng.standard_normal((len(labels), len(self.z)))
        return self.pen.draw(z, labels)

    def moved(self, trait: Trait, amount: float) -> Hand:
        """Return the same hand with more of a trait, by `amount` in its units."""
        return replace(self, z=self.z + amount * trait.direction)


# ---------------------------------------------------------------- traits
@dataclass(frozen=True, eq=False)
class Trait:
    """A property of writing that is near linear in z.

    `direction` [Z] raises it by 1; `share` is R^2 of the line on styles that it was not fitted to.
    """

    direction: np.ndarray
    share: float


def slant(x: np.ndarray) -> np.ndarray:
    """Measure the lean to the right in degrees, from moments of the ink: arctan of cov(column, height) / var(height).

    [N, H, W] -> [N]
    """
    height, column = np.mgrid[x.shape[1] - 1 : -1 : -1, 0 : x.shape[2]].astype(float)
    total = x.sum((1, 2)) + 1e-9

    def mean(values):
        return (x * values).sum((1, 2)) / total

    covariance = mean(height * column) - mean(height) * mean(column)
    return np.degrees(np.arctan(covariance / (mean(height**2) - mean(height) ** 2 + 1e-9)))


def thickness(x: np.ndarray) -> np.ndarray:
    """Measure the stroke's width in pixels: twice the ink over the length of its edge (total variation).

    [N, H, W] -> [N]
    """
    padded = np.pad(x.astype(float), ((0, 0), (1, 1), (1, 1)))
    down, right = np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1]
    return 2 * x.sum((1, 2)) / (np.hypot(down, right).sum((1, 2)) + 1e-9)


def traits(pen: Pen, styles: int = 150) -> dict[str, Trait]:
    """Find the directions of slant, in degrees, and thickness, in pixels: measured on all classes, regressed on z.

    A third of the random styles is kept to say how much of the variance the line explains.
    """
    k = len(pen.classes)
    z = np.random.default_rng([0, 2]).standard_normal((styles, pen.model.spec.latent_dim))
    x = pen.draw(z.repeat(k, 0), np.tile(np.arange(k), styles))
    fitted, found = styles * 2 // 3, {}
    for name, measure in (("slant", slant), ("thickness", thickness)):
        value = measure(x).reshape(styles, k).mean(1)
        line = LinearRegression().fit(z[:fitted], value[:fitted])
        share = explained_variance_score(value[fitted:], line.predict(z[fitted:]))
        found[name] = Trait(line.coef_ / (line.coef_ @ line.coef_), float(share))
    return found


# ---------------------------------------------------------------- style transfer
def alphabet_like(pen: Pen, x: np.ndarray, label: int) -> np.ndarray:
    """Draw every class in the hand of one real character: encoded under its label, its style held, decoded.

    [H, W, 1] in [0, 1] -> [K, H, W]
    """
    k = len(pen.classes)
    mu, _ = pen.twin.models.predict(pen.model, "encode", x[None], np.eye(k)[[label]])
    return pen.draw(pen.places.style(mu[0], label)[None].repeat(k, 0), np.arange(k))
