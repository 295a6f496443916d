"""The conditional GAN, and its training by two optimisers that take turns, in TensorFlow."""

import keras
import numpy as np
import tensorflow as tf

from twinvae import randomness
from twinvae.checkpoints import GanLog
from twinvae.tf import layers, losses, models, train
from twinvae.tf.autoencoders import Model


@keras.saving.register_keras_serializable("twinvae")
class CGAN(Model):
    """Conditional GAN: x_fake = G(z, y), and D(x, y), the logit that x is real  (Mirza & Osindero 2014, Eq. 2)."""

    def generate(self, z, y, training=False):
        """[B, Z], [B, K] -> x_fake [B, H, W, C]"""
        return tf.sigmoid(self.generator(tf.concat([z, y], 1), y, training=training))

    def discriminate(self, x, y, training=False):
        """y enters as the spec's discriminator_condition says.  [B, H, W, C], [B, K] -> logit [B]"""
        if self.spec.discriminator_condition == "planes":
            h = layers.flatten(self.discriminator(self.with_planes(x, y), y, training=training))
            return self.discriminator_logit(h)[:, 0]
        h = layers.flatten(self.discriminator(x, y, training=training))
        return self.discriminator_logit(h)[:, 0] + tf.reduce_sum(h * self.discriminator_projection(y), 1)

    def call(self, z, y, training=False):
        """The generated image, as a Keras user expects of model(z, y).  [B, Z], [B, K] -> [B, H, W, C]"""
        return self.generate(z, y, training)

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(d_loss, g_loss, d_real, d_fake): in nats and as logits; eps [B, 2 Z]: a code for each loss.  -> 4 x [B]"""
        z, z_next = tf.split(eps, 2, 1)
        d_real = self.discriminate(x, y, training)
        d_fake, d_next = (self.discriminate(self.generate(code, y, training), y, training) for code in (z, z_next))
        return losses.discriminator_loss(d_real, d_fake), losses.generator_loss(d_next), d_real, d_fake


class Optimizers:
    """An optimiser for the discriminator's weights and one for the generator's."""

    def __init__(self, model, settings):
        self.discriminator = train.Optimizer(model, settings, "discriminator")
        self.generator = train.Optimizer(model, settings, "generator")

    def start(self, epoch):
        """Set the rate of an epoch."""
        self.discriminator.start(epoch)
        self.generator.start(epoch)

    def swap(self):
        """Exchange the model's weights for their moving average, or back."""
        self.discriminator.swap()
        self.generator.swap()

    def get_arrays(self):
        """The state of both as NumPy arrays; the count of steps is the same."""
        return self.discriminator.get_arrays() | self.generator.get_arrays()

    def set_arrays(self, arrays):
        """The inverse of `get_arrays`."""
        self.discriminator.set_arrays(arrays)
        self.generator.set_arrays(arrays)


def discriminator_gradients(model, weights, x, y, z):
    """(d_loss, d_real, d_fake), means over the batch, the loss in nats per image, and its gradient for each weight."""
    x_fake = model.generate(z, y, training=True)
    with tf.GradientTape() as tape:
        d_real, d_fake = model.discriminate(x, y, training=True), model.discriminate(x_fake, y, training=True)
        d_loss = tf.reduce_mean(losses.discriminator_loss(d_real, d_fake))
    gradients = tape.gradient(d_loss, weights)
    return tf.stack([d_loss, tf.reduce_mean(d_real), tf.reduce_mean(d_fake)]), gradients


def generator_gradients(model, weights, y, z):
    """g_loss, the mean over the batch, in nats per image, and its gradient for each weight."""
    with tf.GradientTape() as tape:
        d_fake = model.discriminate(model.generate(z, y, training=True), y, training=True)
        g_loss = tf.reduce_mean(losses.generator_loss(d_fake))
    gradients = tape.gradient(g_loss, weights)
    return g_loss, gradients


def make_step(model, optimizer, settings):
    """The function of a step of each network, the discriminator first: a batch -> (d_loss, g_loss, d_real, d_fake)."""

    @tf.function(autograph=False, jit_compile=models.is_dense(model.spec))
    def step(x_in, x, y, eps):
        z, z_next = tf.split(eps, 2, 1)
        values, gradients = discriminator_gradients(model, optimizer.discriminator.weights, x, y, z)
        optimizer.discriminator.step(gradients)
        g_loss, gradients = generator_gradients(model, optimizer.generator.weights, y, z_next)
        optimizer.generator.step(gradients)
        return tf.stack([values[0], g_loss, values[1], values[2]])

    return step


def evaluate(model, images, settings):
    """(d_loss, g_loss, d_real, d_fake) over all images, in nats per image, with the noise of the seed.  -> [4]"""
    total = np.zeros(4)
    for batch in randomness.validation(images, settings, model.spec.noise_dim, model.dtype):
        total += [values.sum() for values in models.call(model, "loss_terms", *batch)]
    return total / len(images)


def fit(model, data, settings, folder=None, tensorboard=None):
    """Train both networks on data.train, in place; return the history, a row an epoch (`checkpoints.GAN_COLUMNS`).

    With a folder, keeps a `last` checkpoint there and goes on from it, as `train.fit` does.  `tensorboard` is a folder
    for event files.  Raises checkpoints.NotFinite when a loss is infinite or NaN, ValueError for a checkpoint of
    another run and for settings that a GAN has not: beta, noise.
    """
    log = GanLog(model, settings, data, folder, models.threads())
    return train.loop(model, data, settings, log, Optimizers(model, settings), make_step, evaluate, tensorboard)
