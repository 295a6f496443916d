"""What the notebooks do with models: train each once, sample, measure.

Knows a twin only by what `backend.get` returned.

Arrays in and out are NumPy: images x [N, H, W, C] in [0, 1], labels y [N] or conditions of numbers y [N, K], codes z
[N, Z].
"""

import zlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from twinvae import backend, data, randomness
from twinvae.metrics import likelihood, samples
from twinvae.metrics.judge import Judge
from twinvae.spec import Film, GanSpec, ModelSpec, TrainSpec
from twinvae.training import Job, Trained, recipe_of, train_or_load


def job(twin: ModuleType, spec: ModelSpec | GanSpec, settings: TrainSpec, images: data.Splits, **more: Any) -> Job:
    """Return the training of a model on these images; `more` are other fields of a Job."""
    return Job(spec, (settings,), recipe_of(images), backend.name_of(twin), **{"seed": settings.seed} | more)


def train_all(run, jobs: Any, *images: data.Splits) -> Any:
    """Return the trained models of jobs, in the dicts and lists that hold these: loaded, or trained where the run may.

    Each job takes its images among those at hand, and reads them where they are not there.
    """
    if isinstance(jobs, dict):
        return {name: train_all(run, part, *images) for name, part in jobs.items()}
    if isinstance(jobs, list):
        return [train_all(run, part, *images) for part in jobs]
    fitting = next((splits for splits in images if recipe_of(splits) == jobs.data), None)
    return train_or_load(jobs, fitting, run.may_train)


def eager(run, twin: ModuleType) -> AbstractContextManager:
    """Return the context of many small trainings: in smoke, a step or two of each is not worth compiling."""
    return twin.train.uncompiled() if run.smoke else nullcontext()


def unlabelled(model: ModelSpec, name: str) -> ModelSpec:
    """Return the VAE with the layers of a CVAE, without those that only serve its label."""
    label = dict(num_classes=0, encoder_condition="none", decoder_condition="none", conditioner=(), prior="standard")
    for side in ("encoder", "decoder"):
        label[side] = tuple(layer for layer in getattr(model, side) if not isinstance(layer, Film))
    return replace(model, name=name, kind="vae", **label)


def one_hot(trained: Trained, y: np.ndarray) -> np.ndarray:
    """Return labels as the model takes them, numbers as they are; a model without condition ignores both.  -> [N, K]"""
    return y if y.ndim == 2 else data.one_hot(y, max(trained.spec.num_classes, int(y.max()) + 1))


