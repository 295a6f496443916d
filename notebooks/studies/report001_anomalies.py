"""Anomaly detection without labels, report 001's example (section 3.4) of what a VAE is better for.

A model is trained on what is normal; what it finds unlikely is strange. Arrays are NumPy: x
[N, H, W, C] in [0, 1].
"""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn.datasets import fetch_kddcup99, load_breast_cancer
from sklearn.metrics import roc_curve

from twinvae import data, randomness
from twinvae.data import Images, Source, Splits
from twinvae.data.sign_language import VOWELS
from twinvae.metrics import anomaly, checks
from twinvae.spec import Flatten, ModelSpec, TrainSpec, mlp
from twinvae.training import Job
from twinvae_studies import evaluation, planning
from twinvae_studies.evaluation import Trained
from twinvae_studies.planning import sizes

AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    digits=(sizes(400, 100, 200), sizes(10_000, 1_000, 2_000), sizes(10_000, 1_000, 2_000)), most_epochs=(1, 150, 150)
)
DETECTORS = {  # what is normal -> shape and classes, hidden units, size of the code, epochs
    "mnist": ((28, 28, 1), 8, 128, 16, 6),
    "signs": ((28, 28, 1), 19, 128, 16, 12),
    "small": ((8, 8, 1), 8, 32, 8, 60),
    "tumours": ((1, 30, 1), 1, 16, 3, 150),
    "traffic": ((1, 38, 1), 1, 32, 5, 20),
}
HELD_OUT = {"mnist": (1, 8), "signs": VOWELS, "small": (1, 8)}
SLUGS = {  # a detector -> how the names of its numbers end
    "VAE, error": "vae_error",
    "VAE, -ELBO": "vae_elbo",
    "CVAE, error": "cvae_error",
    "CVAE, -ELBO": "cvae_elbo",
    "PCA, error": "pca",
    "isolation forest": "forest",
}


# ---------------------------------------------------------------- what is trained
def jobs(profile: str, backend: str, letters: data.Recipe, settings: TrainSpec) -> dict[str, dict[str, Job]]:
    """Return the detectors, what is normal -> kind -> job; network traffic only where it is at hand."""
    found = {}
    for name, recipe in normal_images(profile, letters).items():
        shape, classes, hidden, latent_dim, epochs = DETECTORS[name]
        size = min(settings.batch_size, 32 if name == "tumours" else 64)
        how = replace(settings, epochs=min(epochs, AMOUNTS[profile].most_epochs), batch_size=size)
        likelihood = "gaussian_learned" if name in ("tumours", "traffic") else "bernoulli"
        kinds = {"VAE": 0} | ({"CVAE": classes} if classes > 1 else {})
        found[name] = {}
        for kind, k in kinds.items():
            model = detector(f"{name}_{kind.lower()}", shape, hidden, latent_dim, k, likelihood)
            found[name][kind] = Job(model, (how,), recipe, backend)
    return found


def detector(
    name: str, shape: tuple[int, int, int], hidden: int, latent_dim: int, classes: int = 0, likelihood="bernoulli"
) -> ModelSpec:
    """Return a VAE with one hidden layer on each side, or with classes a CVAE."""
    label = dict.fromkeys(("encoder_condition", "decoder_condition"), "concat" if classes else "none")
    how = dict(num_classes=classes, likelihood=likelihood, init="keras", **label)
    kind = "cvae" if classes else "vae"
    return ModelSpec(name, kind, shape, latent_dim, (Flatten(), *mlp(hidden)), mlp(hidden), **how)


# ---------------------------------------------------------------- what is normal, and what is not
def normal_images(profile: str, letters: data.Recipe) -> dict[str, data.Recipe]:
    """Return the recipe of what is normal, by name; network traffic only where it is at hand."""
    pictures = {"mnist": planning.recipe("mnist", AMOUNTS[profile].digits), "signs": letters}
    pictures["small"] = planning.recipe("digits", sizes(None, None, None))
    found = {name: planning.left_out(recipe, HELD_OUT[name]) for name, recipe in pictures.items()}
    found["tumours"] = data.Recipe("", transform=f"{__name__}:benign_tumours")
    if profile != "smoke" and network_traffic():
        found["traffic"] = data.Recipe("", transform=f"{__name__}:normal_traffic")
    return found


