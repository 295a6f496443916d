"""Files as bytes: where the cache lies, what a file's checksum is, what it holds once unpacked, and kept arrays."""

import bz2
import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..paths import written_whole


def cache_folder(*parts: str) -> Path:
    """Return a folder in the user's cache: downloads and arrays that take long to make are kept there."""
    import platformdirs  # only now: jobs with packed images run without it

    return Path(platformdirs.user_cache_dir("twinvae")).joinpath(*parts)


@lru_cache(maxsize=512)
def _digest(path: str, size: int, changed_ns: int, algorithm: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the checksum of a file in hexadecimal; it is kept in memory until the file changes."""
    stat = path.stat()
    return _digest(str(path), stat.st_size, stat.st_mtime_ns, algorithm)


def matches(path: Path, checksum: str) -> bool:
    """Return whether the file has the checksum 'sha256:...' or 'md5:...'."""
    algorithm, _, value = checksum.partition(":")
    return digest(path, algorithm) == value


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder, not of its sub-folders, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.is_file())


def unpacked(path: Path) -> bytes:
    """Return what a file holds: a gzip or bzip2 file, known by its first two bytes, is unpacked."""
    raw = path.read_bytes()
    return {b"\x1f\x8b": gzip.decompress, b"BZ": bz2.decompress}.get(raw[:2], bytes)(raw)


def kept(key: str, make: Callable[[], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """Return the arrays kept in the cache under `key`, which names their source by checksum, or make and keep them."""
    path = cache_folder("arrays", f"{key}.npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            return tuple(file[f"arr_{at}"] for at in range(len(file)))
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        arrays = make()
    with suppress(OSError), written_whole(path) as part:  # a full or read-only cache is no error
        np.savez(part, *arrays)
    return arrays
