"""Records of CIFAR: one or two label bytes, then the red, green and blue plane of 32 x 32 bytes."""

from __future__ import annotations

import numpy as np

from .images import DataError

PLANES = 3 * 32 * 32


def parse_records(raw: bytes, label_bytes: int, num_classes: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Records -> x uint8 [N, 32, 32, 3], y int64 [N]; the last label byte is the class.

    Raises DataError, naming the byte, for a part of a record and for labels outside 0..K-1.
    """
    length = label_bytes + PLANES
    if not raw or len(raw) % length:
        raise DataError(
            f"{name} holds {len(raw):,} bytes, no whole number of {length:,}-byte records: "
            f"the last one begins at byte {len(raw) // length * length:,}."
        )
    table = np.frombuffer(raw, np.uint8).reshape(-1, length)
    y = table[:, label_bytes - 1].astype(np.int64)
    if y.max() >= num_classes:
        bad = int(np.argmax(y >= num_classes))
        raise DataError(
            f"{name}, byte {bad * length + label_bytes - 1:,}: label {y[bad]}; 0..{num_classes - 1} is allowed."
        )
    x = table[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), y


def pack_records(x: np.ndarray, labels: np.ndarray) -> bytes:
    """x uint8 [N, 32, 32, 3], labels uint8 [N, label bytes] -> records."""
    planes = x.transpose(0, 3, 1, 2).reshape(len(x), PLANES)
    return np.concatenate([labels, planes], axis=1).astype(np.uint8).tobytes()
