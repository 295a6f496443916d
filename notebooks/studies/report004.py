"""Report 004 on handwritten digits: what notebook 03 trains, and the numbers and rows of its tables.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N].
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter

from twinvae import randomness, zoo
from twinvae.metrics import latent, samples
from twinvae.metrics.judge import Judge
from twinvae.spec import TrainSpec
from twinvae.training import Job
from twinvae_studies import evaluation, latent_space, planning
from twinvae_studies.evaluation import Trained
from twinvae_studies.planning import Count, sizes

AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    images=(sizes(600, 200, 300), sizes(12_000, 2_000, 10_000), sizes(None, 5_000, 10_000)),
    seeds=(1, 3, 3),
    epochs=(1, 15, 30),  # the report states none; report 002, of the same digits, has 10
    short_epochs=(1, 5, 6),  # of the sweep over code sizes, the planes and the denoiser
    code_sizes=((2, 10), (2, 10, 50, 100), (2, 5, 10, 20, 50, 100)),
)
WORDS = {"ae": "AE", "vae": "VAE", "vae02": "VAE, lambda 0.2", "cvae": "CVAE"}  # of the names of numbers
SEES_Y = {"init": "keras", "encoder_condition": "concat"}
REMEDIES = {  # what is changed in the report's CVAE
    "report: N(0, 0.01^2), lambda 1": {},
    "Glorot weights": {"init": "keras"},
    "Glorot, lambda 0.2": {"init": "keras", "variance": 0.1},
    "Glorot, lambda 0.2, encoder sees y": {"variance": 0.1, **SEES_Y},
    "Glorot, Bernoulli, encoder sees y": {"likelihood": "bernoulli", **SEES_Y},
}


# ---------------------------------------------------------------- what is trained
def jobs(
    profile: str,
    backend: str,
    dataset: str,
    epochs: Count,
    seeds: Count,
    batch_size: int,
    learning_rate: float,
    latent_dim: int,
) -> dict:
    """Return the trainings of notebook 03.

    'models': kind -> seeds; 'lambda 0.2': seeds of the VAE; 'code sizes': kind -> sizes; 'plane': kind -> a code of two
    numbers; 'denoiser'; 'remedies': name -> training, the report's own the first; 'last left out': seeds of the VAE
    that never sees the last class, none where there is but one.
    """
    amounts = AMOUNTS[profile]
    images = planning.recipe(dataset, amounts.images)
    shape, classes = planning.shape(images)
    settings = TrainSpec(epochs or amounts.epochs, batch_size, learning_rate)
    short = replace(settings, epochs=amounts.short_epochs)
    models = {
        kind: replace(zoo.get(f"report004_{kind.lower()}").for_images(shape, classes), latent_dim=latent_dim)
        for kind in ("AE", "VAE", "CVAE")
    }
    plain = {kind: Job(model, (settings,), images, backend) for kind, model in models.items()}
    usual = {kind: Job(replace(model, init="keras"), (short,), images, backend) for kind, model in models.items()}
    small = replace(models["VAE"], name="report004_vae_lambda02", variance=0.1)
    changed = {name: replace(models["CVAE"], **change) for name, change in REMEDIES.items()}
    blind = replace(plain["VAE"], data=planning.left_out(images, (classes - 1,)))
    return {
        "models": {kind: planning.over_seeds(job, seeds or amounts.seeds) for kind, job in plain.items()},
        "lambda 0.2": planning.over_seeds(replace(plain["VAE"], spec=small), seeds or amounts.seeds),
        "code sizes": {
            kind: [replace(usual[kind], spec=replace(usual[kind].spec, latent_dim=z)) for z in amounts.code_sizes]
            for kind in ("AE", "VAE")
        },
        "plane": {kind: replace(usual[kind], spec=replace(usual[kind].spec, latent_dim=2)) for kind in ("VAE", "CVAE")},
        "denoiser": replace(usual["AE"], phases=(replace(short, noise=0.4),)),
        "remedies": {name: replace(plain["CVAE"], spec=spec) for name, spec in changed.items()},
        "last left out": planning.over_seeds(blind, seeds or amounts.seeds) if classes > 1 else [],
    }


# ---------------------------------------------------------------- what came out
def reconstructions(
    run: Any, models: dict[str, list[Trained]], x: np.ndarray, y: np.ndarray, judge: Judge
) -> list[dict]:
    """Keep and return what reconstructions are worth, a row a model of WORDS, from a mean code and from a sampled one.

    Numbers: vae_mean_sse, vae_mean_sharpness, vae_mean_recognised and so on, means over seeds, and their deviations.
    """
    rows = []
    for key, seeds in models.items():
        for how in ("mean", "sampled")[: 1 if key == "ae" else 2]:
            back = [evaluation.reconstruct(m, x, y, how == "sampled") for m in seeds]
            sse = evaluation.keep(run, f"{key}_{how}_sse", [evaluation.squared_error(x, b).mean() for b in back])
            sharp = [samples.sharpness(b).mean() for b in back]
            seen = [(judge.probabilities(b).argmax(1) == y).mean() for b in back]
            row = {"reconstruction by": f"{WORDS[key]}, {how}", "squared error": sse[0], "sd": sse[1]}
            row["sharpness"] = evaluation.keep(run, f"{key}_{how}_sharpness", sharp, ".4f")[0]
            rows.append(row | {"judge agrees": evaluation.keep(run, f"{key}_{how}_recognised", seen, ".4f")[0]})
    return rows


def from_fitted_codes(trained: Trained, x: np.ndarray, count: int) -> np.ndarray:
    """Return images decoded from a Gaussian that is fitted to an AE's codes of x, by seed 0.  -> [count, H, W, C]"""
    z = trained.predict("encode", x)
    fitted = randomness.rng(0, "prior").multivariate_normal(z.mean(0), np.cov(z.T), count, check_valid="ignore")
    return trained.predict("generate", fitted)


