"""Quadrant completion of Sohn et al. 2015 on MNIST: `python -m twinvae.studies.quadrants torch` (or tf).

One, two or three quadrants of a digit are given, the others are to be told.  A net without chance is the baseline, a
CVAE the model; the nets are those of Pyro's example, and so is the likelihood, a Bernoulli on grey pixels: its values
compare with that example's alone.  Validation images choose the epoch, the test images are touched once.  Everything
is kept on the way: killed, it goes on where it was.  What notebook 09 shows stands in `results/published/`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from twinvae import backend, data, draws, provenance, weights
from twinvae import spec as specs
from twinvae.studies import published

# -log p(missing | observed) in nats per image, by observed quadrants.  The example calls its estimator Monte Carlo; what
# it computes is the ELBO, on the images by which it stops training (Pyro, examples/cvae, at 1.9).
PYRO = {1: {"baseline": 100.4, "elbo": 71.8}, 2: {"baseline": 61.9, "elbo": 51.0}, 3: {"baseline": 25.4, "elbo": 24.2}}
WORDS = {"baseline_rate": "net, rate kept", "baseline": "net", "elbo_rate": "ELBO, rate kept", "elbo": "ELBO",
         "monte_carlo": "Monte Carlo", "importance": "importance sampling"}
ESTIMATORS = ("baseline", "elbo", "monte_carlo", "importance")
TAKES = "about 40 minutes on a core"
SAMPLES = 100  # of z, for each estimator that takes some
# (epochs, learning rate): the example's rate, then a lower one.  What each is worth is told after each.
PHASES = {"baseline": ((10, 1e-3), (4, 1e-4)), "completion": ((18, 1e-3), (6, 2e-4))}


def models(quadrants: int) -> dict[str, specs.CompletionSpec]:
    """The two models for one task: layers of 500, and a code of 200 for the CVAE."""
    relu = specs.Activation("relu")
    cvae = specs.CompletionSpec(f"completion_{quadrants}", "completion", (28, 28, 1), latent_dim=200, init="keras",
                                encoder=(specs.Flatten(), *specs.mlp(500, 500)), decoder=specs.mlp(500, 500),
                                quadrants=quadrants)
    net = cvae.of_kind("completer", name=f"completer_{quadrants}", latent_dim=500, code_activation=relu,
                       encoder=(specs.Flatten(), *specs.mlp(500)), decoder=())
    return {"baseline": net, "completion": cvae}


def settings(phases: Sequence[tuple[int, float]]) -> list[specs.TrainSpec]:
    """The training runs that follow each other; grey pixels."""
    return [specs.TrainSpec(epochs, 128, rate, seed=number) for number, (epochs, rate) in enumerate(phases)]


def train(model, twin: ModuleType, images: data.Splits, runs: Sequence[specs.TrainSpec],
          folder: Path) -> tuple[list[dict], list[dict]]:
    """Trains through all runs, each from the epoch of the one before that was best on validation images.

    -> (a row an epoch, a row a run with the loss of its best epoch on validation and on test images).  The model is left
    as it was in the best epoch of all.
    """
    epochs, marks = [], []
    for number, run in enumerate(runs):
        place = folder / f"{number}-rate-{run.learning_rate:g}"
        history = twin.train.fit(model, images, run, place)
        epochs += [{"epoch": len(epochs) + row.epoch, "learning_rate": run.learning_rate, "loss": row.loss,
                    "valid_loss": row.valid_loss, "seconds": row.seconds} for row in history.itertuples()]
        if not marks or history.valid_loss.min() < min(mark["valid_loss"] for mark in marks):
            arrays = weights.read(place / "best.safetensors")[0]
            best = {name: a for name, a in arrays.items() if not name.startswith("optimizer.")}
        model.set_arrays(best)
        marks.append({"epoch": epochs[-1]["epoch"], "learning_rate": run.learning_rate,
                      "valid_loss": min(row["valid_loss"] for row in epochs),
                      "test": published.interval(losses(model, twin, images.test, run))})
    return epochs, marks


def losses(model, twin: ModuleType, images: data.Images, run: specs.TrainSpec) -> np.ndarray:
    """The loss of each image: -ELBO with one sample of z, or the baseline's -log p(missing | observed).  -> [N]"""
    batches = draws.validation(images, run, model.spec.latent_dim, model.dtype)
    return np.concatenate([np.sum(twin.models.call(model, "loss_terms", *batch), axis=0) for batch in batches])


