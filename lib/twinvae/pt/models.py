"""AE, VAE, CVAE and CGAN, built from a spec, in PyTorch.

Everywhere: x [B, H, W, C] in [0, 1], y one-hot [B, K] (unused by models without a condition), z, mu, logvar, eps [B, Z],
x_logits [B, H, W, C].  Losses are per image in nats, [B].
"""

import math

import numpy as np
import torch
from torch import nn

from twinvae import draws, weights
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
        weights.check(arrays, self.spec)
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
        return self.mu(h), self.logvar(h)

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
        return self.recon(x, self.decode(z, y, training)), self.kl(mu, logvar, y)

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
    """Conditional VAE: q(z | x[, y]), p(x | z, y), p(z) or p(z | y)  (Sohn et al. 2015, Eq. 4; report 004, Eq. 1.14)."""

    def number(self, y):
        """The label as one number from 0, the first class, to 1, the last.  [B, K] -> [B, 1]  (report 001, section 1.4)"""
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


class IWAE(VAE):
    """VAE whose loss takes S samples of z an image: their importance-weighted bound, or their mean ELBO."""

    def loss_terms(self, x_in, x, y, eps, training=False):
        """(-bound, 0); the KL is within the bound.  eps [B, S Z] -> [B], [B]"""
        log_w = self.log_weights(x, y, eps.view(len(eps), -1, self.spec.latent_dim).transpose(0, 1))
        bound = losses.importance_bound(log_w) if self.spec.weighted else log_w.mean(0)
        return -bound, torch.zeros_like(bound)


class FreeBits(VAE):
    """VAE in which no unit counts for less than its free nats  (Kingma et al. 2016, Eq. 15)."""

    def kl(self, mu, logvar, y):
        """The KL of each unit or its free nats, the larger, in nats per image.  [B, Z], [B, Z], [B, K] -> [B]"""
        each = losses.kl_standard(mu.reshape(-1, 1), logvar.reshape(-1, 1)).view(mu.shape)
        return losses.per_example(torch.clamp(each, min=self.spec.free))


class Quadrants:
    """What is observed of an image and what is not, for the models that complete it."""

    def observed(self, x):
        """The flat image, 0 where it is missing.  [B, H, W, C] -> [B, D]"""
        seen = x.new_ones(x[0].numel())
        seen[self.spec.missing()] = 0
        return x.flatten(1) * seen

    def missing(self, x):
        """The missing pixels alone, M of D.  [B, H, W, C] -> [B, M]"""
        return x.flatten(1)[:, self.spec.missing()]

    def recon(self, x, x_logits):
        """-log p(missing | z) in nats per image.  [B, H, W, C], [B, H, W, C] -> [B]"""
        return super().recon(self.missing(x), self.missing(x_logits))


class Completer(Quadrants, AE):
    """The missing pixels from the observed ones without chance: the baseline of Sohn et al. 2015, section 5.1."""

    def encode(self, x, y=None, training=False):
        """What the decoder reads of the observed pixels.  [B, H, W, C] -> [B, Z]"""
        return super().encode(self.observed(x), y, training)


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


KINDS = {"ae": AE, "vae": VAE, "cvae": CVAE, "iwae": IWAE, "free_bits": FreeBits, "completer": Completer, "completion": Completion,
         "classifier": Classifier, "cgan": CGAN}


def build(spec, seed=0, dtype="float32"):
    """The model of a spec, its weights drawn by NumPy from the seed, on the GPU if there is one."""
    model = KINDS[spec.kind](spec, dtype)
    model.set_arrays(draws.initial_weights(spec, seed))
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
    chunks = [call(model, method, *[None if a is None else a[start:start + batch] for a in arrays])
              for start in range(0, len(arrays[0]), batch)]
    if isinstance(chunks[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*chunks))
    return np.concatenate(chunks)
