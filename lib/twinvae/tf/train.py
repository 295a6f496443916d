"""The training loop, in TensorFlow."""

from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from twinvae import randomness
from twinvae.checkpoints import Log
from twinvae.tf import layers, models


class Optimizer:
    """One written-out rule each for Adam, RMSProp, Adagrad and SGD; g the gradient, t the step, counted from 1.

    adam     m = 0.9 m + 0.1 g;  v = 0.999 v + 0.001 g^2;  w -= lr (m / (1 - 0.9^t)) / (sqrt(v / (1 - 0.999^t)) + 1e-8)
    rmsprop  v = 0.9 v + 0.1 g^2;  w -= lr g / (sqrt(v) + 1e-8)
    adagrad  v = v + g^2;  w -= lr g / (sqrt(v) + 1e-8)
    sgd      w -= lr g

    It moves the weights of the stacks whose names start with `part`: all by default.  With `average`, the model holds
    their moving average between epochs and the weights themselves within: `swap` exchanges the two.
    """

    def __init__(self, model, settings, part=""):
        self.names, self.weights = zip(
            *((n, w) for n, w in model.named_tensors().items() if w.trainable and n.startswith(part)), strict=True
        )
        self.rule = {"adam": self.adam, "rmsprop": self.rmsprop, "adagrad": self.adagrad, "sgd": self.sgd}[
            settings.optimizer
        ]
        slots = {"adam": "mv", "rmsprop": "v", "adagrad": "v", "sgd": ""}[settings.optimizer]
        self.slots = {slot: [tf.Variable(tf.zeros_like(w)) for w in self.weights] for slot in slots}
        self.settings = settings
        self.other = [tf.Variable(w) for w in self.weights] if settings.average else []
        self.kept = self.slots | ({"other": self.other} if self.other else {})
        self.t, self.rate, self.beta = (tf.Variable(0.0, dtype=model.dtype) for _ in range(3))
        self.start(1)

    def start(self, epoch):
        """Set the rate and the weight of the KL of an epoch."""
        self.rate.assign(self.settings.rate_of(epoch))
        self.beta.assign(self.settings.beta_of(epoch))

    def step(self, gradients):
        """One step of the rule, in place."""
        self.t.assign_add(1.0)
        for weight, gradient, *slots in zip(self.weights, gradients, *self.slots.values(), strict=True):
            weight.assign_sub(self.rate * self.rule(gradient, *slots))
        if self.other:
            decay = tf.minimum(tf.cast(self.settings.average, self.t.dtype), (1 + self.t) / (10 + self.t))
            for weight, other in zip(self.weights, self.other, strict=True):
                other.assign_add((1 - decay) * (weight - other))

    def swap(self):
        """Exchange the model's weights for their moving average, or back."""
        for weight, other in zip(self.weights, self.other, strict=False):
            kept = tf.identity(weight)
            weight.assign(other)
            other.assign(kept)

    def adam(self, g, m, v):
        m.assign(0.9 * m + 0.1 * g)
        v.assign(0.999 * v + 0.001 * g**2)

        def power(beta):
            return tf.pow(tf.constant(beta, g.dtype), self.t)

        return m / (1 - power(0.9)) / (tf.sqrt(v / (1 - power(0.999))) + 1e-8)

    def rmsprop(self, g, v):
        v.assign(0.9 * v + 0.1 * g**2)
        return g / (tf.sqrt(v) + 1e-8)

    def adagrad(self, g, v):
        v.assign_add(g**2)
        return g / (tf.sqrt(v) + 1e-8)

    def sgd(self, g):
        return g

    def get_arrays(self):
        """The state as NumPy arrays: 'optimizer.t', 'optimizer.m.NAME', 'optimizer.v.NAME', 'optimizer.other.NAME'."""
        arrays = {
            f"optimizer.{slot}.{name}": layers.to_pytorch(v.numpy())
            for slot, variables in self.kept.items()
            for name, v in zip(self.names, variables, strict=True)
        }
        return {"optimizer.t": np.array(float(self.t))} | arrays

    def set_arrays(self, arrays):
        """The inverse of `get_arrays`."""
        self.t.assign(arrays["optimizer.t"])
        for slot, variables in self.kept.items():
            for name, variable in zip(self.names, variables, strict=True):
                variable.assign(layers.to_keras(arrays[f"optimizer.{slot}.{name}"]))


def loss_and_gradients(model, weights, beta, x_in, x, y, eps):
    """(loss, recon, kl), means over the batch in nats per image, and the loss's gradient for each weight."""
    with tf.GradientTape() as tape:
        recon, kl = model.loss_terms(x_in, x, y, eps, training=True)
        loss = tf.reduce_mean(recon + beta * kl)
    gradients = tape.gradient(loss, weights)
    return tf.stack([loss, tf.reduce_mean(recon), tf.reduce_mean(kl)]), gradients


