"""The pipeline of report 000: by_class zip or folder of 128 x 128 PNGs -> two shuffled .npy arrays.

Reads and resizes with OpenCV, in chunks, so that memory does not grow with the number of images; goes on
where it was interrupted; counts and lists pictures that do not decode.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np

from .archives import open_zip, zip_member
from .emnist import ALPHANUMERIC
from .files import digest
from .images import DataError

SIDE = 128
CHUNK = 2_048
# The signature, and the header chunk of 13 bytes that must come first.
PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
MAX_PNG = 1_000_000
MAX_FAILED = 0.01

# Folder name (hexadecimal ASCII code) -> character -> class number, and back.
HEX_TO_CHARACTER = {f"{ord(character):02x}": character for character in ALPHANUMERIC}
CHARACTER_TO_HEX = {character: code for code, character in HEX_TO_CHARACTER.items()}
CHARACTER_TO_CLASS = {character: number for number, character in enumerate(ALPHANUMERIC)}


def class_of(folder: str, where: str) -> int:
    """Class number of a by_class folder such as '4a'; raises DataError if it is none of the 62."""
    if folder.lower() not in HEX_TO_CHARACTER:
        raise DataError(f"{where}: folder {folder!r} is not the hexadecimal ASCII code of one of 0-9, A-Z, a-z.")
    return CHARACTER_TO_CLASS[HEX_TO_CHARACTER[folder.lower()]]


def list_pictures(names: list[str], where: str) -> list[tuple[str, int]]:
    """Names of PNGs with their classes, sorted; each class must have one.

    The folders train_XX of the published archive repeat pictures of hsf_0 to hsf_3 and are left out.
    """
    pictures = []
    for name in sorted(names):
        parts = PurePosixPath(name).parts
        if "by_class" not in parts[:-2]:
            continue
        inside = parts[parts.index("by_class") + 1 :]
        label = class_of(inside[0], where)
        if name.lower().endswith(".png") and not (len(inside) > 2 and inside[1].startswith("train_")):
            pictures.append((name, label))
    missing = sorted(set(range(len(ALPHANUMERIC))) - {label for _, label in pictures})
    if missing:
        lacking = " ".join(ALPHANUMERIC[label] for label in missing)
        raise DataError(f"{where}: no pictures of {lacking} (by_class/HEX/.../*.png); all 62 classes are needed.")
    return pictures


def _chunks_sound(raw: bytes) -> bool:
    """Whether each chunk of a PNG has its checksum and the last is IEND; OpenCV would read on regardless."""
    at, kind = 8, b""
    while at + 12 <= len(raw):
        (size,) = struct.unpack_from(">I", raw, at)
        kind, end = raw[at + 4 : at + 8], at + 8 + size
        if end + 4 > len(raw) or zlib.crc32(raw[at + 4 : end]) != struct.unpack_from(">I", raw, end)[0]:
            return False
        at = end + 4
    return kind == b"IEND" and at == len(raw)


def decode(raw: bytes, size: int) -> np.ndarray | str:
    """PNG bytes -> uint8 [size, size] grey, or in words why not."""
    import cv2

    if raw[:16] != PNG_START:
        return "is no PNG"
    if not _chunks_sound(raw):
        return "is a damaged PNG"
    width, height = struct.unpack(">II", raw[16:24])
    if (width, height) != (SIDE, SIDE):
        return f"is {width} x {height}, not {SIDE} x {SIDE}"
    image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        return "does not decode"
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def convert(source: Path, folder: Path, size: int, seed: int = 0, workers: int = 2) -> dict:
    """Write images.npy uint8 [N, size, size] and labels.npy uint8 [N] into `folder`, shuffled by `seed`.

    Returns what done.json then holds: counts, failures and checksums. Raises DataError where more than 1 % of
    the pictures fail, or the archive is not in the by_class layout.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _open(source) as (names, fetch):
        pictures = list_pictures(names, source.name)
        plan = {"images": len(pictures), "size": size, "seed": seed}
        failures = _decode_all(pictures, fetch, folder, plan, workers)
    return _finish(folder, plan, failures, source.name)


