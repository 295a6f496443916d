"""Fuzzing of what reads own data: whatever the bytes, the right array or a DataError, and nothing else.

`python tests/data/data_fuzz.py 10000` feeds each reader that many inputs; the tests feed 300. Names after the number
choose readers. Files of the sets are not fuzzed: none is read whose checksum is not known.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from twinvae.data import DataError, folder, own

RNG = np.random.default_rng(0)
WORK = Path(tempfile.mkdtemp(prefix="twinvae-fuzz-"))


@dataclass(frozen=True)
class Target:
    """A reader of a file, sound bytes for it, and a check of what it returns against the bytes given."""

    read: Callable[[Path], object]
    suffix: str
    sound: bytes
    check: Callable[[bytes, object], None]


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


def _picture(format: str, colour: bool) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (4, 5, 3) if colour else (4, 5), np.uint8)).save(buffer, format)
    return buffer.getvalue()


def _npz(save: Callable) -> bytes:
    buffer = io.BytesIO()
    save(buffer, x=RNG.integers(0, 256, (4, 5, 6), np.uint8), y=np.array([0, 1, 1, 0]))
    return buffer.getvalue()


def check_csv(raw: bytes, result) -> None:
    """Against Python's own reading of the numbers."""
    text = raw.replace(b'"', b"").replace(b"\r\n", b"\n").rstrip(b"\n")
    rows = [list(map(int, line.split(b","))) for line in text.split(b"\n")[1:]]
    x, y, *_ = result
    assert np.array_equal(np.column_stack([y, x.reshape(len(y), -1)]), rows)


def check_images(raw: bytes, halves) -> None:
    (images,) = halves.values()
    assert images.x.dtype == np.uint8 and images.x.ndim == 4 and len(images.x) == len(images.y) and images.y.min() >= 0


def check_picture(raw: bytes, image: np.ndarray) -> None:
    assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8


CSV = b"label,pixel1,pixel2,pixel3\n0,1,2,3\n4,255,0,17\n"
picture = partial(folder.decoded, size=None, fit="crop", channels=3, background=255)
TARGETS = {
    "csv": Target(partial(own.read_csv, shape=(1, 3)), ".csv", CSV, check_csv),
    "own csv": Target(
        lambda path: own.read(f"csv:{path}", shape=(1, 3)),
        ".csv",
        b"label,pixel1,pixel2,pixel3\n0,1,2,3\n1,4,5,6\n",
        check_images,
    ),
    "npz": Target(lambda path: own.read(f"npz:{path}"), ".npz", _npz(np.savez), check_images),
    "npz, packed": Target(lambda path: own.read(f"npz:{path}"), ".npz", _npz(np.savez_compressed), check_images),
    "png": Target(picture, ".png", _picture("PNG", True), check_picture),
    "jpeg": Target(picture, ".jpg", _picture("JPEG", False), check_picture),
    "bmp": Target(picture, ".bmp", _picture("BMP", True), check_picture),
}


def fuzz(name: str, inputs: int, derandomize: bool = False) -> dict[str, int]:
    """Feed one reader; returns how many inputs it read and how many it refused, or raises what went wrong."""
    target, counts = TARGETS[name], {"read": 0, "refused": 0}
    path = WORK / f"input{target.suffix}"

    @settings(
        max_examples=inputs,
        deadline=None,
        derandomize=derandomize,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(target.sound))
    def run(raw: bytes) -> None:
        path.write_bytes(raw)
        try:
            result = target.read(path)
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
