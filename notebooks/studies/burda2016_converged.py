"""The VAE and the IWAE of Burda et al. 2016, and their layers as a CVAE with p(z | y), until little is left to gain.

Each number of epochs is a training of its own, whose learning rate falls to zero as half a wave of a cosine.  -log p of
all test images in nats by importance sampling.  Notebook 04b shows it.
"""

import numpy as np
import pandas as pd

from twinvae import data
from twinvae.metrics import likelihood
from twinvae.spec import TrainSpec
from twinvae.training import Job, Trained, per_image
from twinvae_studies import burda2016_bounds, papers, planning

AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    lengths=((1, 2, 3), (3, 9, 27), (100, 300, 1_000)),  # epochs of VAE and IWAE; the CVAE takes the longest alone
    longer=(9, 81, 3_280),  # epochs that these ends promise and the VAE takes as well, in full the paper's
    train=(200, 10_000, None),
    test=(100, 300, None),
    valid=(10, 200, None),
    samples=(5, 50, 5_000),  # of z an image, after the longest training of each model
    few=(3, 20, 500),  # after all, and of an image under each label
)


def jobs(profile: str, backend: str) -> dict[tuple[str, int], Job]:
    """Return the trainings by model and epochs; the recipe is that of `burda2016`, whose training is one of them."""
    amount = AMOUNTS[profile]
    recipe = data.Recipe("mnist", train_size=amount.train, valid_size=amount.valid)
    lengths = {"vae": (*amount.lengths, amount.longer), "iwae_5": amount.lengths, "cvae_learned": amount.lengths[-1:]}
    return {
        (name, epochs): Job(
            burda2016_bounds.model(name),
            (TrainSpec(epochs, 100, 1e-3, binarize="dynamic", schedule="cosine"),),
            recipe,
            backend,
        )
        for name, each in lengths.items()
        for epochs in each
    }


def by_label(trained: Trained, x: np.ndarray, samples: int) -> np.ndarray:
    """Return log p(x | y) in nats under each label y, importance-sampled and kept.  [N, H, W, C] -> [N, K]"""

    def measure(first: int, x: np.ndarray) -> np.ndarray:
        return likelihood.by_label(trained.model, trained.twin, x, samples, seed=first).T

    return per_image(trained, f"by-label-{samples}", measure, x).T


def study(run, backend: str) -> dict:
    """Return the facts: the trained models, their epochs, and a row a training with -log p of the test images.

    `nll` is -log p(x), of a CVAE -log p(x | y), with so many `samples`, `few` the same with few, `summed_out` a CVAE's
    -log p(x), all labels alike, and `read` the share of images whose label is the one under which they are likeliest.
    """
    amount, trainings, trained, rows = AMOUNTS[run.profile], jobs(run.profile, backend), {}, []
    images, longest = papers.images(next(iter(trainings.values())).data), dict(sorted(trainings))
    test = images.test.subset(slice(amount.test))
    x = data.binarise(data.scale(test.x), "fixed")
    for (name, epochs), job in trainings.items():
        known, k = papers.train(run, job), job.spec.num_classes
        y = np.eye(k)[test.y] if k else None
        samples = amount.samples if epochs == longest[name] else amount.few
        row = {"model": name, "epochs": epochs, "bound": known.history.valid_loss.iloc[-1], "samples": samples}
        row |= papers.interval(papers.nll(known, "test", x, y, samples))
        if k:
            each = by_label(known, x, amount.few)
            row["few"] = -each[np.arange(len(x)), test.y].mean()
            row["summed_out"] = -likelihood.marginal(each, np.full(k, -np.log(k))).mean()
            row["read"] = np.mean(each.argmax(1) == test.y)
        else:
            row["few"] = papers.nll(known, "test", x, None, amount.few).mean()
        trained[name, epochs] = known
        rows.append(row)
    return {"trained": trained, "rows": pd.DataFrame(rows), "test": test, "images": images}


def promised(ends: list[float], epochs: list[int], to: int) -> float:
    """Return what a longer training promises, by the ends of three, of numbers of epochs that grow by equal factors.

    Each factor gains as much less than the one before as the second did (Aitken's delta-squared process, stopped at
    `to` epochs).  Infinite where the gains do not shrink.  Cannot see what overfits.
    """
    first, second, third = ends
    shrinks = (second - third) / (first - second)
    if not 0 < shrinks < 1:
        return -np.inf
    factors = np.log(to / epochs[2]) / np.log(epochs[2] / epochs[1])
    return third - (second - third) * shrinks * (1 - shrinks**factors) / (1 - shrinks)
