"""What more samples and a label buy in likelihood:
`python -m twinvae_studies.burda2016_bounds torch` (or tf).

The VAE of Burda et al. 2016 with one stochastic layer, trained on k samples of z an image, as the
mean of their ELBOs (VAE) or as their importance-weighted bound (IWAE), on dynamically binarised
MNIST; and as a CVAE with N(0, I) or p(z | y).  All take the same number of updates, one VAE as much
time as the dearest of them.  Everything is kept on the way: killed, it goes on where it was.  What
notebook 09 shows stands in `results/published/bounds-<backend>.json`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from twinvae import backend, data, paths, randomness, zoo
from twinvae import spec as specs
from twinvae.metrics import likelihood
from twinvae_studies import burda2016

# -log p(x) in nats per image after 3,280 epochs (Burda et al. 2016, Table 1).
PAPER = {"vae": 86.76, "vae_5": 86.47, "vae_50": 86.35, "iwae_5": 85.54, "iwae_50": 84.78}
WORDS = {
    "vae": "VAE",
    "vae_5": "VAE, k = 5",
    "vae_50": "VAE, k = 50",
    "iwae_5": "IWAE, k = 5",
    "iwae_50": "IWAE, k = 50",
    "vae_long": "VAE, longer",
    "cvae_standard": "CVAE, fixed prior",
    "cvae_learned": "CVAE, prior of the label",
}
SEEDS = {
    "vae": 3,
    "cvae_standard": 3,
    "cvae_learned": 3,
    "iwae_5": 3,
    "iwae_50": 1,
    "vae_5": 1,
    "vae_long": 1,
    "vae_50": 1,
}
LAST = ("vae_5", "vae_long", "vae_50")  # what the paper has beside the comparison of bounds
# (epochs, learning rate); vae_long: so many times the epochs
PHASES = ((10, 1e-3), (3, 3e-4), (2, 1e-4))
LONGER = 20
SAMPLES = 500  # of z an image
LABELLED = 2_000  # test images under each label in turn, where the others take all 10,000
TAKES = "about two hours on a core, the first comparison after a quarter of one"


def model(name: str) -> specs.ModelSpec:
    """The model of this name: 'vae', 'iwae_50', 'vae_5', 'cvae_learned', ..."""
    vae = zoo.get("vae_200_200")
    kind, _, more = name.partition("_")
    if kind == "cvae":
        return replace(
            vae,
            name=name,
            kind="cvae",
            num_classes=10,
            encoder_condition="concat",
            decoder_condition="concat",
            prior=more,
        )
    if more.isdigit():
        known = {field.name: getattr(vae, field.name) for field in fields(vae)}
        return specs.BoundSpec(**known | {"name": name, "kind": "iwae"}, samples=int(more), weighted=kind == "iwae")
    return vae


def settings(name: str, seed: int) -> list[specs.TrainSpec]:
    """The training runs that follow each other."""
    times = LONGER if name == "vae_long" else 1
    return burda2016.settings([(times * epochs, rate) for epochs, rate in PHASES], 100, seed)


def train(built, twin: ModuleType, images: data.Splits, runs: list[specs.TrainSpec], folder: Path) -> list[dict]:
    """Trains the model through all runs.  -> a row an epoch; its seconds count training alone

    valid_loss is -ELBO in nats per image, whatever the model is trained on (of a VAE, without
    sampling its KL).
    """
    rows = []
    for number, run in enumerate(runs):
        history = twin.train.fit(built, images, run, folder / f"{number}-rate-{run.learning_rate:g}")
        rows += [
            {
                "epoch": len(rows) + row.epoch,
                "loss": row.loss,
                "valid_loss": row.valid_loss,
                "seconds": row.seconds,
            }
            for row in history.itertuples()
        ]
    return rows


def measured(
    built,
    twin: ModuleType,
    x: np.ndarray,
    y: np.ndarray,
    samples: int,
    few: np.ndarray,
    folder: Path,
) -> dict[str, np.ndarray]:
    """-log p(x), in nats; of a CVAE, on the images `few` alone, also -log p(x | y).

    [N, H, W, C], [N] -> name -> [N or F]

    A CVAE's p(x) = sum_y p(y) p(x | y), all labels equally likely.
    """
    if built.spec.kind != "cvae":
        return {"nll": burda2016.estimate(built, twin, x, samples, folder)}
    k = built.spec.num_classes
    each = np.stack(
        [
            -burda2016.estimate(
                built,
                twin,
                x[few],
                samples,
                folder / f"label-{label}",
                y=np.tile(np.eye(k)[label], (len(few), 1)),
            )
            for label in range(k)
        ],
        1,
    )
    return {
        "nll": -likelihood.marginal(each, np.full(k, -np.log(k))),
        "given_y": -each[np.arange(len(few)), y[few]],
    }


def gain(base: np.ndarray, nll: np.ndarray, few: np.ndarray) -> dict[str, float]:
    """The nats by which a model is better than the VAE, image by image, and their 95 % interval
    over images.
    """
    found = burda2016.interval((base if len(nll) == len(base) else base[few]) - nll)
    return {"gain": found["nll"], "low": found["low"], "high": found["high"]}


def order() -> list[tuple[str, int]]:
    """(model, seed) in the order in which they are trained: seed 0 of each, the other seeds, then
    the LAST.
    """
    return sorted(
        ((name, seed) for name in SEEDS for seed in range(SEEDS[name])),
        key=lambda one: (one[0] in LAST, one[1]),
    )


def table(facts: dict) -> pd.DataFrame:
    """A row a model: seeds, epochs, minutes, -log p(x), the gain of seed 0 and its interval over
    images, that of all seeds.

    A gain is over the VAE of the same seed.
    """
    rows = []
    for name, entry in facts["models"].items():
        seeds, first = entry["seeds"], entry["seeds"][0]
        nll, gains = (
            [each["nll"]["nll"] for each in seeds],
            [each["against_vae"]["gain"] for each in seeds],
        )

        def deviation(values):
            return np.std(values, ddof=1) if len(values) > 1 else np.nan

        rows.append(
            {
                "model": name,
                "seeds": len(seeds),
                "epochs": len(first["epochs"]),
                "minutes": first["seconds"] / 60,
                "images": facts["labelled"] if "given_y" in first else facts["images"],
                "nll": np.mean(nll),
                "sd": deviation(nll),
                "given_y": np.mean([each["given_y"]["nll"] for each in seeds]) if "given_y" in first else np.nan,
                **first["against_vae"],
                "mean_gain": np.mean(gains),
                "mean_gain_sd": deviation(gains),
                "published": PAPER.get(name, np.nan),
            }
        )
    return pd.DataFrame(rows)


def load(name: str) -> dict:
    """What the run of a twin left.  FileNotFoundError if it has not been made."""
    return burda2016.load(name, "bounds", TAKES)


def main(name: str) -> None:
    """Each model and seed in turn; what is known is written after each."""
    twin = backend.get(name)
    images = data.splits("mnist")
    x = data.binarise(data.scale(images.test.x), "fixed")
    few = randomness.rng(0, "order").permutation(len(x))[:LABELLED]
    facts = {
        "published": PAPER,
        "samples": SAMPLES,
        "images": len(x),
        "labelled": LABELLED,
        "source": images.source.label,
        **burda2016.made_by(name),
        "models": {},
    }
    base = {}
    for which, seed in order():
        spec = model(which)
        runs = settings(which, seed)
        folder = burda2016.FOLDER / "checkpoints" / f"bounds-{name}" / f"{which}-{seed}"
        built = twin.models.build(spec, seed=seed)
        epochs = train(built, twin, images, runs, folder)
        found = measured(built, twin, x, images.test.y, SAMPLES, few, folder / "test")
        base[seed] = found["nll"] if which == "vae" else base[seed]
        entry = facts["models"].setdefault(which, {"spec": specs.to_dict(spec), "seeds": []})
        entry["seeds"].append(
            {
                "seed": seed,
                "settings": [specs.to_dict(run) for run in runs],
                "epochs": epochs,
                "seconds": sum(row["seconds"] for row in epochs),
                **{key: burda2016.interval(nll) for key, nll in found.items()},
                "against_vae": gain(base[seed], found["nll"], few),
            }
        )
        paths.write_text(burda2016.FOLDER / f"bounds-{name}.json", json.dumps(facts, indent=1))
        print(
            which,
            seed,
            {key: round(float(nll.mean()), 2) for key, nll in found.items()},
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m twinvae_studies.burda2016_bounds torch|tf")
    main(sys.argv[1])
