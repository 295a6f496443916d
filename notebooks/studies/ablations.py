"""Small studies of one change each, of MNIST.  Notebook 09 shows them.

beta: where a beta-VAE ends between rate and distortion  (Alemi et al. 2018).
condition: where and how a label enters encoder, decoder and prior, three seeds.
collapse: report 004's VAE, whose small initial weights leave the code unused for long, and remedies against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import product
from typing import NamedTuple

import pandas as pd

from twinvae import data, zoo
from twinvae.metrics import latent
from twinvae.spec import Activation, Dense, Film, Flatten, FreeBitsSpec, ModelSpec, TrainSpec, mlp
from twinvae.training import Job, Trained
from twinvae_studies import evaluation, papers

CONDITIONS = tuple(
    "-".join(where)
    for where in product(("none", "concat", "film"), ("concat", "conditioner", "film"), ("standard", "learned"))
)  # encoder-decoder-prior


class Amount(NamedTuple):
    """Training and validation images, epochs (a multiple of four), seeds, and the points of each study."""

    train: int
    valid: int
    epochs: int
    seeds: int
    betas: tuple[float, ...]
    conditions: tuple[str, ...] = CONDITIONS
    remedies: int = 5  # the first so many


AMOUNTS = {
    "smoke": Amount(
        128, 50, 4, 1, (1.0,), ("none-concat-standard", "concat-concat-learned", "film-concat-standard"), remedies=1
    ),
    "quick": Amount(2_000, 500, 4, 1, (0.25, 0.5, 1.0, 2.0, 4.0)),
    "full": Amount(20_000, 2_000, 8, 3, (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)),
}


class Point(NamedTuple):
    """One training: its study, the change that it is of, and the job."""

    study: str
    change: str
    job: Job


def vae(name: str) -> ModelSpec:
    """Return 784-400-20-400-784 with ReLUs, the size of report 002's CVAE, under this name."""
    return replace(
        zoo.get("report002_vae_mnist"), name=name, encoder=(Flatten(), *mlp(400)), decoder=mlp(400), report=""
    )


def conditioned(encoder: str, decoder: str, prior: str) -> ModelSpec:
    """Return the same as a CVAE whose label enters the encoder, the decoder and the prior so."""
    layers = {"film": (Dense(400), Film(), Activation("relu"))}
    return replace(
        vae(f"condition_{encoder}_{decoder}_{prior}"),
        kind="cvae",
        num_classes=10,
        encoder_condition=encoder,
        decoder_condition=decoder,
        prior=prior,
        encoder=(Flatten(), *layers.get(encoder, mlp(400))),
        decoder=layers.get(decoder, mlp(400)),
        conditioner=mlp(32, activation=Activation("relu")) if decoder == "conditioner" else (),
    )


def remedies() -> dict[str, tuple[ModelSpec, tuple[float, ...]]]:
    """Return change -> report 004's VAE with it, and beta in each quarter of the training."""
    report = zoo.get("report004_vae")
    known = {field.name: getattr(report, field.name) for field in fields(report)}
    free = FreeBitsSpec(**known | {"kind": "free_bits"}, free=0.1)
    plain = (1.0, 1.0, 1.0, 1.0)
    return {
        "as reported": (report, plain),
        "usual weights": (replace(report, init="keras"), plain),
        "warm-up": (report, (0.0, 0.3, 0.6, 1.0)),
        "free bits": (free, plain),
        "learned variance": (replace(report, likelihood="gaussian_learned"), plain),
    }


def points(profile: str, backend_name: str) -> Iterator[Point]:
    """Give every point of every study."""
    amount = AMOUNTS[profile]
    recipe = data.Recipe("mnist", train_size=amount.train, valid_size=amount.valid)
    usual = TrainSpec(amount.epochs, 128, binarize="dynamic")
    for beta in amount.betas:
        job = Job(vae("beta_vae"), (replace(usual, beta=beta),), recipe, backend_name)
        yield Point("beta", f"{beta:g}", job)
    for seed in range(amount.seeds):
        for change, (spec, betas) in list(remedies().items())[: amount.remedies]:
            quarters = tuple(TrainSpec(amount.epochs // 4, 128, beta=beta, seed=seed) for beta in betas)
            yield Point("collapse", change, Job(spec, quarters, recipe, backend_name, seed=seed))
        for where in amount.conditions:
            job = Job(conditioned(*where.split("-")), (replace(usual, seed=seed),), recipe, backend_name, seed=seed)
            yield Point("condition", where, job)


def jobs(profile: str, backend_name: str) -> list[Job]:
    """Return every training of every study."""
    return [point.job for point in points(profile, backend_name)]


def worth(trained: Trained, images: data.Images) -> dict[str, float]:
    """Return ELBO and its parts on images in nats per image (beta 1), active units, squared error.

    With free bits the KL is the true one.  squared_error is that of the mean image for the mean of q(z | x).
    """
    if trained.spec.kind == "free_bits":
        known = {field.name: getattr(trained.spec, field.name) for field in fields(ModelSpec)}
        plain = trained.twin.models.build(ModelSpec(**known | {"kind": "vae"}))
        plain.set_arrays(trained.model.get_arrays())
        trained = replace(trained, model=plain)
    _, recon, kl = trained.twin.train.evaluate(trained.model, images, replace(trained.settings, beta=1.0))
    x = data.scale(images.x)
    error = evaluation.squared_error(x, evaluation.reconstruct(trained, x, images.y)).mean()
    active = latent.active_units(evaluation.codes(trained, x, images.y)[0]).sum()
    return {"elbo": -(recon + kl), "recon": recon, "kl": kl, "active": active, "squared_error": error}


def study(run, backend_name: str) -> dict:
    """Return the `points` of a twin, a row each, and the `cards` of their models."""
    rows, cards = [], []
    for point in points(run.profile, backend_name):
        trained, valid = papers.train(run, point.job), papers.images(point.job.data).valid
        with trained.twin.train.uncompiled():  # so many models take longer to compile than to measure
            found = worth(trained, valid)
        rows.append({"study": point.study, "change": point.change, "seed": point.job.seed} | found)
        cards.append(trained.card)
    return {"points": pd.DataFrame(rows), "cards": cards}


def table(facts: dict, study: str) -> pd.DataFrame:
    """Return a row a change of a study, in order: means over seeds, the ELBO's standard deviation, the seeds."""
    points = facts["points"]
    means = (
        points[points.study == study]
        .groupby("change", sort=False)
        .agg(
            elbo=("elbo", "mean"),
            sd=("elbo", "std"),
            recon=("recon", "mean"),
            kl=("kl", "mean"),
            active=("active", "mean"),
            squared_error=("squared_error", "mean"),
            seeds=("seed", "size"),
        )
    )
    return means.reset_index()
