"""The explorer of notebook 10 without its widgets: a trained model in both twins, moved through by hand.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], codes z [N, Z], conditions y [N, K]: labels, one-hot or a mixture
that sums to 1, or K numbers.
"""

from __future__ import annotations

from types import ModuleType

import cv2
import numpy as np

from twinvae import data
from twinvae.metrics import likelihood
from twinvae.pretrained import Found
from twinvae.training.kept import opened
from twinvae_apps.ink import centre_mass, ink_box

REACH = 3.0  # a plane shows codes from -REACH to REACH: 99.7 % of each unit's prior
LIT = 0.2  # what is brighter in a drawing, or in a training image, is ink


class Explorer:
    """A trained model in both twins (name -> what `backend.get` returned), and the images it is compared with.

    `images` are None where they are not at hand: then there are no neighbours and no test images.
    """

    def __init__(self, trained: Found, images: data.Splits | None, twins: dict[str, ModuleType]):
        self.trained, self.spec, self.images, self.twins = trained, trained.spec, images, twins
        self.models = {name: opened(trained.path.parent, twin).model for name, twin in twins.items()}
        self.first = next(iter(twins))
        none = np.zeros((0, *self.spec.image_shape), np.uint8)
        self.train, self.test = map(data.scale, (images.train.x, images.test.x) if images else (none, none))
        self.norms = np.square(self.train).sum((1, 2, 3))
        self.names = tuple(trained.card.get("labels") or map(str, range(self.spec.num_classes)))
        ranges = trained.card.get("ranges") or {}  # of numbers, by their names; a slider needs some way to go
        self.ranges = {name: (low, high if high > low else low + 1) for name, (low, high) in ranges.items()}
        self.units = self.most_active()

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the labels; none for a model without, or told numbers."""
        return () if self.ranges else self.names

    def conditions(self) -> np.ndarray:
        """Return conditions that there are: every label, or the numbers of the training images.  -> [N, K]"""
        if not self.ranges:
            return np.eye(max(1, self.spec.num_classes))
        return self.images.train.y if self.images else np.mean([*self.ranges.values()], axis=1)[None]

    def mixture(self, first: int, second: int | None = None, share: float = 0.0) -> np.ndarray:
        """Return a label, or two of which `second` has this share.  -> [K]; a model without labels ignores it."""
        y = np.zeros(max(1, self.spec.num_classes))
        y[first] += 1 - share
        y[first if second is None else second] += share
        return y

    def row(self, y: np.ndarray, along: int = 0, points: int = 9) -> np.ndarray:
        """Return every label or, of a condition of numbers, y with one of them over its range.  [K] -> [A, K]"""
        if not self.ranges:
            return np.eye(self.spec.num_classes, len(y))
        row = np.tile(y, (points, 1))
        row[:, along] = np.linspace(*self.ranges[self.names[along]], points)
        return row

    def under_all(self, z: np.ndarray, y: np.ndarray, along: int = 0) -> dict[str, np.ndarray]:
        """Decode one code under y and under all of `row`.  [Z], [K] -> twin -> [1 + A, H, W, C]"""
        y = np.vstack([y[None], self.row(y, along)])
        return {name: self.generate(np.tile(z, (len(y), 1)), y, name) for name in self.twins}

    def generate(self, z: np.ndarray, y: np.ndarray, twin: str | None = None) -> np.ndarray:
        """Return the expected images of codes under conditions, by one twin.  [N, Z], [N, K] -> [N, H, W, C]"""
        twin = twin or self.first
        return self.twins[twin].models.predict(self.models[twin], "generate", z, y)

    def most_active(self, reach: float = 2.0) -> np.ndarray:
        """Order the latent units by how much they change the picture from -reach to +reach, the others 0.  -> [Z]

        Needs no images, so it serves a GAN too; a mean over up to four conditions.
        """
        size, told = self.spec.latent_dim, self.conditions()
        shown = told[np.unique(np.linspace(0, len(told) - 1, 4).astype(int))]
        z = np.tile(np.concatenate([np.eye(size), -np.eye(size)]) * reach, (len(shown), 1))
        x = self.generate(z, np.repeat(shown, 2 * size, 0)).reshape(len(shown), 2, size, -1)
        return np.argsort(-((x[:, 0] - x[:, 1]) ** 2).sum((0, 2)), kind="stable")

    def plane(self, z: np.ndarray, y: np.ndarray, units: tuple[int, int], points: int = 9) -> np.ndarray:
        """Decode two units from -REACH to REACH, the others as in z: the second unit upwards.  -> [P, P, H, W, C]"""
        steps = np.linspace(-REACH, REACH, points)
        codes = np.tile(z, (points, points, 1))
        codes[..., units[0]], codes[..., units[1]] = steps[None, :], steps[::-1, None]
        x = self.generate(codes.reshape(points**2, -1), np.tile(y, (points**2, 1)))
        return x.reshape(points, points, *x.shape[1:])

    def nearest(self, x: np.ndarray, count: int = 8) -> np.ndarray:
        """Find the training images closest to x in squared error, closest first.  [H, W, C] -> positions [count]"""
        flat = self.train.reshape(len(self.train), -1)
        return np.argsort(self.norms - 2 * flat @ x.ravel().astype(flat.dtype))[:count]

    # ------------------------------------------------------------ a drawn image
    def encode(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the posterior means of images under conditions.  [N, H, W, C], [N, K] -> z [N, Z]"""
        return self.twins[self.first].models.predict(self.models[self.first], "encode", x, y)[0]

    def analogies(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Encode images under their labels and decode the posterior means under every label: each hand, all labels.

        [N, H, W, C], [N] -> [N, K, H, W, C]
        """
        labels = np.eye(self.spec.num_classes)
        z = self.encode(x, labels[y]).repeat(len(labels), 0)
        made = self.generate(z, np.tile(labels, (len(x), 1)))
        return made.reshape(len(x), len(labels), *made.shape[1:])

    def log_p(self, x: np.ndarray, samples: int = 50) -> np.ndarray:
        """Estimate log p(x | y) under each label by importance sampling, in nats.  [N, H, W, C] -> [N, K]

        x is cut at 1/2 where the model was trained on binarised images. The argmax is the generative classifier's
        answer. ValueError for a model without labels or encoder.
        """
        if self.spec.kind != "cvae" or not self.labels:
            raise ValueError(
                f"model {self.spec.name!r} has no log p(x | y); take a CVAE of labels to classify an image"
            )
        x = data.binarise(x, "none" if self.trained.settings.binarize == "none" else "threshold")
        return likelihood.by_label(self.models[self.first], self.twins[self.first], x, samples)

    def like_data(self, drawn: np.ndarray) -> np.ndarray:
        """Cut out, scale and centre a drawing as the training images are.  [h, w] in [0, 1] -> [H, W, 1]

        Its longer side becomes the median one of the training images, its centre of mass the middle, as in MNIST.
        """
        shape, grey = self.spec.image_shape[:2], self.train[:200, ..., 0]
        sides = [max(x[box].shape) for x in grey if (box := ink_box(x, LIT))]
        side = min(float(np.median(sides)) if sides else 0.7 * min(shape), *shape)
        return centre_mass(drawn, LIT, side, shape)


# ---------------------------------------------------------------- for the screen
def difference(images: dict[str, np.ndarray]) -> float:
    """Return the largest difference of a pixel between the twins' images."""
    return float(np.ptp(np.stack([*images.values()]), axis=0).max())


def enlarged(images: np.ndarray, times: int) -> np.ndarray:
    """Return rows of images as one picture, `times` larger, lines between.  [R, N, H, W, C] -> uint8 [h, w, 3]"""
    x = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8).repeat(times, 2).repeat(times, 3)
    x = np.pad(x, ((0, 0), (0, 0), (0, 2), (0, 2), (0, 0)), constant_values=255)
    rows, columns, height, width, channels = x.shape
    picture = x.swapaxes(1, 2).reshape(rows * height, columns * width, channels)[:-2, :-2]
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))


def png(picture: np.ndarray) -> bytes:
    """Return a picture as the bytes of a PNG.  uint8 [h, w, 3] in RGB"""
    quickly = (cv2.IMWRITE_PNG_COMPRESSION, 1)
    return cv2.imencode(".png", picture[..., ::-1], quickly)[1].tobytes()
