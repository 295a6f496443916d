"""AE, VAE and CVAE, and what all models share, in PyTorch.

Everywhere: x, x_logits [B, H, W, C], x in [0, 1]; y one-hot [B, K], unused by models without a condition;
z, mu, logvar, eps [B, Z].  Losses are per image in nats, [B].
"""

import math

import torch
from torch import nn

from twinvae import checkpoints
from twinvae.pt import layers, losses


class Model(nn.Module):
    """What all models share: the stacks of their spec, and their weights by name."""

    def __init__(self, spec, dtype):
        super().__init__()
        self.spec, self.dtype = spec, dtype
        for name, stack in spec.stacks().items():
            self.add_module(name, layers.Stack(stack, getattr(torch, dtype)))
        if any(weight.name == "likelihood.log_scale" for weight in spec.weights()):
            self.log_scale = nn.Parameter(torch.zeros((), dtype=getattr(torch, dtype)))

    def get_arrays(self):
        """Every weight as a NumPy array under the name of `ModelSpec.weights()`."""
        return {name: t.numpy(force=True).copy() for name, t in self.named_tensors().items()}

    def set_arrays(self, arrays):
        """The inverse of `get_arrays`.  ValueError if a name or a shape is not the spec's."""
        checkpoints.check(arrays, self.spec)
        with torch.no_grad():
            for name, tensor in self.named_tensors().items():
                tensor.copy_(torch.as_tensor(arrays[name]))

    def named_tensors(self):
        """The weights themselves by the names of `ModelSpec.weights()`."""
        own = {"log_scale": "likelihood.log_scale"}
        return {own.get(name, name): tensor for name, tensor in self.state_dict(keep_vars=True).items()}

    def with_planes(self, x, y):
        """x with a plane for each class beside its channels, 1 for y's.  [B, H, W, C], [B, K] -> [B, H, W, C + K]"""
        return torch.cat([x, y[:, None, None, :].expand(*x.shape[:3], y.shape[1])], 3)


class AE(Model):
    """Autoencoder: z = f(x), x_logits = g(z).  The loss has a reconstruction term alone (report 004, Eq. 1.1)."""

    def features(self, x, y=None, training=False):
        """What the heads read.  [B, H, W, C], [B, K] -> [B, F]"""
        return self.encoder(x, y, training).flatten(1)

    def encode(self, x, y=None, training=False):
        """The code.  [B, H, W, C] -> z [B, Z]"""
        return self.code(self.features(x, y, training))

    def decode(self, z, y=None, training=False):
        """[B, Z], [B, K] -> x_logits [B, H, W, C]"""
        return self.decoder(z, y, training)

    def mean(self, x_logits):
        """The expected image.  [B, H, W, C] -> [B, H, W, C]"""
        return x_logits if self.spec.output_mean == "identity" else torch.sigmoid(x_logits)

    def recon(self, x, x_logits):
        """-log p(x | z) in nats per image.  [B, H, W, C], [B, H, W, C] -> [B]"""
        match self.spec.likelihood:
            case "bernoulli":
                return losses.bernoulli_nll(x, x_logits)
            case "continuous_bernoulli":
                return losses.continuous_bernoulli_nll(x, x_logits)
            case "gaussian":
                return losses.gaussian_nll(x, self.mean(x_logits), x_logits.new_tensor(math.log(self.spec.variance)))
            case "gaussian_learned":
                return losses.gaussian_nll(x, self.mean(x_logits), self.log_scale)
            case "discretized_logistic":
                return losses.discretized_logistic_nll(x, self.mean(x_logits), self.log_scale)

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(recon, kl) of x seen through x_in; kl is 0 here.  -> [B], [B]"""
        recon = self.recon(x, self.decode(self.encode(x_in, y, training), y, training))
        return recon, torch.zeros_like(recon)

    def reconstruct(self, x, y=None, eps=None):
        """The decoded code, as an image.  [B, H, W, C] -> [B, H, W, C]"""
        return self.mean(self.decode(self.encode(x, y), y))

    def generate(self, z, y=None):
        """The expected image for a code.  [B, Z], [B, K] -> [B, H, W, C]"""
        return self.mean(self.decode(z, y))


class VAE(AE):
    """Variational autoencoder: q(z | x) = N(mu, diag e^logvar), p(z) = N(0, I)  (Kingma & Welling 2014, Eq. 9, 10)."""

    def encode(self, x, y=None, training=False):
        """The parameters of q(z | x).  [B, H, W, C] -> mu, logvar [B, Z]"""
        h = self.features(x, y, training)
        return self.mu_logvar(h).chunk(2, 1) if self.spec.heads == "one" else (self.mu(h), self.logvar(h))

    def reparameterize(self, mu, logvar, eps):
        """z = mu + sigma eps.  3 x [B, Z] -> [B, Z]  (Kingma & Welling 2014, Eq. 10)"""
        return mu + torch.exp(0.5 * logvar) * eps

    def prior(self, y):
        """The parameters of p(z).  [B, K] -> mu, logvar; N(0, I) is (0, 0)."""
        zero = y.new_zeros(len(y), self.spec.latent_dim)
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
        x, y = x.expand(s, *x.shape).flatten(0, 1), y.expand(s, *y.shape).flatten(0, 1)
        return -self.recon(x, self.decode(z.flatten(0, 1), y)).view(s, b)


class CVAE(VAE):
    """Conditional VAE: q(z | x[, y]), p(x | z, y), p(z) or p(z | y)  (Sohn et al. 2015, Eq. 4; report 004, Eq. 1.14)"""

    def number(self, y):
        """The label as one number: 0 the first class, 1 the last.  [B, K] -> [B, 1]  (report 001, section 1.4)"""
        return y @ torch.linspace(0, 1, self.spec.num_classes, dtype=y.dtype, device=y.device)[:, None]

    def features(self, x, y=None, training=False):
        """What the heads read; y enters as the spec's encoder_condition says.  [B, H, W, C], [B, K] -> [B, F]"""
        match self.spec.encoder_condition:
            case "concat":
                x = torch.cat([x.flatten(1), y], 1)
            case "planes":
                x = self.with_planes(x, y)
            case "plane":
                x = self.with_planes(x, self.number(y))
        return self.encoder(x, y, training).flatten(1)

    def decode(self, z, y=None, training=False):
        """y enters as the spec's decoder_condition says.  [B, Z], [B, K] -> x_logits [B, H, W, C]"""
        match self.spec.decoder_condition:
            case "concat":
                z = torch.cat([z, y], 1)
            case "number":
                z = torch.cat([z, self.number(y)], 1)
            case "conditioner":
                z = torch.cat([z, self.conditioner(y)], 1)
        return self.decoder(z, y, training)

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
