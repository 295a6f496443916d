"""AE, VAE and CVAE, and what all models share, in TensorFlow.

Everywhere: x, x_logits [B, H, W, C], x in [0, 1]; y one-hot [B, K], unused by models without a condition;
z, mu, logvar, eps [B, Z].  Losses are per image in nats, [B].
"""

import math

import keras
import tensorflow as tf

from twinvae import checkpoints
from twinvae import spec as specs
from twinvae.tf import layers, losses


@keras.saving.register_keras_serializable("twinvae")
class Model(keras.Model):
    """What all models share: the stacks of their spec, and their weights by name."""

    def __init__(self, spec, dtype):
        super().__init__(name=spec.name, dtype=dtype)
        self.spec = spec
        for name, stack in spec.stacks().items():
            setattr(self, name, layers.Stack(stack, dtype))
        if any(weight.name == "likelihood.log_scale" for weight in spec.weights()):
            self.log_scale = self.add_weight(shape=(), initializer="zeros", name="log_scale")
        self.built = True

    def get_arrays(self):
        """Every weight as a NumPy array under the name of `ModelSpec.weights()`."""
        return {name: layers.to_pytorch(v.numpy()) for name, v in self.named_tensors().items()}

    def set_arrays(self, arrays):
        """The inverse of `get_arrays`.  ValueError if a name or a shape is not the spec's."""
        checkpoints.check(arrays, self.spec)
        for name, variable in self.named_tensors().items():
            variable.assign(layers.to_keras(arrays[name]))

    def named_tensors(self):
        """The weights themselves by the names of `ModelSpec.weights()`."""
        own = {"likelihood.log_scale": self.log_scale} if hasattr(self, "log_scale") else {}
        return {
            f"{stack}.{name}": v
            for stack in self.spec.stacks()
            for name, v in getattr(self, stack).named_variables().items()
        } | own

    def with_planes(self, x, y):
        """x with a plane for each class beside its channels, 1 for y's.  [B, H, W, C], [B, K] -> [B, H, W, C + K]"""
        return tf.concat([x, tf.broadcast_to(y[:, None, None, :], (*x.shape[:3], y.shape[1]))], 3)

    def get_config(self):
        """What `.keras` files hold beside the weights."""
        return {"spec": specs.to_dict(self.spec), "dtype": self.dtype}

    @classmethod
    def from_config(cls, config):
        """The model of a `.keras` file, whose weights Keras reads next."""
        return cls(specs.model_from_dict(config["spec"]), dtype=config["dtype"])


