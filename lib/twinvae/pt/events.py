"""What TensorBoard shows beside the curves of a training."""

import warnings

from twinvae.pt import train


def write(folder, model, x, y):
    """Adds a reconstruction's graph, and images before and after it, to the event files.  NumPy [N, H, W, C], [N, K]"""
    writer, (x, y) = train.event_writer(folder), train.tensors((x, y))
    model.forward = model.reconstruct  # what is traced; twinvae's models have no one way forward
    model.requires_grad_(False)
    with warnings.catch_warnings(action="ignore"):  # TensorBoard's graph rests on torch.jit, which is to go
        writer.add_graph(model, (x, y))
    writer.add_images("images", x, 0, dataformats="NHWC")
    writer.add_images("reconstructions", model(x, y), 0, dataformats="NHWC")
    model.requires_grad_(True)
    del model.forward
    writer.close()
