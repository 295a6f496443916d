"""Report 000's codes and samples: what notebook 07 measures of them, beside real characters.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N], codes z [N, Z], K classes.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special, stats
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from twinvae import data, randomness
from twinvae.metrics.judge import Judge
from twinvae_studies import evaluation
from twinvae_studies.evaluation import Trained

FORMATS = {"accuracy": ".3f", "diversity": ".3f", "frechet": ".1f", "sharpness": ".4f"}  # of `evaluation.judged`
ALONE = {"digits": ("mnist", range(10)), "letters": ("emnist_letters", range(10, 36))}  # the sets in the 36 classes


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


def contrasted(trained: Trained, y: np.ndarray, factor: float) -> np.ndarray:
    """Return `evaluation.generate` with the decoder's logits multiplied by a factor.  [N] -> [N, H, W, C]"""
    z = randomness.rng(0, "prior").standard_normal((len(y), trained.spec.latent_dim))
    return special.expit(factor * trained.predict("decode", z, evaluation.one_hot(trained, y)))


def keep_pairs(run, asked: np.ndarray, real: np.ndarray, names: Sequence[str]) -> None:
    """Keep how often 0 and O, 1 and I are taken for each other in samples and in real images; see `lookalikes`."""
    every = lookalikes(asked, real, names, len(names) ** 2).set_index("pair")
    for pair in ("0 O", "1 I"):
        key = f"pair_{pair.replace(' ', '').lower()}"
        run.number(key, every.samples[pair], ".3f")
        run.number(f"{key}_real", every.real[pair], ".3f")


def alone(
    run, kind: str, judge: Judge, both: Judge, made: list[np.ndarray], y: np.ndarray, real: data.Images
) -> dict[str, float]:
    """Keep and return in what share of digits or letters, samples or real, a judge sees the class: a table's row.

    `judge` knows this set alone, `both` all 36 classes; made: samples of y, a seed each.
    """
    classes = ALONE[kind][1]
    here, there = np.isin(y, classes), np.isin(real.y, classes)
    x_real, y_real = data.scale(real.x[there]), real.y[there]

    def right(x: np.ndarray, labels: np.ndarray) -> list[float]:
        seen = both.probabilities(x).argmax(1), judge.probabilities(x).argmax(1) + classes.start
        return [float((label == labels).mean()) for label in seen]

    of_both, of_one = zip(*(right(x[here], y[here]) for x in made), strict=True)
    row = {"characters": kind}
    row["samples, judge of all 36"] = evaluation.keep(run, f"{kind}_accuracy", of_both, ".3f")[0]
    row["samples, judge of these alone"] = evaluation.keep(run, f"{kind}_alone", of_one, ".3f")[0]
    row["test images, judge of all 36"], row["test images, of these alone"] = right(x_real, y_real)
    return row


def without_case(p: np.ndarray, y: np.ndarray, names: Sequence[str]) -> float:
    """Return the share in which the judge sees the character, upper or lower case.  [N, K], [N] -> 0..1"""
    upper = np.array([name.upper() for name in names])
    return float((upper[p.argmax(1)] == upper[y]).mean())


def means(seen: list[dict[str, float]]) -> dict[str, float]:
    """Return the means over seeds of what the judge says (see FORMATS), and the deviation of its accuracy."""
    deviation = evaluation.mean_sd([row["accuracy"] for row in seen])[1]
    return {name: float(np.mean([row[name] for row in seen])) for name in FORMATS} | {"deviation": deviation}


def beside(run, column: str) -> list[dict]:
    """Return the rows of a table that stand beside samples: a Gaussian in each class's principal components, and
    real characters."""
    pca = {name: run.numbers[f"pca_{name}"] for name in FORMATS}
    real = {"accuracy": run.numbers["judge_accuracy"], "diversity": 1.0, "sharpness": run.numbers["data_sharpness"]}
    return [{column: "PCA per class"} | pca, {column: "test images"} | real]


def told_from_prior(z: np.ndarray) -> float:
    """Return how often a small network tells codes from draws of N(0, I), on a held-out half.  [N, Z] -> 0..1

    0.5 where they are alike.  What it finds is there; what it misses may be there all the same.
    """
    both = np.concatenate([z, randomness.rng(0, "prior").standard_normal(z.shape)])
    of_codes = np.arange(len(both)) < len(z)
    fit, held = train_test_split(np.arange(len(both)), test_size=0.5, stratify=of_codes, random_state=0)
    network = MLPClassifier((64,), early_stopping=True, random_state=0).fit(both[fit], of_codes[fit])
    return float(network.score(both[held], of_codes[held]))
