"""The decoder of a model as an ONNX graph, written from its spec and weights: sampling without either framework.

Inputs are z [N, Z], drawn from N(0, I), and for a conditional model y [N, K], one-hot; the output x [N, H, W, C] is the
expected image.  Maps are [N, C, H, W] within.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from twinvae import paths
from twinvae import spec as specs
from twinvae.spec import GanSpec, ModelSpec, StackSpec

OPSET, IR = 17, 9  # old enough for onnxruntime from 1.14 on


def write(path: Path, spec: ModelSpec | GanSpec, arrays: dict[str, np.ndarray], labels: tuple[str, ...]) -> None:
    """Write the decoder of a model to an .onnx file; the names of its labels are in the file's metadata.

    Raises ImportError where the package onnx is missing, ValueError for a layer that the graph cannot have.
    """
    try:
        import onnx
    except ImportError:
        raise ImportError("an .onnx file needs the package onnx; install it: pip install -e '.[onnx]'") from None
    graph = Graph(arrays)
    x = graph.decoder(spec)
    graph.add("Identity", x, name="x")
    of = onnx.helper.make_tensor_value_info
    inputs = [of("z", onnx.TensorProto.FLOAT, ["N", spec.latent_dim])]
    inputs += [of("y", onnx.TensorProto.FLOAT, ["N", spec.num_classes])] * bool(spec.num_classes)
    outputs = [of("x", onnx.TensorProto.FLOAT, ["N", *spec.image_shape])]
    nodes = [onnx.helper.make_node(kind, given, [made], **how) for kind, given, made, how in graph.nodes]
    constants = [onnx.numpy_helper.from_array(a, name) for name, a in graph.constants.items()]
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    made = onnx.helper.make_graph(nodes, spec.name, inputs, outputs, constants)
    model = onnx.helper.make_model(made, opset_imports=opsets, ir_version=IR, producer_name="twinvae")
    onnx.helper.set_model_props(model, {"labels": json.dumps(labels), "spec": json.dumps(specs.to_dict(spec))})
    onnx.checker.check_model(model, full_check=True)
    with paths.written_whole(path) as part:
        part.write_bytes(model.SerializeToString())


class Graph:
    """Nodes (operator, inputs, output, attributes) and constants of a graph, as they are added; float32."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights, self.nodes, self.constants = weights, [], {}

    def add(self, kind: str, *inputs: str, name: str = "", **attributes) -> str:
        """Add a node; return the name of its output."""
        made = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append((kind, list(inputs), made, attributes))
        return made

    def constant(self, value: np.ndarray) -> str:
        """Add a constant, int64 where it is of whole numbers, else float32; return its name."""
        a = np.ascontiguousarray(value)
        name = f"constant_{len(self.constants)}"
        self.constants[name] = a.astype(np.int64 if np.issubdtype(a.dtype, np.integer) else np.float32)
        return name

    def reshape(self, h: str, *shape: int) -> str:
        """Give all examples another shape."""
        return self.add("Reshape", h, self.constant(np.array([-1, *shape])))

    def decoder(self, spec: ModelSpec | GanSpec) -> str:
        """Add what the twins' `generate` does, after p(z | y) where the spec learns it; return the images."""
        stacks, z = spec.stacks(), "z"
        if spec.kind == "cgan":
            return self.add("Sigmoid", self.stack(stacks["generator"], self.add("Concat", z, "y", axis=1), "y"))
        if spec.prior == "learned":
            mu, logvar = (self.stack(stacks[f"prior_{head}"], "y") for head in ("mu", "logvar"))
            sigma = self.add("Exp", self.add("Mul", logvar, self.constant(np.array(0.5))))
            z = self.add("Add", mu, self.add("Mul", sigma, z))
        match spec.decoder_condition:
            case "concat":
                z = self.add("Concat", z, "y", axis=1)
            case "number":
                numbers = self.constant(np.linspace(0, 1, spec.num_classes)[:, None])
                z = self.add("Concat", z, self.add("MatMul", "y", numbers), axis=1)
            case "conditioner":
                z = self.add("Concat", z, self.stack(stacks["conditioner"], "y"), axis=1)
        x_logits = self.stack(stacks["decoder"], z, "y")
        return x_logits if spec.output_mean == "identity" else self.add("Sigmoid", x_logits)

    def stack(self, stack: StackSpec, h: str, c: str = "") -> str:
        """Add the layers of a stack, which ends in a vector or in a map, [N, H, W, C]; c is the condition."""
        for row in stack.walk():
            w = {one.name: self.weights[f"{stack.name}.{row.name}.{one.name}"] for one in row.weights}
            h = self.layer(row, w, h, c)
        return self.add("Transpose", h, perm=[0, 2, 3, 1]) if len(stack.output) == 3 else h

    def layer(self, row: specs.NamedLayer, w: dict[str, np.ndarray], h: str, c: str) -> str:
        """Add one layer.  ValueError for one that it does not know."""
        layer = row.layer
        column = (-1,) + (1,) * (len(row.shape_in) - 1)  # a value a channel, beside a map or a vector
        match layer:
            case specs.Dense():
                h = self.add("MatMul", h, self.constant(w["weight"].T))
                return self.add("Add", h, self.constant(w["bias"])) if layer.bias else h
            case specs.ConvTranspose():
                crop = max(layer.kernel - layer.stride, 0) // 2 if layer.padding == "same" else 0
                sides = zip(row.shape_in[:2], row.shape_out[:2], strict=True)
                after = [n - (m - 1) * layer.stride - layer.kernel + crop for m, n in sides]
                more = dict(pads=[crop, crop, *(max(-n, 0) for n in after)], output_padding=[max(n, 0) for n in after])
                return self.convolution("ConvTranspose", layer, w, h, **more)
            case specs.Conv():
                if isinstance(layer, specs.SpectralConv):
                    rows = w["weight"].reshape(layer.filters, -1).astype(np.float64)
                    w = w | {"weight": w["weight"] / np.linalg.svd(rows, compute_uv=False)[0]}
                pad = "SAME_UPPER" if layer.padding == "same" else "VALID"
                return self.convolution("Conv", layer, w, h, auto_pad=pad)
            case specs.BatchNorm():
                scale = w["weight"] / np.sqrt(w["running_var"].astype(np.float64) + layer.epsilon)
                shift = w["bias"] - w["running_mean"] * scale
                h = self.add("Mul", h, self.constant(scale.reshape(column)))
                return self.add("Add", h, self.constant(shift.reshape(column)))
            case specs.Film():
                if isinstance(layer, specs.AdaLN):
                    h = self.normalised(h, layer.epsilon)
                gamma, beta = (
                    self.reshape(self.add("MatMul", c, self.constant(w[n].T)), row.shape_in[-1], *column[1:])
                    for n in ("gamma", "beta")
                )
                factor = self.add("Add", gamma, self.constant(np.array(1.0)))
                return self.add("Add", self.add("Mul", h, factor), beta)
            case specs.Upsample():
                scales = self.constant(np.array([1.0, 1.0, layer.factor, layer.factor]))
                how = dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
                return self.add("Resize", h, "", scales, **how)
            case specs.Activation(name="relu"):
                return self.add("Relu", h)
            case specs.Activation(name="leaky_relu"):
                return self.add("LeakyRelu", h, alpha=layer.slope)
            case specs.Activation(name="tanh"):
                return self.add("Tanh", h)
            case specs.Reshape():
                return self.add("Transpose", self.reshape(h, *layer.shape), perm=[0, 3, 1, 2])
            case specs.Flatten():
                h = self.add("Transpose", h, perm=[0, 2, 3, 1]) if len(row.shape_in) == 3 else h
                return self.reshape(h, *row.shape_out)
            case specs.Crop():
                start, end, axes = (self.constant(np.array(v)) for v in ([0, 0], [layer.height, layer.width], [2, 3]))
                return self.add("Slice", h, start, end, axes)
            case specs.GlobalMaxPool():
                return self.add("ReduceMax", h, axes=[2, 3], keepdims=0)
        raise ValueError(f"the ONNX file knows no layer {layer!r}; add it to `layer`")

    def convolution(self, kind: str, layer: specs.Conv, w: dict[str, np.ndarray], h: str, **how) -> str:
        """Add a convolution or a transposed one, whose weights ONNX lays out as PyTorch does."""
        inputs = [h, *(self.constant(w[name]) for name in ("weight", "bias") if name in w)]
        return self.add(kind, *inputs, strides=[layer.stride] * 2, kernel_shape=[layer.kernel] * 2, **how)

    def normalised(self, h: str, epsilon: float) -> str:
        """Add the normalisation of each position over its channels to mean 0 and variance 1."""
        centred = self.add("Sub", h, self.add("ReduceMean", h, axes=[1]))
        var = self.add("ReduceMean", self.add("Mul", centred, centred), axes=[1])
        return self.add("Div", centred, self.add("Sqrt", self.add("Add", var, self.constant(np.array(epsilon)))))
