"""The plain VAE of Burda et al. 2016 against its published likelihood: `python -m twinvae_studies.burda2016 torch` (or tf).

784-200-200-50 and mirror on dynamically binarised MNIST, trained within an hour on two cores where the paper takes
3,280 epochs, then -log p(x) of all 10,000 test images by importance sampling.  Everything is kept on the way: killed,
it goes on where it was.  What notebook 04 shows of it stands in `results/published/<backend>.json`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
from twinvae import backend, data, paths, provenance, zoo
from twinvae import spec as specs
from twinvae.metrics import likelihood

FOLDER = Path(__file__).parents[2] / "results" / "published"
PAPER = 86.76  # nats per image, one sample in training, one stochastic layer (Burda et al. 2016, Table 1)
SAMPLES = 5_000
STUDIES = (
    "published",
    "quadrants",
    "digits",
    "bounds",
    "ablations",
)  # what leaves its files in FOLDER

# (epochs, learning rate).  Each phase starts Adam anew and has a seed, hence noise and pixels, of its own.  A phase
# that is made longer goes on from its checkpoint; those after it are trained again.
PHASES = ((10, 1e-3), (30, 1e-3), (80, 1e-3), (100, 3e-4), (300, 3e-4), (60, 1e-4), (20, 3e-5))


def settings(
    phases: Sequence[tuple[int, float]] = PHASES, batch_size: int = 50, seed: int = 0
) -> list[specs.TrainSpec]:
    """The training runs of (epochs, learning rate) that follow each other, each with noise and pixels of its own."""
    return [
        specs.TrainSpec(epochs, batch_size, rate, binarize="dynamic", seed=10 * seed + number)
        for number, (epochs, rate) in enumerate(phases)
    ]


def train(
    model,
    twin: ModuleType,
    images: data.Splits,
    runs: Sequence[specs.TrainSpec],
    folder: Path,
    few: int = 1_000,
) -> tuple[list[dict], list[dict]]:
    """Trains the model through all runs.  -> (a row an epoch, a row a run with -log p of `few` validation images).

    Epochs and seconds of training count through; losses and -log p in nats per image.
    """
    epochs, marks = [], []
    for run in runs:
        done, seconds = (epochs[-1]["epoch"], epochs[-1]["seconds"]) if epochs else (0, 0.0)
        history = twin.train.fit(
            model, images, run, folder / f"from-{done}-rate-{run.learning_rate:g}"
        )
        for row, clock in zip(history.itertuples(), history.seconds.cumsum(), strict=True):
            epochs.append(
                {
                    "epoch": done + row.epoch,
                    "learning_rate": run.learning_rate,
                    "seconds": seconds + clock,
                    "loss": row.loss,
                    "valid_loss": row.valid_loss,
                }
            )
        few_valid = data.binarise(data.scale(images.valid.x[:few]), "fixed")
        nll = estimate(model, twin, few_valid, 500, folder / f"valid-{done + run.epochs}")
        marks.append(
            {
                "epoch": epochs[-1]["epoch"],
                "seconds": epochs[-1]["seconds"],
                "nll": float(nll.mean()),
            }
        )
    return epochs, marks


def estimate(
    model,
    twin: ModuleType,
    x: np.ndarray,
    samples: int,
    folder: Path,
    block: int = 500,
    y: np.ndarray | None = None,
) -> np.ndarray:
    """-log p(x) in nats, or with one-hot y -log p(x | y), importance-sampled and kept in `folder` block by block.  -> [N]"""
    parts, y = [], np.zeros((len(x), 1)) if y is None else y
    for start in range(0, len(x), block):
        path = folder / f"{samples}-{start:05d}.npy"
        if not path.exists():
            part = x[start : start + block]
            nll = -likelihood.importance_sampled(
                model, twin, part, y[start : start + block], samples, seed=start
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            with paths.written_whole(path) as temporary, open(temporary, "wb") as file:
                np.save(file, nll)
        parts.append(np.load(path))
    return np.concatenate(parts)


def interval(nll: np.ndarray) -> dict[str, float]:
    """Mean and 95 % interval over images of -log p(x).  [N] -> nll, low, high"""
    mean, half = float(nll.mean()), float(1.96 * nll.std(ddof=1) / np.sqrt(len(nll)))
    return {"nll": mean, "low": mean - half, "high": mean + half}


def load(name: str, study: str = "published", takes: str = "about an hour") -> dict:
    """What the run of a twin left of a study.  FileNotFoundError, with the command that makes it, if it has not been made."""
    path = FOLDER / (f"{name}.json" if study == "published" else f"{study}-{name}.json")
    if not path.exists():
        raise FileNotFoundError(
            f"there is no {path.name} in results/published/; "
            f"make it with 'python -m twinvae_studies.{study} {name}' ({takes})"
        )
    return json.loads(path.read_text())


def of_twins(load: Callable[[str], dict]) -> dict[str, dict]:
    """What each twin left of a study, and a printed line with the command for what is missing.  -> backend -> facts"""
    found = {}
    for name in backend.TWINS:
        try:
            found[name] = load(name)
        except FileNotFoundError as error:
            print(error)
    return found


def sources() -> pd.DataFrame:
    """A row a study and twin that has been run: the commit, data and machine that its file names ('--': not noted)."""
    rows = []
    for study, name in itertools.product(STUDIES, backend.TWINS):
        with contextlib.suppress(FileNotFoundError):
            facts = load(name, study)
            commit = facts.get("commit", "--")[:12] + "+" * facts.get("dirty", False)
            rows.append(
                {
                    "study": study,
                    "twin": name,
                    "commit": commit,
                    "data": facts["source"],
                    "CPU": facts["machine"]["cpu"],
                    "threads": facts["machine"]["threads"],
                }
            )
    return pd.DataFrame(rows)


def made_by(name: str) -> dict:
    """The code, the packages and the machine that a twin's run rests on."""
    root = paths.find_root(Path(__file__))
    return {
        "backend": name,
        **provenance.git_state(root),
        "versions": provenance.versions(name),
        "machine": provenance.machine(),
    }


def main(name: str) -> None:
    """Trains, estimates with ever more samples, and writes what is known after each."""
    twin, images, runs = backend.get(name), data.splits("mnist"), settings()
    model = twin.models.build(zoo.get("vae_200_200"))
    folder = FOLDER / "checkpoints" / name
    epochs, marks = train(model, twin, images, runs, folder)
    x, test = data.binarise(data.scale(images.test.x), "fixed"), []
    for samples in (500, SAMPLES):
        nll = estimate(model, twin, x, samples, folder / f"test-{epochs[-1]['epoch']}")
        test.append({"samples": samples, "images": len(x), **interval(nll)})
        facts = {
            "spec": specs.to_dict(model.spec),
            "settings": [specs.to_dict(run) for run in runs],
            "source": images.source.label,
            "paper": PAPER,
            "epochs": epochs,
            "marks": marks,
            "test": test,
            "machine": provenance.machine(),
        }
        paths.write_text(FOLDER / f"{name}.json", json.dumps(facts, indent=1))
        print(test[-1], flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m twinvae_studies.burda2016 torch|tf")
    main(sys.argv[1])
