"""Reader of CIFAR-10 and CIFAR-100, from the binary versions (no pickle) or from JPEG files."""

import tarfile
from pathlib import Path

import numpy as np

from .files import digest, kept, unpacked
from .table import sets


def parse(raw: bytes, label_bytes: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Split records, label bytes (the last counts) and 1,024 bytes a colour.  -> x uint8 [N, 32, 32, 3], y int64 [N]"""
    table = np.frombuffer(raw, np.uint8).reshape(-1, label_bytes + 3 * 32 * 32)
    x = table[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), table[:, label_bytes - 1].astype(np.int64)


def read_batches(paths: tuple[Path, ...], half: str) -> tuple[np.ndarray, np.ndarray]:
    """Read CIFAR-10's batches, a file each, packed with gzip or not."""
    return parse(b"".join(map(unpacked, paths)))


def read_tar(paths: tuple[Path, ...], half: str, members: dict[str, list[str]], label_bytes: int = 1):
    """Read the published archive; `members` names the files in it that make up each half, in their order."""
    with tarfile.open(paths[0]) as archive:
        files = {Path(member.name).name: archive.extractfile(member).read() for member in archive if member.isfile()}
    return parse(b"".join(files[name] for name in members[half]), label_bytes)


def read_jpeg(paths: tuple[Path, ...], half: str) -> tuple[np.ndarray, np.ndarray]:
    """Read an archive of {train,test}/CLASS/NNNN.jpg, in the order of NNNN; it is unpacked once and kept."""
    return kept(f"cifar10-jpeg-{half}-{digest(paths[0])[:16]}", lambda: decode(paths[0], half))


def decode(archive: Path, half: str) -> tuple[np.ndarray, np.ndarray]:
    """Decode one half of an archive of JPEG files."""
    from PIL import Image

    names = sets()["cifar10"].class_names
    found = []
    with tarfile.open(archive) as files:
        for member in files:
            if member.isfile() and member.name.startswith(f"{half}/"):
                _, label, name = member.name.split("/")
                found.append((name, names.index(label), np.array(Image.open(files.extractfile(member)))))
    _, y, x = zip(*sorted(found, key=lambda entry: entry[:2]), strict=True)
    return np.stack(x), np.array(y)
