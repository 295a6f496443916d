"""What more samples and a label buy in likelihood.

The VAE of Burda et al. 2016 with one stochastic layer, trained on k samples of z an image, as the mean of their ELBOs
(VAE) or as their importance-weighted bound (IWAE), on dynamically binarised MNIST; and as a CVAE with N(0, I) or
p(z | y).  All take the same number of updates, one VAE as much time as the dearest of them.  Notebook 09 shows it.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from twinvae import backend, data, randomness, zoo
from twinvae.metrics import likelihood
from twinvae.spec import BoundSpec, ModelSpec
from twinvae.training import Job, Trained
from twinvae_studies import evaluation, papers, planning, report003

# -log p(x) in nats per image after 3,280 epochs (Burda et al. 2016, Table 1).
PAPER = {"vae": 86.76, "vae_5": 86.47, "vae_50": 86.35, "iwae_5": 85.54, "iwae_50": 84.78}
# The same by code of others, in TensorFlow 2, as long and with as many samples (github.com/nbip/IWAE, README), whose
# CVAE, with p(z | y) and one sample, has a -log p(x | y) alone.
INDEPENDENT = {"vae": 86.35, "vae_5": 86.10, "vae_50": 86.06, "iwae_5": 85.18, "iwae_50": 84.59}
INDEPENDENT_GIVEN_Y = {"cvae_learned": 82.32}
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
# The models in the order of their training: those COMPARED with several seeds, and TensorFlow trains no others.
COMPARED = ("vae", "cvae_standard", "cvae_learned", "iwae_5")
MODELS = {"torch": (*COMPARED, "iwae_50", "vae_5", "vae_long", "vae_50"), "tf": COMPARED}
AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    train=(100, 2_000, None),
    test=(10, 300, None),
    phases=(((1, 1e-3),), ((3, 1e-3), (1, 1e-4)), ((10, 1e-3), (3, 3e-4), (2, 1e-4))),  # epochs, learning rate
    longer=(2, 10, 20),  # how often `vae_long` takes the epochs
    seeds=(2, 2, 3),  # PyTorch's of the models COMPARED
    samples=(5, 50, 500),  # of z an image
    labelled=(5, 60, 2_000),  # test images under each label
    rounds=(1, 3, 3),  # in which an epoch of each is timed
)


def model(name: str) -> ModelSpec:
    """Return the model of this name: 'vae', 'iwae_50', 'vae_5', 'cvae_learned', ..."""
    vae = zoo.get("vae_200_200")
    kind, _, more = name.partition("_")
    if kind == "cvae":
        label = dict(num_classes=10, encoder_condition="concat", decoder_condition="concat", prior=more)
        return replace(vae, name=name, kind="cvae", **label)
    if more.isdigit():
        bound = dict(kind="iwae", samples=int(more), weighted=kind == "iwae")
        return planning.recast(vae, BoundSpec, name=name, **bound)
    return vae


def jobs(profile: str, backend_name: str) -> dict[tuple[str, int], Job]:
    """Return every training by its model and seed, seed 0 of each model first."""
    amount = AMOUNTS[profile]
    recipe = data.Recipe("mnist", train_size=amount.train, valid_size=amount.test)
    found = {}
    for seed in range(amount.seeds if backend_name == "torch" else 1):
        for name in MODELS[backend_name] if seed == 0 else COMPARED:
            times = amount.longer if name == "vae_long" else 1
            phases = papers.settings([(times * epochs, rate) for epochs, rate in amount.phases], 100, seed)
            found[name, seed] = Job(model(name), phases, recipe, backend_name, seed=seed)
    return found


def measured(trained: Trained, x: np.ndarray, y: np.ndarray, few: np.ndarray, samples: int) -> dict[str, np.ndarray]:
    """Return -log p(x), in nats; of a CVAE, on the images `few` alone, also -log p(x | y).

    x binarised [N, H, W, C], y [N] -> name -> [N or F].  A CVAE's p(x) = sum_y p(y) p(x | y), with equal p(y).
    """
    k = trained.spec.num_classes
    if not k:
        return {"nll": papers.nll(trained, "test", x, None, samples)}
    labels = (np.tile(label, (len(few), 1)) for label in np.eye(k))
    each = np.stack([-papers.nll(trained, f"label-{n}", x[few], one, samples) for n, one in enumerate(labels)], 1)
    return {"nll": -likelihood.marginal(each, np.full(k, -np.log(k))), "given_y": -each[np.arange(len(few)), y[few]]}


def gain(base: np.ndarray, nll: np.ndarray, few: np.ndarray) -> dict[str, float]:
    """Return the nats by which a model is better than the VAE, image by image, and their 95 % interval over images."""
    found = papers.interval((base if len(nll) == len(base) else base[few]) - nll)
    return {"gain": found["nll"], "low": found["low"], "high": found["high"]}


def study(run, backend_name: str) -> dict:
    """Return the facts of a twin: `points`, a row a model and seed; a gain is over the same seed's VAE."""
    amount, base, rows, cards = AMOUNTS[run.profile], {}, [], []
    trainings = jobs(run.profile, backend_name)
    for (name, seed), job in trainings.items():
        trained, images = papers.train(run, job), papers.images(job.data)
        test = images.test
        x = data.binarise(data.scale(test.x[: amount.test]), "fixed")
        few = randomness.rng(0, "order").permutation(len(x))[: amount.labelled]
        found = measured(trained, x, test.y, few, amount.samples)
        base[seed] = found["nll"] if name == "vae" else base[seed]
        row = {"model": name, "seed": seed, "epochs": len(trained.history), "images": len(found["nll"])}
        row |= gain(base[seed], found["nll"], few)
        rows.append(row | {key: values.mean() for key, values in found.items()})
        cards.append(trained.card)
    first = {name: job for (name, seed), job in trainings.items() if seed == 0}
    with evaluation.eager(run, backend.get(backend_name)):
        pace = paces(first, images, amount.rounds)
    points = pd.DataFrame(rows)
    points["minutes"] = points.epochs * points.model.map(pace) / 60
    known = {"samples": amount.samples, "train_images": len(images.train), "images": len(x), "labelled": len(few)}
    return known | {"points": points, "cards": cards}


