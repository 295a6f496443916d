"""A trained model of either twin that samples, reconstructs, encodes, rates and saves.  Arrays in and out are NumPy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twinvae import backend as backends
from twinvae import checkpoints, data, paths
from twinvae.pretrained.found import find
from twinvae.spec import check_arrays, whole
from twinvae.training import Trained, opened
from twinvae.training.spot_check import SAMPLED, draw

FORMATS = (".keras", ".safetensors", ".pt", ".onnx")
VARIATIONAL = tuple(kind for kind in SAMPLED if kind != "cgan")
Labels = str | int | Iterable[str | int] | None


def load(name: str, backend: str = "torch") -> Pretrained:
    """Return the trained model of a name, or of a folder in `results/models/`, built in PyTorch or, 'tf', TensorFlow.

    Where several models have the name, it is the one that has seen most images; a line says so.  Raises
    training.NotTrained (a LookupError) for a model that is not kept, ValueError for another backend.
    """
    twin, found = backends.get(backend), find(name)
    trained = opened(found.path.parent, twin)
    known = data.SETS.get(found.dataset)
    names = known.class_names if known and len(known.class_names) == found.spec.num_classes else None
    return Pretrained(trained, tuple(found.card.get("labels") or names or map(str, range(found.spec.num_classes))))


@dataclass(frozen=True, eq=False)
class Pretrained:
    """A trained model.  Images x are [N, H, W, C], uint8 or floats in [0, 1]; labels are names or positions.

    A conditional model wants a label for each image, or one for all.  Every method raises ValueError, in one sentence,
    for what its kind of model has not, for a label that it does not know, and for images of another shape.
    """

    trained: Trained
    labels: tuple[str, ...]

    @property
    def model(self) -> Any:
        """The network itself: a torch.nn.Module or a keras.Model."""
        return self.trained.model

    @property
    def spec(self) -> Any:
        """What it is."""
        return self.trained.spec

    @property
    def card(self) -> dict:
        """How it was trained, and what its file comes to."""
        return self.trained.card

    def sample(self, labels: Labels = None, n: int = 1, seed: int = 0) -> np.ndarray:
        """Return n images a label, the expected ones for codes drawn from the prior by the seed.  -> [N, H, W, C]

        Without labels, a conditional model draws n under each of them.  Both twins draw the same.
        """
        self._check_kind("is not sampled: its codes have no known prior", SAMPLED)
        whole("n", n)
        whole("seed", seed, least=0)
        if self.spec.num_classes:
            y = np.repeat(self._one_hot(self.labels if labels is None else labels), n, axis=0)
        else:
            y = self._condition(labels, n)
        return draw(self.model, self.trained.twin, y, seed)

    def reconstruct(self, x: np.ndarray, labels: Labels = None) -> np.ndarray:
        """Return the images that the codes of x, their means, are decoded to.  [N, H, W, C] -> [N, H, W, C]"""
        self._check_kind("does not reconstruct", (*VARIATIONAL, "ae", "completer"))
        x = self._images(x)
        return self.trained.predict("reconstruct", x, self._condition(labels, len(x)), None)

    def encode(self, x: np.ndarray, labels: Labels = None) -> Any:
        """Return mu and logvar of q(z | x), [N, Z] each; the code of an AE, or a classifier's features, alone."""
        self._check_kind("has no encoder", (*VARIATIONAL, "ae", "completer", "classifier"))
        x = self._images(x)
        y = None if self.spec.kind == "classifier" else self._condition(labels, len(x))
        return self.trained.predict("encode", x, y)

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Return the position of each image's most probable label.  [N, H, W, C] -> [N]"""
        self._check_kind("does not classify", ("classifier",))
        return self.trained.predict("classify", self._images(x)).argmax(1)

    def log_px(self, x: np.ndarray, labels: Labels = None, samples: int = 100, seed: int = 0) -> np.ndarray:
        """Return log p(x), in nats, from `samples` codes an image: a bound that rises to it.  [N, H, W, C] -> [N]

        A CVAE gives log p(x | y), or without labels log p(x), all labels being equally frequent.  For a model trained
        on binarised pixels x is binarised first, by seed 0.  (Burda et al. 2016, Eq. 8)
        """
        from twinvae.metrics import likelihood

        self._check_kind("has no likelihood", VARIATIONAL)
        whole("samples", samples)
        x, twin, k = self._images(x), self.trained.twin, self.spec.num_classes
        x = data.binarise(x, "none" if self.trained.settings.binarize == "none" else "fixed")
        if k and labels is None:
            return likelihood.marginal(likelihood.by_label(self.model, twin, x, samples, seed), np.full(k, -np.log(k)))
        return likelihood.importance_sampled(self.model, twin, x, self._condition(labels, len(x)), samples, seed)

    def save(self, path: str | Path) -> None:
        """Write the model to a file that its ending names, whichever twin it is in.

        .keras         the whole model, for keras.saving.load_model after twinvae.backend.get("tf")
        .safetensors   the weights by name, for both twins (checkpoints.load_model)
        .pt            PyTorch's state_dict
        .onnx          the decoder, for sampling without either framework; needs the package onnx

        Raises ValueError for another ending, OSError where it cannot be written.
        """
        path = Path(path)
        if path.suffix not in FORMATS:
            raise ValueError(f"cannot save as {path.name!r}; its ending must be one of {', '.join(FORMATS)}")
        if path.suffix == ".safetensors":
            return checkpoints.save_model(path, self.model)
        if path.suffix == ".onnx":
            from twinvae.pretrained import onnx_file

            self._check_kind("has no decoder to be sampled", SAMPLED)
            return onnx_file.write(path, self.spec, self.model.get_arrays(), self.labels)
        name = {".keras": "tf", ".pt": "torch"}[path.suffix]
        model = opened(self.trained.folder, backends.get(name)).model
        with paths.written_whole(path) as part:
            if name == "tf":
                model.save(part)
            else:
                import torch

                torch.save(model.state_dict(), part)

    def _check_kind(self, lacks: str, kinds: tuple[str, ...]) -> None:
        """Raise ValueError unless the model is of one of these kinds."""
        if self.spec.kind not in kinds:
            raise ValueError(f"{self.spec.name} is of kind {self.spec.kind!r}, which {lacks}; take {', '.join(kinds)}")

    def _images(self, x: np.ndarray) -> np.ndarray:
        """Return images as floats in [0, 1], checked."""
        x = np.asarray(x)
        x = data.scale(x) if x.dtype == np.uint8 else x.astype(np.float32, copy=False)
        check_arrays(self.spec, ["x"], (x,))
        return x

    def _condition(self, labels: Labels, count: int) -> np.ndarray:
        """Return what the model is told of `count` images.  -> [N, K]; [N, 1] for a model that is told nothing"""
        if not self.spec.num_classes:
            if labels is not None:
                raise ValueError(f"{self.spec.name} has no labels; leave them out")
            return np.zeros((count, 1), np.float32)
        if labels is None:
            raise ValueError(f"{self.spec.name} is conditional; give the images' labels, of {self._known}")
        y = self._one_hot(labels)
        if len(y) not in (1, count):
            raise ValueError(f"{len(y)} labels are given for {count} images; give one for each, or one for all")
        return np.broadcast_to(y, (count, y.shape[1])).copy()

    def _one_hot(self, labels: Labels) -> np.ndarray:
        """Return labels, names or positions, as one-hot vectors.  -> [N, K]"""
        several = [labels] if isinstance(labels, str | int | np.integer) else list(labels)
        positions = [self.labels.index(one) if one in self.labels else one for one in several]
        for one in positions:
            if not isinstance(one, int | np.integer) or not 0 <= one < len(self.labels):
                raise ValueError(f"{self.spec.name} has no label {one!r}; it has {self._known}")
        return data.one_hot(np.array(positions, int), len(self.labels))

    @property
    def _known(self) -> str:
        return f"{', '.join(self.labels)}, or their positions from 0 to {len(self.labels) - 1}"
