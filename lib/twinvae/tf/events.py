"""What TensorBoard shows of a training that is done."""

import tensorflow as tf

from twinvae.tf import train


def write(folder, model, history, x, y):
    """Event files with curves, the graph of a reconstruction, images before and after.  NumPy [N, H, W, C], [N, K]"""
    writer, (x, y) = train.event_writer(folder), train.tensors((x, y))
    with writer.as_default(step=0):
        for row in history.to_dict("records"):
            for name, value in row.items():
                tf.summary.scalar(name, value, step=int(row["epoch"]))
        tf.summary.graph(tf.function(model.reconstruct).get_concrete_function(x, y).graph)
        tf.summary.image("images", x, max_outputs=len(x))
        tf.summary.image("reconstructions", model.reconstruct(x, y), max_outputs=len(x))
    writer.close()
