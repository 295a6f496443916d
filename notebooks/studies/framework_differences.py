"""Both twins in one process, for notebook 08: layer by layer, one default at a time."""

import contextlib
import itertools
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from twinvae import data, randomness
from twinvae.spec import Activation, BatchNorm, Conv, ConvTranspose, Dense, Flatten, ModelSpec, Reshape, TrainSpec, mlp
from twinvae_studies import evaluation, parity
from twinvae_studies.training_loops import PT, TF, KerasAdam, keras, numpy, tf_graph, torch

MLP_VAE = ModelSpec("mlp_vae", "vae", (28, 28, 1), 20, (Flatten(), *mlp(200)), mlp(200), init="keras")


def conv_vae(slope: float = 0.3, momentum: float = 0.99, epsilon: float = 1e-3, init: str = "keras") -> ModelSpec:
    """Return a convolutional VAE for 28 x 28 pixels in which every default below acts; Keras' values unless told."""
    norm = BatchNorm(momentum, epsilon)
    leaky = Activation("leaky_relu", slope)
    encoder = (Conv(8, 3, 2, bias=False), norm, leaky, Conv(16, 3, 2, bias=False), norm, leaky, Flatten())
    decoder = (Dense(784), leaky, Reshape((7, 7, 16)), ConvTranspose(8, 4, 2), leaky, ConvTranspose(1, 4, 2))
    return ModelSpec("conv_vae", "vae", (28, 28, 1), 10, encoder, decoder, init=init)


# ---------------------------------------------------------------- layer by layer


