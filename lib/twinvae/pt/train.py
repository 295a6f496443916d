"""The training loop, in PyTorch."""

from contextlib import nullcontext

import numpy as np
import torch
from torch.optim.adam import adam

from twinvae import randomness
from twinvae.checkpoints import Log
from twinvae.pt import models


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
            *((n, w) for n, w in model.named_tensors().items() if w.requires_grad and n.startswith(part)), strict=True
        )
        self.rule = {"adam": self.adam, "rmsprop": self.rmsprop, "adagrad": self.adagrad, "sgd": self.sgd}[
            settings.optimizer
        ]
        slots = {"adam": "mv", "rmsprop": "v", "adagrad": "v", "sgd": ""}[settings.optimizer]
        self.settings, self.slots = settings, {slot: [torch.zeros_like(w) for w in self.weights] for slot in slots}
        self.other = [w.detach().clone() for w in self.weights] if settings.average else []
        self.kept = self.slots | ({"other": self.other} if self.other else {})
        self.t = [torch.zeros((), device=w.device) for w in self.weights]  # one each, as the fused kernel counts
        self.start(1)

    def start(self, epoch):
        """Set the rate and the weight of the KL of an epoch."""
        self.rate, self.beta = self.settings.rate_of(epoch), self.settings.beta_of(epoch)

    @torch.no_grad()
    def step(self, gradients):
        """One step of the rule, in place."""
        gradients = [g.contiguous() for g in gradients]  # fused Adam reads memory in order, whatever the strides
        self.rule(gradients, *self.slots.values())
        if self.other:
            t = float(self.t[0])
            decay = min(self.settings.average, (1 + t) / (10 + t))
            torch._foreach_lerp_(self.other, self.weights, 1 - decay)

    def adam(self, g, m, v):
        fixed = dict(amsgrad=False, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8, maximize=False)
        adam(list(self.weights), g, m, v, [], self.t, fused=True, lr=self.rate, **fixed)

    def rmsprop(self, g, v):
        torch._foreach_add_(self.t, 1)
        for weight, gradient, square in zip(self.weights, g, v, strict=True):
            square.mul_(0.9).addcmul_(gradient, gradient, value=0.1)
            weight.addcdiv_(gradient, square.sqrt().add_(1e-8), value=-self.rate)

    def adagrad(self, g, v):
        torch._foreach_add_(self.t, 1)
        for weight, gradient, square in zip(self.weights, g, v, strict=True):
            square.addcmul_(gradient, gradient)
            weight.addcdiv_(gradient, square.sqrt().add_(1e-8), value=-self.rate)

    def sgd(self, g):
        torch._foreach_add_(self.t, 1)
        torch._foreach_add_(self.weights, g, alpha=-self.rate)

    @torch.no_grad()
    def swap(self):
        """Exchange the model's weights for their moving average, or back."""
        for weight, other in zip(self.weights, self.other, strict=False):
            kept = weight.clone()
            weight.copy_(other)
            other.copy_(kept)

    def get_arrays(self):
        """The state as NumPy arrays: 'optimizer.t', 'optimizer.m.NAME', 'optimizer.v.NAME', 'optimizer.other.NAME'."""
        arrays = {
            f"optimizer.{slot}.{name}": t.numpy(force=True).copy()
            for slot, tensors in self.kept.items()
            for name, t in zip(self.names, tensors, strict=True)
        }
        return {"optimizer.t": np.array(float(self.t[0]))} | arrays

    def set_arrays(self, arrays):
        """The inverse of `get_arrays`."""
        for t in self.t:
            t.fill_(float(arrays["optimizer.t"]))
        for slot, tensors in self.kept.items():
            for name, tensor in zip(self.names, tensors, strict=True):
                tensor.copy_(torch.tensor(arrays[f"optimizer.{slot}.{name}"]))


def loss_and_gradients(model, weights, beta, x_in, x, y, eps):
    """(loss, recon, kl), means over the batch in nats per image, and the loss's gradient for each weight."""
    recon, kl = model.loss_terms(x_in, x, y, eps, training=True)
    loss = (recon + beta * kl).mean()
    gradients = torch.autograd.grad(loss, weights)
    return torch.stack([loss.detach(), recon.detach().mean(), kl.detach().mean()]), gradients


def make_step(model, optimizer, settings):
    """The function of one training step: tensors of a batch -> (loss, recon, kl), means over the batch."""

    def step(x_in, x, y, eps):
        values, gradients = loss_and_gradients(model, optimizer.weights, optimizer.beta, x_in, x, y, eps)
        optimizer.step(gradients)
        return values

    return step


def make_steps(step, model):
    """The function of the steps of a chunk, one after the other: its arrays -> the values of each, [T, ...]"""

    def steps(chunk):
        values = [step(*batch) for batch in zip(*tensors(chunk), strict=True)]
        return torch.stack(values).numpy(force=True)  # the only time that a step is waited for

    return steps


def uncompiled():
    """Nothing is compiled inside: compiling would take longer than a step or two of each of many models."""
    return nullcontext()  # PyTorch compiles nothing here


def tensors(batch):
    """The arrays of a batch as tensors where the model is."""
    return [torch.from_numpy(a).to(models.device(), non_blocking=True) for a in batch]


def evaluate(model, images, settings):
    """(loss, recon, kl) over all images, in nats per image, with the noise of the seed.  -> [3]"""
    total = np.zeros(3)
    for batch in randomness.validation(images, settings, model.spec.latent_dim, model.dtype):
        recon, kl = models.call(model, "loss_terms", *batch)
        total += [(recon + settings.beta * kl).sum(), recon.sum(), kl.sum()]
    return total / len(images)


def event_writer(folder):
    """The writer of TensorBoard's event files."""
    from torch.utils.tensorboard import SummaryWriter  # only now, because it imports TensorFlow where that is installed

    return SummaryWriter(folder)


def fit(model, data, settings, folder=None, tensorboard=None):
    """Train the model on data.train, in place; return the history, a row an epoch (`checkpoints.COLUMNS`).

    With a folder, keeps `last` and `best` checkpoints there and goes on from `last` if there is one, to the same
    weights, bit for bit, as without the interruption; an interrupt leaves the model at the newest whole epoch.
    `tensorboard` is a folder for event files.
    Raises checkpoints.NotFinite when the loss is infinite or NaN, ValueError for a checkpoint of another run.
    """
    if model.spec.kind == "cgan":
        from twinvae.pt import gan  # only now, because it imports this module

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
        for epoch in log.remaining(f"{model.spec.name}, torch"):
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
                for name, value in log.rows[-1].items():
                    writer.add_scalar(name, value, epoch)
                writer.flush()
    except BaseException:
        if log.folder:  # the same cell can then go on
            model.set_arrays(log.whole)
        raise
    return log.rows
