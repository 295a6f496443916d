"""Two mistakes that report 000 warns of, made on purpose: data in the order of classes, pixels from 0 to 255.

`train.fit` allows neither: it shuffles every epoch and scales every batch. Here the batches are changed by hand.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from twinvae import data, draws
from twinvae.spec import ModelSpec, TrainSpec


def class_order(batches: list[draws.Batch]) -> list[draws.Batch]:
    """The same images with the same noise, all of class 0 first, then all of class 1, and so on."""
    size = len(batches[0].x)
    whole = [np.concatenate(part) for part in zip(*batches)]
    order = np.argsort(whole[2].argmax(1), kind="stable")
    starts = range(0, len(order), size)
    return [draws.Batch(*(part[order[start:start + size]] for part in whole)) for start in starts]


def train(
    twin: ModuleType, spec: ModelSpec, settings: TrainSpec, images: data.Splits,
    by_class: bool = False, input_factor: float = 1.0, target_factor: float = 1.0, checks: int = 8,
) -> tuple[Any, pd.DataFrame]:
    """A model trained with one or none of the mistakes, and its curve.

    The factors multiply what the encoder sees and what the decoder shall say; 255 undoes the scaling. The curve has
    `checks` rows an epoch: `epoch` (with its fraction), `loss` as this training itself would print it, and
    `valid_loss`, that of the scaled validation images, which can be compared (nats per image).
    """
    model = twin.models.build(spec, seed=settings.seed)
    step = twin.train.make_step(model, twin.train.Optimizer(model, settings), settings)
    rows = []
    for epoch in range(settings.epochs):
        made = list(draws.batches(images.train, settings, spec.latent_dim, epoch + 1, model.dtype))
        for count, batch in enumerate(class_order(made) if by_class else made, 1):
            batch = batch._replace(x_in=input_factor * batch.x_in, x=target_factor * batch.x)
            loss = float(step(*twin.train.tensors(batch))[0])
            if count * checks // len(made) > (count - 1) * checks // len(made):
                valid = image_losses(twin, model, images.valid, settings, input_factor).mean(dtype=np.float64)
                rows.append((epoch + count / len(made), loss, valid))
    return model, pd.DataFrame(rows, columns=["epoch", "loss", "valid_loss"])


def image_losses(
    twin: ModuleType, model: Any, images: data.Images, settings: TrainSpec, input_factor: float = 1.0
) -> np.ndarray:
    """recon + beta KL of each image, its pixels scaled, whatever the encoder sees.  -> [N], nats per image"""
    losses = []
    for batch in draws.validation(images, settings, model.spec.latent_dim, model.dtype):
        recon, kl = twin.models.call(model, "loss_terms", input_factor * batch.x_in, *batch[1:])
        losses.append(recon + settings.beta * kl)
    return np.concatenate(losses)
