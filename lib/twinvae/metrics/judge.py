"""The judge: one convolutional classifier a data set, trained once, used by every notebook.

Its accuracy on real test images stands beside every accuracy on samples; its last hidden layer gives the features of
the Frechet distance and its kin.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.metrics import accuracy_score

from twinvae import backend, data, training, zoo
from twinvae.spec import ModelSpec, TrainSpec, count_weights
from twinvae.spec.checks import one_of

# the second phase settles what the first one found; noise on the input makes the judge less sure of strange pixels
PHASES = (TrainSpec(epochs=5, learning_rate=1e-3, noise=0.2), TrainSpec(epochs=3, learning_rate=1e-4, noise=0.2))
LONG = (replace(PHASES[0], epochs=20), PHASES[1])  # for a few thousand images of many classes
SHORT = (replace(PHASES[0], epochs=2), replace(PHASES[1], epochs=1))  # for a set with thrice the images of MNIST
COLOUR = (replace(PHASES[0], epochs=9, noise=0.1), replace(PHASES[1], epochs=3, noise=0.1))  # in which noise hides more
COLUMNS = ("judge", "source", "classes", "weights", "train images", "test images", "accuracy", "calibration error")


@dataclass(frozen=True)
class Recipe:
    """How a judge comes about: its data set with the options of `data.splits`, its architecture, its training."""

    dataset: str
    classes: int
    options: dict = field(default_factory=dict)
    shape: tuple[int, int, int] = (28, 28, 1)
    architecture: str = "judge_mnist"
    phases: tuple[TrainSpec, ...] = PHASES

    def spec(self, name: str) -> ModelSpec:
        """Return the judge's model under this name."""
        return replace(zoo.get(self.architecture).for_images(self.shape, self.classes), name=name)


# A new judge is one line.
RECIPES = {
    "mnist": Recipe("mnist", 10),
    "usps": Recipe("usps", 10, shape=(16, 16, 1)),
    "emnist_letters": Recipe("emnist_letters", 26),
    "characters": Recipe("characters", 36, phases=SHORT),
    "nist": Recipe("nist", 62, phases=LONG),
    "sign_language": Recipe("sign_language", 24),
    "sign_vowel": Recipe("sign_language", 2, {"task": "vowel"}),
    "sign_rotation": Recipe("sign_language", 4, {"task": "rotation"}, phases=SHORT),
    "cifar10": Recipe("cifar10", 10, shape=(32, 32, 3), architecture="judge_cifar10", phases=COLOUR),
}


@dataclass(frozen=True, eq=False)
class Judge:
    """A trained classifier of one data set, in either twin; `facts` says what it was trained on and how good it is."""

    model: Any
    twin: ModuleType
    facts: dict

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return p(class | image).  x in [0, 1], [N, H, W, C] -> [N, K]"""
        return softmax(self.twin.models.predict(self.model, "classify", x).astype(np.float64), axis=1)

    def features(self, x: np.ndarray) -> np.ndarray:
        """Return the last hidden layer.  x in [0, 1], [N, H, W, C] -> [N, F]"""
        return self.twin.models.predict(self.model, "encode", x)


def job(name: str) -> training.Job:
    """Return the training of a data set's judge, in PyTorch.  ValueError for an unknown name."""
    one_of("judge", name, tuple(RECIPES))
    recipe = RECIPES[name]
    images = data.Recipe(recipe.dataset, options=tuple(recipe.options.items()))
    return training.Job(recipe.spec(f"judge_{name}"), recipe.phases, images)


def jobs() -> list[training.Job]:
    """Return the trainings of all judges."""
    return [job(name) for name in RECIPES]


def load(name: str, twin: ModuleType, may_train: bool = True) -> Judge:
    """Return a data set's judge, built by `twin`; trained now where it is missing, which takes minutes.

    Raises training.NotTrained where it is missing and may not be trained, ValueError where only stand-ins are at hand.
    """
    asked = job(name)
    try:
        trained = training.load(asked, twin)
    except training.NotTrained:
        images = data.from_recipe(asked.data)
        if images.source.kind == "stand-in":
            raise ValueError(
                f"there is no judge of {name!r}, and its images are stand-ins ({images.source.label}), on which "
                "none is trained for others; set TWINVAE_DATA to the folder that holds the real ones"
            ) from None
        trained = training.train_or_load(asked, images, may_train, twin)
    return _judge(trained, lambda: data.from_recipe(asked.data))


def of(name: str, images: data.Splits, twin: ModuleType, may_train: bool = True) -> Judge:
    """Return the judge of the data set `name` where it fits these images, otherwise one trained on them alone.

    It fits where shape and number of classes are its own and the images are no stand-ins, of which it knows nothing.
    Raises as `load` does.
    """
    known, shape, classes = RECIPES.get(name), images.train.shape, images.train.num_classes
    if known and (known.shape, known.classes) == (shape, classes) and images.source.kind != "stand-in":
        return load(name, twin, may_train)
    recipe = replace(known or Recipe(name, classes), shape=shape, classes=classes)
    own = training.Job(recipe.spec("judge"), recipe.phases, training.recipe_of(images), backend.name_of(twin))
    return _judge(training.train_or_load(own, images, may_train), lambda: images)


def _judge(trained: training.Trained, images: Callable[[], data.Splits]) -> Judge:
    """Return the judge with a trained model's weights, as float16 holds them, whether they are kept so or not."""
    trained.model.set_arrays({name: a.astype("float16") for name, a in trained.model.get_arrays().items()})
    judge = Judge(trained.model, trained.twin, {})
    facts = training.measured(trained, "facts", lambda: _facts(judge, images()))
    return replace(judge, facts={"source": trained.card["source"]} | {name: a.item() for name, a in facts.items()})


def _facts(judge: Judge, images: data.Splits) -> dict[str, float]:
    probabilities = judge.probabilities(data.scale(images.test.x))
    return {
        "train_images": len(images.train),
        "test_images": len(images.test),
        "test_accuracy": accuracy_score(images.test.y, probabilities.argmax(1)),
        "calibration_error": calibration_error(probabilities, images.test.y),
    }


def calibration_error(probabilities: np.ndarray, y: np.ndarray, bins: int = 15) -> float:
    """Return the expected calibration error: mean |accuracy - confidence| in bins of confidence.

    (Guo et al. 2017, Eq. 3)
    """
    confidence, right = probabilities.max(1), probabilities.argmax(1) == y
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    inside = [bin_of == b for b in np.unique(bin_of)]
    return float(sum(abs(right[rows].mean() - confidence[rows].mean()) * rows.mean() for rows in inside))


def table() -> pd.DataFrame:
    """Return the judges that are there, a row each; accuracy and calibration error (0..1) are on test images."""
    rows = []
    for name, recipe in RECIPES.items():
        with suppress(training.NotTrained):
            judge = load(name, backend.get("torch"), may_train=False)
            shown = {key.replace("test_accuracy", "accuracy").replace("_", " "): v for key, v in judge.facts.items()}
            rows.append({"judge": name, "classes": recipe.classes, "weights": count_weights(judge.model.spec)} | shown)
    return pd.DataFrame(rows, columns=list(COLUMNS))
