"""The judge: one convolutional classifier a data set, trained once, fixed by its file, used by every notebook.

Its accuracy on real test images stands beside every accuracy on samples; its last hidden layer gives the features of
the Frechet distance and its kin.  `python -m twinvae.metrics.judge mnist` trains it again.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.metrics import accuracy_score

from twinvae import backend, data, weights
from twinvae import spec as specs

FOLDER = Path(__file__).parents[3] / "results" / "judges"
# the second phase settles what the first one found; noise on the input makes the judge less sure of strange pixels
PHASES = (specs.TrainSpec(epochs=5, learning_rate=1e-3, noise=0.2), specs.TrainSpec(epochs=3, learning_rate=1e-4, noise=0.2))


@dataclass(frozen=True)
class Judge:
    """A trained classifier of one data set, in either twin; `facts` says what it was trained on and how good it is."""

    model: Any
    twin: ModuleType
    facts: dict

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """p(class | image).  x in [0, 1], [N, H, W, C] -> [N, K]"""
        return softmax(self.twin.models.predict(self.model, "classify", x).astype(np.float64), axis=1)

    def features(self, x: np.ndarray) -> np.ndarray:
        """The last hidden layer.  x in [0, 1], [N, H, W, C] -> [N, F]"""
        return self.twin.models.predict(self.model, "encode", x)


def load(dataset: str, twin: ModuleType) -> Judge:
    """The judge of a data set, built by `twin`.  FileNotFoundError if it has not been trained."""
    path = FOLDER / f"{dataset}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"there is no judge of {dataset!r} in {FOLDER.name}/; "
                                f"train it with 'python -m twinvae.metrics.judge {dataset}'")
    _, metadata = weights.read(path)
    return Judge(weights.load_model(path, twin), twin, metadata["facts"])


def calibration_error(probabilities: np.ndarray, y: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: mean |accuracy - confidence| over equal bins of confidence.  (Guo et al. 2017, Eq. 3)"""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == y
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(right[bin_of == b].mean() - confidence[bin_of == b].mean()) * (bin_of == b).mean()
            for b in range(bins) if (bin_of == b).any()]
    return float(sum(gaps))


def of(dataset: str, images: data.Splits, twin: ModuleType, folder: Path) -> Judge:
    """The judge of a data set where one is kept; otherwise one trained now on these images, kept in `folder`."""
    if (FOLDER / f"{dataset}.safetensors").exists():
        return load(dataset, twin)
    spec = specs.zoo("judge_mnist").for_images(images.train.shape, images.train.num_classes)
    return train(replace(spec, name="judge"), images, twin, folder)


def train(spec: specs.ModelSpec, images: data.Splits, twin: ModuleType, folder: Path | None = None) -> Judge:
    """Trains a judge and measures it on the test images, rounded to float16 as it is kept."""
    model = twin.models.build(spec)
    for number, settings in enumerate(PHASES):
        twin.train.fit(model, images, settings, folder and folder / f"judge-{number}")
    model.set_arrays({name: a.astype("float16") for name, a in model.get_arrays().items()})
    probabilities = Judge(model, twin, {}).probabilities(data.scale(images.test.x))
    facts = {"source": images.source.label, "train_images": len(images.train), "test_images": len(images.test),
             "test_accuracy": float(accuracy_score(images.test.y, probabilities.argmax(1))),
             "calibration_error": calibration_error(probabilities, images.test.y),
             "settings": [specs.to_dict(phase) for phase in PHASES]}
    return Judge(model, twin, facts)


def main(dataset: str) -> None:
    """Trains the judge of a data set with PyTorch and keeps its file."""
    judge = train(specs.zoo(f"judge_{dataset}"), data.splits(dataset), backend.get("torch"))
    arrays = {name: a.astype("float16") for name, a in judge.model.get_arrays().items()}
    weights.write(FOLDER / f"{dataset}.safetensors", arrays, spec=specs.to_dict(judge.model.spec), facts=judge.facts)
    print(judge.facts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m twinvae.metrics.judge DATASET")
    main(sys.argv[1])
