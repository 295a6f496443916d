"""A CVAE of MNIST against a baseline without a network.

One Gaussian a class in principal components obeys its label, varies, and takes a second to fit.  To pass it in all at
once takes a CVAE two steps after its training, a prior of mixtures and contrast (`fitted_priors`).  Notebook 09 shows
it.
"""

import itertools
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import expit, logsumexp

from twinvae import data, randomness
from twinvae.metrics import baselines, samples
from twinvae.metrics.judge import Judge
from twinvae.spec import Activation, Dense, Film, Flatten, ModelSpec, mlp
from twinvae.training import Job, per_image
from twinvae_studies import evaluation, fitted_priors, papers, planning
from twinvae_studies.planning import sizes

AXES, BATCH = 50, 128  # AXES: the principal axes of the baseline
VARIANCES, FLOORS = (0.1, 0.2, 0.3), (0.0005, 0.001, 0.003, 0.01)  # the baseline's, chosen on validation images
WORDS = {
    "standard": "CVAE, N(0, I)",
    "mixture": "CVAE, mixtures",
    "sharp": "CVAE, mixtures, contrast",
    "pca": "PCA per class",
    "real": "validation images",
}
COLUMNS = ("accuracy", "diversity", "cas", "frechet", "sharpness")
AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    images=(sizes(600, 200, 200), sizes(10_000, 1_000, 2_000), sizes(None, None, None)),
    phases=(((1, 1e-3), (1, 2e-4)), ((6, 1e-3), (2, 2e-4)), ((24, 1e-3), (6, 2e-4))),  # epochs, learning rate
    seeds=(1, 1, 3),
    each=(10, 100, 500),  # samples a class
    measured=(20, 200, 2_000),  # the first test images, whose -log p is estimated
    draws=(5, 50, 500),  # of a code for each of these
)


def model() -> ModelSpec:
    """Return 784-512-512-16 and mirror; the label enters the encoder, and scales and shifts the decoder's units."""
    layers = {"encoder": (Flatten(), *mlp(512, 512)), "decoder": (Dense(512), Film(), Activation("relu")) * 2}
    label = dict(num_classes=10, encoder_condition="concat", decoder_condition="film")
    return ModelSpec("digits_cvae", "cvae", (28, 28, 1), 16, init="keras", **layers, **label)


def jobs(profile: str, backend_name: str) -> list[Job]:
    """Return a training a seed."""
    amount = AMOUNTS[profile]
    recipe = data.Recipe("mnist", **amount.images)
    phases = [papers.settings(amount.phases, BATCH, seed) for seed in range(amount.seeds)]
    return [Job(model(), each, recipe, backend_name, seed=seed) for seed, each in enumerate(phases)]