def cases(profile: str, letters: Splits) -> dict[str, tuple[Splits, dict[str, np.ndarray]]]:
    """Return what is normal, and images [N, H, W, C] of each thing that is strange; network traffic where at hand."""
    normal = {name: data.from_recipe(recipe) for name, recipe in normal_images(profile, letters.recipe).items()}
    digits, small = data.splits("mnist", **AMOUNTS[profile].digits), data.splits("digits")
    turned = {name: np.rot90(data.scale(normal[name].test.x), axes=(1, 2)).copy() for name in HELD_OUT}
    strange = {
        "mnist": {"one": only(digits, 1), "eight": only(digits, 8), "turned": turned["mnist"]},
        "signs": {"vowels": np.concatenate([only(letters, k) for k in VOWELS]), "turned": turned["signs"]},
        "small": {"one": only(small, 1), "eight": only(small, 8), "turned": turned["small"]},
        "tumours": {"malignant": tumours()[1]},
    }
    strange["mnist"]["signs"] = data.scale(letters.test.x)
    strange["signs"]["digits"] = data.scale(normal["mnist"].test.x)
    if "traffic" in normal:
        strange["traffic"] = {"attacks": network_traffic()[1]}
    return {name: (normal[name], images) for name, images in strange.items()}


def only(images: Splits, label: int) -> np.ndarray:
    """Return the test images of one class.  -> [N, H, W, C]"""
    return data.scale(images.test.x[images.test.y == label])


def benign_tumours() -> Splits:
    """Return what is normal among `tumours`."""
    return tumours()[0]


def normal_traffic() -> Splits:
    """Return what is normal in `network_traffic`.  FileNotFoundError where it cannot be fetched."""
    if found := network_traffic():
        return found[0]
    raise FileNotFoundError("KDD Cup 1999 is not at hand; scikit-learn fetches it where there is a network.")


def tumours() -> tuple[Splits, np.ndarray]:
    """Return breast cancer, Wisconsin (Wolberg et al. 1995), 30 measurements of each of 569 tumours, from scikit-learn.

    The benign ones and the malignant ones, as `as_images` has them: [212, 1, 30, 1].
    """
    table = load_breast_cancer()
    source = Source("breast_cancer", "breast cancer (scikit-learn)", "official")
    return as_images(table.data[table.target == 1], table.data[table.target == 0], "benign", source)


def network_traffic(cases: int = 10_000) -> tuple[Splits, np.ndarray] | None:
    """Return KDD Cup 1999, report 001's own example: normal connections and attacks; None where it cannot be fetched.

    The 38 of 41 columns that are numbers, as log(1 + v), since they count bytes and connections; at most `cases` normal
    ones, drawn by seed 0.  scikit-learn fetches a tenth of the set once (2 MB) and keeps it in its own folder.
    """
    try:
        # scikit-learn says that it tries again, with a path of this machine
        with warnings.catch_warnings(action="ignore"):
            table = fetch_kddcup99(subset="SA", random_state=0, n_retries=1, delay=0.1)
    except OSError:  # no network
        return None
    rows = np.log1p(np.delete(table.data, (1, 2, 3), axis=1).astype(float))
    normal = table.target == b"normal."
    few = np.random.default_rng(0).permutation(np.flatnonzero(normal))[:cases]
    return as_images(rows[few], rows[~normal], "normal", Source("kddcup99", "KDD Cup 1999 (scikit-learn)", "official"))


