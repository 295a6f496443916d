"""Fuzzing of the parsers: whatever the bytes, the right array or a DataError, and nothing else.

`python tests/data/data_fuzz.py 10000` feeds each parser that many inputs; the tests feed 300.
Names after the number choose parsers.
"""

from __future__ import annotations

import bz2
import gzip
import io
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinvae.data import (
    DataError,
    archives,
    by_class,
    csv_pixels,
    emnist,
    files,
    idx,
    libsvm,
    own,
    records,
    sign_language,
    svhn,
    usps,
)

RNG = np.random.default_rng(0)
WORK = Path(tempfile.mkdtemp(prefix="twinvae-fuzz-"))


@dataclass(frozen=True)
class Target:
    """A parser, sound bytes for it, and a check of what it returns against the bytes given."""

    parse: Callable[[bytes], object]
    sound: bytes
    check: Callable[[bytes, object], None]
    wrap: Callable[[bytes], bytes] = bytes


@st.composite
def damaged(draw, sound: bytes) -> bytes:
    """Sound bytes with up to four damages, or any bytes at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    raw = bytearray(sound)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(raw)))
        damage = draw(st.sampled_from(("flip", "cut", "insert", "drop", "repeat")))
        if damage == "flip":
            raw[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif damage == "cut":
            del raw[at:]
        elif damage == "insert":
            raw[at:at] = draw(st.one_of(st.binary(max_size=8), st.sampled_from([b",", b"\n", b" ", b"-", b"9", b":"])))
        elif damage == "drop":
            del raw[at : at + draw(st.integers(1, 8))]
        else:
            raw[at:at] = raw[at : at + draw(st.integers(1, 64))]
    return bytes(raw)


def _idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def _png(image: np.ndarray) -> bytes:
    import cv2

    return cv2.imencode(".png", image)[1].tobytes()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in ("a/b.bin", "a/c.bin"):
            member = tarfile.TarInfo(name)
            member.size = 60
            archive.addfile(member, io.BytesIO(bytes(range(60))))
    return buffer.getvalue()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("by_class/41/hsf_0/a.png", bytes(range(200)))
        archive.writestr("by_class/61/hsf_0/b.png", b"0" * 300)
    return buffer.getvalue()


def _npz() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=RNG.integers(0, 256, (4, 5, 6), np.uint8), y=np.array([0, 1, 1, 0]))
    return buffer.getvalue()


def _mat() -> bytes:
    from scipy.io import savemat

    buffer = io.BytesIO()
    x = RNG.integers(0, 256, (32, 32, 3, 2), np.uint8)
    savemat(buffer, {"X": x, "y": np.array([[10], [3]], np.uint8)}, do_compression=True)
    return buffer.getvalue()


def _hdf5() -> bytes:
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["train/data"], file["train/target"] = (
            RNG.random((3, 256), np.float32),
            np.array([0, 9, 4], np.int32),
        )
    return buffer.getvalue()


def _file(read: Callable[[Path], object], suffix: str) -> Callable[[bytes], object]:
    """A reader of files as a parser of bytes."""

    def parse(raw: bytes) -> object:
        path = WORK / f"input{suffix}"
        path.write_bytes(raw)
        return read(path)

    return parse


def _read_zip(path: Path) -> list[bytes]:
    with archives.open_zip(path) as archive:
        return [archives.zip_member(archive, member, 1_000) for member in archive.infolist()]


def check_csv(raw: bytes, result) -> None:
    """Against Python's own reading of the numbers."""
    rows = [
        list(map(int, line.split(b","))) for line in raw.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")[1:]
    ]
    assert np.array_equal(np.column_stack([result[1], result[0]]), rows)


def check_libsvm(raw: bytes, result) -> None:
    """Against Python's own reading of the numbers."""
    for line, values, label in zip(raw.split(b"\n"), *result, strict=True):
        first, *pairs = line.split()
        wanted = np.zeros(len(values), np.float32)
        for pair in pairs:
            index, value = pair.split(b":")
            wanted[int(float(index)) - 1] = float(value)
        assert label == int(float(first)) and np.array_equal(values, wanted)


def check_idx(raw: bytes, array: np.ndarray) -> None:
    assert _idx(array) == raw


def check_packed(raw: bytes, array: np.ndarray) -> None:
    assert _idx(array) == gzip.decompress(raw)


def check_images(raw: bytes, result) -> None:
    x, y = (result.x, result.y) if hasattr(result, "x") else result
    assert x.dtype == np.uint8 and x.ndim == 4 and len(x) == len(y) and y.dtype == np.int64 and y.min() >= 0


def check_sizes(limit: int, raw: bytes, result) -> None:
    assert all(len(part[1] if isinstance(part, tuple) else part) <= limit for part in result)


def _decode_png(raw: bytes) -> np.ndarray:
    image = by_class.decode(raw, 128)
    if isinstance(image, str):
        raise DataError(image)
    return image


