"""The probe: a few steps of a training in float64, by which code that trains otherwise is noticed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from twinvae import backend, data, randomness
from twinvae.spec import TrainSpec
from twinvae.training.jobs import Job

STEPS, IMAGES, TOLERANCE = 3, 4, 1e-9
CORE = ("backend.py", "randomness.py", "spec", "data/prepare.py")  # and the twin of the job


@cache
def core_checksum(name: str) -> str:
    """A checksum of the files that training in a twin rests on: where it is equal, no probe is needed."""
    home, digest = Path(__file__).parents[1], hashlib.sha256()
    for part in (*CORE, backend.TWINS[name].rpartition(".")[2]):
        for path in [home / part] if part.endswith(".py") else sorted((home / part).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def probe(job: Job) -> dict:
    """Return what a few float64 steps of a job on four fixed images come to: losses, gradient, weights.

    One step of SGD at rate 1 moves the weights by the gradient; then come steps as the first and the last phase ask.
    """
    _, before, after = _stepped(job, replace(job.phases[0], optimizer="sgd", learning_rate=1.0), 1)
    gradient = _norm({name: after[name] - a for name, a in before.items()})
    found = {"gradient": gradient, "losses": [], "weights": []}
    for settings in dict.fromkeys((replace(job.phases[0], epochs=1), replace(job.phases[-1], epochs=1))):
        losses, _, after = _stepped(job, settings, STEPS)
        found["losses"] += losses
        found["weights"] += [_norm(after)]
    return found


def _stepped(job: Job, settings: TrainSpec, steps: int) -> tuple[list, dict, dict]:
    """The losses of the first steps on four images of random pixels, and the weights before and after them."""
    spec, rng, twin = job.spec, np.random.default_rng(0), backend.get(job.backend)
    classes = max(spec.num_classes, 1)
    x = rng.integers(0, 256, (IMAGES, *spec.image_shape), dtype=np.uint8)
    names = tuple(map(str, range(classes)))
    source = data.Source("probe", "random pixels", "stand-in")
    images = data.Images(x, np.arange(IMAGES, dtype=np.int64) % classes, names, source)
    settings = replace(settings, batch_size=IMAGES)
    # on the CPU: some GPUs have no float64, and others round it otherwise than where the probe is compared
    with twin.train.uncompiled(), patch.dict(os.environ, TWINVAE_DEVICE="cpu"):
        model = changed(job, twin, twin.models.build(spec, seed=job.seed, dtype="float64"))
        before = model.get_arrays()
        module = twin.gan if spec.kind == "cgan" else twin.train
        optimizer = (module.Optimizers if spec.kind == "cgan" else module.Optimizer)(model, settings)
        step, losses = module.make_step(model, optimizer, settings), []
        for epoch in range(1, steps + 1):
            (batch,) = randomness.batches(images, settings, spec.noise_dim, epoch, "float64")
            losses.append([float(value) for value in step(*twin.train.tensors(batch))])
    return losses, before, model.get_arrays()


def _norm(arrays: dict[str, np.ndarray]) -> float:
    return float(np.sqrt(sum((a.astype(np.float64) ** 2).sum() for a in arrays.values())))


def same(then: dict, now: dict) -> bool:
    """Whether two probes agree."""
    return then.keys() == now.keys() and all(
        np.shape(then[part]) == np.shape(now[part])
        and np.allclose(then[part], now[part], rtol=TOLERANCE, atol=1e-12, equal_nan=True)
        for part in now
    )


def changed(job: Job, twin: ModuleType, model: Any) -> Any:
    """Return the model after the job's change."""
    if job.change:
        resolve_name(job.change)(twin, model, **dict(job.arguments))
    return model