def after_each_layer(twin: ModuleType, model: Any, name: str, h: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a stack of the model gives when it ends after its first, its second, ... layer.  h [B, *shape]"""
    stack, found = getattr(model, name), {}
    rows = list(stack.rows)
    for i, row in enumerate(rows, start=1):
        stack.rows = rows[:i]
        found[f"{name}.{row.name}"] = numpy(stack(twin.train.tensors([h])[0]))
    return found


def signals(twin: ModuleType, spec: ModelSpec, batch: randomness.Batch) -> tuple[dict, dict]:
    """Return all layers' outputs for a batch, and the gradients of the loss by weight, in PyTorch's layout."""
    model, settings = twin.models.build(spec, dtype="float64"), TrainSpec(epochs=1)
    found = after_each_layer(twin, model, "encoder", batch.x_in)
    features = next(reversed(found.values())).reshape(len(batch.x), -1)
    found |= after_each_layer(twin, model, "mu", features) | after_each_layer(twin, model, "logvar", features)
    z = found["mu.dense1"] + np.exp(found["logvar.dense1"] / 2) * batch.eps
    found |= after_each_layer(twin, model, "decoder", z)
    optimizer = twin.train.Optimizer(model, settings)
    _, gradients = twin.train.loss_and_gradients(model, optimizer.weights, settings.beta, *twin.train.tensors(batch))
    layout = TF.layers.to_pytorch if twin is TF else np.asarray
    return found, {name: layout(numpy(g)) for name, g in zip(optimizer.names, gradients, strict=True)}


def layer_table(spec: ModelSpec, batch: randomness.Batch) -> pd.DataFrame:
    """Return a row a layer of a VAE without condition: outputs and gradients apart, over the largest."""
    (torch_out, torch_grad), (tf_out, tf_grad) = (signals(twin, spec, batch) for twin in (PT, TF))
    rows = []
    for name, out in torch_out.items():
        own = {n: g for n, g in torch_grad.items() if n.rpartition(".")[0] == name}
        apart = parity.over_largest({"": out}, {"": tf_out[name]})
        of_gradients = parity.over_largest(own, tf_grad) if own else None
        rows.append((name, " x ".join(map(str, out.shape[1:])), apart, of_gradients))
    return pd.DataFrame(rows, columns=["layer", "output", "outputs apart", "gradients apart"])


# ---------------------------------------------------------------- one default at a time
@dataclass(frozen=True)
class Switch:
    """One default of a framework, or several, in a twin that is otherwise as it is: another spec, or names replaced."""

    key: str
    name: str
    torch: str  # PyTorch's default, in words
    keras: str  # TensorFlow's
    spec: ModelSpec = conv_vae()
    patches: tuple[tuple[Any, str, Any], ...] = ()  # module or class, name in it, what stands there instead
    twin: ModuleType = PT


def adam_as_keras(weights, g, m, v, largest, t, eps, **how) -> None:
    """Step with epsilon 1e-7 before the bias correction: divided by sqrt(1 - 0.999^t) if it is to stand behind it."""
    ADAM(weights, g, m, v, largest, t, eps=1e-7 / (1 - 0.999 ** (float(t[0]) + 1)) ** 0.5, **how)


@torch.no_grad()
def adam_any_layout(self, gradients) -> None:
    """Step by gradients as torch.autograd.grad returns them, in whatever order their memory is."""
    self.adam(list(gradients), *self.slots.values())


def norm_unbiased(self, h, training=False):
    """Normalise a batch and keep the unbiased variance, n / (n - 1) times the batch's."""
    before = self.running_var.clone()
    out = NORM(self, h, training)
    if training:
        n = h.numel() / h.shape[1]
        kept = self.layer.momentum * before
        self.running_var.copy_(kept + (self.running_var - kept) * n / (n - 1))
    return out


def own_noise(batch: randomness.Batch) -> list:
    """Return the batch as tensors, its noise drawn by PyTorch."""
    *arrays, eps = TENSORS[PT](batch)
    return [*arrays, torch.randn_like(eps)]


ADAM, NORM = PT.train.adam, PT.layers.BatchNorm.forward
TENSORS = {twin: twin.train.tensors for twin in (PT, TF)}
PADDING = (PT.layers, "same_padding", lambda n, kernel, stride: ((kernel - 1) // 2, (kernel - 1) // 2))
FLATTEN = (PT.layers, "flatten", lambda h: h.flatten(1))
UNBIASED = (PT.layers.BatchNorm, "forward", norm_unbiased)
ROUNDED = (TF.layers, "LeakyReLU", keras.layers.LeakyReLU)
NOISE = (PT.train, "tensors", own_noise)
EPSILON, MISREAD = (PT.train, "adam", adam_as_keras), (PT.train.Optimizer, "step", adam_any_layout)
SWITCHES = (
    Switch("twin", "nothing: the other twin", "", "", twin=TF),
    Switch(
        "rounding", "LeakyReLU's slope, float64 model", "float64", "rounded to float32", patches=(ROUNDED,), twin=TF
    ),
    Switch("adam", "Adam's epsilon", "1e-8, after correction", "1e-7, before", patches=(EPSILON,)),
    Switch("variance", "BatchNorm: variance kept", "unbiased", "biased", patches=(UNBIASED,)),
    Switch("norm_epsilon", "BatchNorm: epsilon", "1e-5", "1e-3", spec=conv_vae(epsilon=1e-5)),
    Switch("momentum", "BatchNorm: share kept", "0.9", "0.99", spec=conv_vae(momentum=0.9)),
    Switch("noise", "noise", "its own generator", "its own generator", patches=(NOISE,)),
    Switch("flatten", "flattening a map", "C, H, W", "H, W, C", patches=(FLATTEN,)),
    Switch("padding", "padding, kernel 3, stride 2", "1 before, 1 after", "0 before, 1 after", patches=(PADDING,)),
    Switch("slope", "LeakyReLU's slope", "0.01", "0.3", spec=conv_vae(slope=0.01)),
    Switch("init", "initial weights", "uniform, fan in", "Glorot, biases 0", spec=conv_vae(init="torch")),
    Switch("fused", "fused Adam, other memory order", "misread", "no such thing", patches=(MISREAD,)),
)
PORTED = conv_vae(0.01, 0.9, 1e-5, "torch")
DEFAULTS = (  # all of either framework, noise excepted
    Switch("torch", "PyTorch's defaults", "all", "", PORTED, (PADDING, FLATTEN, UNBIASED)),
    Switch("tf", "Keras' defaults", "", "all", patches=((TF.train, "Optimizer", KerasAdam),), twin=TF),
)


def take(images: data.Images, settings: TrainSpec, latent_dim: int, steps: int, dtype: str) -> list[randomness.Batch]:
    """Return the first batches of a training run."""
    epochs = (randomness.batches(images, settings, latent_dim, epoch, dtype) for epoch in itertools.count(1))
    return list(itertools.islice(itertools.chain.from_iterable(epochs), steps))


def curve(
    twin: ModuleType,
    spec: ModelSpec,
    images: data.Splits,
    settings: TrainSpec,
    steps: int,
    every: int,
    dtype: str = "float64",
) -> np.ndarray:
    """Return the validation loss at first and after each `every` steps, in nats per image.  -> [steps / every + 1]"""
    model = twin.models.build(spec, settings.seed, dtype)
    optimizer = twin.train.Optimizer(model, settings)
    step = (tf_graph if twin is TF else twin.train.make_step)(model, optimizer, settings)
    common = replace(settings, seed=0)
    (held_out,) = randomness.validation(images.valid, common, spec.latent_dim, dtype, len(images.valid))
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
    """Return the curve of a twin with one switch.  Arguments as of `curve`, from `images` on."""
    torch.manual_seed(0)
    with contextlib.ExitStack() as stack:
        for patch in switch.patches:
            stack.enter_context(mock.patch.object(*patch))
        return curve(switch.twin, switch.spec, *arguments, **options)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return |a - b| / |a|, at least the 1e-16 that a logarithmic axis can show."""
    return np.maximum(np.abs(a - b) / np.abs(a), 1e-16)


def switch_table(parted: dict[str, np.ndarray], every: int) -> pd.DataFrame:
    """Return a row a switch: both defaults, how far apart its curve ends, the step by which it passed 0.001."""
    far = {name: np.flatnonzero(curve > 1e-3) for name, curve in parted.items()}
    rows = [
        {
            "switched": switch.name,
            "PyTorch": switch.torch,
            "Keras": switch.keras,
            "apart": parted[switch.name][-1],
            "0.001 by step": str(far[switch.name][0] * every) if len(far[switch.name]) else "never",
        }
        for switch in SWITCHES
    ]
    return pd.DataFrame(rows)


def keep_gap(run, torch_curves: np.ndarray, tf_curves: np.ndarray, share: np.ndarray, at: np.ndarray) -> None:
    """Keep the largest mean gap of validation losses between the frameworks' defaults, its step, and the ends.

    Curves [S, T] of S seeds at the steps `at` [T], in nats; `share` [T] is what BatchNorm's share alone makes.
    """
    gap = tf_curves.mean(0) - torch_curves.mean(0)
    largest = np.abs(gap).argmax()
    run.number("defaults_gap", gap[largest], ".0f")
    run.number("defaults_gap_step", at[largest], "d")
    run.number("defaults_gap_share", share[largest], ".0f")
    run.number("defaults_gap_end", gap[-1], ".1f")
    for name, curves in (("torch", torch_curves), ("tf", tf_curves)):
        evaluation.keep(run, f"defaults_{name}", curves[:, -1], ".1f")