def estimates(model, twin: ModuleType, x: np.ndarray, samples: int, seed: int = 0) -> dict[str, np.ndarray]:
    """-log p(missing | observed), in nats, by each estimator of a CVAE.  [N, H, W, C] -> name -> [N]

    elbo: samples from q(z | image), their mean (an upper bound);  importance: the same, weighted;
    monte_carlo: samples from p(z | observed) alone  (Sohn et al. 2015, section 4.3).
    """
    found = {name: np.empty(len(x)) for name in ESTIMATORS[1:]}
    for start in range(0, len(x), 40):
        part, call = x[start:start + 40], lambda *what: twin.models.call(model, *what)
        eps = draws.rng(seed, "likelihood", start).standard_normal((2, samples, len(part), model.spec.latent_dim))
        log_w = call("log_weights", part, np.zeros((len(part), 1)), eps[0]).astype(np.float64)
        y = call("observed", part)
        mu, logvar = call("prior", y)
        log_p = call("log_likelihood", part, y, mu + np.exp(0.5 * logvar) * eps[1]).astype(np.float64)
        rows = slice(start, start + len(part))
        found["elbo"][rows] = -log_w.mean(0)
        found["importance"][rows] = np.log(samples) - logsumexp(log_w, 0)
        found["monte_carlo"][rows] = np.log(samples) - logsumexp(log_p, 0)
    return found


def measured(model, net, twin: ModuleType, x: np.ndarray, samples: int, folder: Path, block: int = 1_000) -> dict:
    """All estimators, the baseline's exact value first, kept in `folder` block by block.  -> name -> [N]"""
    parts = []
    for start in range(0, len(x), block):
        path, part = folder / f"{samples}-{start:05d}.npy", x[start:start + block]
        if not path.exists():
            nothing = np.zeros((len(part), 1)), np.zeros((len(part), net.spec.latent_dim))
            rows = {"baseline": twin.models.predict(net, "loss_terms", part, part, *nothing)[0]}
            rows |= estimates(model, twin, part, samples, seed=start)
            path.parent.mkdir(parents=True, exist_ok=True)
            with provenance.written_whole(path) as temporary, open(temporary, "wb") as file:
                np.save(file, np.stack([rows[name] for name in ESTIMATORS]))
        parts.append(np.load(path))
    return dict(zip(ESTIMATORS, np.concatenate(parts, axis=1)))


def pictures(model, net, twin: ModuleType, x: np.ndarray, draws_each: int = 4) -> np.ndarray:
    """What is observed, the baseline's image, S of the CVAE's, the truth.  [N, H, W, C] -> uint8 [N, 3 + S, H, W, C]"""
    y = twin.models.call(model, "observed", x)
    mu, logvar = twin.models.call(model, "prior", y)
    eps = draws.rng(0, "prior").standard_normal((draws_each, *mu.shape))
    made = [twin.models.call(net, "reconstruct", x, None), *(
        twin.models.call(model, "generate", mu + np.exp(0.5 * logvar) * e, None) for e in eps)]
    missing = np.isin(np.arange(x[0].size), model.spec.missing()).reshape(x.shape[1:])
    rows = [np.where(missing, 0.5, x), *(np.where(missing, image, x) for image in made), x]
    return np.round(255 * np.stack(rows, 1)).astype(np.uint8)


def summary(values: dict[str, np.ndarray]) -> dict:
    """Means with 95 % intervals over images, and the baseline's value less each of the CVAE's, image by image."""
    gains = {f"gain_{name}": values["baseline"] - values[name] for name in ESTIMATORS[1:]}
    return {name: published.interval(each) for name, each in (values | gains).items()}