# ---------------------------------------------------------------- the baseline
def linear_nll(
    pca: baselines.ClassPCA, x: np.ndarray, y: np.ndarray, count: int, variance: float, floor: float
) -> np.ndarray:
    """Return -log p(x | y) of binary images in nats under PCA per class, as a linear CVAE of Bernoulli pixels.  [N]

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


@lru_cache(maxsize=2)
def baseline(images: data.Splits, judge: Judge, profile: str) -> tuple[dict, np.ndarray]:
    """Return the point of PCA per class, and -log p(x | y) of the first test images, binarised.  -> point, [N]"""
    amount = AMOUNTS[profile]
    pca = baselines.ClassPCA.fit(data.scale(images.train.x), images.train.y, AXES)
    valid = data.binarise(data.scale(images.valid.x[:500]), "fixed")
    x = data.binarise(data.scale(images.test.x[: amount.measured]), "fixed")
    tried = {
        (v, f): linear_nll(pca, valid, images.valid.y[: len(valid)], min(100, amount.draws), v, f).mean()
        for v in VARIANCES
        for f in FLOORS
    }
    variance, floor = min(tried, key=tried.get)
    found = linear_nll(pca, x, images.test.y[: len(x)], amount.draws, variance, floor)
    y = evaluation.balanced(10, amount.each)
    seen = worth(judge, pca.sample(y, randomness.rng(0, "prior")), y, images.test)
    return {"variance": variance, "floor": floor, **seen, "nll": found.mean()}, found


# ---------------------------------------------------------------- the study
def worth(judge: Judge, x: np.ndarray, y: np.ndarray, test: data.Images) -> dict[str, float]:
    """Return what samples for the labels y are worth, under COLUMNS."""
    seen = evaluation.judged(judge, x, y, test)
    seen["cas"] = samples.classification_accuracy_score(x, y, data.scale(test.x), test.y)
    return {name: float(seen[name]) for name in COLUMNS}


def one_seed(run, job: Job, judge: Judge, linear: np.ndarray) -> tuple[list[dict], np.ndarray, dict]:
    """Return the points of a model, eight samples of each class, and its card; `linear` is the baseline's -log p.  [N]

    A point is a kind of samples: COLUMNS, -log p(x | y), and the least gain over the baseline within its 95 % interval.
    """
    trained, images, amount = papers.train(run, job), papers.images(job.data), AMOUNTS[run.profile]
    y = evaluation.balanced(10, amount.each)
    prior = fitted_priors.of_codes(trained, images.train)
    logits = trained.predict("decode", prior.sample(y), evaluation.one_hot(trained, y))
    made = {"standard": evaluation.generate(trained, y, job.seed), "mixture": expit(logits)}
    made["sharp"] = fitted_priors.sharpened(logits, y, images.valid)[0]
    x = data.binarise(data.scale(images.test.x[: amount.measured]), "fixed")

    def measure(first: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack(list(fitted_priors.nll(trained, x, y, prior, amount.draws, first).values()))

    nll = per_image(trained, f"nll-{amount.draws}", measure, x, images.test.y[: len(x)])
    rows = [{"samples of": kind, "seed": job.seed} | worth(judge, x, y, images.test) for kind, x in made.items()]
    rows[0]["KL"] = evaluation.elbo_terms(trained, images.test)["kl"]
    for row, values in zip(rows, nll, strict=False):  # contrast, the third, is no model
        row |= {"nll": values.mean(), "gain": papers.interval(linear - values)["low"]}
    return rows, made["sharp"][np.concatenate([np.flatnonzero(y == k)[:8] for k in range(10)])], trained.card


def study(run, backend_name: str, judge: Judge) -> dict:
    """Return the facts of a twin: `points`, the baseline's (`pca`) and those of validation images (`real`), too.

    `shown` are samples of seed 0.
    """
    asked = jobs(run.profile, backend_name)
    images = papers.images(asked[0].data)
    pca, linear = baseline(images, judge, run.profile)
    parts, shown, cards = zip(*(one_seed(run, job, judge, linear) for job in asked), strict=True)
    real = worth(judge, data.scale(images.valid.x), images.valid.y, images.test)
    points = [*itertools.chain(*parts), {"samples of": "pca"} | pca, {"samples of": "real"} | real]
    known = {"seeds": len(asked), "images": len(linear), "shown": shown[0], "cards": cards}
    return known | {"points": pd.DataFrame(points)}


def table(facts: dict) -> pd.DataFrame:
    """Return a row a kind of samples: means over seeds, the deviation of accuracy, KL and -log p(x | y) if any."""
    kinds = facts["points"].groupby("samples of", sort=False)
    means = kinds[[*COLUMNS, "KL", "nll"]].mean()
    means.insert(len(COLUMNS), "deviation", kinds.accuracy.std())
    return means.rename(index=WORDS).reset_index()


def numbers(found: dict[str, dict]) -> dict[str, float]:
    """Return the worst of the twins' seeds in all in which the CVAE is to pass the baseline, and the baseline."""
    points = pd.concat([facts["points"] for facts in found.values()])
    kinds, passed = points.groupby("samples of"), ["accuracy", "diversity", "cas"]
    least, most = kinds[[*passed, "gain", "KL"]].min(), kinds[passed].max()
    known = {f"least_{name}": least.loc["sharp", name] for name in passed}
    known |= {f"pca_{name}": most.loc["pca", name] for name in passed}
    known |= {"least_gain": least.loc["mixture", "gain"], "least_kl": least.loc["standard", "KL"]}
    return known | {"seeds": sum(facts["seeds"] for facts in found.values())}


def keep(run, known: dict[str, float]) -> None:
    """Keep `numbers` under `digits_...`, in the format of each."""
    for name, value in known.items():
        fine = ".4f" if "accuracy" in name else ".3f" if "cas" in name or "diversity" in name else ".1f"
        run.number(f"digits_{name}", value, "d" if name == "seeds" else fine)


def passed(known: dict[str, float]) -> dict[str, bool]:
    """Return for each goal whether the worst training of `numbers` reaches it."""
    return {
        "likelihood": known["least_gain"] > 0,
        "accuracy within a point": known["least_accuracy"] >= known["pca_accuracy"] - 0.01,
        "CAS": known["least_cas"] > known["pca_cas"],
        "diversity of 0.8": known["least_diversity"] >= 0.8,
        "KL of 10 nats": known["least_kl"] >= 10,
    }
