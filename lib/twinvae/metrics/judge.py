"""The judge: one convolutional classifier a data set, trained once, fixed by its file, used by every notebook.

Its accuracy on real test images stands beside every accuracy on samples; its last hidden layer gives the features of
the Frechet distance and its kin.  `make judges` trains those that are missing, `python -m twinvae.metrics.judge mnist`
trains one again, and without a name it prints the table of those that are kept.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.metrics import accuracy_score

from twinvae import backend, checkpoints, data, zoo
from twinvae import spec as specs

FOLDER = Path(__file__).parents[3] / "results" / "judges"
# the second phase settles what the first one found; noise on the input makes the judge less sure of strange pixels
PHASES = (
    specs.TrainSpec(epochs=5, learning_rate=1e-3, noise=0.2),
    specs.TrainSpec(epochs=3, learning_rate=1e-4, noise=0.2),
)
LONG = (replace(PHASES[0], epochs=20), PHASES[1])  # for a few thousand images of many classes
SHORT = (replace(PHASES[0], epochs=2), replace(PHASES[1], epochs=1))  # for a set with thrice the images of MNIST
COLOUR = (replace(PHASES[0], epochs=9, noise=0.1), replace(PHASES[1], epochs=3, noise=0.1))  # in which noise hides more


@dataclass(frozen=True)
class Recipe:
    """How a kept judge comes about: its data set with the options of `data.splits`, its architecture, its training."""

    dataset: str
    options: dict = field(default_factory=dict)
    architecture: str = "judge_mnist"
    phases: tuple[specs.TrainSpec, ...] = PHASES

    def spec(self, name: str, image_shape: tuple[int, int, int], num_classes: int) -> specs.ModelSpec:
        """The judge called `name` for images of this shape and this many classes."""
        return replace(zoo.get(self.architecture).for_images(image_shape, num_classes), name=f"judge_{name}")


# A new judge is one line; its name is that of its file.
RECIPES = {
    "mnist": Recipe("mnist"),
    "usps": Recipe("usps"),
    "emnist_letters": Recipe("emnist_letters"),
    "characters": Recipe("characters", phases=SHORT),
    "nist": Recipe("nist", phases=LONG),
    "sign_language": Recipe("sign_language"),
    "sign_vowel": Recipe("sign_language", {"task": "vowel"}),
    "sign_rotation": Recipe("sign_language", {"task": "rotation"}, phases=SHORT),
    "cifar10": Recipe("cifar10", architecture="judge_cifar10", phases=COLOUR),
}


@dataclass(frozen=True, eq=False)
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


def load(name: str, twin: ModuleType) -> Judge:
    """A kept judge, built by `twin`.  FileNotFoundError if there is none, ValueError if the zoo has changed since."""
    path, again = FOLDER / f"{name}.safetensors", f"train it with 'python -m twinvae.metrics.judge {name}'"
    if not path.exists():
        raise FileNotFoundError(f"there is no judge of {name!r} in {FOLDER.name}/; {again}")
    _, metadata = checkpoints.read(path)
    kept, recipe = specs.model_from_dict(metadata["spec"]), RECIPES[name]
    if kept != recipe.spec(name, kept.image_shape, kept.num_classes):
        raise ValueError(f"the spec of {path.name} is not that of {recipe.architecture!r} in the zoo any more; {again}")
    return Judge(checkpoints.load_model(path, twin), twin, metadata["facts"])


def calibration_error(probabilities: np.ndarray, y: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: mean |accuracy - confidence| in bins of confidence.  (Guo et al. 2017, Eq. 3)"""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == y
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(right[bin_of == b].mean() - confidence[bin_of == b].mean()) * (bin_of == b).mean()
        for b in range(bins)
        if (bin_of == b).any()
    ]
    return float(sum(gaps))


