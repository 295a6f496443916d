"""`python -m twinvae_apps.handwriting.train_pen` trains the model that writes, for `results/handwriting/`: 10 minutes.

EMNIST's letters hold both cases under one label, so that a CVAE of its 26 letters writes things between 'g' and 'G'.
The 62-class characters, a few thousand, know the cases.  Here a probe for each letter, on the features of the judge of
36 classes, learns the two cases from the few and names them in EMNIST's letters; the model learns 62 classes from
those.  Where the two cases have one shape, as 'o' and 'O', the probe can but guess, and a guess does no harm.

Writing is to be read, and some of EMNIST's characters cannot be: many an 'l' is an 'I'.  The model learns only from
those that a simple classifier, no judge of ours, reads rightly without having learned from them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import ModuleType

import cv2
import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline

from twinvae import backend, checkpoints, data, randomness, spec, zoo
from twinvae.metrics import judge
from twinvae_apps.handwriting.hands import Places
from twinvae_apps.ink import centre_box
from twinvae_apps.trained_models import pen_weights

# beta above 1: a z drawn from the prior then more often lies where the decoder has learned, at the price of variety
PHASES = (
    spec.TrainSpec(epochs=16, learning_rate=1e-3, beta=2.0),
    spec.TrainSpec(epochs=5, learning_rate=2e-4, beta=2.0),
)
DIGITS, LETTERS = 10, 26


def _examples(images: data.Images) -> tuple[np.ndarray, np.ndarray]:
    """Return the 62-class characters as EMNIST's letters are, thin and thicker; and their labels."""
    ink = 1 - data.scale(images.x)[..., 0]
    fine = [cv2.resize(x, (112, 112), interpolation=cv2.INTER_CUBIC) for x in ink]
    thick = [cv2.dilate(x, np.ones((3, 3), np.uint8)) for x in fine]
    return np.stack([centre_box(x.clip(0, 1), 0.4) for x in fine + thick]), np.tile(images.y, 2)


def case_probes(reader: judge.Judge, images: data.Images) -> tuple[list[LogisticRegression], np.ndarray]:
    """Fit for each letter a probe of its case (true: lower) on the judge's features; cross-validated accuracies."""
    x, y = _examples(images)
    features, probes, right = reader.features(x), [], []
    for k in range(DIGITS, DIGITS + LETTERS):
        own = (y == k) | (y == k + LETTERS)
        seen, lower = features[own], y[own] >= DIGITS + LETTERS
        half = len(seen) // 2  # thin and thick of one character stay together
        probes.append(LogisticRegression(C=0.01, max_iter=500).fit(seen, lower))
        right.append(cross_val_score(LogisticRegression(C=0.01, max_iter=500), seen[:half], lower[:half], cv=5).mean())
    return probes, np.array(right)


def with_cases(
    images: data.Images,
    reader: judge.Judge,
    probes: list[LogisticRegression],
    class_names: tuple[str, ...],
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


def characters_of_both_cases(twin: ModuleType) -> tuple[data.Splits, dict]:
    """Return images of 62 classes to train on, and what is known of the cases; ValueError for stand-ins."""
    few, many = data.splits("nist"), data.splits("characters")
    for one in (few, many):
        if one.source.kind == "stand-in":
            raise ValueError(
                f"the images are stand-ins ({one.source.label}), from which no hand is kept; set "
                "TWINVAE_DATA to the folder that holds the real ones"
            )
    reader = judge.load("characters", twin)
    probes, right = case_probes(reader, few.train)
    cased = partial(with_cases, reader=reader, probes=probes, class_names=few.train.class_names)
    read = {
        name: getattr(many, name).subset(np.flatnonzero(legible(getattr(many, name))))
        for name in ("train", "valid", "test")
    }
    parts = {name: cased(images) for name, images in read.items()}
    facts = {
        "source": f"{many.source.label}; cases read by a probe from {few.source.label}",
        "case_accuracy": right.round(4).tolist(),
        "train_images": len(read["train"]),
        "left_out": 1 - len(read["train"]) / len(many.train),
    }
    return replace(many, **parts), facts


def places_of(model, twin: ModuleType, images: data.Images) -> Places:
    """Return where the model's codes of these images lie, one code drawn for each."""
    hot = data.one_hot(images.y, images.num_classes)
    return Places.fit(randomness.codes(*twin.models.predict(model, "encode", data.scale(images.x), hot)), images.y)


def main() -> None:
    """Train the model with PyTorch and keep it as float16; an interrupted training goes on from its checkpoints."""
    path = pen_weights()
    twin = backend.get("torch")
    images, facts = characters_of_both_cases(twin)
    model000 = zoo.get("report000_cvae").for_images(images.train.shape, images.train.num_classes)
    chosen = replace(model000, name="pen", report="")
    model = twin.models.build(chosen)
    for number, settings in enumerate(PHASES):
        history = twin.train.fit(model, images, settings, path.parent / "checkpoints" / f"phase-{number}")
    facts |= {
        "valid": {name: float(history[f"valid_{name}"].iloc[-1]) for name in ("loss", "recon", "kl")},
        "settings": [spec.to_dict(phase) for phase in PHASES],
    }
    arrays = {name: a.astype("float16") for name, a in model.get_arrays().items()}
    places = places_of(model, twin, images.train)
    checkpoints.write(
        path,
        arrays,
        spec=spec.to_dict(chosen),
        facts=facts,
        places={"mean": places.mean.round(4).tolist(), "root": places.root.round(4).tolist()},
    )
    print(
        f"{path}: {spec.count_weights(chosen):,} weights; cases read with {np.mean(facts['case_accuracy']):.1%} "
        f"accuracy; {facts['valid']}"
    )


if __name__ == "__main__":
    main()