@keras.saving.register_keras_serializable("twinvae")
class AE(Model):
    """Autoencoder: z = f(x), x_logits = g(z).  The loss has a reconstruction term alone (report 004, Eq. 1.1)."""

    def features(self, x, y=None, training=False):
        """What the heads read.  [B, H, W, C], [B, K] -> [B, F]"""
        return layers.flatten(self.encoder(x, y, training=training))

    def encode(self, x, y=None, training=False):
        """The code.  [B, H, W, C] -> z [B, Z]"""
        return self.code(self.features(x, y, training))

    def decode(self, z, y=None, training=False):
        """[B, Z], [B, K] -> x_logits [B, H, W, C]"""
        return self.decoder(z, y, training=training)

    def mean(self, x_logits):
        """The expected image.  [B, H, W, C] -> [B, H, W, C]"""
        return x_logits if self.spec.output_mean == "identity" else tf.sigmoid(x_logits)

    def recon(self, x, x_logits):
        """-log p(x | z) in nats per image.  [B, H, W, C], [B, H, W, C] -> [B]"""
        match self.spec.likelihood:
            case "bernoulli":
                return losses.bernoulli_nll(x, x_logits)
            case "continuous_bernoulli":
                return losses.continuous_bernoulli_nll(x, x_logits)
            case "gaussian":
                return losses.gaussian_nll(x, self.mean(x_logits), tf.constant(math.log(self.spec.variance), x.dtype))
            case "gaussian_learned":
                return losses.gaussian_nll(x, self.mean(x_logits), self.log_scale)
            case "discretized_logistic":
                return losses.discretized_logistic_nll(x, self.mean(x_logits), self.log_scale)

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(recon, kl) of x seen through x_in; kl is 0 here.  -> [B], [B]"""
        recon = self.recon(x, self.decode(self.encode(x_in, y, training), y, training))
        return recon, tf.zeros_like(recon)

    def reconstruct(self, x, y=None, eps=None):
        """The decoded code, as an image.  [B, H, W, C] -> [B, H, W, C]"""
        return self.mean(self.decode(self.encode(x, y), y))

    def generate(self, z, y=None):
        """The expected image for a code.  [B, Z], [B, K] -> [B, H, W, C]"""
        return self.mean(self.decode(z, y))

    def call(self, x, y=None, training=False):
        """The reconstruction, as a Keras user expects of model(x).  [B, H, W, C] -> [B, H, W, C]"""
        return self.reconstruct(x, y)


@keras.saving.register_keras_serializable("twinvae")
class VAE(AE):
    """Variational autoencoder: q(z | x) = N(mu, diag e^logvar), p(z) = N(0, I)  (Kingma & Welling 2014, Eq. 9, 10)."""

    def encode(self, x, y=None, training=False):
        """The parameters of q(z | x).  [B, H, W, C] -> mu, logvar [B, Z]"""
        h = self.features(x, y, training)
        return tf.split(self.mu_logvar(h), 2, 1) if self.spec.heads == "one" else (self.mu(h), self.logvar(h))

    def reparameterize(self, mu, logvar, eps):
        """z = mu + sigma eps.  3 x [B, Z] -> [B, Z]  (Kingma & Welling 2014, Eq. 10)"""
        return mu + tf.exp(0.5 * logvar) * eps

    def prior(self, y):
        """The parameters of p(z).  [B, K] -> mu, logvar; N(0, I) is (0, 0)."""
        zero = tf.zeros((y.shape[0], self.spec.latent_dim), self.dtype)
        return zero, zero

    def kl(self, mu, logvar, y):
        """KL(q(z | x) || p(z)) in nats per image.  [B, Z], [B, Z], [B, K] -> [B]"""
        return losses.kl_standard(mu, logvar)

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(recon, kl) of x seen through x_in, with one sample of z.  -> [B], [B]"""
        mu, logvar = self.encode(x_in, y, training)
        z = self.reparameterize(mu, logvar, eps)
        sampled = self.spec.kl == "sample"
        kl = losses.kl_monte_carlo(z, mu, logvar, *self.prior(y)) if sampled else self.kl(mu, logvar, y)
        return self.recon(x, self.decode(z, y, training)), kl

    def reconstruct(self, x, y=None, eps=None):
        """The decoded posterior mean, or with eps a decoded sample.  [B, H, W, C] -> [B, H, W, C]"""
        mu, logvar = self.encode(x, y)
        return self.mean(self.decode(mu if eps is None else self.reparameterize(mu, logvar, eps), y))

    def log_weights(self, x, y, eps):
        """log p(x | z) p(z) / q(z | x), z from q by eps.  eps [S, B, Z] -> [S, B]  (Burda et al. 2016, Eq. 7)"""
        mu, logvar = self.encode(x, y)
        z = self.reparameterize(mu, logvar, eps)
        return self.log_likelihood(x, y, z) - losses.kl_monte_carlo(z, mu, logvar, *self.prior(y))

    def log_likelihood(self, x, y, z):
        """log p(x | z) for S samples of z.  [B, H, W, C], [B, K], [S, B, Z] -> [S, B]"""
        s, b = z.shape[:2]
        x, y = tf.tile(x, (s, 1, 1, 1)), tf.tile(y, (s, 1))
        return -tf.reshape(self.recon(x, self.decode(tf.reshape(z, (s * b, -1)), y)), (s, b))


@keras.saving.register_keras_serializable("twinvae")
class CVAE(VAE):
    """Conditional VAE: q(z | x[, y]), p(x | z, y), p(z) or p(z | y)  (Sohn et al. 2015, Eq. 4; report 004, Eq. 1.14)"""

    def number(self, y):
        """The label as one number: 0 the first class, 1 the last.  [B, K] -> [B, 1]  (report 001, section 1.4)"""
        return y @ tf.linspace(tf.zeros((), y.dtype), tf.ones((), y.dtype), self.spec.num_classes)[:, None]

    def features(self, x, y=None, training=False):
        """What the heads read; y enters as the spec's encoder_condition says.  [B, H, W, C], [B, K] -> [B, F]"""
        match self.spec.encoder_condition:
            case "concat":
                x = tf.concat([layers.flatten(x), y], 1)
            case "planes":
                x = self.with_planes(x, y)
            case "plane":
                x = self.with_planes(x, self.number(y))
        return layers.flatten(self.encoder(x, y, training=training))

    def decode(self, z, y=None, training=False):
        """y enters as the spec's decoder_condition says.  [B, Z], [B, K] -> x_logits [B, H, W, C]"""
        match self.spec.decoder_condition:
            case "concat":
                z = tf.concat([z, y], 1)
            case "number":
                z = tf.concat([z, self.number(y)], 1)
            case "conditioner":
                z = tf.concat([z, self.conditioner(y)], 1)
        return self.decoder(z, y, training=training)

    def prior(self, y):
        """The parameters of p(z) or p(z | y).  [B, K] -> mu, logvar"""
        if self.spec.prior == "standard":
            return super().prior(y)
        return self.prior_mu(y), self.prior_logvar(y)

    def kl(self, mu, logvar, y):
        """KL(q(z | x, y) || p(z | y)) in nats per image.  [B, Z], [B, Z], [B, K] -> [B]"""
        if self.spec.prior == "standard":
            return losses.kl_standard(mu, logvar)
        return losses.kl_gaussians(mu, logvar, *self.prior(y))
