"""Both twins in one process, for notebook 08: layer by layer, one default at a time, the ways to train."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from twinvae import backend, data, draws, parity
from twinvae.spec import (
    Activation,
    BatchNorm,
    Conv,
    ConvTranspose,
    Dense,
    Flatten,
    ModelSpec,
    Reshape,
    TrainSpec,
    mlp,
)

os.environ.setdefault(
    "TF_CPP_MIN_LOG_LEVEL", "3"
)  # uncompiled, oneDNN calls an error what it leaves to others
PT, TF = backend.get("torch"), backend.get("tf")
torch, tf, keras = PT.layers.torch, TF.layers.tf, TF.layers.keras
tf.get_logger().setLevel("ERROR")  # it warns of tracing many functions; many small models are the point here

MLP_VAE = ModelSpec("mlp_vae", "vae", (28, 28, 1), 20, (Flatten(), *mlp(200)), mlp(200), init="keras")


def conv_vae(
    slope: float = 0.3, momentum: float = 0.99, epsilon: float = 1e-3, init: str = "keras"
) -> ModelSpec:
    """A convolutional VAE for 28 x 28 pixels in which every default below acts; Keras' values unless told."""
    norm, leaky = BatchNorm(momentum, epsilon), Activation("leaky_relu", slope)
    encoder = (Conv(8, 3, 2, bias=False), norm, leaky, Conv(16, 3, 2, bias=False), norm, leaky, Flatten())
    decoder = (Dense(784), leaky, Reshape((7, 7, 16)), ConvTranspose(8, 4, 2), leaky, ConvTranspose(1, 4, 2))
    return ModelSpec("conv_vae", "vae", (28, 28, 1), 10, encoder, decoder, init=init)


def numpy(t: Any) -> np.ndarray:
    """A tensor of either framework as an array."""
    return t.numpy(force=True) if isinstance(t, torch.Tensor) else t.numpy()


@contextlib.contextmanager
def uncompiled():
    """TensorFlow without graphs: a few steps of many models would spend their time compiling."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


# ---------------------------------------------------------------- layer by layer


def after_each_layer(twin: ModuleType, model: Any, name: str, h: np.ndarray) -> dict[str, np.ndarray]:
    """What a stack of the model gives when it ends after its first, its second, ... layer.  h [B, *shape]"""
    stack, found = getattr(model, name), {}
    rows = list(stack.rows)
    for i, row in enumerate(rows, start=1):
        stack.rows = rows[:i]
        found[f"{name}.{row.name}"] = numpy(stack(twin.train.tensors([h])[0]))
    stack.rows = rows
    return found


def signals(twin: ModuleType, spec: ModelSpec, batch: draws.Batch, dtype: str) -> tuple[dict, dict]:
    """All layers' outputs for a batch, and the gradients of the loss by weight, in PyTorch's layout."""
    model, settings = twin.models.build(spec, dtype=dtype), TrainSpec(epochs=1)
    found = after_each_layer(twin, model, "encoder", batch.x_in)
    features = next(reversed(found.values())).reshape(len(batch.x), -1)
    found |= after_each_layer(twin, model, "mu", features) | after_each_layer(twin, model, "logvar", features)
    z = found["mu.dense1"] + np.exp(found["logvar.dense1"] / 2) * batch.eps
    found |= after_each_layer(twin, model, "decoder", z)
    optimizer = twin.train.Optimizer(model, settings)
    _, gradients = twin.train.loss_and_gradients(
        model, optimizer.weights, settings, *twin.train.tensors(batch)
    )
    layout = TF.layers.to_pytorch if twin is TF else np.asarray
    return found, {name: layout(numpy(g)) for name, g in zip(optimizer.names, gradients)}


def layer_table(spec: ModelSpec, batch: draws.Batch, dtype: str = "float64") -> pd.DataFrame:
    """A row per layer of a VAE without condition: outputs and gradients apart, over the largest."""
    (torch_out, torch_grad), (tf_out, tf_grad) = (signals(twin, spec, batch, dtype) for twin in (PT, TF))
    rows = []
    for name, out in torch_out.items():
        own = {n: g for n, g in torch_grad.items() if n.rpartition(".")[0] == name}
        rows.append(
            {
                "layer": name,
                "output": " x ".join(map(str, out.shape[1:])),
                "outputs apart": parity.over_largest({"": out}, {"": tf_out[name]}),
                "gradients apart": parity.over_largest(own, tf_grad) if own else None,
            }
        )
    return pd.DataFrame(rows)


# ---------------------------------------------------------------- one default at a time


@dataclass(frozen=True)
class Switch:
    """One default of a framework in a twin that is otherwise as it is: another spec, or one name replaced."""

    key: str
    name: str
    torch: str  # PyTorch's default, in words
    keras: str  # TensorFlow's
    spec: ModelSpec = conv_vae()
    patch: tuple[Any, str, Any] | None = None  # module or class, name in it, what stands there instead
    twin: ModuleType = PT


def adam_as_keras(self, gradients) -> None:
    """Epsilon 1e-7 before the bias correction: divided by sqrt(1 - 0.999^t) if it is to stand behind it."""
    self.rule.param_groups[0]["eps"] = 1e-7 / (1 - 0.999 ** (self.t + 1)) ** 0.5
    STEP(self, gradients)


def adam_any_layout(self, gradients) -> None:
    """Gradients as torch.autograd.grad returns them, in whatever order their memory is."""
    for weight, gradient in zip(self.weights, gradients):
        weight.grad = gradient
    self.rule.step()
    self.t += 1


def norm_unbiased(self, h, training=False):
    """BatchNorm that keeps the unbiased variance, n / (n - 1) times the batch's."""
    before = self.running_var.clone()
    out = NORM(self, h, training)
    if training:
        n = h.numel() / h.shape[1]
        kept = self.layer.momentum * before
        self.running_var.copy_(kept + (self.running_var - kept) * n / (n - 1))
    return out


