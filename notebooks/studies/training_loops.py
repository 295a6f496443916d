"""The ways to train in either framework, for notebook 08: each written out, with the lines it takes and its speed."""

import inspect
import os
import shutil
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from twinvae import backend, randomness
from twinvae.spec import ModelSpec, TrainSpec

# uncompiled, oneDNN calls an error what it leaves to others
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PT, TF = backend.get("torch"), backend.get("tf")
torch, tf, keras = PT.layers.torch, TF.layers.tf, TF.layers.keras
# it warns of tracing many functions; many small models are the point here
tf.get_logger().setLevel("ERROR")


def numpy(t: Any) -> np.ndarray:
    """Return a tensor of either framework as an array."""
    return t.numpy(force=True) if isinstance(t, torch.Tensor) else t.numpy()


class KerasAdam:
    """Keras' own Adam with the face of the twins' optimiser."""

    def __init__(self, model, settings):
        self.weights = [w for w in model.named_tensors().values() if w.trainable]
        self.rule = keras.optimizers.Adam(settings.learning_rate)
        self.rule.build(self.weights)

    def step(self, gradients):
        self.rule.apply(gradients, self.weights)


def torch_eager(model, optimizer, settings):
    def step(x_in, x, y, eps):
        recon, kl = model.loss_terms(x_in, x, y, eps, training=True)
        loss = (recon + settings.beta * kl).mean()
        optimizer.step(torch.autograd.grad(loss, optimizer.weights))
        return loss

    return step


def torch_compiled(model, optimizer, settings):
    model.loss_terms = torch.compile(model.loss_terms)
    return torch_eager(model, optimizer, settings)


def tf_eager(model, optimizer, settings):
    def step(x_in, x, y, eps):
        with tf.GradientTape() as tape:
            recon, kl = model.loss_terms(x_in, x, y, eps, training=True)
            loss = tf.reduce_mean(recon + settings.beta * kl)
        optimizer.step(tape.gradient(loss, optimizer.weights))
        return loss

    return step


def tf_graph(model, optimizer, settings):
    return tf.function(tf_eager(model, optimizer, settings), autograph=False)


def tf_compiled(model, optimizer, settings):
    return tf.function(tf_eager(model, optimizer, settings), autograph=False, jit_compile=True)


class Fit(keras.Model):
    def __init__(self, model, settings):
        super().__init__()
        self.vae, self.beta = model, settings.beta
        self.compile(keras.optimizers.Adam(settings.learning_rate), jit_compile=False)

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            recon, kl = self.vae.loss_terms(*batch, training=True)
            loss = tf.reduce_mean(recon + self.beta * kl)
        self.optimizer.apply(tape.gradient(loss, self.vae.trainable_weights), self.vae.trainable_weights)
        return {"nats": loss}  # under the name 'loss' Keras would show its own, which stays 0


class Way(NamedTuple):
    """A way to train: its name, the twin, and all that one writes for it, the step function last."""

    name: str
    twin: ModuleType
    source: tuple[Any, ...]

    @property
    def lines(self) -> int:
        """The lines of code, blank ones not counted."""
        return sum(bool(line.strip()) for part in self.source for line in inspect.getsource(part).splitlines())


WAYS = {
    "torch_eager": Way("PyTorch, eager", PT, (torch_eager,)),
    "torch_compiled": Way("PyTorch, torch.compile", PT, (torch_eager, torch_compiled)),
    "tf_fit": Way("TensorFlow, fit with own train_step", TF, (Fit,)),
    "tf_eager": Way("TensorFlow, own loop, eager", TF, (tf_eager,)),
    "tf_graph": Way("TensorFlow, own loop, tf.function", TF, (tf_eager, tf_graph)),
    "tf_compiled": Way("TensorFlow, own loop, jit_compile", TF, (tf_eager, tf_compiled)),
}


def epoch_of(way: Way, spec: ModelSpec, settings: TrainSpec, batches: list[randomness.Batch]) -> Callable[[], float]:
    """Return a function that trains one epoch on these batches and returns the last loss."""
    model, own = way.twin.models.build(spec), way.source[-1]
    if own is Fit:
        rows = tuple(np.concatenate(arrays) for arrays in zip(*batches, strict=True))
        loader = tf.data.Dataset.from_tensor_slices(rows).batch(len(batches[0].x))
        fit = Fit(model, settings)
        return lambda: float(fit.fit(loader, shuffle=False, verbose=0).history["nats"][-1])
    optimizer = (KerasAdam if way.twin is TF else PT.train.Optimizer)(model, settings)
    step = own(model, optimizer, settings)
    return lambda: float([numpy(step(*way.twin.train.tensors(batch))) for batch in batches][-1])


def timed(
    way: Way, spec: ModelSpec, settings: TrainSpec, batches: list[randomness.Batch], epochs: int
) -> dict[str, float]:
    """Return seconds of the first epoch, compiling included; images a second in the fastest later one; last loss."""
    epoch = epoch_of(way, spec, settings, batches)
    seconds = []
    for _ in range(1 + epochs):
        start = time.perf_counter()
        loss = epoch()
        seconds.append(time.perf_counter() - start)
    return {"first": seconds[0], "speed": sum(len(b.x) for b in batches) / min(seconds[1:]), "loss": loss}


def no_compiler(smoke: bool) -> str:
    """Return why torch.compile is left out; '' where it can be tried."""
    if smoke:
        return "smoke has no minute for it"
    return "" if any(map(shutil.which, ("g++", "clang++", "c++"))) else "there is no C++ compiler here"


def keep(run: Any, seen: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Keep the speed and the lines of each way that was `timed`, by its key; return them as a table."""
    rows = []
    for key, result in seen.items():
        run.number(f"speed_{key}", result["speed"], ",.0f")
        run.number(f"lines_{key}", WAYS[key].lines, "d")
        row = {"way": WAYS[key].name, "lines": WAYS[key].lines, "images a second": result["speed"]}
        rows.append(row | {"first epoch [s]": result["first"]})
    return pd.DataFrame(rows)
