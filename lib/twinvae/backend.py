"""The one place where a framework is chosen: `backend.get("torch")` or `backend.get("tf")`."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from twinvae import spec

TWINS = {"torch": "twinvae.pt", "tf": "twinvae.tf"}


def get(name: str) -> ModuleType:
    """The twin of that framework, with its modules layers, losses, models and train.  ValueError for another name."""
    spec.one_of("backend", name, tuple(TWINS))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # else TensorFlow's start-up log lands in the notebooks
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    return importlib.import_module(TWINS[name])
