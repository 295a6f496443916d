"""The 1,797 digits of 8 x 8 pixels that scikit-learn ships: the tiniest set, always at hand."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .files import digest
from .images import DataError, Images, Source
from .table import DataSet

SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
CLASS_NAMES = tuple("0123456789")


def read() -> Images:
    """All digits, their values 0..16 spread over 0..255.  -> [1797, 8, 8, 1]"""
    # Found without importing scikit-learn, which takes seconds.
    path = Path(find_spec("sklearn").origin).parent / "datasets" / "data" / "digits.csv.gz"
    if digest(path) != SHA256:
        raise DataError(
            f"{path} has sha256:{digest(path)}, which is not the known file's sha256:{SHA256}; "
            "install scikit-learn again."
        )
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    source = Source("digits", "digits of scikit-learn", "official", ((path.name, SHA256),))
    x = np.rint(table[:, :-1] * 255 / 16).astype(np.uint8).reshape(-1, 8, 8, 1)
    return Images(x, table[:, -1].astype(np.int64), CLASS_NAMES, source)


DIGITS = DataSet(
    name="digits",
    title="Digits of scikit-learn",
    folder="digits",
    shape=(8, 8, 1),
    class_names=CLASS_NAMES,
    sizes={"all": 1_797},
    licence="CC BY 4.0",
    citation="Alpaydin, Kaynak 1998, Optical Recognition of Handwritten Digits, UCI",
    url="https://archive.ics.uci.edu/dataset/80",
    editions=(),
    direct=read,
)