@contextmanager
def _open(source: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    """The names in a by_class zip or folder, and what gives the bytes of one."""
    if source.is_dir():
        files = [path.relative_to(source.parent).as_posix() for path in source.rglob("*") if path.is_file()]
        yield files, lambda name: (source.parent / name).read_bytes()
    else:
        with open_zip(source) as archive:
            yield archive.namelist(), lambda name: zip_member(archive, name, MAX_PNG)


def _decode_all(pictures: list, fetch: Callable, folder: Path, plan: dict, workers: int) -> list:
    """Decode chunk by chunk into work files, from where an interrupted run stopped; returns the failures."""
    from tqdm import tqdm

    state = _state(folder, plan)
    images, labels = _work_files(folder, plan, fresh=state["done"] == 0)
    row_of = np.random.default_rng(plan["seed"]).permutation(len(pictures))

    def one(at: int) -> str | None:
        name, label = pictures[at]
        try:
            image = decode(fetch(name), plan["size"])
        except DataError as error:
            image = str(error)
        if isinstance(image, str):
            return image
        images[row_of[at]], labels[row_of[at]] = image, label
        return None

    bar = tqdm(total=len(pictures), initial=state["done"], unit="png", disable=None, desc="by_class")
    with ThreadPoolExecutor(workers) as pool, bar:
        for start in range(state["done"], len(pictures), CHUNK):
            chunk = range(start, min(start + CHUNK, len(pictures)))
            reasons = zip(chunk, pool.map(one, chunk), strict=True)
            state["failures"] += [[int(row_of[at]), pictures[at][0], why] for at, why in reasons if why]
            images.flush()
            labels.flush()
            state["done"] = chunk.stop
            (folder / "state.json").write_text(json.dumps(state))
            bar.update(len(chunk))
    return state["failures"]


def _work_files(folder: Path, plan: dict, fresh: bool) -> tuple[np.memmap, np.memmap]:
    """The arrays that grow on disk, images [N, size, size] and labels [N]."""
    mode, shape = "w+" if fresh else "r+", (plan["images"], plan["size"], plan["size"])
    images = np.lib.format.open_memmap(folder / "images.work.npy", mode, np.uint8, shape)
    labels = np.lib.format.open_memmap(folder / "labels.work.npy", mode, np.uint8, shape[:1])
    return images, labels


def _state(folder: Path, plan: dict) -> dict:
    """How far an earlier run of the same plan came."""
    try:
        state = json.loads((folder / "state.json").read_text())
        if state["plan"] == plan and (folder / "images.work.npy").is_file():
            return state
    except (OSError, ValueError, KeyError):
        pass
    return {"plan": plan, "done": 0, "failures": []}


def _finish(folder: Path, plan: dict, failures: list, where: str) -> dict:
    """Take out the rows that failed, move the arrays into place, and say what they are in done.json."""
    if len(failures) > MAX_FAILED * plan["images"]:
        _, name, why = failures[0]
        raise DataError(
            f"{where}: {len(failures):,} of {plan['images']:,} pictures failed, more than 1 %; "
            f"the first is {name}, which {why}."
        )
    done = {**plan, "failures": [f"{name}: {why}" for _, name, why in failures]}
    for name in ("images", "labels"):
        work, final = folder / f"{name}.work.npy", folder / f"{name}.npy"
        if failures:
            kept = np.delete(np.load(work), [row for row, _, _ in failures], axis=0)
            np.save(work, kept)
        work.replace(final)
        done[f"{name}_sha256"] = digest(final)
    (folder / "state.json").unlink()
    (folder / "done.json").write_text(json.dumps(done, indent=1))
    if failures:
        print(f"{where}: {len(failures):,} pictures left out, listed in {folder / 'done.json'}.")
    return done


def read_converted(folder: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """The two arrays, images mapped from disk, if they are complete and unaltered."""
    try:
        done = json.loads((folder / "done.json").read_text())
        if any(digest(folder / f"{name}.npy") != done[f"{name}_sha256"] for name in ("images", "labels")):
            return None
    except (OSError, ValueError, KeyError):
        return None
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    return images, np.load(folder / "labels.npy", allow_pickle=False)
