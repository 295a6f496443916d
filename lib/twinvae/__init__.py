"""twinvae: AE, VAE, CVAE and conditional GAN as twins, in PyTorch (`twinvae.pt`) and TensorFlow (`twinvae.tf`).

Importing `twinvae` imports neither framework; ask `twinvae.backend.get("torch")` or `get("tf")` for a twin.
`twinvae.load(NAME)` opens a trained model, `twinvae.models()` lists them.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec

__version__ = "0.1.0"


def parts_on_demand(package: str, names: Sequence[str]) -> Callable[[str], object]:
    """Return a `__getattr__` for a package whose parts are imported when they are first asked for  (PEP 562)."""

    def __getattr__(name: str):
        if name in names:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"{package} has no part {name!r}; its parts are {', '.join(names)}")

    return __getattr__


def import_triton() -> None:
    """Import Triton, where PyTorch brought it, so that it finds its own LLVM and not TensorFlow's.

    TensorFlow 2.20 and later offers the functions of its LLVM to whatever is loaded after it; Triton, which PyTorch
    imports at its first optimiser, then ends the process  (tensorflow/tensorflow#124205).
    """
    if sys.platform == "linux" and find_spec("triton"):
        flags = sys.getdlopenflags()
        sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
        try:
            importlib.import_module("triton")
        finally:
            sys.setdlopenflags(flags)


def __getattr__(name: str) -> object:
    """Return `load` or `models`, imported when they are first asked for."""
    if name in ("load", "models"):
        return getattr(importlib.import_module("twinvae.pretrained"), name)
    raise AttributeError(f"module 'twinvae' has no attribute {name!r}")