def complete(quadrants: int, twin: ModuleType, images: data.Splits, phases: dict, folder: Path,
             samples: int = SAMPLES) -> tuple[dict, np.ndarray]:
    """Trains both models for one task and measures them on test images.  -> facts, pictures"""
    built, facts = {}, {}
    for name, spec in models(quadrants).items():
        built[name] = twin.models.build(spec)
        runs = settings(phases[name])
        epochs, marks = train(built[name], twin, images, runs, folder / name)
        facts[name] = {"spec": specs.to_dict(spec), "settings": [specs.to_dict(run) for run in runs], "epochs": epochs,
                       "marks": marks}
    x = data.scale(images.test.x)
    values = measured(built["completion"], built["baseline"], twin, x, samples, folder / "test")
    facts["test"] = {"images": len(x), **summary(values)}
    first = [np.flatnonzero(images.test.y == k)[0] for k in range(images.test.num_classes)]
    return facts, pictures(built["completion"], built["baseline"], twin, x[first])


def estimates_of(task: dict) -> dict[str, dict]:
    """Every estimate of a task with its interval: `_rate` where the example's learning rate is not lowered at the end."""
    at_rate = {"baseline_rate": task["baseline"]["marks"][0]["test"], "elbo_rate": task["completion"]["marks"][0]["test"]}
    return at_rate | {name: task["test"][name] for name in ESTIMATORS}


def table(found: dict[str, dict]) -> pd.DataFrame:
    """A row an estimate and task: of each twin the value and half its 95 % interval, and what is published."""
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
    """For each task and estimate of each twin its value, and of the worse twin value and interval: `q1_elbo_high`, ..."""
    known = {}
    for quadrants, published_ones in PYRO.items():
        tasks = {name: estimates_of(facts["quadrants"][str(quadrants)]) for name, facts in found.items()
                 if str(quadrants) in facts["quadrants"]}
        for key in WORDS if tasks else ():
            known |= {f"q{quadrants}_{key}_{name}": task[key]["nll"] for name, task in tasks.items()}
            worse = max((task[key] for task in tasks.values()), key=lambda each: each["nll"])
            known |= {f"q{quadrants}_{key}": worse["nll"], f"q{quadrants}_{key}_low": worse["low"],
                      f"q{quadrants}_{key}_high": worse["high"]}
        known |= {f"q{quadrants}_{key}_published": value for key, value in published_ones.items() if tasks}
    return known


def farthest(found: dict[str, dict]) -> float:
    """How far the farthest baseline, at the example's rate, is from the published one, in nats.

    NaN if a task is missing from both twins.
    """
    off = [abs(estimates_of(task)["baseline_rate"]["nll"] - PYRO[int(quadrants)]["baseline"])
           for facts in found.values() for quadrants, task in facts["quadrants"].items()]
    done = {int(quadrants) for facts in found.values() for quadrants in facts["quadrants"]}
    return max(off) if done == set(PYRO) else np.nan


def load(name: str) -> dict:
    """What the run of a twin left.  FileNotFoundError if it has not been made."""
    return published.load(name, "quadrants", TAKES)


def main(name: str) -> None:
    """Each task in turn; what is known is written after each."""
    twin, images = backend.get(name), data.splits("mnist")
    facts = {"published": PYRO, "likelihood": "Bernoulli on grey pixels of the missing quadrants", "samples": SAMPLES,
             "source": images.source.label, **published.made_by(name), "quadrants": {}}
    shown = {}
    for quadrants in PYRO:
        folder = published.FOLDER / "checkpoints" / f"quadrants-{name}" / str(quadrants)
        facts["quadrants"][quadrants], shown[str(quadrants)] = complete(quadrants, twin, images, PHASES, folder)
        provenance.write_text(published.FOLDER / f"quadrants-{name}.json", json.dumps(facts, indent=1))
        with provenance.written_whole(published.FOLDER / f"quadrants-{name}.npz") as path:
            np.savez_compressed(path, **shown)
        test = facts["quadrants"][quadrants]["test"]
        print(quadrants, {key: round(test[key]["nll"], 2) for key in ESTIMATORS}, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m twinvae.studies.quadrants torch|tf")
    main(sys.argv[1])
