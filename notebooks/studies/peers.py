"""Training beside its limit and beside what others write for the same VAE, 784-400-20, in turns: seconds an epoch.

    python -m twinvae_studies.peers [torch|tf]

The limit is the model's own matrix products, forward and both backward, at their own shapes, alone in the same
framework.  Each twin runs in a process of its own, for two that use all cores slow each other down.
"""

import os
import sys
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pandas as pd

from twinvae import backend, data, randomness
from twinvae.spec import Dense, Flatten, ModelSpec, TrainSpec, mlp
from twinvae_studies.speed import each_alone, made_up, seconds_in_turns

IMAGES, BATCHES, TURNS = 12_800, (128, 256), 5
HIDDEN, CODE, PIXELS = 400, 20, 784
MODEL = ModelSpec("mlp", "vae", (28, 28, 1), CODE, encoder=(Flatten(), *mlp(HIDDEN)), decoder=mlp(HIDDEN))
Epoch = Callable[[], object]  # trains on all images once


def ours(twin: ModuleType, images: data.Images, batch: int) -> Epoch:
    """Return what `train.fit` does in an epoch, without its validation."""
    model, settings = twin.models.build(MODEL), TrainSpec(1, batch)
    step = twin.train.make_step(model, twin.train.Optimizer(model, settings), settings)
    steps = twin.train.make_steps(step, model)

    def epoch():
        for chunk in randomness.ahead(randomness.chunks(images, settings, CODE, 1, "float32")):
            steps(chunk)

    return epoch


def products(twin: ModuleType, images: data.Images, batch: int) -> Epoch:
    """Return all matrix products of an epoch: x W^T, g^T x, and g W but for the first layer of the encoder."""
    rng = np.random.default_rng(0)
    layers = [
        (row.shape_in[0], row.shape_out[0], stack.name == "encoder")
        for stack in MODEL.stacks().values()
        for row in stack.walk()
        if isinstance(row.layer, Dense)
    ]
    arrays = [
        rng.standard_normal(shape, dtype=np.float32) for n, m, _ in layers for shape in ((batch, n), (m, n), (batch, m))
    ]
    x_w_g = twin.train.tensors(arrays)
    transposed = twin.layers.tf.transpose if hasattr(twin.layers, "tf") else lambda a: a.T

    def step(*tensors):
        made = []
        for (_, _, first), x, w, g in zip(layers, tensors[::3], tensors[1::3], tensors[2::3], strict=True):
            made += [x @ transposed(w), transposed(g) @ x] + ([] if first else [g @ w])
        return made

    if hasattr(twin.layers, "tf"):
        step = twin.layers.tf.function(step, autograph=False, jit_compile=True)

    def epoch():
        for _ in range(len(images) // batch):
            made = step(*x_w_g)
        return float(made[-1][0, 0])

    return epoch


def torch_peers(images: data.Images, batch: int) -> dict[str, Epoch]:
    """Return PyTorch's tutorial loop as it comes, compiled, and with a DataLoader."""
    import torch
    from torch import nn
    from torch.nn import functional

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(PIXELS, HIDDEN)
            self.mu, self.logvar = nn.Linear(HIDDEN, CODE), nn.Linear(HIDDEN, CODE)
            self.back, self.out = nn.Linear(CODE, HIDDEN), nn.Linear(HIDDEN, PIXELS)

        def forward(self, x):
            h = functional.relu(self.hidden(x))
            mu, logvar = self.mu(h), self.logvar(h)
            z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
            return torch.sigmoid(self.out(functional.relu(self.back(z)))), mu, logvar

    x = torch.from_numpy(data.scale(images.x)).flatten(1)

    def trained(batches, compiled=False) -> Epoch:
        model = VAE()
        run = torch.compile(model) if compiled else model
        adam = torch.optim.Adam(model.parameters(), 1e-3)

        def epoch():
            for one in batches():
                made, mu, logvar = run(one)
                loss = functional.binary_cross_entropy(made, one, reduction="sum")
                loss = loss - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
                adam.zero_grad()
                loss.backward()
                adam.step()
                loss.item()

        return epoch

    def shuffled():
        return (x[at] for at in torch.randperm(len(x)).split(batch))

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), batch, shuffle=True)
    return {
        "tutorial loop": trained(shuffled),
        "tutorial loop, torch.compile": trained(shuffled, compiled=True),
        "tutorial loop, DataLoader": trained(lambda: (one for (one,) in loader)),
    }


def tf_peers(images: data.Images, batch: int) -> dict[str, Epoch]:
    """Return Keras' fit of its own VAE example's kind, as it comes, and jitted with 50 steps an execution."""
    import keras
    import tensorflow as tf

    class VAE(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = keras.layers.Dense(HIDDEN, "relu")
            self.mu, self.logvar = keras.layers.Dense(CODE), keras.layers.Dense(CODE)
            self.back, self.out = keras.layers.Dense(HIDDEN, "relu"), keras.layers.Dense(PIXELS, "sigmoid")

        def train_step(self, x):
            with tf.GradientTape() as tape:
                h = self.hidden(x)
                mu, logvar = self.mu(h), self.logvar(h)
                z = mu + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mu))
                recon = PIXELS * keras.losses.binary_crossentropy(x, self.out(self.back(z)))
                kl = -0.5 * tf.reduce_sum(1 + logvar - mu**2 - tf.exp(logvar), 1)
                loss = tf.reduce_mean(recon + kl)
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            return {"nats": loss}

    x = data.scale(images.x).reshape(len(images), -1)

    def trained(**how) -> Epoch:
        model = VAE()
        model.compile(keras.optimizers.Adam(1e-3), **how)
        return lambda: model.fit(x, batch_size=batch, verbose=0)

    return {"Keras fit": trained(), "Keras fit, jitted, 50 steps": trained(jit_compile=True, steps_per_execution=50)}


def table(name: str, batch: int) -> pd.DataFrame:
    """Return a row a way: median and quartiles of images a second over the turns, and the share of the limit."""
    twin, images = backend.get(name), made_up(IMAGES, MODEL)
    ways = {"limit": products(twin, images, batch), "twin": ours(twin, images, batch)}
    ways |= (torch_peers if name == "torch" else tf_peers)(images, batch)
    speed = len(images) / pd.DataFrame(seconds_in_turns(ways, TURNS))
    rows = speed.quantile([0.5, 0.25, 0.75]).T.set_axis(["images/s", "lower quartile", "upper quartile"], axis=1)
    rows["share of limit"] = rows["images/s"] / rows.loc["limit", "images/s"]
    return rows.rename_axis("way").reset_index().assign(backend=name, batch=batch)


def main(names: list[str]) -> None:
    """Print the tables of the twins named, or of both."""
    if len(names) != 1:
        return each_alone("twinvae_studies.peers", names)
    print(f"load {os.getloadavg()[0]:.2f}, {backend.get(names[0]).models.threads()} threads")
    for batch in BATCHES:
        print(table(names[0], batch).to_string(index=False, float_format="%.2f"), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
