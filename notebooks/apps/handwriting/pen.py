"""The pen: the CVAE that writes, a job of its own, and where its codes lie.

EMNIST's letters hold both cases under one label, so that a CVAE of its 26 letters writes things between 'g' and 'G'.
The 62-class characters, a few thousand, know the cases.  Here a probe for each letter, on the features of the judge of
36 classes, learns the two cases from the few and names them in EMNIST's letters; the model learns 62 classes from
those.  Where the two cases have one shape, as 'o' and 'O', the probe can but guess, and a guess does no harm.

Writing is to be read, and some of EMNIST's characters cannot be: many an 'l' is an 'I'.  The model learns only from
those that a simple classifier, no judge of ours, reads rightly without having learned from them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from twinvae import backend, checkpoints, data, randomness, training, zoo
from twinvae.metrics import judge
from twinvae.spec import TrainSpec
from twinvae_apps.handwriting.hands import Pen, Places
from twinvae_apps.ink import centre_box

# beta above 1: a z drawn from the prior then more often lies where the decoder has learned, at the price of variety
PHASES = (TrainSpec(epochs=16, learning_rate=1e-3, beta=2.0), TrainSpec(epochs=5, learning_rate=2e-4, beta=2.0))
DIGITS, LETTERS = 10, 26


def case_probes(reader: judge.Judge, images: data.Images) -> list[LogisticRegression]:
    """Fit for each letter a probe of its case (true: lower) on the judge's features of the 62-class characters.

    They are scaled and centred as EMNIST's letters are, each thin and thicker.
    """
    ink = 1 - data.scale(images.x)[..., 0]
    fine = [cv2.resize(x, (112, 112), interpolation=cv2.INTER_CUBIC) for x in ink]
    thick = [cv2.dilate(x, np.ones((3, 3), np.uint8)) for x in fine]
    features = reader.features(np.stack([centre_box(x.clip(0, 1), 0.4) for x in fine + thick]))
    probes, y = [], np.tile(images.y, 2)
    for k in range(DIGITS, DIGITS + LETTERS):
        own = (y == k) | (y == k + LETTERS)
        probes.append(LogisticRegression(C=0.01, max_iter=500).fit(features[own], y[own] >= DIGITS + LETTERS))
    return probes


def with_cases(
    images: data.Images, reader: judge.Judge, probes: list[LogisticRegression], class_names: tuple[str, ...]
) -> data.Images:
    """Return the 36-class characters under 62 labels: digits, upper case, lower case."""
    y = images.y.copy()
    for k, probe in enumerate(probes):
        at = np.flatnonzero(images.y == DIGITS + k)
        y[at] += LETTERS * probe.predict(reader.features(data.scale(images.x[at])))
    return data.Images(images.x, y, class_names, images.source)


def legible(images: data.Images) -> np.ndarray:
    """Return where a Gaussian a class in principal components, fitted to the other four fifths, reads the label.

    -> bool [N]
    """
    reader = make_pipeline(PCA(40, svd_solver="covariance_eigh"), QuadraticDiscriminantAnalysis(reg_param=0.01))
    x = data.scale(images.x).reshape(len(images), -1)
    return cross_val_predict(reader, x, images.y, cv=5) == images.y


def both_cases(images: data.Splits, reader: str) -> data.Splits:
    """Return the legible ones of the 36-class characters under 62 labels; the transform of the pen's recipe.

    `reader` is the key of the judge whose features name the cases.  ValueError for another one, and for stand-ins.
    """
    known, few = judge.job("characters").key, data.splits("nist")
    if reader != known:
        raise ValueError(
            f"the cases were read by the judge {reader}, and today's is {known}; train the pen's job of today"
        )
    for one in (few, images):
        if one.source.kind == "stand-in":
            raise ValueError(
                f"the images are stand-ins ({one.source.label}), from which no hand is kept; set "
                "TWINVAE_DATA to the folder that holds the real ones"
            )
    judging = judge.load("characters", backend.get("torch"))
    probes = case_probes(judging, few.train)
    label = f"{images.source.label}; cases read by a probe from {few.source.label}"
    parts = {}
    for name in ("train", "valid", "test"):
        part = getattr(images, name)
        cased = with_cases(part.subset(legible(part)), judging, probes, few.train.class_names)
        parts[name] = replace(cased, source=replace(images.source, label=label))
    return replace(images, **parts)


def job() -> training.Job:
    """Return the training of the pen: report 000's CVAE of 62 classes, in PyTorch; 10 minutes."""
    spec = replace(zoo.get("report000_cvae").for_images((28, 28, 1), 62), name="pen", report="")
    transform = f"{both_cases.__module__}:{both_cases.__name__}"
    arguments = (("reader", judge.job("characters").key),)
    return training.Job(spec, PHASES, data.Recipe("characters", transform=transform, arguments=arguments))


def load(twin: ModuleType, path: Path | None = None) -> Pen:
    """Load the pen, or another CVAE of characters from a file of weights, whose styles are its codes.

    Raises training.NotTrained or FileNotFoundError if there is none, ValueError if the model cannot write.
    """
    if path is None:
        trained = training.load(job(), twin)
        known = training.measured(trained, "places", lambda: vars(places(trained)))
        return Pen(trained.model, twin, Places(known["mean"], known["root"]))
    if not Path(path).is_file():
        raise FileNotFoundError(f"there are no weights at {path}; name a file of weights of a CVAE of characters")
    model = checkpoints.load_model(Path(path), twin)
    k, z = model.spec.num_classes, model.spec.latent_dim
    return Pen(model, twin, Places(np.zeros((k, z)), np.tile(np.eye(z), (k, 1, 1))))


def places(trained: training.Trained) -> Places:
    """Return where the pen's codes of its training images lie, one code drawn for each."""
    images = data.from_recipe(trained.job.data).train
    labels = data.one_hot(images.y, images.num_classes)
    return Places.fit(randomness.codes(*trained.predict("encode", data.scale(images.x), labels)), images.y)