def of(name: str, images: data.Splits, twin: ModuleType, folder: Path) -> Judge:
    """The kept judge where it fits these images; otherwise one trained now on them, kept in `folder`.

    It fits where shape and number of classes are its own and the images are no stand-ins, of which it knows nothing.
    """
    shape, classes = images.train.shape, images.train.num_classes
    if name in RECIPES and (FOLDER / f"{name}.safetensors").exists() and images.source.kind != "stand-in":
        kept = load(name, twin)
        if (kept.model.spec.image_shape, kept.model.spec.num_classes) == (shape, classes):
            return kept
    recipe = RECIPES.get(name, Recipe(name))
    return train(replace(recipe.spec(name, shape, classes), name="judge"), images, twin, folder, recipe.phases)


def train(
    spec: specs.ModelSpec,
    images: data.Splits,
    twin: ModuleType,
    folder: Path | None = None,
    phases: tuple[specs.TrainSpec, ...] = PHASES,
) -> Judge:
    """Trains a judge and measures it on the test images, rounded to float16 as it is kept."""
    model = twin.models.build(spec)
    for number, settings in enumerate(phases):
        twin.train.fit(model, images, settings, folder and folder / f"judge-{number}")
    model.set_arrays({name: a.astype("float16") for name, a in model.get_arrays().items()})
    probabilities = Judge(model, twin, {}).probabilities(data.scale(images.test.x))
    facts = {
        "source": images.source.label,
        "train_images": len(images.train),
        "test_images": len(images.test),
        "test_accuracy": float(accuracy_score(images.test.y, probabilities.argmax(1))),
        "calibration_error": calibration_error(probabilities, images.test.y),
        "settings": [specs.to_dict(phase) for phase in phases],
        "fingerprint": checkpoints.fingerprint(images.train),
    }
    return Judge(model, twin, facts)


def table() -> pd.DataFrame:
    """The kept judges, a row each: its images, and accuracy and calibration error (0..1) on the test images."""
    rows = []
    for name in RECIPES:
        if (path := FOLDER / f"{name}.safetensors").exists():
            _, metadata = checkpoints.read(path)
            facts, spec = metadata["facts"], specs.model_from_dict(metadata["spec"])
            rows.append(
                {
                    "judge": name,
                    "source": facts["source"],
                    "classes": spec.num_classes,
                    "weights": specs.count_weights(spec),
                    "train images": facts["train_images"],
                    "test images": facts["test_images"],
                    "accuracy": facts["test_accuracy"],
                    "calibration error": facts["calibration_error"],
                }
            )
    return pd.DataFrame(rows)


def main(name: str) -> None:
    """Trains the judge called `name` with PyTorch on real images and keeps its file.  ValueError for stand-ins."""
    recipe = RECIPES[name]
    images = data.splits(recipe.dataset, **recipe.options)
    if images.source.kind == "stand-in":
        raise ValueError(
            f"the images of {recipe.dataset} are stand-ins ({images.source.label}), on which no judge is "
            "kept; set TWINVAE_DATA to the folder that holds the real ones"
        )
    spec = recipe.spec(name, images.train.shape, images.train.num_classes)
    judge = train(spec, images, backend.get("torch"), phases=recipe.phases)
    arrays = {key: a.astype("float16") for key, a in judge.model.get_arrays().items()}
    checkpoints.write(FOLDER / f"{name}.safetensors", arrays, spec=specs.to_dict(spec), facts=judge.facts)
    print(
        f"{name}: accuracy {judge.facts['test_accuracy']:.2%}, calibration error "
        f"{judge.facts['calibration_error']:.4f}, {len(images.test):,} test images ({images.source.label})"
    )


if __name__ == "__main__":
    if sys.argv[1:] == []:
        print(table().to_string(index=False))
    elif len(sys.argv) == 2 and sys.argv[1] in RECIPES:
        main(sys.argv[1])
    else:
        sys.exit(f"usage: python -m twinvae.metrics.judge [NAME], NAME one of {', '.join(RECIPES)}")
