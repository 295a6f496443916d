"""A CVAE of MNIST against a baseline without a network:
`python -m twinvae_studies.digits_cvae torch` (or tf).

One Gaussian a class in principal components obeys its label, varies, and takes a second to fit.  To
pass it in all at once takes a CVAE two steps after its training, a prior of mixtures and contrast
(`priors`).  Each seed is trained once and kept; what notebook 09 shows stands in
`results/published/digits-<backend>.json`.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
from scipy.special import expit, logsumexp

from twinvae import backend, data, paths, randomness
from twinvae import spec as specs
from twinvae.metrics import baselines, judge, samples
from twinvae_studies import burda2016, evaluation, fitted_priors

SEEDS, AXES = 3, 50  # AXES: the principal axes of the baseline
# (epochs, learning rate)
PHASES = ((24, 1e-3), (6, 2e-4))
BATCH = 128
# samples a class; test images whose likelihood is estimated, codes drawn for each
EACH, IMAGES, DRAWS = (
    500,
    2_000,
    500,
)
# the baseline's, chosen on validation images
VARIANCES, FLOORS = (
    (0.1, 0.2, 0.3),
    (0.0005, 0.001, 0.003, 0.01),
)
WORDS = {
    "standard": "CVAE, N(0, I)",
    "mixture": "CVAE, mixtures",
    "sharp": "CVAE, mixtures, contrast",
    "pca": "PCA per class",
    "real": "validation images",
}
COLUMNS = ("accuracy", "diversity", "cas", "frechet", "sharpness")
TAKES = "about a quarter of an hour on a core"


def model() -> specs.ModelSpec:
    """784-512-512-16 and mirror; the label is an input of the encoder and scales and shifts the
    decoder's features.
    """
    film = (specs.Dense(512), specs.Film(), specs.Activation("relu"))
    return specs.ModelSpec(
        "digits_cvae",
        "cvae",
        (28, 28, 1),
        16,
        (specs.Flatten(), *specs.mlp(512, 512)),
        film * 2,
        num_classes=10,
        encoder_condition="concat",
        decoder_condition="film",
        init="keras",
    )


# ---------------------------------------------------------------- the baseline's likelihood
def linear_nll(
    pca: baselines.ClassPCA, x: np.ndarray, y: np.ndarray, count: int, variance: float, floor: float
) -> np.ndarray:
    """-log p(x | y) of binary images in nats under PCA per class, read as a linear CVAE of
    Bernoulli pixels.  -> [N]

    A pixel's probability is what the baseline draws, mean + z @ roots, clipped to floor..1 - floor.
    Importance-sampled; z from the posterior that Gaussian noise of this variance would give.
    """
    found = np.empty(len(x))
    x = x.reshape(len(x), -1)
    for k in np.unique(y):
        roots = pca.roots[k]
        at = np.flatnonzero(y == k)
        covariance = np.linalg.inv(roots @ roots.T / variance + np.eye(len(roots)))
        lower = np.linalg.cholesky(covariance)
        for rows in np.array_split(at, max(1, len(at) // 20)):
            eps = randomness.rng(0, "likelihood", int(rows[0])).standard_normal((count, len(rows), len(roots)))
            z = (x[rows] - pca.mean[k]) @ roots.T / variance @ covariance + eps @ lower.T
            p = np.clip(pca.mean[k] + z @ roots, floor, 1 - floor)
            log_w = np.log(np.where(x[rows] > 0, p, 1 - p)).sum(2) + 0.5 * (eps**2 - z**2).sum(2)
            found[rows] = np.log(count) - logsumexp(log_w, 0) - np.log(np.diag(lower)).sum()
    return found


# ---------------------------------------------------------------- the study
def worth(reader: judge.Judge, x: np.ndarray, y: np.ndarray, test: data.Images) -> dict[str, float]:
    """What samples for the labels y are worth, under COLUMNS."""
    seen = evaluation.judged(reader, x, y, test)
    seen["cas"] = samples.classification_accuracy_score(x, y, data.scale(test.x), test.y)
    return {name: float(seen[name]) for name in COLUMNS}


def baseline(images: data.Splits, reader: judge.Judge, y: np.ndarray, x: np.ndarray) -> tuple[dict, np.ndarray]:
    """Facts of PCA per class, and -log p(x | y) of the first test images, binarised, x.

    -> facts, [N]
    """
    pca = baselines.ClassPCA.fit(data.scale(images.train.x), images.train.y, AXES)
    valid = images.valid.subset(np.arange(min(500, len(images.valid))))
    x_valid = data.binarise(data.scale(valid.x), "fixed")
    tried = {(v, f): linear_nll(pca, x_valid, valid.y, 100, v, f).mean() for v in VARIANCES for f in FLOORS}
    variance, floor = min(tried, key=tried.get)
    found = linear_nll(pca, x, images.test.y[: len(x)], DRAWS, variance, floor)
    seen = worth(reader, pca.sample(y, randomness.rng(0, "prior")), y, images.test)
    return {"variance": variance, "floor": floor, **seen, "nll": burda2016.interval(found)}, found


def one_seed(
    seed: int,
    name: str,
    images: data.Splits,
    reader: judge.Judge,
    y: np.ndarray,
    x: np.ndarray,
    linear: np.ndarray,
) -> tuple[dict, np.ndarray]:
    """Trains a model and measures it.

    -> facts, eight samples of each class with both steps, uint8
    """
    twin = backend.get(name)
    runs = burda2016.settings(PHASES, BATCH, seed)
    folder = burda2016.FOLDER / "checkpoints" / f"digits-{name}" / str(seed)
    built = twin.models.build(model(), seed=seed)
    histories = [twin.train.fit(built, images, run, folder / str(number)) for number, run in enumerate(runs)]
    trained = evaluation.Trained(built.spec, runs[-1], built, twin, histories[-1])
    prior = fitted_priors.of_codes(trained, images.train)
    logits = trained.predict("decode", prior.sample(y), evaluation.one_hot(trained, y))
    made = {"standard": evaluation.generate(trained, y, seed), "mixture": expit(logits)}
    made["sharp"], factors = fitted_priors.sharpened(logits, y, images.valid)
    values = fitted_priors.nll(built, twin, x, images.test.y[: len(x)], prior, DRAWS)
    facts = {
        "seed": seed,
        "settings": [specs.to_dict(run) for run in runs],
        "contrast": factors.tolist(),
        "seconds": float(sum(history.seconds.sum() for history in histories)),
        "kl": evaluation.elbo_terms(trained, images.test)["kl"],
        **{kind: worth(reader, each, y, images.test) for kind, each in made.items()},
        "nll": {kind: burda2016.interval(each) for kind, each in values.items()},
        "gain": {kind: burda2016.interval(linear - each) for kind, each in values.items()},
    }
    few = np.concatenate([np.flatnonzero(y == k)[:8] for k in range(10)])
    return facts, np.round(255 * made["sharp"][few]).astype(np.uint8)


def table(facts: dict) -> pd.DataFrame:
    """A row a kind of samples: means over seeds and the deviation of accuracy; KL and -log p(x | y)
    where there is one.
    """
    seeds = list(facts["seeds"].values())
    rows = []
    for name, words in WORDS.items():
        each = [facts[name]] if name in ("pca", "real") else [seed[name] for seed in seeds]
        row = {"samples of": words} | {column: np.mean([one[column] for one in each]) for column in COLUMNS}
        row["deviation"] = np.std([one["accuracy"] for one in each], ddof=1) if len(each) > 1 else np.nan
        if name in ("standard", "mixture"):
            row |= {
                "KL": np.mean([seed["kl"] for seed in seeds]) if name == "standard" else np.nan,
                "nll": np.mean([seed["nll"][name]["nll"] for seed in seeds]),
            }
        rows.append(row | ({"nll": facts["pca"]["nll"]["nll"]} if name == "pca" else {}))
    return pd.DataFrame(rows)


def numbers(found: dict[str, dict]) -> dict[str, float]:
    """Of the twins' seeds the worst value in all in which the CVAE is to pass the baseline, and the
    baseline's own.
    """
    seeds = [seed for facts in found.values() for seed in facts["seeds"].values()]
    pca = [facts["pca"] for facts in found.values()]
    least = {f"least_{name}": min(seed["sharp"][name] for seed in seeds) for name in ("accuracy", "diversity", "cas")}
    most = {f"pca_{name}": max(one[name] for one in pca) for name in ("accuracy", "diversity", "cas")}
    return (
        least
        | most
        | {
            "least_gain": min(seed["gain"]["mixture"]["low"] for seed in seeds),
            "least_kl": min(seed["kl"] for seed in seeds),
            "seeds": len(seeds),
        }
    )


def load(name: str) -> dict:
    """What the run of a twin left.  FileNotFoundError if it has not been made."""
    return burda2016.load(name, "digits", TAKES)


def main(name: str) -> None:
    """The baseline, then each seed that is not there yet; the files are written after each."""
    twin = backend.get(name)
    images = data.splits("mnist")
    path = burda2016.FOLDER / f"digits-{name}.json"
    reader = judge.load("mnist", twin)
    y = evaluation.balanced(10, EACH)
    x = data.binarise(data.scale(images.test.x[:IMAGES]), "fixed")
    facts = {
        "spec": specs.to_dict(model()),
        "images": IMAGES,
        "draws": DRAWS,
        "components": fitted_priors.COMPONENTS,
        "source": images.source.label,
        **burda2016.made_by(name),
        "seeds": {},
    }
    facts["pca"], linear = baseline(images, reader, y, x)
    facts["real"] = worth(reader, data.scale(images.valid.x), images.valid.y, images.test)
    if path.exists():
        facts["seeds"] = json.loads(path.read_text())["seeds"]
    for seed in range(SEEDS):
        if str(seed) not in facts["seeds"]:
            facts["seeds"][str(seed)], shown = one_seed(seed, name, images, reader, y, x, linear)
            if seed == 0:
                with paths.written_whole(burda2016.FOLDER / f"digits-{name}.npz") as temporary:
                    np.savez_compressed(temporary, shown)
            paths.write_text(path, json.dumps(facts, indent=1))
            print(
                seed,
                {key: round(facts["seeds"][str(seed)]["sharp"][key], 4) for key in COLUMNS},
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m twinvae_studies.digits_cvae torch|tf")
    main(sys.argv[1])
