"""Every kind of model, built from a spec, in PyTorch; shapes as in `autoencoders`."""

import numpy as np
import torch

from twinvae import randomness
from twinvae.pt import losses
from twinvae.pt.autoencoders import AE, CVAE, VAE, Model
from twinvae.pt.variants import IWAE, Completer, Completion, FreeBits


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


class CGAN(Model):
    """Conditional GAN: x_fake = G(z, y), and D(x, y), the logit that x is real  (Mirza & Osindero 2014, Eq. 2)."""

    def generate(self, z, y, training=False):
        """[B, Z], [B, K] -> x_fake [B, H, W, C]"""
        return torch.sigmoid(self.generator(torch.cat([z, y], 1), y, training))

    def discriminate(self, x, y, training=False):
        """y enters as the spec's discriminator_condition says.  [B, H, W, C], [B, K] -> logit [B]"""
        if self.spec.discriminator_condition == "planes":
            h = self.discriminator(self.with_planes(x, y), y, training).flatten(1)
            return self.discriminator_logit(h)[:, 0]
        h = self.discriminator(x, y, training).flatten(1)
        return self.discriminator_logit(h)[:, 0] + (h * self.discriminator_projection(y)).sum(1)

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(d_loss, g_loss, d_real, d_fake): losses in nats, and logits; eps [B, 2 Z] is a code for each loss.  -> 4 x [B]"""
        z, z_next = eps.chunk(2, 1)
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
    return model.to(device())


def device():
    """Where models and batches live."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def call(model, method, *arrays):
    """model.method(*arrays) without gradients: NumPy arrays (or None) in, a NumPy array or a tuple of them out."""
    to = dict(dtype=getattr(torch, model.dtype), device=device())
    with torch.no_grad():
        out = getattr(model, method)(*[None if a is None else torch.as_tensor(a, **to) for a in arrays])
    return tuple(t.numpy(force=True) for t in out) if isinstance(out, tuple) else out.numpy(force=True)


def predict(model, method, *arrays, batch=1000):
    """`call` in chunks of `batch` along the first axis of the arrays, the results joined."""
    chunks = [
        call(model, method, *[None if a is None else a[start : start + batch] for a in arrays])
        for start in range(0, len(arrays[0]), batch)
    ]
    if isinstance(chunks[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*chunks, strict=True))
    return np.concatenate(chunks)
