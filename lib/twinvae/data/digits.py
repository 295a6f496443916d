"""Readers of the smaller sets of digits: USPS in its two forms, SVHN, and those that scikit-learn ships."""

import io
from pathlib import Path

import numpy as np

from .files import unpacked


def read_usps(paths: tuple[Path, ...], half: str) -> tuple[np.ndarray, np.ndarray]:
    """Read libsvm text, smoothed digits of -1..1 with labels 1..10.  -> x uint8 [N, 16, 16, 1], y int64 [N]"""
    from sklearn.datasets import load_svmlight_file

    values, labels = load_svmlight_file(io.BytesIO(unpacked(paths[0])), n_features=256, zero_based=False)
    return _to_bytes((values.toarray() + 1) / 2, 16), labels.astype(np.int64) - 1


def read_usps_raw(paths: tuple[Path, ...], half: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one half of an HDF5 file, digits of 0..1 that are not smoothed.  -> x uint8 [N, 16, 16, 1], y int64 [N]"""
    import h5py

    with h5py.File(paths[0]) as file:
        return _to_bytes(file[f"{half}/data"][:], 16), file[f"{half}/target"][:].astype(np.int64)


def read_svhn(paths: tuple[Path, ...], half: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a MATLAB file, whose label 10 is the digit 0.  -> x uint8 [N, 32, 32, 3], y int64 [N]"""
    from scipy.io import loadmat

    arrays = loadmat(paths[0])
    return np.ascontiguousarray(arrays["X"].transpose(3, 0, 1, 2)), arrays["y"].ravel().astype(np.int64) % 10


def read_sklearn(paths: tuple[Path, ...], half: str) -> tuple[np.ndarray, np.ndarray]:
    """Read CSV of values 0..16 and the label, without importing scikit-learn.  -> x uint8 [N, 8, 8, 1], y int64 [N]"""
    table = np.loadtxt(io.BytesIO(unpacked(paths[0])), delimiter=",")
    return _to_bytes(table[:, :-1] / 16, 8), table[:, -1].astype(np.int64)


def _to_bytes(values: np.ndarray, side: int) -> np.ndarray:
    """Round values 0..1 to bytes.  [N, side * side] -> uint8 [N, side, side, 1]"""
    return np.rint(values * 255).astype(np.uint8).reshape(-1, side, side, 1)
