"""The plain VAE of Burda et al. 2016 against its published likelihood.

784-200-200-50 and mirror on dynamically binarised MNIST, trained within an hour on two cores where the paper takes
3,280 epochs, then -log p(x) of all test images by importance sampling.  Notebook 04 shows it.
"""

import pandas as pd

from twinvae import data, zoo
from twinvae.spec import TrainSpec
from twinvae.training import Job
from twinvae_studies import papers, planning

PAPER = 86.76  # nats per image, one sample in training, one stochastic layer (Burda et al. 2016, Table 1)
AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    epochs=(2, 8, 100),
    train=(200, 10_000, None),
    test=(10, 500, None),
    samples=((2, 5), (50, 500), (500, 5_000)),  # of z, which end the study
    valid=(10, 200, None),
)


def jobs(profile: str, backend_name: str) -> list[Job]:
    """Return the one training, whose learning rate falls as half a wave of a cosine."""
    amount = AMOUNTS[profile]
    recipe = data.Recipe("mnist", train_size=amount.train, valid_size=amount.valid)
    settings = TrainSpec(amount.epochs, 100, 1e-3, binarize="dynamic", schedule="cosine")
    return [Job(zoo.get("vae_200_200"), (settings,), recipe, backend_name)]


def study(run, backend_name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the training's epochs, and a row a number of samples: -log p of test images in nats, with its interval."""
    amount, (job,) = AMOUNTS[run.profile], jobs(run.profile, backend_name)
    trained = papers.train(run, job)
    x = data.binarise(data.scale(papers.images(job.data).test.x[: amount.test]), "fixed")
    test = [
        {"samples": n, "images": len(x), **papers.interval(papers.nll(trained, "test", x, None, n))}
        for n in amount.samples
    ]
    return trained.history, pd.DataFrame(test)
