"""Every kind of model, built from a spec, in TensorFlow; shapes as in `autoencoders`."""

import functools

import keras
import numpy as np
import tensorflow as tf

from twinvae import randomness
from twinvae import spec as specs
from twinvae.tf import layers, losses
from twinvae.tf.autoencoders import AE, CVAE, VAE, Model
from twinvae.tf.variants import IWAE, Completer, Completion, FreeBits


@keras.saving.register_keras_serializable("twinvae")
class Classifier(Model):
    """The judge: class logits from a code, which gives the features that the metrics compare."""

    def encode(self, x, y=None, training=False):
        """The features.  [B, H, W, C] -> [B, Z]"""
        return self.code(layers.flatten(self.encoder(x, training=training)))

    def classify(self, x, y=None, training=False):
        """Class logits.  [B, H, W, C] -> [B, K]"""
        return self.logits(self.encode(x, y, training))

    def call(self, x, y=None, training=False):
        """The class logits, as a Keras user expects of model(x).  [B, H, W, C] -> [B, K]"""
        return self.classify(x, y, training)

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(cross-entropy in nats, 0).  -> [B], [B]"""
        cross_entropy = losses.cross_entropy(y, self.classify(x_in, y, training))
        return cross_entropy, tf.zeros_like(cross_entropy)


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
        """(d_loss, g_loss, d_real, d_fake): losses in nats, and logits; eps [B, 2 Z] is a code for each loss.  -> 4 x [B]"""
        z, z_next = tf.split(eps, 2, 1)
        d_real = self.discriminate(x, y, training)
        d_fake, d_next = (self.discriminate(self.generate(code, y, training), y, training) for code in (z, z_next))
        return losses.discriminator_loss(d_real, d_fake), losses.generator_loss(d_next), d_real, d_fake


KINDS = {
    "ae": AE,
    "vae": VAE,
    "cvae": CVAE,
    "iwae": IWAE,
    "free_bits": FreeBits,
    "completer": Completer,
    "completion": Completion,
    "classifier": Classifier,
    "cgan": CGAN,
}


def build(spec, seed=0, dtype="float32"):
    """The model of a spec, its weights drawn by NumPy from the seed, on the GPU if there is one."""
    model = KINDS[spec.kind](spec, dtype)
    model.set_arrays(randomness.initial_weights(spec, seed))
    return model


def is_dense(spec):
    """Whether no layer is a convolution: on a CPU the XLA compiler makes dense models faster, and convolutions slower."""
    return not any(isinstance(row.layer, specs.Conv) for stack in spec.stacks().values() for row in stack.walk())


@functools.lru_cache(maxsize=8)
def compiled(model, method):
    """The method as a compiled graph, one for each set of shapes."""
    return tf.function(getattr(model, method), autograph=False, jit_compile=is_dense(model.spec))


def call(model, method, *arrays):
    """model.method(*arrays) without gradients: NumPy arrays (or None) in, a NumPy array or a tuple of them out."""
    out = compiled(model, method)(*[None if a is None else tf.constant(a, model.dtype) for a in arrays])
    return tuple(t.numpy() for t in out) if isinstance(out, tuple) else out.numpy()


def predict(model, method, *arrays, batch=1000):
    """`call` in chunks of `batch` along the first axis of the arrays, the results joined."""
    chunks = [
        call(model, method, *[None if a is None else a[start : start + batch] for a in arrays])
        for start in range(0, len(arrays[0]), batch)
    ]
    if isinstance(chunks[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*chunks, strict=True))
    return np.concatenate(chunks)