def make_step(model, optimizer, settings):
    """The function of one training step: tensors of a batch -> (loss, recon, kl), means over the batch."""

    @tf.function(autograph=False, jit_compile=models.is_dense(model.spec))
    def step(x_in, x, y, eps):
        values, gradients = loss_and_gradients(model, optimizer.weights, optimizer.beta, x_in, x, y, eps)
        optimizer.step(gradients)
        return values

    return step


def make_steps(step, model):
    """The function of the steps of a chunk, one after the other: its arrays -> the values of each, [T, ...]"""

    @tf.function(autograph=False, jit_compile=models.is_dense(model.spec))
    def loop(count, *arrays):
        made = tf.TensorArray(arrays[0].dtype, arrays[0].shape[0])

        def body(at, made):
            x, *more = [a[at] for a in arrays]
            return at + 1, made.write(at, step(x, x, *more) if len(more) == 2 else step(x, *more))

        return tf.while_loop(lambda at, made: at < count, body, (0, made))[1].stack()

    longest = []

    def steps(chunk):
        chunk = chunk[1:] if chunk.x_in is chunk.x else chunk  # the same pixels are sent once
        longest[:] = longest or [len(chunk[0])]  # the first chunk is; a shorter last one is not compiled anew
        missing = longest[0] - len(chunk[0])
        padded = [np.pad(a, [(0, missing)] + [(0, 0)] * (a.ndim - 1)) for a in chunk] if missing else chunk
        return loop(tf.constant(len(chunk[0])), *tensors(padded)).numpy()[: len(chunk[0])]

    return steps


@contextmanager
def uncompiled():
    """Nothing is compiled inside: compiling would take longer than a step or two of each of many models."""
    before = tf.config.functions_run_eagerly()  # a probe within is over before the training around it
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def tensors(batch):
    """The arrays of a batch as tensors where the model is."""
    return [tf.constant(a) for a in batch]


def evaluate(model, images, settings):
    """(loss, recon, kl) over all images, in nats per image, with the noise of the seed.  -> [3]"""
    total = np.zeros(3)
    for batch in randomness.validation(images, settings, model.spec.latent_dim, model.dtype):
        recon, kl = models.call(model, "loss_terms", *batch)
        total += [(recon + settings.beta * kl).sum(), recon.sum(), kl.sum()]
    return total / len(images)


def event_writer(folder):
    """The writer of TensorBoard's event files."""
    return tf.summary.create_file_writer(str(folder))


def fit(model, data, settings, folder=None, tensorboard=None):
    """Train the model on data.train, in place; return the history, a row an epoch (`checkpoints.COLUMNS`).

    With a folder, keeps `last` and `best` checkpoints there and goes on from `last` if there is one, to the same
    weights, bit for bit, as without the interruption; an interrupt leaves the model at the newest whole epoch.
    `tensorboard` is a folder for event files.
    Raises checkpoints.NotFinite when the loss is infinite or NaN, ValueError for a checkpoint of another run.
    """
    if model.spec.kind == "cgan":
        from twinvae.tf import gan  # only now, because it imports this module

        return gan.fit(model, data, settings, folder, tensorboard)
    log = Log(model, settings, data, folder, models.threads())
    return loop(model, data, settings, log, Optimizer(model, settings), make_step, evaluate, tensorboard)


def loop(model, data, settings, log, optimizer, make_step, evaluate, tensorboard):
    """The epochs that the log says are still to do; what is trained is the step's and the optimiser's."""
    if log.state:
        model.set_arrays(log.whole)
        optimizer.set_arrays(log.state)
    steps, writer = make_steps(make_step(model, optimizer, settings), model), tensorboard and event_writer(tensorboard)
    try:
        for epoch in log.remaining(f"{model.spec.name}, tf"):
            losses = []
            optimizer.start(epoch)
            optimizer.swap()
            chunks = randomness.chunks(data.train, settings, model.spec.noise_dim, epoch, model.dtype)
            for chunk in randomness.ahead(chunks):
                losses.extend(steps(chunk))
                if not np.isfinite(losses[-len(chunk.x) :]).all():
                    raise log.not_finite(epoch, losses, chunk.x)
            seconds = log.lap()
            optimizer.swap()
            valid = evaluate(model, data.valid, settings)
            log.record(epoch, seconds, np.mean(losses, 0), valid, lambda: model.get_arrays() | optimizer.get_arrays())
            if writer:
                with writer.as_default(step=epoch):
                    for name, value in log.rows[-1].items():
                        tf.summary.scalar(name, value)
                writer.flush()
    except BaseException:
        if log.folder:  # the same cell can then go on
            model.set_arrays(log.whole)
        raise
    return log.rows
