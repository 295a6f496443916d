"""Quadrant completion of Sohn et al. 2015 on MNIST: `python -m twinvae_studies.sohn2015 torch` (or
tf).

One, two or three quadrants of a digit are given, the others are to be told.  A net without chance
is the baseline, a CVAE the model; the nets are those of Pyro's example, and so is the likelihood, a
Bernoulli on grey pixels: its values compare with that example's alone.  Validation images choose
the epoch, the test images are touched once.  Everything is kept on the way: killed, it goes on
where it was.  What notebook 09 shows stands in `results/published/`.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd

from twinvae import backend, data, paths
from twinvae_studies import burda2016, sohn2015_models

# -log p(missing | observed) in nats per image, by observed quadrants.  The example calls its
# estimator Monte Carlo; what it computes is the ELBO, on the images by which it stops training
# (Pyro, examples/cvae, at 1.9).
PYRO = {
    1: {"baseline": 100.4, "elbo": 71.8},
    2: {"baseline": 61.9, "elbo": 51.0},
    3: {"baseline": 25.4, "elbo": 24.2},
}
WORDS = {
    "baseline_rate": "net, rate kept",
    "baseline": "net",
    "elbo_rate": "ELBO, rate kept",
    "elbo": "ELBO",
    "monte_carlo": "Monte Carlo",
    "importance": "importance sampling",
}
TAKES = "about 40 minutes on a core"
# (epochs, learning rate): the example's rate, then a lower one.  What each is worth is told after
# each.
PHASES = {"baseline": ((10, 1e-3), (4, 1e-4)), "completion": ((18, 1e-3), (6, 2e-4))}


def estimates_of(task: dict) -> dict[str, dict]:
    """Every estimate of a task with its interval: `_rate` where the example's learning rate is not
    lowered at the end.
    """
    at_rate = {
        "baseline_rate": task["baseline"]["marks"][0]["test"],
        "elbo_rate": task["completion"]["marks"][0]["test"],
    }
    return at_rate | {name: task["test"][name] for name in sohn2015_models.ESTIMATORS}


def table(found: dict[str, dict]) -> pd.DataFrame:
    """A row an estimate and task: of each twin the value and half its 95 % interval, and what is
    published.
    """
    rows = []
    for quadrants in PYRO:
        tasks = {name: facts["quadrants"].get(str(quadrants)) for name, facts in found.items()}
        for key, words in WORDS.items():
            row = {"observed": quadrants, "estimate": words}
            for name, task in tasks.items():
                each = estimates_of(task)[key] if task else {"nll": np.nan, "high": np.nan}
                row |= {name: each["nll"], f"{name} +-": each["high"] - each["nll"]}
            rows.append(row | {"published": PYRO[quadrants].get(key.removesuffix("_rate"), np.nan)})
    return pd.DataFrame(rows)


def numbers(found: dict[str, dict]) -> dict[str, float]:
    """For each task and estimate of each twin its value, and of the worse twin value and interval:
    `q1_elbo_high`, ...
    """
    known = {}
    for quadrants, published_ones in PYRO.items():
        tasks = {
            name: estimates_of(facts["quadrants"][str(quadrants)])
            for name, facts in found.items()
            if str(quadrants) in facts["quadrants"]
        }
        for key in WORDS if tasks else ():
            known |= {f"q{quadrants}_{key}_{name}": task[key]["nll"] for name, task in tasks.items()}
            worse = max((task[key] for task in tasks.values()), key=lambda each: each["nll"])
            known |= {
                f"q{quadrants}_{key}": worse["nll"],
                f"q{quadrants}_{key}_low": worse["low"],
                f"q{quadrants}_{key}_high": worse["high"],
            }
        known |= {f"q{quadrants}_{key}_published": value for key, value in published_ones.items() if tasks}
    return known


def farthest(found: dict[str, dict]) -> float:
    """How far the farthest baseline, at the example's rate, is from the published one, in nats.

    NaN if a task is missing from both twins.
    """
    off = [
        abs(estimates_of(task)["baseline_rate"]["nll"] - PYRO[int(quadrants)]["baseline"])
        for facts in found.values()
        for quadrants, task in facts["quadrants"].items()
    ]
    done = {int(quadrants) for facts in found.values() for quadrants in facts["quadrants"]}
    return max(off) if done == set(PYRO) else np.nan


def load(name: str) -> dict:
    """What the run of a twin left.  FileNotFoundError if it has not been made."""
    return burda2016.load(name, "quadrants", TAKES)


def main(name: str) -> None:
    """Each task in turn; what is known is written after each."""
    twin = backend.get(name)
    images = data.splits("mnist")
    facts = {
        "published": PYRO,
        "likelihood": "Bernoulli on grey pixels of the missing quadrants",
        "samples": sohn2015_models.SAMPLES,
        "source": images.source.label,
        **burda2016.made_by(name),
        "quadrants": {},
    }
    shown = {}
    for quadrants in PYRO:
        folder = burda2016.FOLDER / "checkpoints" / f"quadrants-{name}" / str(quadrants)
        facts["quadrants"][quadrants], shown[str(quadrants)] = sohn2015_models.complete(
            quadrants, twin, images, PHASES, folder
        )
        paths.write_text(burda2016.FOLDER / f"quadrants-{name}.json", json.dumps(facts, indent=1))
        with paths.written_whole(burda2016.FOLDER / f"quadrants-{name}.npz") as path:
            np.savez_compressed(path, **shown)
        test = facts["quadrants"][quadrants]["test"]
        print(
            quadrants,
            {key: round(test[key]["nll"], 2) for key in sohn2015_models.ESTIMATORS},
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m twinvae_studies.sohn2015 torch|tf")
    main(sys.argv[1])
