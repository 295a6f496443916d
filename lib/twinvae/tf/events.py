"""What TensorBoard shows beside the curves of a training."""

import tensorflow as tf

from twinvae.tf import train


def write(folder, model, x, y):
    """Adds a reconstruction's graph, and images before and after it, to the event files.  NumPy [N, H, W, C], [N, K]"""
    writer, (x, y) = train.event_writer(folder), train.tensors((x, y))
    with writer.as_default(step=0):
        tf.summary.graph(tf.function(model.reconstruct).get_concrete_function(x, y).graph)
        tf.summary.image("images", x, max_outputs=len(x))
        tf.summary.image("reconstructions", model.reconstruct(x, y), max_outputs=len(x))
    writer.close()
