"""What TensorBoard shows of a training that is done, written by each twin's own framework."""

import warnings
from pathlib import Path

import numpy as np

from twinvae import backend
from twinvae.training import Trained


def write(folder: Path, trained: Trained, x: np.ndarray, y: np.ndarray) -> None:
    """Write event files with curves, the graph of a reconstruction, images before and after.  [N, H, W, C], [N, K]"""
    twin, model = trained.twin, trained.model
    rows, (x, y) = trained.history.to_dict("records"), twin.train.tensors((x, y))
    writer = twin.train.event_writer(folder)
    (_by_torch if backend.name_of(twin) == "torch" else _by_tensorflow)(writer, twin, model, rows, x, y)
    writer.close()


def _by_torch(writer, twin, model, rows, x, y) -> None:
    for row in rows:
        for name, value in row.items():
            writer.add_scalar(name, value, row["epoch"])
    model.forward = model.reconstruct  # what is traced; twinvae's models have no one way forward
    model.requires_grad_(False)
    with warnings.catch_warnings(action="ignore"):  # TensorBoard's graph rests on torch.jit, which is to go
        writer.add_graph(model, (x, y))
    writer.add_images("images", x, 0, dataformats="NHWC")
    writer.add_images("reconstructions", model(x, y), 0, dataformats="NHWC")
    model.requires_grad_(True)
    del model.forward


def _by_tensorflow(writer, twin, model, rows, x, y) -> None:
    tf = twin.layers.tf
    with writer.as_default(step=0):
        for row in rows:
            for name, value in row.items():
                tf.summary.scalar(name, value, step=int(row["epoch"]))
        tf.summary.graph(tf.function(model.reconstruct).get_concrete_function(x, y).graph)
        tf.summary.image("images", x, max_outputs=len(x))
        tf.summary.image("reconstructions", model.reconstruct(x, y), max_outputs=len(x))