def remedy(run: Any, key: str, trained: Trained, seen: dict, images: Any, x: np.ndarray, y: np.ndarray) -> dict:
    """Keep as try_{key}_... and return what one CVAE of REMEDIES is worth; `seen` is what `evaluation.judged` said."""
    row = {column: seen[column] for column in ("accuracy", "diversity", "frechet")}
    row["KL"] = evaluation.elbo_terms(trained, images)["kl"]
    row["sse"] = evaluation.squared_error(x, evaluation.reconstruct(trained, x, y)).mean()
    for (column, value), fmt in zip(row.items(), (".4f", ".3f", ".1f", ".2f", ".2f"), strict=True):
        run.number(f"try_{key}_{column.lower()}", value, fmt)
    return row


def kl_taken_apart(run: Any, key: str, seeds: Sequence[Trained], x: np.ndarray, y: np.ndarray) -> dict:
    """Keep how far q(z) of a model is from N(0, I) and how many units are active; return them beside the KL's parts.

    Numbers: vae_aggregate and vae_active, means over seeds, and their deviations.
    """
    codes = [evaluation.codes(m, x, y) for m in seeds]
    few = [(mu[:2_000], logvar[:2_000]) for mu, logvar in codes]
    parts = [latent.kl_parts(*one, randomness.rng(0, "eps"), 200) for one in few]
    active = [latent.active_units(mu).sum() for mu, _ in codes]
    row = {"model": WORDS[key]}
    row |= {name: evaluation.mean_sd([getattr(p, name.lower()) for p in parts])[0] for name in ("KL", "information")}
    row["q(z) against N(0, I)"] = evaluation.keep(run, f"{key}_aggregate", [p.aggregate for p in parts])[0]
    return row | {"active units": evaluation.keep(run, f"{key}_active", active, ".1f")[0]}


def of_class(run: Any, key: str, seeds: Sequence[Trained], x: np.ndarray, drawn: np.ndarray, judge: Judge) -> dict:
    """Keep and return what a VAE makes of one class, the judge's last: of test images x of it, and unasked.

    `drawn` are labels that say how many samples to draw.  Numbers: {key}_made, the share of samples that the judge
    takes for the class; {key}_sse, the error of x restored; {key}_recognised, the share of these that it still takes
    for the class; and their deviations.
    """

    def as_last(x: np.ndarray) -> float:
        p = judge.probabilities(x)
        return samples.conditional_accuracy(p, np.full(len(x), p.shape[1] - 1))

    back = [evaluation.reconstruct(m, x, np.zeros(len(x), int)) for m in seeds]
    made = [as_last(evaluation.generate(m, drawn)) for m in seeds]
    sse = [evaluation.squared_error(x, b).mean() for b in back]
    row = {"samples taken for it": evaluation.keep(run, f"{key}_made", made, ".3f")[0]}
    row["squared error"] = evaluation.keep(run, f"{key}_sse", sse)[0]
    restored = [as_last(b) for b in back]
    return row | {"restored as it": evaluation.keep(run, f"{key}_recognised", restored, ".3f")[0]}


def halfway(trained: Trained, x: np.ndarray, y: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    """Return what mean codes decode to: of each label, of the two together, of the next.  -> [len - 1, 3, H, W, C]"""
    z = latent_space.centres(trained, x, y)
    means = np.stack([z[y == k].mean(0) for k in labels])
    both = np.stack([means[:-1], (means[:-1] + means[1:]) / 2, means[1:]], axis=1)
    images = latent_space.decode(trained, both.reshape(-1, z.shape[1]), np.zeros(both[..., 0].size, int))
    return images.reshape(*both.shape[:2], *x.shape[1:])


def locality(weights: np.ndarray) -> np.ndarray:
    """Return the share of a unit's squared weights in the window, of a quarter of each side, that has most of them.

    [U, H, W, C] -> [U]; 1/16 where they are spread evenly, 1 for a unit that looks at one corner.
    """
    energy = (weights**2).sum(-1)
    sides = [max(1, side // 4) for side in energy.shape[1:]]
    held = uniform_filter(energy, (1, *sides), mode="constant") * np.prod(sides)
    return held.max((1, 2)) / energy.sum((1, 2))
