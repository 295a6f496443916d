"""How far the twins are apart: the same weights, images, labels, noise and batches through both.

The goals are the project's promise; `measure` gives the worst deviation seen, in the units of the goal.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from twinvae import backend, draws
from twinvae.spec import ModelSpec, TrainSpec

# what is compared -> goal in float64, in float32 (None: shown, not promised)
GOALS = {
    "loss terms": (1e-12, 1e-5),  # per image, deviation over max(1, |elbo|)
    "gradients": (1e-10, 1e-4),  # per tensor, (largest deviation - absolute) over largest entry
    "training loss": (1e-10, 1e-4),  # of every step, relative
    "weights": (1e-9, None),  # after the last step, per tensor, over the largest entry
}
ABSOLUTE = {"float64": 1e-12, "float32": 1e-6}


def random_batches(spec: ModelSpec, size: int, steps: int, dtype: str, seed: int = 0) -> list[draws.Batch]:
    """Batches of random images, labels and noise in the shapes of a model."""
    generator = np.random.default_rng(seed)
    k = max(spec.num_classes, 1)
    return [draws.Batch(x, x, np.eye(k)[generator.integers(k, size=size)].astype(dtype),
                        generator.standard_normal((size, spec.latent_dim)).astype(dtype))
            for x in (generator.random((steps, size, *spec.image_shape)) ** 3).astype(dtype)]


def over_largest(a: dict[str, np.ndarray], b: dict[str, np.ndarray], absolute: float = 0.0) -> float:
    """Per tensor, the largest deviation beyond `absolute` over the largest entry; the worst tensor's."""
    return max(max(np.abs(a[name] - b[name]).max() - absolute, 0) / max(np.abs(a[name]).max(), 1e-300) for name in a)


def measure(spec: ModelSpec, settings: TrainSpec, dtype: str = "float64", size: int = 32, steps: int = 100) -> dict[str, float]:
    """The worst deviation between the twins for each row of GOALS."""
    batches = random_batches(spec, size, steps, dtype)
    torch, tf = (_run(name, spec, settings, dtype, batches) for name in ("torch", "tf"))
    elbo = np.maximum(1, np.abs(torch["terms"].sum(0)))
    return {
        "loss terms": float((np.abs(torch["terms"] - tf["terms"]) / elbo).max()),
        "gradients": float(over_largest(torch["gradients"], tf["gradients"], ABSOLUTE[dtype])),
        "training loss": float(np.abs(torch["losses"] / tf["losses"] - 1).max()),
        "weights": float(over_largest(torch["weights"], tf["weights"])),
    }


def _run(name: str, spec: ModelSpec, settings: TrainSpec, dtype: str, batches: list[draws.Batch]) -> dict:
    """Loss terms and gradients at the first batch, then the losses of all steps and the weights after them."""
    twin = backend.get(name)
    model = twin.models.build(spec, seed=settings.seed, dtype=dtype)
    optimizer = twin.train.Optimizer(model, settings)
    terms = np.stack(twin.models.call(model, "loss_terms", *batches[0]))
    before = model.get_arrays()
    _, gradients = twin.train.loss_and_gradients(model, optimizer.weights, settings, *twin.train.tensors(batches[0]))
    model.set_arrays(before)  # a gradient in training moves BatchNorm's statistics
    step = twin.train.make_step(model, optimizer, settings)
    losses = np.array([float(step(*twin.train.tensors(batch))[0]) for batch in batches])
    layout = getattr(twin.layers, "to_pytorch", lambda a: a)
    return {"terms": terms, "losses": losses, "weights": model.get_arrays(),
            "gradients": {n: layout(np.asarray(g)) for n, g in zip(optimizer.names, gradients)}}


def table(specs: list[ModelSpec], settings: TrainSpec, **kwargs) -> pd.DataFrame:
    """A row per model and precision: the worst deviations, and whether all goals are met."""
    rows = []
    for spec in specs:
        for column, dtype in enumerate(("float64", "float32")):
            seen = measure(spec, settings, dtype, **kwargs)
            met = all(goals[column] is None or seen[name] <= goals[column] for name, goals in GOALS.items())
            rows.append({"model": spec.name, "dtype": dtype, "optimizer": settings.optimizer} | seen | {"met": met})
    return pd.DataFrame(rows)


def random_weights(spec: ModelSpec) -> ModelSpec:
    """The same model with weights of usual size, so that no signal is lost in tiny initial weights."""
    return dataclasses.replace(spec, init="keras")