def own_noise(batch: draws.Batch) -> list:
    """The batch as tensors, its noise drawn by PyTorch."""
    *arrays, eps = TENSORS[PT](batch)
    return [*arrays, torch.randn_like(eps)]


STEP, NORM = PT.train.Optimizer.step, PT.layers.BatchNorm.forward
TENSORS = {twin: twin.train.tensors for twin in (PT, TF)}
PADDING = (PT.layers, "same_padding", lambda n, kernel, stride: ((kernel - 1) // 2, (kernel - 1) // 2))
FLATTEN = (PT.layers, "flatten", lambda h: h.flatten(1))
UNBIASED = (PT.layers.BatchNorm, "forward", norm_unbiased)
ROUNDED = (TF.layers, "LeakyReLU", keras.layers.LeakyReLU)
SWITCHES = (
    Switch("twin", "nothing: the other twin", "", "", twin=TF),
    Switch(
        "rounding",
        "LeakyReLU's slope, float64 model",
        "float64",
        "rounded to float32",
        patch=ROUNDED,
        twin=TF,
    ),
    Switch(
        "adam",
        "Adam's epsilon",
        "1e-8, after correction",
        "1e-7, before",
        patch=(PT.train.Optimizer, "step", adam_as_keras),
    ),
    Switch("variance", "BatchNorm: variance kept", "unbiased", "biased", patch=UNBIASED),
    Switch("norm_epsilon", "BatchNorm: epsilon", "1e-5", "1e-3", spec=conv_vae(epsilon=1e-5)),
    Switch("momentum", "BatchNorm: share kept", "0.9", "0.99", spec=conv_vae(momentum=0.9)),
    Switch(
        "noise", "noise", "its own generator", "its own generator", patch=(PT.train, "tensors", own_noise)
    ),
    Switch("flatten", "flattening a map", "C, H, W", "H, W, C", patch=FLATTEN),
    Switch("padding", "padding, kernel 3, stride 2", "1 before, 1 after", "0 before, 1 after", patch=PADDING),
    Switch("slope", "LeakyReLU's slope", "0.01", "0.3", spec=conv_vae(slope=0.01)),
    Switch("init", "initial weights", "uniform, fan in", "Glorot, biases 0", spec=conv_vae(init="torch")),
    Switch(
        "fused",
        "fused Adam, other memory order",
        "misread",
        "no such thing",
        patch=(PT.train.Optimizer, "step", adam_any_layout),
    ),
)


class KerasAdam:
    """Keras' own Adam with the face of the twins' optimiser."""

    def __init__(self, model, settings):
        self.weights = [w for w in model.named_tensors().values() if w.trainable]
        self.rule = keras.optimizers.Adam(settings.learning_rate)
        self.rule.build(self.weights)

    def step(self, gradients):
        self.rule.apply(gradients, self.weights)


def take(
    images: data.Images, settings: TrainSpec, latent_dim: int, steps: int, dtype: str
) -> list[draws.Batch]:
    """The first batches of a training run."""
    epochs = (draws.batches(images, settings, latent_dim, epoch, dtype) for epoch in itertools.count(1))
    return list(itertools.islice(itertools.chain.from_iterable(epochs), steps))


def curve(
    twin: ModuleType,
    spec: ModelSpec,
    images: data.Splits,
    settings: TrainSpec,
    steps: int,
    every: int,
    dtype: str = "float64",
    rule: type | None = None,
) -> np.ndarray:
    """Validation loss at first and after each `every` steps, in nats per image.  -> [steps / every + 1]"""
    model = twin.models.build(spec, settings.seed, dtype)
    optimizer = (rule or twin.train.Optimizer)(model, settings)
    step = (tf_graph if twin is TF else twin.train.make_step)(model, optimizer, settings)
    (held_out,) = draws.validation(
        images.valid, replace(settings, seed=0), spec.latent_dim, dtype, len(images.valid)
    )
    held_out = TENSORS[twin](held_out)  # with the common noise, whatever is switched

    def valid() -> float:
        return float(sum(numpy(t).mean() for t in model.loss_terms(*held_out)))

    losses = [valid()]
    for count, batch in enumerate(take(images.train, settings, spec.latent_dim, steps, dtype), start=1):
        step(*twin.train.tensors(batch))
        if count % every == 0:
            losses.append(valid())
    return np.array(losses)


def switched(switch: Switch, *arguments, **options) -> np.ndarray:
    """The curve of a twin with one switch.  Arguments as of `curve`, from `images` on."""
    torch.manual_seed(0)
    with mock.patch.object(*switch.patch) if switch.patch else contextlib.nullcontext():
        return curve(switch.twin, switch.spec, *arguments, **options)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b| / |a|, at least the 1e-16 that a logarithmic axis can show."""
    return np.maximum(np.abs(a - b) / np.abs(a), 1e-16)


def all_defaults(twin: ModuleType, *arguments, **options) -> np.ndarray:
    """The curve of its framework's defaults, noise excepted.  Arguments of `curve` from `images` on."""
    if twin is TF:
        return curve(TF, conv_vae(), *arguments, rule=KerasAdam, **options)
    with contextlib.ExitStack() as stack:
        for patch in (PADDING, FLATTEN, UNBIASED):
            stack.enter_context(mock.patch.object(*patch))
        return curve(PT, conv_vae(0.01, 0.9, 1e-5, "torch"), *arguments, **options)


# ---------------------------------------------------------------- ways to train


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


@dataclass(frozen=True)
class Way:
    """A way to train: its name, the twin, its step function, and all that one has to write for it."""

    name: str
    twin: ModuleType
    make: Callable | None
    source: tuple[Any, ...]

    @property
    def lines(self) -> int:
        """Lines of code, blank ones not counted."""
        return sum(
            bool(line.strip()) for part in self.source for line in inspect.getsource(part).splitlines()
        )


WAYS = {
    "torch_eager": Way("PyTorch, eager", PT, torch_eager, (torch_eager,)),
    "torch_compiled": Way("PyTorch, torch.compile", PT, torch_compiled, (torch_eager, torch_compiled)),
    "tf_fit": Way("TensorFlow, fit with own train_step", TF, None, (Fit,)),
    "tf_eager": Way("TensorFlow, own loop, eager", TF, tf_eager, (tf_eager,)),
    "tf_graph": Way("TensorFlow, own loop, tf.function", TF, tf_graph, (tf_eager, tf_graph)),
    "tf_compiled": Way("TensorFlow, own loop, jit_compile", TF, tf_compiled, (tf_eager, tf_compiled)),
}


def epoch_of(
    way: Way, spec: ModelSpec, settings: TrainSpec, batches: list[draws.Batch]
) -> Callable[[], float]:
    """A function that trains one epoch on these batches and returns the last loss."""
    model = way.twin.models.build(spec)
    if way.make is None:
        rows = tuple(np.concatenate(arrays) for arrays in zip(*batches))
        loader, fit = tf.data.Dataset.from_tensor_slices(rows).batch(len(batches[0].x)), Fit(model, settings)
        return lambda: float(fit.fit(loader, shuffle=False, verbose=0).history["nats"][-1])
    optimizer = (KerasAdam if way.twin is TF else PT.train.Optimizer)(model, settings)
    step = way.make(model, optimizer, settings)
    return lambda: float([numpy(step(*way.twin.train.tensors(batch))) for batch in batches][-1])


def timed(
    way: Way, spec: ModelSpec, settings: TrainSpec, batches: list[draws.Batch], epochs: int
) -> dict[str, float]:
    """Seconds of the first epoch, compiling included; images a second in the fastest later one; last loss."""
    epoch, seconds = epoch_of(way, spec, settings, batches), []
    for _ in range(1 + epochs):
        start = time.perf_counter()
        loss = epoch()
        seconds.append(time.perf_counter() - start)
    return {"first": seconds[0], "speed": sum(len(b.x) for b in batches) / min(seconds[1:]), "loss": loss}