def paces(timed: dict[str, Job], images: data.Splits, rounds: int) -> dict[str, float]:
    """Return the seconds of an epoch of each, from some steps that they take in turns: when they were trained does not
    matter, nor what else the machine did then.
    """
    few = replace(images, valid=images.valid.subset(slice(100)))
    return {name: float(np.median(each)) for name, each in report003.in_turns(timed, few, rounds, steps=20).items()}


def table(facts: dict) -> pd.DataFrame:
    """Return a row a model: seeds, cost, -log p(x), the gain of seed 0 and its interval, the gain of all seeds."""
    seeds = facts["points"].groupby("model", sort=False)
    first, mean, sd = seeds.first(), seeds.mean(), seeds.std()
    found = first[["epochs", "minutes", "images"]].assign(nll=mean.nll, sd=sd.nll, given_y=mean.given_y)
    found[["gain", "low", "high"]] = first[["gain", "low", "high"]]
    found = found.assign(mean_gain=mean.gain, mean_gain_sd=sd.gain, published=pd.Series(PAPER, dtype=float))
    found.insert(0, "seeds", seeds.size())
    return found.reset_index()


def shown(known: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `table` that a reader needs, models and columns in words."""
    words = known.assign(model=known.model.map(WORDS)).drop(columns=["images", "sd"])
    heads = {"nll": "-log p(x)", "given_y": "y known", "mean_gain": "mean gain", "mean_gain_sd": "its sd"}
    return words.rename(columns=heads)


def keep(run, twin: str, known: pd.DataFrame) -> None:
    """Keep the values, gains and minutes of `table`: `iwae_5_gain_torch`, `vae_nll_tf`, `vae_mean_gain_torch`, ..."""
    for row in known.itertuples():
        for key in ["nll", "gain", "low", "high", "minutes"]:
            run.number(f"{row.model}_{key}_{twin}", getattr(row, key), ".1f" if key == "minutes" else ".2f")
        if row.seeds > 1:
            run.number(f"{row.model}_mean_gain_{twin}", row.mean_gain, ".2f")
            run.number(f"{row.model}_mean_gain_{twin}_sd", row.mean_gain_sd, ".2f")
