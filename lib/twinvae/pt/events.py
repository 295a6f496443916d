"""What TensorBoard shows of a training that is done."""

import warnings

from twinvae.pt import train


def write(folder, model, history, x, y):
    """Event files with curves, the graph of a reconstruction, images before and after.  NumPy [N, H, W, C], [N, K]"""
    writer, (x, y) = train.event_writer(folder), train.tensors((x, y))
    for row in history.to_dict("records"):
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
    writer.close()