def as_images(normal: np.ndarray, strange: np.ndarray, name: str, source: Source) -> tuple[Splits, np.ndarray]:
    """Return tables [N, F], [M, F] as images of a row of F pixels: the normal, 60 : 10 : 30 by seed 0, and the strange.

    The range of the normal ones in training fills the middle half of 256 shades, so that there is room on both sides.
    """
    order = np.random.default_rng(0).permutation(len(normal))
    train, valid, test = np.split(normal[order], [int(0.6 * len(order)), int(0.7 * len(order))])
    low = train.min(0)
    width = np.ptp(train, 0)

    def pixels(rows: np.ndarray) -> np.ndarray:
        shades = np.clip(64 + 127 * (rows - low) / np.where(width > 0, width, 1), 0, 255)
        return shades.round().astype(np.uint8).reshape(len(rows), 1, -1, 1)

    parts = (Images(pixels(rows), np.zeros(len(rows), np.int64), (name,), source) for rows in (train, valid, test))
    return Splits(*parts), data.scale(pixels(strange))


# ---------------------------------------------------------------- how strange
def scores(trained: Trained, x: np.ndarray, shares: np.ndarray, samples: int = 4) -> dict[str, np.ndarray]:
    """Return how strange images are: `error`, squared error, and `elbo`, its negative in nats.

    [N, H, W, C], [K] -> name -> [N].  A CVAE is not told the label: its error is the least over all labels, and the
    label is summed out of its bound, -log sum_y p(y) e^ELBO(x, y), `shares` being p(y).  Each ELBO is the mean over
    some draws of z.
    """
    eps = randomness.rng(0, "eps").standard_normal((samples, len(x), trained.spec.latent_dim))
    errors, bounds = [], []
    for label in range(trained.spec.num_classes or 1):
        y = np.full(len(x), label)
        hot = evaluation.one_hot(trained, y)
        errors.append(evaluation.squared_error(x, evaluation.reconstruct(trained, x, y)))
        losses = [np.sum(trained.predict("loss_terms", x, x, hot, e), axis=0) for e in eps]
        prior = np.log(shares[label]) if trained.spec.num_classes else 0
        bounds.append(prior - np.mean(losses, axis=0, dtype=np.float64))
    return {"error": np.min(errors, axis=0), "elbo": -logsumexp(bounds, axis=0)}


def all_scores(models: dict[str, Trained], train: Images, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return all scores of images: two of each model, and those of PCA and an isolation forest.  -> name -> [N]"""
    normal = data.scale(train.x)
    shares = np.bincount(train.y) / len(train)
    found = {}
    for name, trained in models.items():
        ours = scores(trained, x, shares)
        found |= {f"{name}, error": ours["error"], f"{name}, -ELBO": ours["elbo"]}
    components = min(50, normal[0].size // 3)
    return found | {
        "PCA, error": anomaly.pca_score(normal, x, components),
        "isolation forest": anomaly.isolation_score(normal, x),
    }


def roc(normal: np.ndarray, strange: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of normal and of strange images above each threshold.  [N], [M] -> [T] twice"""
    truth = np.repeat([0, 1], [len(normal), len(strange)])
    return roc_curve(truth, np.concatenate([normal, strange]))[:2]


def areas(run: Any, score: dict[tuple[str, str], dict[str, np.ndarray]], times: int) -> list[dict[str, str]]:
    """Keep and return how well each detector tells what is strange from what is normal; a row a strange thing.

    score: (normal, strange) -> detector -> [N], the test images themselves as (normal, 'normal').  A cell is the area
    under the ROC curve with its 95 % interval over cases, which are drawn again `times` times.
    """
    rows = []
    for (normal, strange), detectors in score.items():
        if strange == "normal":
            continue
        cells = {"normal": normal, "strange": strange}
        for name, values in detectors.items():
            usual, rng = score[normal, "normal"][name], np.random.default_rng(0)
            area = run.number(f"{normal}_{strange}_{SLUGS[name]}", anomaly.auroc(usual, values), ".3f")
            low, high = checks.bootstrap(anomaly.auroc, usual, values, rng=rng, times=times)
            cells[name] = f"{area:.2f} ({low:.2f}-{high:.2f})"
        rows.append(cells)
    return rows
