"""Report 000 on handwritten characters: the training that fails, its pipeline's pictures,
look-alikes, remedies.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N], codes z [N, Z], K classes.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pandas as pd
from scipy import special, stats

from twinvae import backend, checkpoints, data, paths, randomness
from twinvae.data import by_class, finding
from twinvae.spec import ModelSpec, TrainSpec
from twinvae_studies import evaluation, mistakes
from twinvae_studies.evaluation import Trained

CLIPS = (1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
ROUNDED = 3e-8  # up to here 1 - clip is 1 in float32
RATES = (3e-5, 3e-4, 3e-3, 3e-2)
PROJECTOR = 'embeddings {{\n  tensor_name: "codes"\n  tensor_path: "{0}"\n  metadata_path: "{1}"\n}}\n'


# ---------------------------------------------------------------- the pipeline
def archive(folder: Path) -> Path:
    """Return the by_class zip at hand; without one, write the stand-in as such a zip into `folder`."""
    if found := finding.find(data.SETS["nist"], ("train",)):
        return found.paths["all"][0]
    images = data.load("nist", "all", edition="stand-in", size=by_class.SIDE)
    path = folder / "by_class.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for at, (image, label) in enumerate(zip(images.x, images.y, strict=True)):
            code = by_class.CHARACTER_TO_HEX[images.class_names[label]]
            png = cv2.imencode(".png", image)[1].tobytes()
            zipped.writestr(f"by_class/{code}/hsf_0/hsf_0_{at:05d}.png", png)
    return path


def pictures(count: int, size: int) -> tuple[list[str], np.ndarray]:
    """Pictures of the NIST set at hand, evenly over its classes: names of folders, and uint8 [count, size, size, 1]."""
    with tempfile.TemporaryDirectory() as folder:
        path = archive(Path(folder))
        with zipfile.ZipFile(path) as zipped:
            listed = by_class.list_pictures(zipped.namelist(), path.name)
            names = [listed[at][0] for at in np.linspace(0, len(listed) - 1, count).astype(int)]
            found = [by_class.decode(zipped.read(name), size) for name in names]
    return [name.split("by_class/")[1].split("/")[0] for name in names], np.stack(found)[..., None]


def events(run, trained: Trained, images: data.Images, shown: int = 8) -> list[str]:
    """Writes what TensorBoard shows of a training, in place of an earlier one's; returns the kinds
    of things there.
    """
    with backend.stderr_closed():
        from tensorboard.backend.event_processing.event_accumulator import (
            EventAccumulator,  # imports TensorFlow
        )

    folder = run.folder / "events"
    x = data.scale(images.x).astype(trained.model.dtype)
    shutil.rmtree(folder, ignore_errors=True)
    y = evaluation.one_hot(trained, images.y).astype(trained.model.dtype)
    projector(folder, evaluation.codes(trained, x, images.y)[0], [images.class_names[k] for k in images.y])
    with backend.stderr_closed():  # here PyTorch's writer wakes TensorFlow, which greets
        trained.twin.events.write(folder, trained.model, trained.history, x[:shown], y[:shown])
        tags = EventAccumulator(str(folder)).Reload().Tags()
    found = {*tags["images"], *tags["scalars"], *tags["tensors"]}
    there = {"curves": "valid_loss" in found, "graph": tags["graph"], "images": "images" in found}
    return [kind for kind, is_there in there.items() if is_there] + ["codes"]


def projector(folder: Path, z: np.ndarray, names: Sequence[str]) -> None:
    """Codes and their classes' names as TensorBoard's projector reads them, beside the event files.

    [N, Z], [N]
    """
    rows = "".join("\t".join(f"{value:.5g}" for value in code) + "\n" for code in z)
    paths.write_text(folder / "codes.tsv", rows)
    paths.write_text(folder / "names.tsv", "\n".join(names) + "\n")
    paths.write_text(folder / "projector_config.pbtxt", PROJECTOR.format("codes.tsv", "names.tsv"))


# ---------------------------------------------------------------- the training that fails
def clip(twin: ModuleType, model: Any, least: float) -> None:
    """From now on the model's loss takes the logarithm of a clipped probability, as report 000's,
    and not of logits.
    """
    model.recon = lambda x, x_logits: twin.mistakes.clipped_nll(x, x_logits, least)


def clipped(twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits) -> dict[str, pd.DataFrame]:
    """The curves of the same training with each clip, by its name '1e-12', and from logits; see
    `mistakes.train`.
    """
    changes = {f"{least:.0e}": (lambda model, least=least: clip(twin, model, least)) for least in CLIPS}
    return {
        name: mistakes.train(twin, spec, settings, images, change=change)[1]
        for name, change in (changes | {"logits": lambda model: None}).items()
    }


def stopped(run, twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits, least: float) -> str:
    """What the ordinary training loop says when the clipped loss is not finite any more; '' if that
    never happens.
    """
    model = twin.models.build(spec, seed=settings.seed)
    clip(twin, model, least)
    try:
        evaluation.fit(run, twin, model, settings, images, f"clip {least:.0e}")
    except checkpoints.NotFinite as error:
        return str(error).split(";")[0]
    return ""


def epochs_to(losses: np.ndarray, share: float = 0.95) -> int:
    """The epoch by which `share` of the whole fall has happened.

    [1 + E], the loss of the untrained model first.
    """
    fall = losses[0] - np.minimum.accumulate(losses)
    return int(np.argmax(fall >= share * fall[-1]))


def untrained(twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits) -> float:
    """The validation loss before the first step, in nats per image."""
    return float(twin.train.evaluate(twin.models.build(spec, seed=settings.seed), images.valid, settings)[0])


# ---------------------------------------------------------------- codes and samples
def quantiles(z: np.ndarray, points: int = 99) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of N(0, 1) and those of each unit's codes, for a Q-Q plot.

    [N, Z] -> [points], [points, Z]
    """
    p = (np.arange(points) + 0.5) / points
    return stats.norm.ppf(p), np.quantile(z, p, axis=0)


