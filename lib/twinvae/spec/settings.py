"""What a training run is."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from twinvae.spec.checks import one_of, python_numbers, real, whole

OPTIMIZERS = ("adam", "rmsprop", "adagrad", "sgd")
BINARIZATIONS = ("none", "threshold", "fixed", "dynamic")
SCHEDULES = ("constant", "cosine", "burda")


@dataclass(frozen=True)
class TrainSpec:
    """One training run.  The loss is recon + beta * kl in nats per image, its mean taken over the batch.

    `schedule` of the rate: 'constant'; 'cosine', half a wave from the rate down to 0; 'burda', 10^(-i/7) of the rate
    for 3^i epochs, i = 0, 1, ... (Burda et al. 2016, section 5).  Adam is not restarted.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    optimizer: str = "adam"
    beta: float = 1.0
    binarize: str = "none"
    noise: float = 0.0  # standard deviation of Gaussian noise on the input (not on the target): denoising
    seed: int = 0
    schedule: str = "constant"
    warmup: int = 0  # epochs in which beta rises evenly to its value
    average: float = 0.0  # decay of a moving average of the weights, which then is the model; 0: the weights themselves

    def __post_init__(self):
        python_numbers(self)
        whole("epochs", self.epochs)
        whole("batch_size", self.batch_size)
        whole("seed", self.seed, least=0)
        real("learning_rate", self.learning_rate, above=0)
        real("beta", self.beta, least=0)
        real("noise", self.noise, least=0)
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        one_of("binarize", self.binarize, BINARIZATIONS)
        one_of("schedule", self.schedule, SCHEDULES)
        whole("warmup", self.warmup, least=0)
        real("average", self.average, least=0)
        if self.average >= 1:
            raise ValueError(f"average is {self.average!r}; it must be below 1")

    def rate_of(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 1."""
        match self.schedule:
            case "cosine":
                return self.learning_rate * (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) / 2
            case "burda":
                stage = next(i for i in itertools.count() if 2 * epoch < 3 ** (i + 1))
                return self.learning_rate * 10 ** (-stage / 7)
        return self.learning_rate

    def beta_of(self, epoch: int) -> float:
        """Return the weight of the KL in an epoch, counted from 1."""
        return self.beta * min(1.0, epoch / self.warmup) if self.warmup else self.beta