def generate(trained: Trained, y: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the expected images for codes from N(0, I), under these labels.  [N] -> [N, H, W, C]"""
    z = randomness.rng(seed, "prior").standard_normal((len(y), trained.spec.latent_dim))
    return trained.predict("generate", z, one_hot(trained, y))


def reconstruct(trained: Trained, x: np.ndarray, y: np.ndarray, sampled: bool = False) -> np.ndarray:
    """Return images decoded from the posterior's mean or, `sampled`, from one draw of it (as report 004)."""
    eps = randomness.rng(0, "eps").standard_normal((len(x), trained.spec.latent_dim)) if sampled else None
    return trained.predict("reconstruct", x, one_hot(trained, y), eps)


def squared_error(x: np.ndarray, x_recon: np.ndarray) -> np.ndarray:
    """Return |x - x_recon|^2 summed over pixels, which report 004, Eq. 1.1, calls MSE.  [N, H, W, C] twice -> [N]"""
    return ((x - x_recon) ** 2).reshape(len(x), -1).sum(1, dtype=np.float64)


def codes(trained: Trained, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters of q(z | x[, y]).  -> mu, logvar [N, Z]"""
    return trained.predict("encode", x, one_hot(trained, y))


def elbo_terms(trained: Trained, images: data.Images) -> dict[str, float]:
    """Return means over the images, in nats per image, one z each: recon, kl, elbo = -(recon + kl)."""
    _, recon, kl = trained.twin.train.evaluate(trained.model, images, trained.settings)
    return {"elbo": -(recon + kl), "recon": recon, "kl": kl}


def as_trained(trained: Trained, images: data.Images) -> np.ndarray:
    """Return images in [0, 1], binarised once by seed 0 for a model trained on binarised ones.  -> [N, H, W, C]"""
    how = "none" if trained.settings.binarize == "none" else "fixed"
    return data.binarise(data.scale(images.x), how)


def log_likelihoods(
    trained: Trained, x: np.ndarray, y: np.ndarray, samples: int, shares: np.ndarray
) -> dict[str, np.ndarray]:
    """Return log p(x), and for a CVAE also log p(x | y), importance-sampled, in nats.

    [N, H, W, C], [N] -> name -> [N].  The CVAE's log p(x) = log sum_y p(y) p(x | y) is what compares with a VAE's;
    `shares` [K] are the p(y).
    """
    if trained.spec.kind != "cvae":
        return {"log_px": likelihood.importance_sampled(trained.model, trained.twin, x, one_hot(trained, y), samples)}
    each = likelihood.by_label(trained.model, trained.twin, x, samples)
    return {"log_px": likelihood.marginal(each, np.log(shares)), "log_px_given_y": each[np.arange(len(x)), y]}


def judged(judge: Judge, x: np.ndarray, y: np.ndarray, real: data.Images) -> dict[str, float]:
    """Return what the judge says of samples asked for as y; diversity and Frechet distance are against real images."""
    probabilities = judge.probabilities(x)
    return {
        "accuracy": samples.conditional_accuracy(probabilities, y),
        "confidence": samples.confidence(probabilities),
        "class_entropy": samples.class_entropy(probabilities),
        "diversity": samples.within_class_diversity(x, y, data.scale(real.x), real.y),
        "frechet": samples.frechet_distance(judge.features(x), real_features(judge, real)),
        "sharpness": float(samples.sharpness(x).mean()),
    }


@lru_cache(maxsize=8)
def real_features(judge: Judge, real: data.Images) -> np.ndarray:
    """Return the judge's features of real images, worked out once.  -> [N, F]"""
    return judge.features(data.scale(real.x))


@lru_cache(maxsize=8)
def real_accuracy(judge: Judge, real: data.Images) -> float:
    """Return the judge's accuracy on real images, 0..1, worked out once; it stands beside every accuracy on samples."""
    return samples.conditional_accuracy(judge.probabilities(data.scale(real.x)), real.y)


def balanced(num_classes: int, per_class: int) -> np.ndarray:
    """Return each label `per_class` times.  -> [K * per_class]"""
    return np.repeat(np.arange(num_classes), per_class)


def mean_sd(values: list[float]) -> tuple[float, float]:
    """Return mean and standard deviation over seeds; one seed has a deviation of 0."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def packed_bytes(x: np.ndarray) -> np.ndarray:
    """Return how many bytes each image takes packed without loss, by what packs a PNG.  uint8 [N, H, W, C] -> [N]"""
    return np.array([len(zlib.compress(image.tobytes(), 9)) for image in x])


class Part:
    """Of what a run keeps one comparison: the numbers that begin with a prefix, under their names without it."""

    def __init__(self, run, prefix: str, sources: list[data.Source]):
        self.run, self.prefix, self.sources = run, prefix, sources

    @property
    def numbers(self) -> dict[str, float]:
        """The part's numbers."""
        found = self.run.numbers.items()
        return {name.removeprefix(self.prefix): value for name, value in found if name.startswith(self.prefix)}

    def number(self, name: str, value: float, fmt: str = ".2f") -> float:
        """Keep a number that comes from the part's data, as `Run.number` does."""
        return self.run.number(self.prefix + name, value, fmt, self.sources)


def keep(run, name: str, values: list[float], fmt: str = ".2f") -> tuple[float, float]:
    """Keep the mean over seeds under `name` and deviation under `name`_sd; return both, NaN of one seed's."""
    mean, sd = mean_sd(values)
    run.number(f"{name}_sd", sd, fmt)
    return run.number(name, mean, fmt), sd if len(values) > 1 else float("nan")


def keep_columns(run, prefix: str, rows: list[dict], formats: dict[str, str]) -> dict[str, float]:
    """Keep the mean over seeds of each column of `formats` as `keep` does, under {prefix}_{column}.

    rows: one a seed.  Returns the cells of a table's row: column -> mean, 'column sd' -> deviation.
    """
    cells = {}
    for column, fmt in formats.items():
        cells[column], cells[f"{column} sd"] = keep(run, f"{prefix}_{column}", [row[column] for row in rows], fmt)
    return cells
