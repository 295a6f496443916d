"""Members of tar and zip archives, read in memory and never unpacked to disk, each below a limit."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .images import DataError

BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


def safe_name(name: str, archive: str) -> PurePosixPath:
    """A member's path; raises DataError if it is absolute or climbs out of the archive."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        raise DataError(f"{archive}: member {name!r} points outside the archive; the archive is not used.")
    return path


def tar_members(path: Path, limit: int, count: int) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Name and bytes of each file of a tar (gz, xz or plain).

    Raises DataError for a broken archive, more than `count` files, and a member above `limit` bytes.
    """
    seen = 0
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                name = safe_name(member.name, path.name)
                if not member.isfile():
                    continue
                seen += 1
                if member.size > limit or seen > count:
                    raise DataError(
                        f"{path.name}: {name} is file {seen:,} and unpacks to {member.size:,} bytes; at "
                        f"most {count:,} files of at most {limit:,} bytes are allowed."
                    )
                yield name, tar.extractfile(member).read()
    except DataError:
        raise
    except BROKEN as error:
        raise DataError(f"{path.name} is no sound tar archive ({error}).") from None


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive; raises DataError if it is none or if a member's path climbs out of it."""
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        raise DataError(f"{path.name} is no sound zip archive ({error}).") from None
    for name in archive.namelist():
        safe_name(name, path.name)
    return archive


def zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo | str, limit: int) -> bytes:
    """The bytes of one member; raises DataError if it is missing, broken or above `limit` bytes."""
    name = member if isinstance(member, str) else member.filename
    where = f"{Path(archive.filename or 'zip').name}: {name}"
    try:
        with archive.open(member) as file:
            raw = file.read(limit + 1)
    except KeyError:
        raise DataError(f"{where} is not in the archive.") from None
    except BROKEN as error:
        raise DataError(f"{where} does not unpack ({error}).") from None
    if len(raw) > limit:
        raise DataError(f"{where} unpacks to more than {limit:,} bytes; it is not used.")
    return raw
