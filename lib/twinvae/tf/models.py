"""Every kind of model, built from a spec, in TensorFlow; shapes as in `autoencoders`."""

import functools
import importlib
import inspect
import os

import keras
import numpy as np
import tensorflow as tf

from twinvae import randomness
from twinvae import spec as specs
from twinvae.spec import check_arrays
from twinvae.tf import layers, losses
from twinvae.tf.autoencoders import Model


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


KINDS = {  # the module and the class of each: only what is asked for is imported
    "ae": "autoencoders.AE",
    "vae": "autoencoders.VAE",
    "cvae": "autoencoders.CVAE",
    "iwae": "variants.IWAE",
    "free_bits": "variants.FreeBits",
    "completer": "variants.Completer",
    "completion": "variants.Completion",
    "classifier": "models.Classifier",
    "cgan": "gan.CGAN",
}


def build(spec, seed=0, dtype="float32"):
    """The model of a spec, its weights drawn by NumPy from the seed, on the GPU if there is one."""
    module, name = KINDS[spec.kind].split(".")
    model = getattr(importlib.import_module(f"twinvae.tf.{module}"), name)(spec, dtype)
    model.set_arrays(randomness.initial_weights(spec, seed))
    return model


def is_dense(spec):
    """Whether no layer is a convolution: on a CPU XLA makes dense models faster, and convolutions slower."""
    return not any(isinstance(row.layer, specs.Conv) for stack in spec.stacks().values() for row in stack.walk())


@functools.lru_cache(maxsize=8)
def compiled(model, method):
    """The method as a compiled graph, one for each set of shapes."""
    return tf.function(getattr(model, method), autograph=False, jit_compile=is_dense(model.spec))


def threads():
    """Return how many threads compute: another number rounds otherwise."""
    return tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count()


def call(model, method, *arrays):
    """model.method(*arrays) without gradients: NumPy arrays (or None) in, a NumPy array or a tuple of them out."""
    out = compiled(model, method)(*[None if a is None else tf.constant(a, model.dtype) for a in arrays])
    return tuple(t.numpy() for t in out) if isinstance(out, tuple) else out.numpy()


def predict(model, method, *arrays, batch=1000):
    """`call` in chunks of `batch` along the first axis of the arrays, the results joined.  ValueError for a wrong x."""
    check_arrays(model.spec, list(inspect.signature(getattr(model, method)).parameters), arrays)
    chunks = [
        call(model, method, *[None if a is None else a[start : start + batch] for a in arrays])
        for start in range(0, len(arrays[0]), batch)
    ]
    if isinstance(chunks[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*chunks, strict=True))
    return np.concatenate(chunks)
