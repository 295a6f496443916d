"""CIFAR-10: 60,000 colour photographs in ten classes, from the binary version (no pickle)."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np

from .archives import tar_members
from .cache import cached_arrays
from .files import digest, gunzip
from .images import DataError
from .records import PLANES, pack_records, parse_records
from .table import Arrays, DataSet, Edition, KnownFile

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCH_BYTES = 10_000 * (1 + PLANES)

TAR = KnownFile("cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530", URL, 170)
BATCHES = (
    KnownFile("data_batch_1.bin", "md5:5dd7e06a14cb22eb9f671a540d1b7c25"),
    KnownFile("data_batch_2.bin", "md5:5ea93a67294ea407fff1d09f752e9692"),
    KnownFile("data_batch_3.bin", "md5:942cd6a4bcdd0dd3c604fbe906cb4421"),
    KnownFile("data_batch_4.bin", "md5:ae636b3ba5c66a11e91e8cb52e771fcb"),
    KnownFile("data_batch_5.bin", "md5:53f37980c15c3d472c316c40844f3f0d"),
)
TEST_BATCH = KnownFile("test_batch.bin", "md5:803d5f7f4d78ea53de84dbe85f74fb6d")
JPEG = KnownFile(
    "cifar-10-images-jpeg.tar.xz", "sha256:0bc8b71aace2a2174b9940623c80ba14fc88541245222bd0ccbbf8d99bc36c82"
)
FIRST4000 = KnownFile(
    "data_batch_1.first4000.bin.gz", "sha256:0bb145d179ecb2a750190e62493390eeb7162bf39f48bbe8e48630dd27a8a1ba"
)
FIRST1000 = KnownFile(
    "test_batch.first1000.bin.gz", "sha256:481869234567c4835abc7c5f640eb4c2dd6fb841f09ea94a7f989d31f337e06c"
)
META = KnownFile("batches.meta.txt", "sha256:558e74b5e208382e186da55784b4bac2cd52e558448e1b5800990fdb28ed8033")


def _concatenate(parts: list[Arrays]) -> Arrays:
    x, y = zip(*parts, strict=True)
    return np.concatenate(x), np.concatenate(y)


def read_bin(paths: tuple[Path, ...], half: str) -> Arrays:
    """Batches, each .bin or .bin.gz -> x uint8 [N, 32, 32, 3], y int64 [N]."""
    parts = []
    for path in paths:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gunzip(raw, BATCH_BYTES, path.name)
        parts.append(parse_records(raw, 1, len(CLASS_NAMES), path.name))
    return _concatenate(parts)


def read_tar(paths: tuple[Path, ...], half: str) -> Arrays:
    """The published archive -> the same."""
    members = {name.name: raw for name, raw in tar_members(paths[0], BATCH_BYTES, 20)}
    wanted = [TEST_BATCH.name] if half == "test" else [file.name for file in BATCHES]
    if missing := [name for name in wanted if name not in members]:
        raise DataError(f"{paths[0].name} has no {', '.join(missing)}; fetch it again.")
    return _concatenate([parse_records(members[name], 1, len(CLASS_NAMES), name) for name in wanted])


def read_jpeg(paths: tuple[Path, ...], half: str) -> Arrays:
    """The JPEG variant, {train,test}/CLASS/NNNN.jpg; unpacked once and kept; in order of NNNN"""
    (path,) = paths
    arrays = cached_arrays(f"cifar10-jpeg-{digest(path)[:16]}", lambda: _decode_jpeg(path))
    return arrays[f"x_{half}"], arrays[f"y_{half}"]


def _decode_jpeg(path: Path) -> dict[str, np.ndarray]:
    import cv2

    found = {"train": [], "test": []}
    for name, raw in tar_members(path, 100_000, 60_000):
        half, label = name.parts[0], name.parts[-2] if len(name.parts) == 3 else ""
        image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB) if raw else None
        if half not in found or label not in CLASS_NAMES or image is None or image.shape != (32, 32, 3):
            raise DataError(f"{path.name}: {name} is no 32 x 32 JPEG in train/CLASS/ or test/CLASS/.")
        found[half].append((name.name, CLASS_NAMES.index(label), image))
    arrays = {}
    for half, entries in found.items():
        entries.sort(key=lambda entry: entry[:2])
        arrays[f"x_{half}"] = np.stack([image for _, _, image in entries])
        arrays[f"y_{half}"] = np.array([label for _, label, _ in entries])
    return arrays


def add_to_tar(archive: tarfile.TarFile, name: str, raw: bytes) -> None:
    """Add a member with a fixed date."""
    member = tarfile.TarInfo(name)
    member.size = len(raw)
    archive.addfile(member, io.BytesIO(raw))


def make_standin(folder: Path) -> None:
    """Write the archive with drawn pictures, 80 a class in each of its six batches."""
    from .draw_icons import draw

    with (
        gzip.GzipFile(folder / TAR.name, "wb", 6, mtime=0) as file,
        tarfile.open(fileobj=file, mode="w") as archive,
    ):
        for seed, batch in enumerate((*BATCHES, TEST_BATCH)):
            x, y = draw(80, seed)
            add_to_tar(archive, f"cifar-10-batches-bin/{batch.name}", pack_records(x, y[:, None]))


CIFAR10 = DataSet(
    name="cifar10",
    title="CIFAR-10",
    folder="cifar10",
    shape=(32, 32, 3),
    class_names=CLASS_NAMES,
    sizes={"train": 50_000, "test": 10_000},
    licence="none stated",
    citation="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
    url=URL,
    editions=(
        Edition("official", "official", "CIFAR-10, official archive", {"train": (TAR,), "test": (TAR,)}, read_tar),
        Edition(
            "official-bin",
            "official",
            "CIFAR-10, official batches",
            {"train": BATCHES, "test": (TEST_BATCH,)},
            read_bin,
        ),
        Edition("jpeg", "variant", "CIFAR-10, JPEG copy (lossy)", {"train": (JPEG,), "test": (JPEG,)}, read_jpeg),
        Edition(
            "first5000",
            "variant",
            "CIFAR-10, first 4,000 and 1,000 images",
            {"train": (FIRST4000,), "test": (FIRST1000,)},
            read_bin,
        ),
    ),
    standin=make_standin,
    standin_label="drawn pictures in ten classes",
    valid=5_000,
    extras=(META,),
)
