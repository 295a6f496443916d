"""Tables of notebook 05, a row at a time; the numbers of most rows are kept in the run, where claims find them.

Tasks are 1 (consonant or vowel), 2 (the letter) and 3 (the angle); 0 is the VAE, which is told nothing. Arrays are
NumPy: images x [N, H, W, C] in [0, 1], labels y [N].
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import pairwise_distances

from twinvae import data, randomness
from twinvae.data import Images, Splits
from twinvae.metrics import baselines, cost, latent, samples
from twinvae.metrics.judge import Judge
from twinvae.spec import ModelSpec, count_weights
from twinvae_studies import evaluation, report001, report002
from twinvae_studies.evaluation import Trained

CONDITIONS = {1: "0 or 1", 2: "one-hot, 24 letters", 3: "one-hot, 4 angles"}
LOOKS = {"sharpness": ".4f", "frechet": ".1f", "sure": ".3f", "letters": ".1f"}  # of any images
OBEYS = {"accuracy": ".3f", "diversity": ".3f"}  # of images that were asked for
FORMATS = LOOKS | OBEYS
CODE = {"probe": ".3f", "between": ".3f", "active": ".1f", "kl": ".1f"}  # of what a code says of its image
LAYERS = {
    "order_report": "32-16-32, as the report",
    "order_rising": "16-32-32",
    "order_flat": "32-32-32",
    "no_batchnorm": "without batch normalisation",
    "task3_report": "task 3, as the report",
    "task3_filters": "task 3, twice the filters",
    "task3_layers": "task 3, a layer more on each side",
}
CURES = {"beta": "KL weighted 0.3", "gaussian": "Gaussian, variance 0.05", "prior": "learned prior"}
CURED = {"order_report": "task 2, as the report", "task3_report": "task 3, as the report"} | {
    f"remedy{t}_{cure}": f"task {t}, {words}" for t in CONDITIONS for cure, words in CURES.items()
}
SIZES = {f"width{w}": f"filters {w}-{w // 2}-{w}" for w in (8, 16)}
SIZES |= {"order_report": "filters 32-16-32, the light model", "width64": "filters 64-32-64"}
SIZES |= {f"z{z}": f"32-16-32, code of {z}" for z in report001.LATENT_DIMS}
SMALL = {"loss": ".1f", "accuracy": ".3f", "diversity": ".3f", "frechet": ".1f", "sharpness": ".4f", "active": ".1f"}


def prefix(task: int) -> str:
    """Return how the names of a model's numbers begin: t1, t2, t3 or vae."""
    return f"t{task}" if task else "vae"


def architectures(exact: dict[int, ModelSpec], light: dict[int, ModelSpec]) -> pd.DataFrame:
    """Return the report's Table 1 from the specs of its tasks, and below the light models; a column a task."""
    columns = {}
    for t, model in exact.items():
        columns[f"task {t}"] = {"classes": model.num_classes, "condition": CONDITIONS[t]}
        for words, m in (("", model), ("light: ", light[t])):
            for side in ("encoder", "decoder"):
                filters = [str(layer.filters) for layer in getattr(m, side) if hasattr(layer, "filters")]
                columns[f"task {t}"][f"{words}{side}, filters"] = "-".join(filters)
            counted = {"size of the code": m.latent_dim, "weights": f"{count_weights(m):,}"}
            counted["multiply-adds"] = f"{cost.multiply_adds(m):,}"
            columns[f"task {t}"] |= {f"{words}{name}": value for name, value in counted.items()}
    return pd.DataFrame(columns)


# ---------------------------------------------------------------- samples
def looks(judge: Judge, x: np.ndarray, letters: Images) -> dict[str, float]:
    """Return how images look: sharpness, Frechet distance to the training images, how sure the judge of letters is."""
    p = judge.probabilities(x)
    distance = samples.frechet_distance(judge.features(x), evaluation.real_features(judge, letters))
    seen = {"sharpness": samples.sharpness(x).mean(), "frechet": distance}
    return seen | {"sure": samples.confidence(p), "letters": np.exp(samples.class_entropy(p))}


def of_samples(
    task: int, x: np.ndarray, y: np.ndarray, judges: dict[int, Judge], images: dict[int, Splits]
) -> dict[str, float]:
    """Return how samples of a task look, turned upright, and, where y was asked for, how well they obey and vary."""
    seen = looks(judges[2], report001.upright(x, y) if task == 3 else x, images[2].train)
    if not task:
        return seen
    obeyed = evaluation.judged(judges[task], x, y, images[task].train)
    return seen | {name: obeyed[name] for name in OBEYS}


