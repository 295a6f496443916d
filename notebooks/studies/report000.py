"""Report 000 on handwritten characters: what notebook 07 trains, the training that fails, its pipeline's pictures,
look-alikes.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N], codes z [N, Z], K classes.
"""

import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pandas as pd
from scipy import special, stats

from twinvae import backend, data, paths, randomness, zoo
from twinvae.data import by_class, finding
from twinvae.metrics import baselines
from twinvae.spec import ModelSpec, TrainSpec
from twinvae.training import Job
from twinvae_studies import evaluation, mistakes, planning, tensorboard_events
from twinvae_studies.evaluation import Trained
from twinvae_studies.planning import sizes

AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    nist=(sizes(124, 62, None), sizes(None, None, None), sizes(None, None, None)),
    few=(sizes(124, 62, 62), sizes(1_240, 248, 62), sizes(1_240, 248, 62)),  # of NIST
    images=(sizes(288, 72, 144), sizes(72_000, 1_440, 7_200), sizes(None, 3_600, None)),  # of MNIST and EMNIST
    seeds=(1, 1, 3),  # in PyTorch; TensorFlow trains one
    epochs=(1, 10, 20),
    nist_epochs=(1, 12, 30),
    trial_epochs=(1, 5, 5),
    small_images=(288, 7_200, 36_000),
    small_epochs=(1, 5, 10),
)
MODEL = zoo.get("report000_cvae")
MODEL62 = replace(MODEL.for_images((28, 28, 1), 62), name="report000_cvae_62")
CLIPS = (1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
ROUNDED = 3e-8  # up to here 1 - clip is 1 in float32
RATES = (3e-5, 3e-4, 3e-3, 3e-2)
SMALL = {  # other losses, and what might make samples obey or vary more
    "bernoulli": {},
    "continuous": {"likelihood": "continuous_bernoulli"},
    "gaussian": {"likelihood": "gaussian_learned"},
    "beta": {"beta": 0.3},
    "elbo": {"beta": 1.0},
    "prior": {"prior": "learned"},
}
CLIP = "twinvae_studies.mistakes:clip"
PROJECTOR = 'embeddings {{\n  tensor_name: "codes"\n  tensor_path: "{0}"\n  metadata_path: "{1}"\n}}\n'


# ---------------------------------------------------------------- what is trained
def jobs(
    profile: str,
    backend: str,
    epochs: int | None,
    seeds: int | None,
    batch_size: int,
    learning_rate: float,
    beta: float,
) -> dict:
    """Return the trainings of notebook 07 that come to an end, and 'stopped', which does not.

    'cvae': seeds; 'vae', 'nist', 'mnist': one each; 'small': name -> seeds.  Epochs and seeds that are None are the
    profile's.  MNIST's images are as many as NIST's, which are read for it.
    """
    amounts = AMOUNTS[profile]
    seeds = seeds or (amounts.seeds if backend == "torch" else 1)
    settings = TrainSpec(epochs or amounts.epochs, batch_size, learning_rate, beta=beta)
    images, nist = planning.recipe("characters", amounts.images), planning.recipe("nist", amounts.nist)
    cvae = Job(MODEL, (settings,), images, backend)
    how = replace(settings, epochs=amounts.nist_epochs, batch_size=64)
    digits = planning.recipe("mnist", as_many(data.from_recipe(nist)))
    ten = replace(MODEL.for_images((28, 28, 1), 10), name="report000_cvae_10")
    short = replace(settings, epochs=amounts.small_epochs, batch_size=min(batch_size, 64))
    small = replace(cvae, phases=(short,), data=replace(images, train_size=amounts.small_images))
    hasty = replace(trial(profile), epochs=3, learning_rate=0.03)
    few = planning.recipe("nist", amounts.few)
    return {
        "cvae": planning.over_seeds(cvae, seeds),
        "vae": replace(cvae, spec=evaluation.unlabelled(MODEL, "report000_vae")),
        "nist": Job(MODEL62, (how,), nist, backend),
        "mnist": Job(ten, (how,), digits, backend),
        "small": {
            name: planning.over_seeds(job, seeds if profile == "full" else 1)
            for name, job in planning.changed(small, SMALL).items()
        },
        "stopped": Job(MODEL62, (hasty,), few, backend, change=CLIP, arguments=(("least", CLIPS[0]),)),
    }


def as_many(images: data.Splits) -> dict[str, int]:
    """Return the sizes of these splits."""
    return sizes(len(images.train), len(images.valid), len(images.test))


def trial(profile: str) -> TrainSpec:
    """Return the settings of the trainings that are made to fail."""
    return TrainSpec(AMOUNTS[profile].trial_epochs, batch_size=64, learning_rate=0.003)


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
    """Write what TensorBoard shows of a training, in place of an earlier one's; return the kinds of things there."""
    with backend.stderr_closed():
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # imports TensorFlow

    folder = run.folder / "events"
    x = data.scale(images.x).astype(trained.model.dtype)
    shutil.rmtree(folder, ignore_errors=True)
    y = evaluation.one_hot(trained, images.y).astype(trained.model.dtype)
    projector(folder, evaluation.codes(trained, x, images.y)[0], [images.class_names[k] for k in images.y])
    with backend.stderr_closed():  # here PyTorch's writer wakes TensorFlow, which greets
        tensorboard_events.write(folder, trained, x[:shown], y[:shown])
        tags = EventAccumulator(str(folder)).Reload().Tags()
    found = {*tags["images"], *tags["scalars"], *tags["tensors"]}
    there = {"curves": "valid_loss" in found, "graph": tags["graph"], "images": "images" in found}
    return [kind for kind, is_there in there.items() if is_there] + ["codes"]


def projector(folder: Path, z: np.ndarray, names: Sequence[str]) -> None:
    """Write codes [N, Z] and their classes' names [N] as TensorBoard's projector reads them, beside the event files."""
    rows = pd.DataFrame(z).to_csv(sep="\t", header=False, index=False, float_format="%.5g")
    paths.write_text(folder / "codes.tsv", rows)
    paths.write_text(folder / "names.tsv", "\n".join(names) + "\n")
    paths.write_text(folder / "projector_config.pbtxt", PROJECTOR.format("codes.tsv", "names.tsv"))


# ---------------------------------------------------------------- the training that fails
def clipped(twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits) -> dict[str, pd.DataFrame]:
    """Return curves of the same training with each clip, by its name '1e-12', and from logits; see `mistakes.curve`."""
    right = evaluation.job(twin, spec, settings, images)
    changed = {f"{least:.0e}": replace(right, change=CLIP, arguments=(("least", least),)) for least in CLIPS}
    return {name: mistakes.curve(job, images) for name, job in (changed | {"logits": right}).items()}


def at_rate(twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits) -> list[float]:
    """Return the validation loss of a training before its first step and four times an epoch; see `mistakes.curve`."""
    curve = mistakes.curve(evaluation.job(twin, spec, settings, images), images, checks=4)
    return [untrained(twin, spec, settings, images), *curve.valid_loss]


def epochs_to(losses: np.ndarray, share: float = 0.95) -> int:
    """Return the epoch by which a share of the fall has happened.  [1 + E], first the loss from which it is counted"""
    fall = losses[0] - np.minimum.accumulate(losses)
    return int(np.argmax(fall >= share * fall[-1]))


def epochs_within(losses: np.ndarray, flat: float, share: float = 0.02) -> int:
    """Return the first epoch within a share of the fall from `flat` to the best; the last where nothing is below it.

    [E], in nats, and what class means pay.
    """
    return epochs_to(np.r_[flat, losses], 1 - share) if losses.min() < flat else len(losses)


def class_means_loss(images: data.Splits, least: float = 1e-3) -> float:
    """Return -log p of validation images, in nats, by the mean image of each class, kept `least` away from 0 and 1.

    What a model reaches that has learned no more than the look of each class, and codes nothing.
    """
    means = baselines.ClassMeans.fit(data.scale(images.train.x), images.train.y).sample(images.valid.y)
    p, x = np.clip(means, least, 1 - least), data.scale(images.valid.x)
    return float(-(x * np.log(p) + (1 - x) * np.log1p(-p)).sum((1, 2, 3)).mean())


def untrained(twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits) -> float:
    """Return the validation loss before the first step, in nats per image."""
    return float(twin.train.evaluate(twin.models.build(spec, seed=settings.seed), images.valid, settings)[0])


# ---------------------------------------------------------------- codes and samples
def quantiles(z: np.ndarray, points: int = 99) -> tuple[np.ndarray, np.ndarray]:
    """Return quantiles of N(0, 1) and those of each unit's codes, for a Q-Q plot.  [N, Z] -> [points], [points, Z]"""
    p = (np.arange(points) + 0.5) / points
    return stats.norm.ppf(p), np.quantile(z, p, axis=0)


def lookalikes(asked: np.ndarray, real: np.ndarray, names: Sequence[str], count: int) -> pd.DataFrame:
    """Return the pairs of classes most often taken for each other in samples, and what real ones have.

    Confusion matrices [K, K] of counts, rows asked for: a pair's number is the mean of its two shares.
    """

    rows, columns = np.triu_indices(len(names), 1)
    both = [matrix / np.maximum(matrix.sum(1, keepdims=True), 1) for matrix in (asked, real)]
    samples, truth = ((share[rows, columns] + share[columns, rows]) / 2 for share in both)
    pairs = [f"{names[i]} {names[j]}" for i, j in zip(rows, columns, strict=True)]
    table = pd.DataFrame({"pair": pairs, "samples": samples, "real": truth})
    return table.sort_values("samples", ascending=False, kind="stable", ignore_index=True).head(count)


def contrasted(trained: Trained, y: np.ndarray, factor: float, seed: int = 0) -> np.ndarray:
    """Return `evaluation.generate` with the decoder's logits multiplied by a factor.  [N] -> [N, H, W, C]"""
    z = randomness.rng(seed, "prior").standard_normal((len(y), trained.spec.latent_dim))
    return special.expit(factor * trained.predict("decode", z, evaluation.one_hot(trained, y)))


def modules(words: dict[str, str]) -> pd.DataFrame:
    """Return Python modules, a row each: version, how many of the library's files import it, and the words for it."""
    texts = [path.read_text(encoding="utf-8") for path in Path(data.__file__).parents[1].rglob("*.py")]
    packages, rows = metadata.packages_distributions(), []
    for name, said in words.items():
        files = sum(bool(re.search(rf"^\s*(import|from) {name}\b", text, re.MULTILINE)) for text in texts)
        version = metadata.version(packages[name][0]) if name in packages else "-"
        rows.append({"module": name, "version": version, "files": files, "used for": said})
    return pd.DataFrame(rows)
