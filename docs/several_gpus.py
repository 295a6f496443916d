"""One model on several GPUs: each works on its part of every batch, and all make the step of the whole batch.

    torchrun --nproc-per-node 2 docs/several_gpus.py

Batch and noise are drawn by the seed, the same in every process, so that the losses are those of one process to
rounding.  A model with BatchNorm needs torch.nn.SyncBatchNorm besides: each process sees a part of the batch alone.
"""

import os
import sys

import torch
from torch import distributed

from twinvae import backend, data, randomness, spec, zoo


class Loss(torch.nn.Module):
    """The mean loss of a batch as a module: DistributedDataParallel averages the gradients of what is called."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x_in, x, y, eps):
        recon, kl = self.model.loss_terms(x_in, x, y, eps, training=True)
        return (recon + kl).mean()


distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
rank, world = distributed.get_rank(), distributed.get_world_size()
if torch.cuda.is_available():
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
twin, images = backend.get("torch"), data.splits(sys.argv[1] if len(sys.argv) > 1 else "mnist")
# 128 images in all, a number that the number of processes must divide
settings = spec.TrainSpec(epochs=3, batch_size=128)
model_spec = zoo.get("report004_vae").for_images(images.train.shape, images.train.num_classes)
model = twin.models.build(model_spec, seed=settings.seed)
optimizer = twin.train.Optimizer(model, settings)
loss_of = torch.nn.parallel.DistributedDataParallel(Loss(model))
for epoch in range(1, settings.epochs + 1):
    losses = []
    for batch in randomness.batches(images.train, settings, model.spec.noise_dim, epoch, model.dtype):
        loss = loss_of(*twin.train.tensors([array[rank::world] for array in batch]))
        loss.backward()
        optimizer.step([weight.grad for weight in optimizer.weights])
        model.zero_grad()
        distributed.all_reduce(loss := loss.detach() / world)
        losses.append(float(loss))
    if rank == 0:
        print(f"epoch {epoch}, mean loss {sum(losses) / len(losses)!r}", flush=True)
distributed.destroy_process_group()
