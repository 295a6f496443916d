"""Every kind of model, built from a spec, in PyTorch; shapes as in `autoencoders`."""

import importlib
import inspect
import os

import numpy as np
import torch

from twinvae import randomness
from twinvae.pt import losses
from twinvae.pt.autoencoders import Model
from twinvae.spec import check_arrays
from twinvae.spec.checks import one_of


class Classifier(Model):
    """The judge: class logits from a code, which gives the features that the metrics compare."""

    def encode(self, x, y=None, training=False):
        """The features.  [B, H, W, C] -> [B, Z]"""
        return self.code(self.encoder(x, training=training).flatten(1))

    def classify(self, x, y=None, training=False):
        """Class logits.  [B, H, W, C] -> [B, K]"""
        return self.logits(self.encode(x, y, training))

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(cross-entropy in nats, 0).  -> [B], [B]"""
        cross_entropy = losses.cross_entropy(y, self.classify(x_in, y, training))
        return cross_entropy, torch.zeros_like(cross_entropy)


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
    model = getattr(importlib.import_module(f"twinvae.pt.{module}"), name)(spec, dtype)
    model.set_arrays(randomness.initial_weights(spec, seed))
    return model.to(device())


def device():
    """Where models and batches live: TWINVAE_DEVICE (ValueError if it is none), else the GPU if there is one."""
    name = os.environ.get("TWINVAE_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    one_of("TWINVAE_DEVICE", name, ("cpu", "cuda", "mps"))
    return torch.device(name)


def threads():
    """Return how many threads compute: another number rounds otherwise."""
    return torch.get_num_threads()


def call(model, method, *arrays):
    """model.method(*arrays) without gradients: NumPy arrays (or None) in, a NumPy array or a tuple of them out."""
    to = dict(dtype=getattr(torch, model.dtype), device=device())
    with torch.no_grad():
        out = getattr(model, method)(*[None if a is None else torch.as_tensor(a, **to) for a in arrays])
    return tuple(t.numpy(force=True) for t in out) if isinstance(out, tuple) else out.numpy(force=True)


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
