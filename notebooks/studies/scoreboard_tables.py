"""The scoreboards of finished runs as tables: means over seeds, beside a baseline without a network, and ranks.

Notebook 09 shows them.  A board has the columns of `results.COLUMNS`.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from twinvae import backend, data, randomness
from twinvae.metrics import baselines, samples
from twinvae.metrics import judge as judges
from twinvae.metrics.judge import Judge
from twinvae_studies import evaluation, report001

EACH = {  # judge -> samples a class, as few as a notebook draws for its models
    **{"mnist": 200, "usps": 100, "characters": 100, "nist": 50, "cifar10": 30},
    **{"sign_vowel": 480, "sign_language": 40, "sign_rotation": 240},
}
IMAGES, AXES = 10_000, 50  # of the baseline: training images at most, principal axes of each class
OF_SPREAD = ["diversity", "frechet", "frechet_floor", "precision", "recall"]  # need varied test images
BELOW = "below PCA in"
LIMITS = {"conditional_accuracy": "accuracy", "diversity": "diversity", "cas": "CAS"}
NAMES = {"frechet": "Fréchet", "kl": "KL", "elbo": "ELBO", "parameters": "weights"}
NAMES |= LIMITS | {"log_p": "-log p(x)", "seconds_per_epoch": "s/epoch", "active_units": "active"}
NAMES |= {"gemm_fraction": "share of limit"}
OF_SAMPLES = {"accuracy": ".3f", "diversity": ".2f", "CAS": ".3f", "Fréchet": ".0f", "-log p(x)": ".1f"}
OF_CODES = {"weights": ",d", "s/epoch": ".2f", "ELBO": ".1f", "KL": ".1f", "active": ".0f"}
RANKED = {  # which way is better
    **{"accuracy": 1, "diversity": 1, "CAS": 1, "Fréchet": -1, "precision": 1, "recall": 1},
    **{"-log p(x)": -1, "active": 1, "share of limit": 1, "s/epoch": -1},
}


def judge_of(model: str, dataset: str) -> str:
    """Return the judge that a model's samples are measured by: its data set's, of report 001 its task's."""
    _, task, number = model.rpartition("_task")
    return report001.JUDGES[int(number)] if task else dataset


def near_duplicates(dataset: str) -> bool:
    """Return whether a data set holds bursts of one photograph, which lie on one side when it is cut."""
    return dataset in data.SETS and data.SETS[dataset].groups.endswith("near_duplicates")


def means(board: pd.DataFrame) -> pd.DataFrame:
    """Return a row a model, twin and data set under NAMES: means over seeds, `seeds`, `judge`.

    Columns OF_SPREAD are empty where the test images are near-duplicates, one photograph or two a class: a spread or a
    neighbourhood in them is that of a burst of shots.  -log p(x) is empty where a CVAE has only its -log p(x | y).
    """
    board = board.astype(dict.fromkeys(OF_SPREAD, float))
    board.loc[board.dataset.map(near_duplicates), OF_SPREAD] = np.nan
    groups = board.groupby(["model", "backend", "dataset", "profile", "report"], sort=False, dropna=False)
    found = groups.mean(numeric_only=True).reset_index().assign(seeds=groups.seed.nunique().to_numpy())
    labelled = found.conditional_accuracy.notna()
    found["log_p"] = found.nll_marginal.where(labelled, found.nll_is)
    found["judge"] = [judge_of(*names) for names in zip(found.model, found.dataset, strict=True)]
    return found.astype({"parameters": int}).rename(columns=NAMES)


def floor(judge: Judge, images: data.Splits, each: int) -> dict[str, float | int | str]:
    """Return what a Gaussian in the principal axes of each class comes to: `each` samples a class, and no network."""
    train = images.train.subset(slice(None, None, -(-len(images.train) // IMAGES)))
    pca = baselines.ClassPCA.fit(data.scale(train.x), train.y, min(AXES, np.bincount(train.y).min() - 1))
    y = evaluation.balanced(train.num_classes, each)
    made = pca.sample(y, randomness.rng(0, "prior"))
    seen = evaluation.judged(judge, made, y, images.test)
    cas = samples.classification_accuracy_score(made, y, data.scale(images.test.x), images.test.y)
    worth = {"accuracy": seen["accuracy"], "diversity": seen["diversity"], "CAS": cas, "Fréchet": seen["frechet"]}
    if near_duplicates(images.source.dataset):
        worth |= dict.fromkeys(("diversity", "Fréchet"), np.nan)
    return {"data": images.source.label, "classes": train.num_classes, "images": len(train), "samples": len(y)} | worth


def floors(names: Iterable[str], mnist: data.Splits, may_train: bool) -> dict[str, dict]:
    """Return `floor` by the judges of these names, with the splits of MNIST that are at hand."""
    found = {}
    for name in names:
        recipe = judges.RECIPES[name]
        images = mnist if name == "mnist" else data.splits(recipe.dataset, **recipe.options)
        found[name] = floor(judges.of(name, images, backend.get("torch"), may_train), images, EACH[name])
    return found


def with_marks(found: pd.DataFrame, floors: Mapping[str, dict]) -> pd.DataFrame:
    """Return `means` with a column that names in what a model is below its judge's floor; 'nothing' for a good one.

    It is empty for a model without labels, and where no floor was measured.
    """
    marks = []
    for row in found.to_dict("records"):
        limits = floors.get(row["judge"])
        low = [name for name in LIMITS.values() if limits and row[name] < limits[name]]
        marks.append((", ".join(low) or "nothing") if limits and row["accuracy"] == row["accuracy"] else None)
    return found.assign(**{BELOW: marks})


def ranks(found: pd.DataFrame, least: int = 3) -> pd.DataFrame:
    """Return for each model the share of the others under its judge that it beats, 0..1; ties count half.

    [models, RANKED]; judges with fewer than `least` models are left out.  -log p(x) is ranked within a notebook:
    among the models of one report, whose likelihood is its own.
    """
    report = found.report.ffill()  # a model of our own beside those of a report has none
    better = found[[*RANKED]] * pd.Series(RANKED)
    shares = {}
    for name in RANKED:
        groups = better[name].groupby([found.judge, report] if name == "-log p(x)" else found.judge)
        shares[name] = (groups.rank() - 1) / (groups.transform("count") - 1).where(lambda n: n > 0)
    many = found.groupby("judge").model.transform("size") >= least
    rows = found.model + ", " + found.backend + ", " + found.profile
    return pd.DataFrame(shares).set_index(rows.rename("model"))[many.to_numpy()]
