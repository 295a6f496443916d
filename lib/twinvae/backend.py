"""The one place where a framework is chosen: `backend.get("torch")` or `backend.get("tf")`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from twinvae import spec

TWINS = {"torch": "twinvae.pt", "tf": "twinvae.tf"}


def get(name: str) -> ModuleType:
    """Return the twin of that framework: its modules layers, losses, models, train.  ValueError for another name."""
    spec.one_of("backend", name, tuple(TWINS))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # else TensorFlow's notes on compiling land in the notebooks
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with stderr_closed():
        return importlib.import_module(TWINS[name])


def name_of(twin: ModuleType) -> str:
    """Return 'torch' or 'tf', the name by which `get` gives this twin."""
    return {package: name for name, package in TWINS.items()}[twin.__name__]


@contextmanager
def stderr_closed() -> Iterator[None]:
    """Drops what is written to file descriptor 2: TensorFlow's greeting at import, which no setting turns off."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed: there is nothing to drop
        kept = None
    if kept is None:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
