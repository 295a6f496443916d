"""The plain VAE of Burda et al. 2016 against its published likelihood.

784-200-200-50 and mirror on dynamically binarised MNIST, trained within an hour on two cores where the paper takes
3,280 epochs, then -log p(x) of all test images by importance sampling.  Notebook 04 shows it.
"""

import numpy as np
import pandas as pd

from twinvae import data, zoo
from twinvae.training import Job
from twinvae_studies import papers, planning

PAPER = 86.76  # nats per image, one sample in training, one stochastic layer (Burda et al. 2016, Table 1)


LONG = ((10, 1e-3), (30, 1e-3), (80, 1e-3), (100, 3e-4), (300, 3e-4), (60, 1e-4), (20, 3e-5))
AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    phases=(((1, 1e-3), (1, 3e-4)), ((4, 1e-3), (2, 3e-4), (1, 1e-4)), LONG),  # epochs, learning rate
    train=(200, 10_000, None),
    test=(10, 500, None),
    samples=((2, 5), (50, 500), (500, 5_000)),  # of z, which end the study
    valid=(10, 200, 1_000),  # images whose likelihood is told after each phase
    valid_samples=(5, 100, 500),
)


def jobs(profile: str, backend_name: str) -> list[Job]:
    """Return a training a phase, each going on from the one before with a fresh Adam and noise of its own."""
    amount, chain = AMOUNTS[profile], []
    recipe = data.Recipe("mnist", train_size=amount.train, valid_size=amount.valid if amount.train else None)
    for settings in papers.settings(amount.phases, batch_size=50):
        start = chain[-1] if chain else None
        chain.append(Job(zoo.get("vae_200_200"), (settings,), recipe, backend_name, start=start))
    return chain


def study(run, backend_name: str) -> dict[str, pd.DataFrame]:
    """Return the training's `epochs`, the `marks` after each phase, and `test`, a row a number of samples.

    Epochs and seconds of training count through; losses and -log p in nats per image.
    """
    amount, phases, nll = AMOUNTS[run.profile], [], []
    for job in jobs(run.profile, backend_name):
        trained, images = papers.train(run, job), papers.images(job.data)
        phases.append(trained.history.assign(learning_rate=trained.settings.learning_rate))
        few = data.binarise(data.scale(images.valid.x[: amount.valid]), "fixed")
        nll.append(papers.nll(trained, "valid", few, None, amount.valid_samples).mean())
    epochs = pd.concat(phases, ignore_index=True).assign(epoch=lambda rows: rows.index + 1)
    epochs["seconds"] = epochs.seconds.cumsum()
    marks = epochs.iloc[np.cumsum([*map(len, phases)]) - 1][["epoch", "seconds"]].assign(nll=nll)
    x = data.binarise(data.scale(images.test.x[: amount.test]), "fixed")
    test = [
        {"samples": n, "images": len(x), **papers.interval(papers.nll(trained, "test", x, None, n))}
        for n in amount.samples
    ]
    return {"epochs": epochs, "marks": marks, "test": pd.DataFrame(test)}
