"""Small studies of one change each, of MNIST.  Notebook 09 shows them.

beta: where a beta-VAE ends between rate and distortion  (Alemi et al. 2018).
condition: where and how a label enters encoder, decoder and prior, three seeds.
collapse: report 004's VAE, whose small initial weights leave the code unused for long, and remedies against it.
"""

from dataclasses import replace
from itertools import product

import pandas as pd

from twinvae import data, zoo
from twinvae.metrics import latent
from twinvae.spec import Activation, Dense, Film, Flatten, FreeBitsSpec, ModelSpec, TrainSpec, mlp
from twinvae.training import Job, Trained
from twinvae_studies import evaluation, papers, planning

CONDITIONS = tuple(
    "-".join(where)
    for where in product(("none", "concat", "film"), ("concat", "conditioner", "film"), ("standard", "learned"))
)  # encoder-decoder-prior


FEW = ("none-concat-standard", "concat-concat-learned", "film-concat-standard")
AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    train=(128, 2_000, 20_000),
    valid=(50, 500, 2_000),
    epochs=(4, 4, 8),  # a multiple of four
    seeds=(1, 1, 3),
    betas=((1.0,), (0.25, 0.5, 1.0, 2.0, 4.0), (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)),
    conditions=(FEW, CONDITIONS, CONDITIONS),
    remedies=(1, 5, 5),  # the first so many
)


def vae(name: str) -> ModelSpec:
    """Return 784-400-20-400-784 with ReLUs, the size of report 002's CVAE, under this name."""
    layers = {"encoder": (Flatten(), *mlp(400)), "decoder": mlp(400)}
    return replace(zoo.get("report002_vae_mnist"), name=name, report="", **layers)


def conditioned(encoder: str, decoder: str, prior: str) -> ModelSpec:
    """Return the same as a CVAE whose label enters the encoder, the decoder and the prior so."""
    film, plain = (Dense(400), Film(), Activation("relu")), mlp(400)
    label = dict(kind="cvae", num_classes=10, encoder_condition=encoder, decoder_condition=decoder, prior=prior)
    label["encoder"] = (Flatten(), *(film if encoder == "film" else plain))
    label["decoder"] = film if decoder == "film" else plain
    label["conditioner"] = mlp(32, activation=Activation("relu")) if decoder == "conditioner" else ()
    return replace(vae(f"condition_{encoder}_{decoder}_{prior}"), **label)


def remedies() -> dict[str, tuple[ModelSpec, tuple[float, ...]]]:
    """Return change -> report 004's VAE with it, and beta in each quarter of the training."""
    report = zoo.get("report004_vae")
    plain = (1.0, 1.0, 1.0, 1.0)
    return {
        "as reported": (report, plain),
        "usual weights": (replace(report, init="keras"), plain),
        "warm-up": (report, (0.0, 0.3, 0.6, 1.0)),
        "free bits": (planning.recast(report, FreeBitsSpec, kind="free_bits", free=0.1), plain),
        "learned variance": (replace(report, likelihood="gaussian_learned"), plain),
    }


def jobs(profile: str, backend_name: str) -> dict[tuple[str, str, int], Job]:
    """Return every training, by its study, what is changed, and the seed."""
    amount, found = AMOUNTS[profile], {}
    recipe = data.Recipe("mnist", train_size=amount.train, valid_size=amount.valid)
    usual = TrainSpec(amount.epochs, 128, binarize="dynamic")
    for beta in amount.betas:
        found["beta", f"{beta:g}", 0] = Job(vae("beta_vae"), (replace(usual, beta=beta),), recipe, backend_name)
    for seed in range(amount.seeds):
        for change, (spec, betas) in list(remedies().items())[: amount.remedies]:
            quarters = tuple(TrainSpec(amount.epochs // 4, 128, beta=beta, seed=seed) for beta in betas)
            found["collapse", change, seed] = Job(spec, quarters, recipe, backend_name, seed=seed)
        for where in amount.conditions:
            spec = conditioned(*where.split("-"))
            found["condition", where, seed] = Job(spec, (replace(usual, seed=seed),), recipe, backend_name, seed=seed)
    return found


def worth(trained: Trained, images: data.Images) -> dict[str, float]:
    """Return ELBO and its parts on images in nats per image (beta 1), active units, squared error.

    With free bits the KL is the true one.  squared_error is that of the mean image for the mean of q(z | x).
    """
    if trained.spec.kind == "free_bits":
        plain = trained.twin.models.build(planning.recast(trained.spec, ModelSpec, kind="vae"))
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
    for (study, change, seed), job in jobs(run.profile, backend_name).items():
        trained, valid = papers.train(run, job), papers.images(job.data).valid
        with trained.twin.train.uncompiled():  # so many models take longer to compile than to measure
            found = worth(trained, valid)
        rows.append({"study": study, "change": change, "seed": seed} | found)
        cards.append(trained.card)
    return {"points": pd.DataFrame(rows), "cards": cards}


def table(facts: dict, study: str) -> pd.DataFrame:
    """Return a row a change of a study, in order: means over seeds, the ELBO's standard deviation, the seeds."""
    points = facts["points"]
    groups = points[points.study == study].drop(columns="study").groupby("change", sort=False)
    means = groups.mean().drop(columns="seed").assign(seeds=groups.size())
    means.insert(1, "sd", groups.elbo.std())
    return means.reset_index()


def conditions(facts: dict) -> pd.DataFrame:
    """Return `table` of the label's place, with a column for each place."""
    found = table(facts, "condition")
    places = found.change.str.split("-", expand=True).set_axis(["encoder", "decoder", "prior"], axis=1)
    shown = found[["elbo", "sd", "kl", "active", "seeds"]].rename(columns={"elbo": "ELBO", "kl": "KL"})
    return pd.concat([places, shown], axis=1)


def keep_conditions(run, twin: str, found: pd.DataFrame) -> None:
    """Keep the mean gain of a learned prior and of an encoder that sees the label, and the spread of all, in nats."""
    prior, encoder = (found.groupby(place).ELBO.mean() for place in ("prior", "encoder"))
    run.number(f"prior_learned_gain_{twin}", prior["learned"] - prior["standard"], ".2f")
    run.number(f"encoder_sees_gain_{twin}", encoder[["concat", "film"]].mean() - encoder["none"], ".2f")
    run.number(f"condition_spread_{twin}", found.ELBO.max() - found.ELBO.min(), ".2f")


def collapse(facts: dict) -> pd.DataFrame:
    """Return `table` of the remedies under the heads of a reader."""
    heads = {"change": "remedy", "kl": "KL", "squared_error": "squared error"}
    return table(facts, "collapse").rename(columns=heads)[["remedy", "KL", "active", "squared error", "seeds"]]