def lookalikes(asked: np.ndarray, real: np.ndarray, names: Sequence[str], count: int) -> pd.DataFrame:
    """The pairs of classes most often taken for each other in samples, and what real ones have.

    Confusion matrices [K, K] of counts, rows asked for: a pair's number is the mean of its two
    shares.
    """

    def share(matrix):
        return matrix / np.maximum(matrix.sum(1, keepdims=True), 1)

    both = [(share(matrix) + share(matrix).T) / 2 for matrix in (asked, real)]
    rows, columns = np.triu_indices(len(names), 1)
    order = np.argsort(-both[0][rows, columns], kind="stable")[:count]
    return pd.DataFrame(
        [
            {"pair": f"{names[i]} {names[j]}", "samples": both[0][i, j], "real": both[1][i, j]}
            for i, j in zip(rows[order], columns[order], strict=True)
        ]
    )


def contrasted(trained: Trained, y: np.ndarray, factor: float, seed: int = 0) -> np.ndarray:
    """`evaluation.generate` with the decoder's logits multiplied by a factor; with 1 it is the
    same.  [N] -> [N, H, W, C]
    """
    z = randomness.rng(seed, "prior").standard_normal((len(y), trained.spec.latent_dim))
    return special.expit(factor * trained.predict("decode", z, evaluation.one_hot(trained, y)))


def small_trainings(model: ModelSpec, settings: TrainSpec) -> dict[str, tuple[ModelSpec, TrainSpec]]:
    """The model under other losses, and what might make its samples obey or vary more: name ->
    model, settings.
    """
    named = {
        "bernoulli": (model, settings),
        "continuous": (replace(model, likelihood="continuous_bernoulli"), settings),
        "gaussian": (replace(model, likelihood="gaussian_learned"), settings),
        "beta": (model, replace(settings, beta=0.3)),
        "elbo": (model, replace(settings, beta=1.0)),
        "prior": (replace(model, prior="learned"), settings),
    }
    return {name: (replace(spec, name=f"{model.name}_{name}"), how) for name, (spec, how) in named.items()}


def modules(words: dict[str, str]) -> pd.DataFrame:
    """Python modules, a row each: version, how many of the library's files import it, and the words
    given for it.
    """
    texts = [path.read_text(encoding="utf-8") for path in Path(data.__file__).parents[1].rglob("*.py")]

    def imports(name):
        return sum(bool(re.search(rf"^\s*(import|from) {name}\b", text, re.MULTILINE)) for text in texts)

    versions = metadata.packages_distributions()
    return pd.DataFrame(
        [
            {
                "module": name,
                "version": metadata.version(versions[name][0]) if name in versions else "-",
                "files": imports(name),
                "used for": said,
            }
            for name, said in words.items()
        ]
    )