def held_against(run: Any, judge: Judge, letters: Splits, y: np.ndarray, components: int) -> list[dict]:
    """Keep and return rows of what samples of letters y are held against: principal components and real images."""
    x_train, y_train = data.scale(letters.train.x), letters.train.y
    pca = baselines.ClassPCA.fit(x_train, y_train, components).sample(y, randomness.rng(0, "prior"))
    images = {"PCA per letter": pca, "training images": x_train, "test images": data.scale(letters.test.x)}
    obeyed = evaluation.judged(judge, pca, y, letters.train)
    known = {"accuracy": evaluation.real_accuracy(judge, letters.train), "diversity": 1.0}
    right = [{name: obeyed[name] for name in OBEYS}, known, {"accuracy": evaluation.real_accuracy(judge, letters.test)}]
    rows = []
    for (words, x), more in zip(images.items(), right, strict=True):
        rows.append({"images": words} | looks(judge, x, letters.train) | more)
        for name, fmt in FORMATS.items():
            if name in rows[-1]:
                run.number(f"{words.split()[0].lower()}_{name}", rows[-1][name], fmt)
    return rows


def by_letter(run: Any, probabilities: list[np.ndarray], y: np.ndarray, letters: Images) -> pd.DataFrame:
    """Return quality, accuracy and bytes of each letter, worst quality first; keep what is said of L, P, Q and C.

    Quality is the judge's mean probability of the letter asked for; its probabilities [N, K] are a list over seeds.
    """
    p, names = np.mean(probabilities, axis=0), letters.class_names
    hits = np.mean([one.argmax(1) == y for one in probabilities], axis=0)
    found = pd.DataFrame({"quality": report001.by_class(p[np.arange(len(y)), y], y, len(names))}, list(names))
    found["accuracy"] = report001.by_class(hits, y, len(names))
    found["bytes"] = report001.by_class(report001.complexity(data.scale(letters.x)), letters.y, len(names))
    found = found.sort_values("quality", kind="stable")
    run.number("lpq_accuracy", found.accuracy[list("LPQ")].mean(), ".3f")
    run.number("lpq_among_worst", int(found.index[:6].isin(list("LPQ")).sum()), "d")
    run.number("q_accuracy", found.accuracy["Q"], ".3f")
    run.number("c_accuracy", found.accuracy["C"], ".3f")
    run.number("c_rank", len(found) - found.index.get_loc("C"), "d")
    run.number("c_simplicity", 1 + int((found.bytes < found.bytes["C"]).sum()), "d")
    run.number("complexity_correlation", spearmanr(found.bytes, found.quality).statistic, ".2f")
    return found


# ---------------------------------------------------------------- codes
def of_codes(run: Any, task: int, models: list[Trained], images: Images) -> dict[str, float]:
    """Keep and return what codes say of the condition, how many units vary, and the KL; the classes' chance, too."""
    x, rows = data.scale(images.x), []
    for m in models:
        row = report002.class_knowledge(m, x, images.y)
        row["active"] = latent.active_units(evaluation.codes(m, x, images.y)[0]).sum()
        rows.append(row | {"kl": evaluation.elbo_terms(m, images)["kl"]})
    chance = run.number(f"{prefix(task)}_chance", np.bincount(images.y).max() / len(images), ".3f")
    return {"chance": chance} | evaluation.keep_columns(run, prefix(task), rows, CODE)


def neighbours(z: np.ndarray, y: np.ndarray, group: np.ndarray | None = None) -> float:
    """Return the share of codes whose nearest other code is of the same class.  [N, Z], [N] -> 0..1

    With `group` [N] only codes of other groups count as others.
    """
    group = np.arange(len(z)) if group is None else group
    distance = pairwise_distances(z)
    distance[group[:, None] == group] = np.inf
    return float((y[distance.argmin(1)] == y).mean())


def kl_of_units(trained: Trained, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the KL of each unit in nats per image, the largest first.  -> [Z]"""
    return np.sort(latent.kl_per_dimension(*evaluation.codes(trained, x, y)))[::-1]


def same_code(x: np.ndarray) -> float:
    """Return how far apart images of one code are under two labels, over how far those of two codes are under one.

    [codes, labels, H, W, C]: 0 where the code alone makes the picture, above 1 where the label changes it more.  Angles
    are to be turned upright before.
    """
    flat = x.reshape(*x.shape[:2], -1)
    within = ((flat[:, :, None] - flat[:, None]) ** 2).sum(-1)
    across = ((flat[:, None] - flat[None]) ** 2).sum(-1)
    codes, labels = x.shape[:2]
    return float(within.sum() / (codes * labels * (labels - 1)) / (across.sum() / (labels * codes * (codes - 1))))


# ---------------------------------------------------------------- small trainings
def small(run: Any, name: str, seen: dict[str, Any]) -> dict[str, float]:
    """Keep and return what `report001.measured` found of small trainings: weights, and means over seeds."""
    row = {"weights": seen["weights"]}
    for column, fmt in SMALL.items():
        row[column], sd = evaluation.keep(run, f"{name}_{column}", seen[column], fmt)
        row |= {"sd": sd} if column == "loss" else {}
    return row


def named(rows: dict[str, dict], words: dict[str, str]) -> pd.DataFrame:
    """Return the rows of a table in the order of `words`, name -> what the table calls it."""
    return pd.DataFrame([{"model": called} | rows[name] for name, called in words.items()])
