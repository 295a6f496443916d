"""One safetensors file, one set of names, loads into either twin.

Arrays keep PyTorch's layout and the names of `ModelSpec.weights()`; the metadata holds the spec and whatever else
belongs to the file, as JSON.  Files are written to a temporary name and moved into place: a file is whole or absent.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from twinvae import spec as specs
from twinvae.provenance import written_whole


def write(path: Path, arrays: dict[str, np.ndarray], **metadata) -> None:
    """Writes arrays and metadata (anything JSON can hold) to `path`, all or nothing."""
    payload = save(
        {name: np.ascontiguousarray(a).reshape(np.shape(a)) for name, a in arrays.items()},
        {key: json.dumps(value) for key, value in metadata.items()},
    )
    with written_whole(Path(path)) as part, open(part, "wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays and the metadata of a file.  ValueError if it is no whole safetensors file of ours."""
    try:
        with safe_open(path, framework="np") as file:
            metadata = {key: json.loads(value) for key, value in (file.metadata() or {}).items()}
            return {name: file.get_tensor(name) for name in file.keys()}, metadata
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is not a whole weights file ({error}); delete it and train or fetch it again"
        ) from None


def save_model(path: Path, model, dtype: str = "float32") -> None:
    """Saves the weights of a model of either twin with its spec."""
    arrays = {name: a.astype(dtype) for name, a in model.get_arrays().items()}
    write(path, arrays, spec=specs.to_dict(model.spec))


def load_spec(path: Path) -> specs.ModelSpec | specs.GanSpec:
    """The spec of the model that a file holds."""
    return specs.model_from_dict(read(path)[1]["spec"])


def load_model(path: Path, twin, dtype: str = "float32"):
    """The model in the file, built by `twin` (what `backend.get` returned).  ValueError if spec and weights differ."""
    arrays, metadata = read(path)
    model = twin.models.build(specs.model_from_dict(metadata["spec"]), dtype=dtype)
    model.set_arrays(arrays)
    return model


def check(arrays: dict[str, np.ndarray], spec: specs.ModelSpec | specs.GanSpec) -> None:
    """ValueError, naming the first difference, unless names and shapes are those of the spec."""
    wanted = {weight.name: weight.shape for weight in spec.weights()}
    if missing := sorted(set(wanted) - set(arrays)):
        raise ValueError(f"weight {missing[0]!r} of model {spec.name!r} is missing; give all {len(wanted)}")
    if unknown := sorted(set(arrays) - set(wanted)):
        raise ValueError(f"model {spec.name!r} has no weight {unknown[0]!r}")
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ValueError(f"weight {name!r} has shape {arrays[name].shape}; model {spec.name!r} needs {shape}")
