"""Report 000 on handwritten characters: what notebook 07 trains, the pictures of its pipeline, TensorBoard, modules.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N], codes z [N, Z].
"""

import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from twinvae import backend, data, paths, zoo
from twinvae.data import by_class, finding
from twinvae.spec import TrainSpec
from twinvae.training import Job
from twinvae_studies import evaluation, planning, report000_training, tensorboard_events
from twinvae_studies.evaluation import Trained
from twinvae_studies.planning import Count, sizes

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
SMALL = {  # other losses, and what might make samples obey or vary more
    "bernoulli": {},
    "continuous": {"likelihood": "continuous_bernoulli"},
    "gaussian": {"likelihood": "gaussian_learned"},
    "beta": {"beta": 0.3},
    "elbo": {"beta": 1.0},
    "prior": {"prior": "learned"},
}
PROJECTOR = 'embeddings {\n  tensor_name: "codes"\n  tensor_path: "codes.tsv"\n  metadata_path: "names.tsv"\n}\n'


# ---------------------------------------------------------------- what is trained
def jobs(
    profile: str, backend: str, epochs: Count, seeds: Count, batch_size: int, learning_rate: float, beta: float
) -> dict:
    """Return the trainings of notebook 07 that come to an end, and 'stopped', which does not.

    'cvae', 'vae': seeds; 'nist', 'mnist': one each; 'small': name -> seeds.  MNIST's images are as many as NIST's,
    which are read for it.
    """
    amounts = AMOUNTS[profile]
    seeds = seeds or (amounts.seeds if backend == "torch" else 1)
    settings = TrainSpec(epochs or amounts.epochs, batch_size, learning_rate, beta=beta)
    images, nist = planning.recipe("characters", amounts.images), planning.recipe("nist", amounts.nist)
    cvae = Job(MODEL, (settings,), images, backend)
    vae = replace(cvae, spec=evaluation.unlabelled(MODEL, "report000_vae"))
    how = replace(settings, epochs=amounts.nist_epochs, batch_size=64)
    digits = planning.recipe("mnist", as_many(data.from_recipe(nist)))
    ten = replace(MODEL.for_images((28, 28, 1), 10), name="report000_cvae_10")
    short = replace(settings, epochs=amounts.small_epochs, batch_size=min(batch_size, 64))
    small = replace(cvae, phases=(short,), data=replace(images, train_size=amounts.small_images))
    hasty = replace(trial(profile), epochs=3, learning_rate=0.03)
    few, clip = planning.recipe("nist", amounts.few), (("least", report000_training.CLIPS[0]),)
    return {
        "cvae": planning.over_seeds(cvae, seeds),
        "vae": planning.over_seeds(vae, seeds if profile == "full" else 1),
        "nist": Job(MODEL62, (how,), nist, backend),
        "mnist": Job(ten, (how,), digits, backend),
        "small": {
            name: planning.over_seeds(job, seeds if profile == "full" else 1)
            for name, job in planning.changed(small, SMALL).items()
        },
        "stopped": Job(MODEL62, (hasty,), few, backend, change=report000_training.CLIP, arguments=clip),
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
    paths.write_text(folder / "projector_config.pbtxt", PROJECTOR)


# ---------------------------------------------------------------- modules
def modules(words: dict[str, str]) -> pd.DataFrame:
    """Return Python modules, a row each: version, how many of the library's files import it, and the words for it."""
    texts = [path.read_text(encoding="utf-8") for path in Path(data.__file__).parents[1].rglob("*.py")]
    packages, rows = metadata.packages_distributions(), []
    for name, said in words.items():
        files = sum(bool(re.search(rf"^\s*(import|from) {name}\b", text, re.MULTILINE)) for text in texts)
        version = metadata.version(packages[name][0]) if name in packages else "-"
        rows.append({"module": name, "version": version, "files": files, "used for": said})
    return pd.DataFrame(rows)
