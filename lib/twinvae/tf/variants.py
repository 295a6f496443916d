"""Autoencoders of published studies that ask for one thing more, in TensorFlow; shapes as in `autoencoders`."""

import math

import keras
import numpy as np
import tensorflow as tf

from twinvae.tf import layers, losses
from twinvae.tf.autoencoders import AE, VAE


@keras.saving.register_keras_serializable("twinvae")
class IWAE(VAE):
    """VAE whose loss takes S samples of z an image: their importance-weighted bound, or their mean ELBO."""

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(-bound, 0); the KL is within the bound.  eps [B, S Z] -> [B], [B]"""
        log_w = self.log_weights(
            x, y, tf.transpose(tf.reshape(eps, (eps.shape[0], -1, self.spec.latent_dim)), (1, 0, 2))
        )
        bound = losses.importance_bound(log_w) if self.spec.weighted else tf.reduce_mean(log_w, 0)
        return -bound, tf.zeros_like(bound)


@keras.saving.register_keras_serializable("twinvae")
class FreeBits(VAE):
    """VAE in which no unit counts for less than its free nats  (Kingma et al. 2016, Eq. 15)."""

    def kl(self, mu, logvar, y):
        """The KL of each unit or its free nats, the larger, in nats per image.  [B, Z], [B, Z], [B, K] -> [B]"""
        each = tf.reshape(losses.kl_standard(tf.reshape(mu, (-1, 1)), tf.reshape(logvar, (-1, 1))), mu.shape)
        return losses.per_example(tf.maximum(each, self.spec.free))


class Quadrants:
    """What is observed of an image and what is not, for the models that complete it."""

    def observed(self, x):
        """The flat image, 0 where it is missing.  [B, H, W, C] -> [B, D]"""
        seen = np.ones(math.prod(x.shape[1:]))
        seen[self.spec.missing()] = 0
        return layers.flatten(x) * tf.constant(seen, x.dtype)

    def missing(self, x):
        """The missing pixels alone, M of D.  [B, H, W, C] -> [B, M]"""
        return tf.gather(layers.flatten(x), self.spec.missing(), axis=1)

    def recon(self, x, x_logits):
        """-log p(missing | z) in nats per image.  [B, H, W, C], [B, H, W, C] -> [B]"""
        return super().recon(self.missing(x), self.missing(x_logits))


@keras.saving.register_keras_serializable("twinvae")
class Completer(Quadrants, AE):
    """The missing pixels from the observed ones without chance: the baseline of Sohn et al. 2015, section 5.1."""

    def encode(self, x, y=None, training=False):
        """What the decoder reads of the observed pixels.  [B, H, W, C] -> [B, Z]"""
        return super().encode(self.observed(x), y, training)


@keras.saving.register_keras_serializable("twinvae")
class Completion(Quadrants, VAE):
    """CVAE whose condition y is what is observed of the image, [B, D]: q(z | image), p(z | y), p(missing | z).

    (Sohn et al. 2015, Eq. 4; the nets of Pyro's example)
    """

    def prior(self, y):
        """The parameters of p(z | y).  [B, D] -> mu, logvar"""
        h = self.prior_net(y)
        return self.prior_mu(h), self.prior_logvar(h)

    def kl(self, mu, logvar, y):
        """KL(q(z | image) || p(z | y)) in nats per image.  [B, Z], [B, Z], [B, D] -> [B]"""
        return losses.kl_gaussians(mu, logvar, *self.prior(y))

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(recon, kl) of the missing pixels of x, with one sample of z; labels are not used.  -> [B], [B]"""
        return super().loss_terms(x_in, x, self.observed(x_in), eps, training)

    def log_weights(self, x, y, eps):
        """log p(missing | z) p(z | observed) / q(z | x), z from q by eps.  eps [S, B, Z] -> [S, B]"""
        return super().log_weights(x, self.observed(x), eps)
