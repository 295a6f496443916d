"""What a kept model comes to on 500 named images: the card says it, and whoever opens the file can measure it again."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from twinvae import data, randomness
from twinvae.spec import TrainSpec
from twinvae.training.jobs import Job

IMAGES, SAMPLES = 500, 50
ROUNDED = 1_000_000  # bytes of float32 weights from which on they are published as float16, if that costs no digit
LAST_DIGIT = 0.005  # half of the second decimal, the last that is printed of nats and logits
SAMPLED = ("vae", "cvae", "iwae", "free_bits", "cgan")  # kinds whose codes have a prior that can be drawn from


def named_images(job: Job) -> data.Images:
    """Return up to 500 test images of a job's data set, evenly spaced in the order of its files, before any transform.

    Raises ValueError for an unknown data set.
    """
    recipe, classes = job.data, job.spec.num_classes
    if recipe.dataset:
        test = data.load(recipe.dataset, "test", recipe.edition, **dict(recipe.options))
    else:
        test = data.from_recipe(recipe).test
    images = test.subset(np.arange(count := min(IMAGES, len(test))) * len(test) // count)
    if images.num_classes < classes:  # a transform of the training images has told more classes apart
        images = replace(images, class_names=tuple(map(str, range(classes))))
    return images


def draw(model: Any, twin: ModuleType, y: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the expected images for codes drawn from the prior, under conditions y.  [N, K] -> [N, H, W, C]"""
    z = randomness.rng(seed, "prior").standard_normal((len(y), model.spec.latent_dim))
    if getattr(model.spec, "prior", "standard") == "learned":
        mu, logvar = twin.models.predict(model, "prior", y)
        z = mu + np.exp(0.5 * logvar) * z
    return twin.models.predict(model, "generate", z, y)


def measure(model: Any, twin: ModuleType, images: data.Images, settings: TrainSpec) -> dict[str, float]:
    """Return the means over the images of a model's loss terms, nats an image, and the mean pixel of 50 of its samples.

    Settings are those of its training, without noise.  A classifier has its accuracy, 0..1, in place of samples.
    """
    kind, settings = model.spec.kind, replace(settings, noise=0.0)
    with twin.train.uncompiled():  # a few hundred images are not worth compiling
        terms = [float(v) for v in (twin.gan if kind == "cgan" else twin.train).evaluate(model, images, settings)]
        if kind == "classifier":
            right = twin.models.predict(model, "classify", data.scale(images.x)).argmax(1) == images.y
            return {"cross_entropy": terms[1], "accuracy": float(right.mean())}
        names = ("d_loss", "g_loss", "d_real", "d_fake") if kind == "cgan" else ("loss", "recon", "kl")
        values = dict(zip(names, terms, strict=True))
        if kind in SAMPLED:
            y = np.eye(max(1, model.spec.num_classes))[np.arange(SAMPLES) % max(1, model.spec.num_classes)]
            values["mean_sample"] = float(draw(model, twin, y).mean())
    return values


def as_published(model: Any, twin: ModuleType, images: data.Images, settings: TrainSpec) -> dict[str, np.ndarray]:
    """Return a model's weights as they are published: as float16 where float32 takes over 1 MB and no digit changes.

    A digit changes where a value of `measure` on these images moves by half of its second decimal.
    """
    arrays = model.get_arrays()
    if sum(4 * a.size for a in arrays.values()) <= ROUNDED:
        return arrays
    rounded, values = {name: a.astype("float16") for name, a in arrays.items()}, []
    for weights in (rounded, arrays):
        model.set_arrays(weights)
        values.append(list(measure(model, twin, images, settings).values()))
    return rounded if np.allclose(*values, rtol=0, atol=LAST_DIGIT) else arrays
