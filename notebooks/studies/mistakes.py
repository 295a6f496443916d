"""Mistakes made on purpose, to see what they cost.

Report 000 warns of two: data in the order of classes, pixels from 0 to 255.  `train.fit` allows neither: it shuffles
every epoch and scales every batch; here the batches are changed by hand.  The others are changes of a built model,
which jobs make: report 000's clipped probabilities; and, as in report 003's code, label planes that are scrambled and
batch normalisation that never learns its statistics.  Its third mistake, test images in training, is a transform.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from twinvae import backend, data, paths, randomness
from twinvae.spec import TrainSpec
from twinvae.training import Job, folder_of
from twinvae.training.jobs import fingerprints
from twinvae.training.probe import changed, core_checksum


def class_order(batches: list[randomness.Batch]) -> list[randomness.Batch]:
    """Return the same images with the same noise, all of class 0 first, then all of class 1, and so on."""
    size = len(batches[0].x)
    whole = [np.concatenate(part) for part in zip(*batches, strict=True)]
    order = np.argsort(whole[2].argmax(1), kind="stable")
    starts = range(0, len(order), size)
    return [randomness.Batch(*(part[order[start : start + size]] for part in whole)) for start in starts]


def train(
    job: Job,
    images: data.Splits,
    by_class: bool = False,
    input_factor: float = 1.0,
    target_factor: float = 1.0,
    checks: int = 8,
) -> tuple[Any, pd.DataFrame]:
    """Return a model trained as the job says but for one or none of the mistakes, and its curve.

    The factors multiply what the encoder sees and what the decoder shall say; 255 undoes the scaling.  The curve has
    `checks` rows an epoch: `epoch` (with its fraction), `loss` as this training itself would print it, and
    `valid_loss`, that of the scaled validation images, which can be compared (nats per image).
    """
    twin, (settings,) = backend.get(job.backend), job.phases
    model = changed(job, twin, twin.models.build(job.spec, seed=job.seed))
    step = twin.train.make_step(model, twin.train.Optimizer(model, settings), settings)
    rows = []
    for epoch in range(settings.epochs):
        made = list(randomness.batches(images.train, settings, job.spec.latent_dim, epoch + 1, model.dtype))
        for count, batch in enumerate(class_order(made) if by_class else made, 1):
            batch = batch._replace(x_in=input_factor * batch.x_in, x=target_factor * batch.x)
            loss = float(step(*twin.train.tensors(batch))[0])
            if count * checks // len(made) > (count - 1) * checks // len(made):
                valid = image_losses(twin, model, images.valid, settings, input_factor).mean(dtype=np.float64)
                rows.append((epoch + count / len(made), loss, valid))
    return model, pd.DataFrame(rows, columns=["epoch", "loss", "valid_loss"])


def curve(job: Job, images: data.Splits, **mistake: Any) -> pd.DataFrame:
    """Return the curve of `train`, kept in the folder of the job's model until code, images or mistake are others."""
    about = [core_checksum(job.backend), paths.sha256(Path(__file__)), sorted(mistake.items())]
    about += fingerprints(images)
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]
    path = folder_of(job, images.source.kind) / f"curve-{key}.csv"
    if not path.exists():
        paths.write_text(path, train(job, images, **mistake)[1].to_csv(index=False))
    return pd.read_csv(path)


def image_losses(
    twin: ModuleType, model: Any, images: data.Images, settings: TrainSpec, input_factor: float = 1.0
) -> np.ndarray:
    """Return recon + beta KL of each image, its pixels scaled, whatever the encoder sees.  -> [N], nats per image"""
    losses = []
    for batch in randomness.validation(images, settings, model.spec.latent_dim, model.dtype):
        recon, kl = twin.models.call(model, "loss_terms", input_factor * batch.x_in, *batch[1:])
        losses.append(recon + settings.beta * kl)
    return np.concatenate(losses)


def clip(twin: ModuleType, model: Any, least: float) -> None:
    """Make a model's loss take the logarithm of a clipped probability, as report 000's, and not of logits."""
    model.recon = lambda x, x_logits: clipped_nll(twin, x, x_logits, least)


def clipped_nll(twin: ModuleType, x: Any, x_logits: Any, clip: float) -> Any:
    """Return -log Bernoulli(x | p), p = sigmoid(x_logits) in clip to 1 - clip.  2 x [B, ...] -> [B]  (report 000)

    In float32 1 - clip is 1 for a clip up to 2^-25, 3e-8: where p is 1 the result is infinite or NaN (E-000-3).
    """
    if backend.name_of(twin) == "torch":
        torch = twin.layers.torch
        p, log = torch.clamp(torch.sigmoid(x_logits), clip, 1 - clip), torch.log
    else:
        tf = twin.layers.tf
        p, log = tf.clip_by_value(tf.sigmoid(x_logits), clip, 1 - clip), tf.math.log
    return -twin.losses.per_example(x * log(p) + (1 - x) * log(1 - p))


# --------------------------------------------------------------------------------------- report 003
def right_planes(y: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a plane for each class, all 1 for the image's own.  One-hot [B, K] -> [B, H, W, K]"""
    return np.broadcast_to(y[:, None, None, :], (len(y), height, width, y.shape[1]))


def scrambled_planes(y: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return what report 003's code makes of it: each value H * W times in a row, then cut into maps (E-003-1).

    One-hot [B, K] -> [B, H, W, K]: 1 in every plane, in a band of H / K rows whose place is the class.
    """
    return np.repeat(y, height * width, axis=1).reshape(len(y), height, width, y.shape[1])


def scramble_planes(twin: ModuleType, model: Any) -> None:
    """Make a model see the scrambled planes, in training and in use."""
    right, (height, width, channels), k = (model.with_planes, model.spec.image_shape, model.spec.num_classes)
    change = scrambled_planes(np.eye(k), height, width) - right_planes(np.eye(k), height, width)
    change = np.concatenate([np.zeros((k, height, width, channels)), change], 3).astype(model.dtype)
    by_class = twin.train.tensors(change)  # K maps [H, W, C + K]
    model.with_planes = lambda x, y: right(x, y) + sum(y[:, i][:, None, None, None] * by_class[i] for i in range(k))


def as_printed(twin: ModuleType, model: Any, scrambled: bool = False, frozen: bool = False) -> None:
    """Make a built model what report 003's code makes of it: with scrambled planes, and with frozen statistics.

    Batch normalisation then keeps mean 0 and variance 1 in training, as without `training=True` (E-003-2).
    """
    if scrambled:
        scramble_planes(twin, model)
    if frozen:
        terms = model.loss_terms
        model.loss_terms = lambda x_in, x, y, eps, training=False: terms(x_in, x, y, eps)


def train_on_test(images: data.Splits, count: int) -> data.Splits:
    """Return splits that train on the first `count` test images, too, so that these are not held out (E-003-3)."""
    parts = images.train, images.test.subset(np.arange(min(count, len(images.test))))
    x, y = (np.concatenate([getattr(part, name) for part in parts]) for name in "xy")
    return replace(images, train=replace(images.train, x=x, y=y), indices={})
