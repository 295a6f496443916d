"""Where the project and its results lie, and files that are written whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

NAME = "twinvae"  # of the project, in its pyproject.toml


def find_root(start: Path) -> Path:
    """Return the project's folder: the nearest at or above `start` with its pyproject.toml, else the library's."""
    for folder in (start.resolve(), *start.resolve().parents):
        if project_name(folder / "pyproject.toml") == NAME:
            return folder
    return Path(__file__).resolve().parents[2]


def project_name(pyproject: Path) -> str | None:
    """Return the name of the project that a pyproject.toml describes; None where there is none to read."""
    try:
        return tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def results_folder(root: Path) -> Path:
    """Return `results/` of the project, or the folder that the environment variable TWINVAE_RESULTS names."""
    return Path(os.environ.get("TWINVAE_RESULTS") or root / "results").resolve()


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give the name of a new temporary file beside `path` and move it into place when all is written and on the disk.

    Raises OSError with one sentence when the folder is full or read-only; `path` is then as it was before.
    """
    part = handle = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent.resolve())
        handle, part = _part(path)
        yield part
        os.fsync(handle)
        part.chmod(0o666 & ~umask())  # mkstemp's files are for their owner alone
        os.replace(part, path)
        _sync(path.parent)
    except Exception as error:
        if not (cause := _os_error(error)):
            raise
        what = f"cannot write {path}: {cause.strerror or cause}; make room or give write access there"
        raise OSError(f"{what}, or name another folder in TWINVAE_RESULTS") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
            os.close(handle)


_held: dict[Path, int] = {}


def hold(folder: Path) -> None:
    """Take a folder for what this process writes, until `release` or its end; say so where another process has it.

    Raises OSError, as `write_text` does, where nothing can be written.
    """
    write_text(folder / "started.txt", "")
    (folder / "started.txt").unlink()
    if folder in _held:
        return
    _held[folder] = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(_held[folder], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        release(folder)  # so that a later run of this process asks again
        what = f"another process writes into {folder.name}, too, and what one keeps replaces what the other kept"
        print(f"{what}: wait until it has finished, or name another folder in TWINVAE_RESULTS")
    except OSError:
        pass  # a file system without locks


def release(folder: Path) -> None:
    """Give back a folder that `hold` took."""
    if (handle := _held.pop(folder, None)) is not None:
        os.close(handle)


def _part(path: Path) -> tuple[int, Path]:
    """Return a new file beside `path`, open and locked, and its name; the lock ends with its process."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=f".tmp{path.suffix}")
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.path.exists(name):  # else another process has swept it away before it was locked
            return handle, Path(name)
        os.close(handle)


@cache
def _sweep(folder: Path) -> None:
    """Remove, once a process, what killed writers have left in a folder: temporary files that nobody holds locked."""
    for part in folder.glob(".*.tmp*"):
        with suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def _sync(folder: Path) -> None:
    """Bring a folder's names to the disk, where its file system can do so."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _os_error(error: BaseException | None) -> OSError | None:
    """Return the OSError that an error is, or the full disk that a library stumbled over in cleaning up, else None."""
    if isinstance(error, OSError):
        return error
    while error is not None and getattr(error, "errno", None) not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        error = None if error.__suppress_context__ else error.__context__
    return error


def umask() -> int:
    """Return the permissions that new files do not get; the system tells it only to whoever sets it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    """Return the SHA-256 checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