def check_picture(raw: bytes, image: np.ndarray) -> None:
    """Against Pillow's reading."""
    assert np.array_equal(image, own._picture(io.BytesIO(raw), None)[..., 0])


def check_any_picture(raw: bytes, image: np.ndarray) -> None:
    assert image.ndim == 3 and image.shape[2] in (1, 3) and image.dtype == np.uint8


def check_records(raw: bytes, result) -> None:
    assert records.pack_records(result[0], result[1][:, None]) == raw


CSV = b"label,pixel1,pixel2,pixel3\n0,1,2,3\n4,255,0,17\n"
SIGN = (
    b"label,"
    + b",".join(b"pixel%d" % at for at in range(1, 785))
    + b"\n"
    + b"\n".join(b",".join(b"%d" % value for value in (label, *RNG.integers(0, 256, 784))) for label in (0, 8, 24))
    + b"\n"
)
LIBSVM = b"1 1:-0.5 2:1 4:1e-1 \n10 1:0.25 3:-1.0\n3\n"
RECORDS = records.pack_records(RNG.integers(0, 256, (2, 32, 32, 3), np.uint8), np.array([[1], [9]]))
IMAGES = RNG.integers(0, 256, (3, 4, 5), np.uint8)
PNG = _png(RNG.integers(0, 256, (128, 128), np.uint8))

TARGETS = {
    "idx": Target(partial(idx.parse_idx, ndim=3, name="f"), _idx(IMAGES), check_idx),
    "idx labels": Target(partial(idx.parse_idx, ndim=1, name="f"), _idx(IMAGES.ravel()), check_idx),
    "idx packed": Target(partial(idx.parse_idx, ndim=3, name="f"), gzip.compress(_idx(IMAGES), mtime=0), check_packed),
    "idx inside gzip": Target(
        partial(idx.parse_idx, ndim=3, name="f"), _idx(IMAGES), check_packed, partial(gzip.compress, mtime=0)
    ),
    "gzip": Target(
        partial(files.gunzip, limit=500, name="f"),
        gzip.compress(b"ab" * 200, mtime=0),
        lambda raw, out: check_sizes(500, raw, [out]),
    ),
    "bzip2": Target(
        partial(files.bunzip, limit=500, name="f"),
        bz2.compress(b"ab" * 200),
        lambda raw, out: check_sizes(500, raw, [out]),
    ),
    "csv": Target(partial(csv_pixels.parse_csv, name="f"), CSV, check_csv),
    "sign csv": Target(partial(sign_language.parse, name="f"), SIGN, check_images),
    "libsvm": Target(partial(libsvm.parse_libsvm, features=4, name="f"), LIBSVM, check_libsvm),
    "records": Target(partial(records.parse_records, label_bytes=1, num_classes=10, name="f"), RECORDS, check_records),
    "records of two labels": Target(
        partial(records.parse_records, label_bytes=2, num_classes=100, name="f"),
        b"\x01" + RECORDS[:3073] + b"\x01" + RECORDS[3073:],
        check_images,
    ),
    "mat": Target(partial(svhn.parse, name="f"), _mat(), check_images),
    "hdf5": Target(_file(lambda path: usps.read_hdf5((path,), "train"), ".h5"), _hdf5(), check_images),
    "mapping": Target(partial(emnist.parse_mapping, name="f"), b"1 65 97\n2 66 98\n", lambda raw, out: None),
    "tar": Target(
        _file(lambda path: list(archives.tar_members(path, 100, 5)), ".tar"),
        _tar(),
        partial(check_sizes, 100),
    ),
    "zip": Target(_file(_read_zip, ".zip"), _zip(), partial(check_sizes, 1_000)),
    "png": Target(_decode_png, PNG, check_picture),
    "picture": Target(_file(lambda path: own._picture(path, None), ".png"), _png(IMAGES[0]), check_any_picture),
    "npz": Target(_file(own.read_npz, ".npz"), _npz(), check_images),
    "own csv": Target(
        _file(partial(own.read_csv, shape=(1, 3)), ".csv"),
        b"label,pixel1,pixel2,pixel3\n0,1,2,3\n1,4,5,6\n",
        check_images,
    ),
}


def fuzz(name: str, inputs: int, derandomize: bool = False) -> dict[str, int]:
    """Feed one parser; returns how many inputs it read and how many it refused, or raises what went wrong."""
    target, counts = TARGETS[name], {"read": 0, "refused": 0}

    @settings(
        max_examples=inputs,
        deadline=None,
        derandomize=derandomize,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(target.sound))
    def run(inner: bytes) -> None:
        raw = target.wrap(inner)
        try:
            result = target.parse(raw)
        except DataError:
            counts["refused"] += 1
            return
        target.check(raw, result)
        counts["read"] += 1

    run()
    return counts


if __name__ == "__main__":
    for target_name in sys.argv[2:] or TARGETS:
        print(f"{target_name:24}", fuzz(target_name, int(sys.argv[1])), flush=True)
