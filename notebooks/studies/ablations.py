"""Small studies of one change each: `python -m twinvae_studies.ablations torch` (or tf).

beta: where a beta-VAE ends between rate and distortion  (Alemi et al. 2018).
condition: where and how a label enters encoder, decoder and prior, three seeds.
collapse: report 004's VAE, whose small initial weights leave the code unused for long, and remedies
against it. Each point is trained once and kept in a line of
`results/published/ablations-<backend>.json`; what is there is not trained again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from types import ModuleType
from typing import NamedTuple

import pandas as pd

from twinvae import backend, data, paths, zoo
from twinvae import spec as specs
from twinvae.metrics import latent
from twinvae_studies import burda2016

BETAS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
EPOCHS, SEEDS, TRAIN, VALID = 8, 3, 20_000, 2_000
COLUMNS = ("study", "change", "seed", "elbo", "recon", "kl", "active", "squared_error", "seconds")
TAKES = "about a quarter of an hour on a core"


class Point(NamedTuple):
    """One training: its study, the change that it is of, the model, and its runs, one after the
    other.
    """

    study: str
    change: str
    spec: specs.ModelSpec
    runs: tuple[specs.TrainSpec, ...]

    @property
    def name(self) -> str:
        """'condition film-concat-learned s2'"""
        return f"{self.study} {self.change} s{self.runs[0].seed}"


def vae() -> specs.ModelSpec:
    """784-400-20-400-784 with ReLUs, the size of report 002's CVAE."""
    return replace(
        zoo.get("report002_vae_mnist"),
        encoder=(specs.Flatten(), *specs.mlp(400)),
        decoder=specs.mlp(400),
    )


def conditioned(encoder: str, decoder: str, prior: str) -> specs.ModelSpec:
    """The same as a CVAE whose label enters the encoder, the decoder and the prior so."""
    relu = specs.Activation("relu")
    film = (specs.Dense(400), specs.Film(), specs.Activation("relu"))
    layers = {"film": film}
    return replace(
        vae(),
        kind="cvae",
        num_classes=10,
        encoder_condition=encoder,
        decoder_condition=decoder,
        prior=prior,
        encoder=(specs.Flatten(), *layers.get(encoder, specs.mlp(400))),
        decoder=layers.get(decoder, specs.mlp(400)),
        conditioner=specs.mlp(32, activation=relu) if decoder == "conditioner" else (),
    )


def remedies() -> dict[str, tuple[specs.ModelSpec, tuple[float, ...]]]:
    """Change -> report 004's VAE with it, and beta in each quarter of the training."""
    report = zoo.get("report004_vae")
    known = {field.name: getattr(report, field.name) for field in fields(report)}
    free = specs.FreeBitsSpec(**known | {"kind": "free_bits"}, free=0.1)
    plain = (1.0, 1.0, 1.0, 1.0)
    return {
        "as reported": (report, plain),
        "usual weights": (replace(report, init="keras"), plain),
        "warm-up": (report, (0.0, 0.3, 0.6, 1.0)),
        "free bits": (free, plain),
        "learned variance": (replace(report, likelihood="gaussian_learned"), plain),
    }


def points() -> Iterator[Point]:
    """Every point of every study."""
    usual = specs.TrainSpec(EPOCHS, 128, binarize="dynamic")
    for beta in BETAS:
        yield Point("beta", f"{beta:g}", vae(), (replace(usual, beta=beta),))
    for seed in range(SEEDS):
        for change, (spec, betas) in remedies().items():
            runs = [specs.TrainSpec(EPOCHS // 4, 128, beta=beta, seed=seed) for beta in betas]
            yield Point("collapse", change, spec, tuple(runs))
        for encoder in ("none", "concat", "film"):
            for decoder in ("concat", "conditioner", "film"):
                for prior in ("standard", "learned"):
                    spec = conditioned(encoder, decoder, prior)
                    yield Point(
                        "condition",
                        f"{encoder}-{decoder}-{prior}",
                        spec,
                        (replace(usual, seed=seed),),
                    )


def compute(point: Point, twin: ModuleType, images: data.Splits) -> dict:
    """Trains a point.

    -> ELBO and its parts on validation images in nats per image (beta 1), active units, seconds

    With free bits the KL is the true one.  squared_error is that of the mean image for the mean of
    q(z | x).
    """
    model = twin.models.build(point.spec, seed=point.runs[0].seed)
    seconds = 0.0
    for run in point.runs:
        seconds += twin.train.fit(model, images, run).seconds.sum()
    if point.spec.kind == "free_bits":
        plain = twin.models.build(zoo.get("report004_vae"))
        plain.set_arrays(model.get_arrays())
        model = plain
    _, recon, kl = twin.train.evaluate(model, images.valid, replace(point.runs[-1], beta=1.0))
    x = data.scale(images.valid.x)
    y = data.one_hot(images.valid.y, images.valid.num_classes)
    mu = twin.models.predict(model, "encode", x, y)[0]
    error = ((x - twin.models.predict(model, "reconstruct", x, y, None)) ** 2).reshape(len(x), -1).sum(1).mean()
    active = int(latent.active_units(mu).sum())
    return dict(
        zip(
            COLUMNS,
            (
                point.study,
                point.change,
                point.runs[0].seed,
                -(recon + kl),
                recon,
                kl,
                active,
                float(error),
                seconds,
            ),
            strict=True,
        )
    )


def table(facts: dict, study: str) -> pd.DataFrame:
    """A row a change of a study, in order: means over seeds, and the ELBO's standard deviation and
    the seeds.
    """
    rows = pd.DataFrame([row for row in facts["points"].values() if row["study"] == study], columns=COLUMNS)
    means = rows.groupby("change", sort=False).agg(
        elbo=("elbo", "mean"),
        sd=("elbo", "std"),
        recon=("recon", "mean"),
        kl=("kl", "mean"),
        active=("active", "mean"),
        squared_error=("squared_error", "mean"),
        seeds=("seed", "size"),
    )
    return means.reset_index()


def load(name: str) -> dict:
    """What the run of a twin left.  FileNotFoundError if it has not been made."""
    return burda2016.load(name, "ablations", TAKES)


def main(name: str) -> None:
    """Every point that is not there yet; the file is written after each."""
    twin = backend.get(name)
    images = data.splits("mnist", train_size=TRAIN, valid_size=VALID)
    path = burda2016.FOLDER / f"ablations-{name}.json"
    facts = (
        json.loads(path.read_text())
        if path.exists()
        else {
            "epochs": EPOCHS,
            "train_images": len(images.train),
            "source": images.source.label,
            **burda2016.made_by(name),
            "points": {},
        }
    )
    for point in points():
        if point.name not in facts["points"]:
            facts["points"][point.name] = compute(point, twin, images)
            paths.write_text(path, json.dumps(facts, indent=1))
            print(
                point.name,
                {key: round(facts["points"][point.name][key], 2) for key in ("elbo", "kl")},
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m twinvae_studies.ablations torch|tf")
    main(sys.argv[1])
