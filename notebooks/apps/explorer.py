"""The explorer of notebook 10 without its widgets: trained weights found, loaded into both twins, moved through by hand.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], codes z [N, Z], labels y [N, K]: one-hot, or a mixture that sums to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pandas as pd

from twinvae import checkpoints, data
from twinvae import spec as specs
from twinvae.metrics import likelihood
from twinvae.run.parameters import PROFILES
from twinvae_apps.handwriting.page import ink_box

KINDS = ("cvae", "vae", "cgan")  # those whose codes have a known prior, N(0, I)
REACH = 3.0  # a plane shows codes from -REACH to REACH: 99.7 % of each unit's prior
LIT = 0.2  # what is brighter in a drawing, or in a training image, is ink
TASKS = {
    2: "vowel",
    4: "rotation",
}  # of sign_language, by the number of classes; otherwise the letters


# ---------------------------------------------------------------- what there is to explore
@dataclass(frozen=True)
class Kept:
    """A file of trained weights: its model, how and on which data set it was trained, and by which run."""

    path: Path
    spec: specs.ModelSpec | specs.GanSpec
    settings: specs.TrainSpec
    dataset: str

    @property
    def words(self) -> str:
        """How a list of models names it, profile included."""
        run = self.path.parent.parent
        epochs = f"{self.settings.epochs} epoch{'s' * (self.settings.epochs > 1)}"
        return (
            f"{self.spec.name}, {self.spec.latent_dim} latent units, {epochs} "
            f"(notebook {run.name.split('_')[0]}, {run.parent.name})"
        )


def found(*folders: Path) -> list[Kept]:
    """Trained weights in these `results/` folders, of each run those of its best profile; digits and labels first.

    Only models in their run's scoreboard count, since it names their data set; what `smoke` trains is for tests.
    """
    runs: dict[str, Path] = {}
    for profile in reversed(PROFILES[1:]):
        for folder in folders:
            for place in sorted((folder / profile).glob("*/weights")):
                if (place.parent / "scoreboard.csv").is_file():
                    runs.setdefault(place.parent.name, place)
    kept = [
        one
        for place in runs.values()
        for path in sorted(place.glob("*.safetensors"))
        if (one := _kept(path))
    ]
    return sorted(
        kept,
        key=lambda k: (
            k.dataset != "mnist",
            KINDS.index(k.spec.kind),
            -k.settings.epochs,
            k.spec.latent_dim,
            k.words,
        ),
    )


def _kept(path: Path) -> Kept | None:
    """The file's model, or None where it is not of KINDS or its run's scoreboard does not have it."""
    metadata = checkpoints.read(path)[1]
    spec = specs.model_from_dict(metadata["spec"])
    board = pd.read_csv(path.parent.parent / "scoreboard.csv")
    names = board.dataset[board.model == spec.name]
    if spec.kind not in KINDS or names.empty or "settings" not in metadata:
        return None
    return Kept(path, spec, specs.from_dict(specs.TrainSpec, metadata["settings"]), names.iloc[0])


def images_of(
    kept: Kept, train_size: int | None = None, test_size: int | None = None
) -> data.Splits:
    """The images that the model was trained on, or their stand-in where they are not at hand."""
    options = (
        {"task": TASKS.get(kept.spec.num_classes, "letter")}
        if kept.dataset == "sign_language"
        else {}
    )
    return data.splits(kept.dataset, train_size=train_size, test_size=test_size, **options)


# ---------------------------------------------------------------- one model, both twins
class Explorer:
    """A trained model in both twins (name -> what `backend.get` returned), and the images it is compared with."""

    def __init__(self, kept: Kept, images: data.Splits, twins: dict[str, ModuleType]):
        self.kept, self.spec, self.images, self.twins = kept, kept.spec, images, twins
        self.models = {
            name: checkpoints.load_model(kept.path, twin) for name, twin in twins.items()
        }
        self.first = next(iter(twins))
        self.train, self.test = data.scale(images.train.x), data.scale(images.test.x)
        self.norms = (self.train.reshape(len(self.train), -1) ** 2).sum(1)
        self.units = self.most_active()

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the labels; none for a model without."""
        names = self.images.train.class_names
        return (
            tuple(names)
            if len(names) == self.spec.num_classes
            else tuple(map(str, range(self.spec.num_classes)))
        )

    @property
    def encodes(self) -> bool:
        """Whether the model has an encoder; a GAN has none."""
        return self.spec.kind != "cgan"

    def mixture(self, first: int, second: int | None = None, share: float = 0.0) -> np.ndarray:
        """A label, or two of which `second` has this share.  -> [K]; a model without labels ignores it."""
        y = np.zeros(max(1, self.spec.num_classes))
        y[first] += 1 - share
        y[first if second is None else second] += share
        return y

    def under_all(self, z: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        """One code under the label y and under every label of the model.  [Z], [K] -> twin -> [1 + K, H, W, C]"""
        y = np.vstack([y[None], np.eye(self.spec.num_classes, len(y))])
        return {name: self.generate(np.tile(z, (len(y), 1)), y, name) for name in self.twins}

    def generate(self, z: np.ndarray, y: np.ndarray, twin: str | None = None) -> np.ndarray:
        """The expected images of codes under labels, by one twin.  [N, Z], [N, K] -> [N, H, W, C]"""
        twin = twin or self.first
        return self.twins[twin].models.predict(self.models[twin], "generate", z, y)

    def most_active(self, reach: float = 2.0) -> np.ndarray:
        """The latent units, first those that change the picture most between -reach and +reach, the others 0.  -> [Z]

        Needs no images, so it serves a GAN too; a mean over up to four labels.
        """
        size, labels = self.spec.latent_dim, np.eye(max(1, self.spec.num_classes))
        shown = labels[np.unique(np.linspace(0, len(labels) - 1, 4).astype(int))]
        z = np.tile(np.concatenate([np.eye(size), -np.eye(size)]) * reach, (len(shown), 1))
        x = self.generate(z, np.repeat(shown, 2 * size, 0)).reshape(len(shown), 2, size, -1)
        return np.argsort(-((x[:, 0] - x[:, 1]) ** 2).sum((0, 2)), kind="stable")

    def plane(
        self, z: np.ndarray, y: np.ndarray, units: tuple[int, int], points: int = 9
    ) -> np.ndarray:
        """Pictures over two units from -REACH to REACH, the others as in z: the second unit upwards.  -> [P, P, H, W, C]"""
        steps = np.linspace(-REACH, REACH, points)
        codes = np.tile(z, (points, points, 1))
        codes[..., units[0]], codes[..., units[1]] = steps[None, :], steps[::-1, None]
        x = self.generate(codes.reshape(points**2, -1), np.tile(y, (points**2, 1)))
        return x.reshape(points, points, *x.shape[1:])

    def nearest(self, x: np.ndarray, count: int = 8) -> np.ndarray:
        """Positions of the training images closest to x in squared error, closest first.  [H, W, C] -> [count]"""
        flat = self.train.reshape(len(self.train), -1)
        return np.argsort(self.norms - 2 * flat @ x.ravel().astype(flat.dtype))[:count]

    # ------------------------------------------------------------ a drawn image
    def encode(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The posterior mean of an image under a label.  [H, W, C], [K] -> z [Z]"""
        mu, _ = self.twins[self.first].models.call(
            self.models[self.first], "encode", x[None], y[None]
        )
        return mu[0].astype(np.float64)

    def hands(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Images encoded under their labels, the posterior means decoded under every label: all labels in each hand.

        [N, H, W, C], [N] -> [N, K, H, W, C]
        """
        call, labels = self.twins[self.first].models.predict, np.eye(self.spec.num_classes)
        mu, _ = call(self.models[self.first], "encode", x, labels[y])
        made = self.generate(mu.repeat(len(labels), 0), np.tile(labels, (len(x), 1)))
        return made.reshape(len(x), len(labels), *made.shape[1:])

    def log_p(self, x: np.ndarray, samples: int = 50) -> np.ndarray:
        """log p(x | y) under each label, importance-sampled, in nats.  [N, H, W, C] -> [N, K]

        x is cut at 1/2 where the model was trained on binarised images. The argmax is the generative classifier's
        answer. ValueError for a model without labels or encoder.
        """
        if self.spec.kind != "cvae":
            raise ValueError(
                f"model {self.spec.name!r} has no log p(x | y); take a CVAE to classify an image"
            )
        x = data.binarise(x, "none" if self.kept.settings.binarize == "none" else "threshold")
        return likelihood.by_label(self.models[self.first], self.twins[self.first], x, samples)

    def like_data(self, drawn: np.ndarray) -> np.ndarray:
        """A drawing cut out, scaled and centred as the training images are.  [h, w] in [0, 1] -> [H, W, 1]

        Its longer side becomes the median one of the training images, its centre of mass the middle (as MNIST was made).
        """
        height, width = self.spec.image_shape[:2]
        box = ink_box(drawn, LIT)
        if box is None:
            return np.zeros((height, width, 1), np.float32)
        sides = [
            max(part.stop - part.start for part in found)
            for x in self.train[:200]
            if (found := ink_box(x[..., 0], LIT))
        ]
        cut = drawn[box].astype(np.float32)
        scale = min(float(np.median(sides)) if sides else 0.7 * height, height) / max(cut.shape)
        size = [max(1, round(side * scale)) for side in cut.shape]
        small = cv2.resize(cut, size[::-1], interpolation=cv2.INTER_AREA)
        rows, columns = (
            np.average(np.arange(n), weights=small.sum(1 - i) + 1e-9) for i, n in enumerate(size)
        )
        shift = np.float32([[1, 0, (width - 1) / 2 - columns], [0, 1, (height - 1) / 2 - rows]])
        return cv2.warpAffine(small, shift, (width, height)).clip(0, 1)[..., None]


# ---------------------------------------------------------------- for the screen
def difference(images: dict[str, np.ndarray]) -> float:
    """The largest difference of a pixel between the twins' images."""
    first, *others = images.values()
    return max((float(np.abs(first - other).max()) for other in others), default=0.0)


def enlarged(images: np.ndarray, times: int) -> np.ndarray:
    """Rows of images as one picture, `times` larger, white lines between.  [R, N, H, W, C] -> uint8 [h, w, 3]"""
    x = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8).repeat(times, 2).repeat(times, 3)
    x = np.pad(x, ((0, 0), (0, 0), (0, 2), (0, 2), (0, 0)), constant_values=255)
    rows, columns, height, width, channels = x.shape
    picture = x.swapaxes(1, 2).reshape(rows * height, columns * width, channels)[:-2, :-2]
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))


def png(picture: np.ndarray) -> bytes:
    """uint8 [h, w, 3] in RGB -> the bytes of a PNG."""
    quickly = (cv2.IMWRITE_PNG_COMPRESSION, 1)
    return cv2.imencode(".png", picture[..., ::-1], quickly)[1].tobytes()
