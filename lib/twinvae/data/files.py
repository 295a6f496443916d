"""Files as bytes: checksums, and unpacking that never gives more than was promised."""

from __future__ import annotations

import bz2
import hashlib
import zlib
from functools import lru_cache
from pathlib import Path

from .images import DataError


@lru_cache(maxsize=512)
def _digest(path: str, size: int, changed_ns: int, algorithm: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Checksum of a file in hexadecimal, kept in memory until the file changes."""
    stat = path.stat()
    return _digest(str(path), stat.st_size, stat.st_mtime_ns, algorithm)


def matches(path: Path, checksum: str) -> bool:
    """Whether the file has the checksum 'sha256:...' or 'md5:...'."""
    algorithm, _, value = checksum.partition(":")
    return digest(path, algorithm) == value


def gunzip_head(packed: bytes, count: int, name: str) -> bytes:
    """The first `count` bytes (fewer if there are fewer) of a gzip stream."""
    try:
        return zlib.decompressobj(31).decompress(packed, count)
    except zlib.error as error:
        raise DataError(f"{name} is no sound gzip file ({error}); fetch it again.") from None


def gunzip(packed: bytes, limit: int, name: str) -> bytes:
    """Unpack gzip; raises DataError if it is broken, cut short, or longer than `limit` bytes."""
    stream = zlib.decompressobj(31)
    try:
        # An empty limit would mean 'no limit' to zlib, so one more byte is always asked for.
        raw = stream.decompress(packed, limit + 1)
    except zlib.error as error:
        raise DataError(f"{name} is no sound gzip file ({error}); fetch it again.") from None
    return _unpacked(raw, stream, limit, name)


def bunzip(packed: bytes, limit: int, name: str) -> bytes:
    """Unpack bzip2; raises DataError if it is broken, cut short, or longer than `limit` bytes."""
    stream = bz2.BZ2Decompressor()
    try:
        raw = stream.decompress(packed, limit + 1)
    except (OSError, ValueError) as error:
        raise DataError(f"{name} is no sound bzip2 file ({error}); fetch it again.") from None
    return _unpacked(raw, stream, limit, name)


def _unpacked(raw: bytes, stream, limit: int, name: str) -> bytes:
    if len(raw) > limit:
        raise DataError(f"{name} unpacks to more than the {limit:,} bytes promised; it is not used.")
    if not stream.eof:
        raise DataError(f"{name} ends after {len(raw):,} unpacked bytes, before its end mark; fetch it again.")
    if stream.unused_data:
        raise DataError(f"{name} has {len(stream.unused_data):,} bytes after its end mark; fetch it again.")
    return raw
