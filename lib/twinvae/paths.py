"""Where the project and its results lie, and files that are written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Give the name of a new temporary file beside `path` and move it into place when all is written.

    Raises OSError with one sentence when the folder is full or read-only; `path` is then as it was before.
    """
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=f".tmp{path.suffix}")
        os.close(handle)
        part = Path(name)
        yield part
        part.chmod(0o666 & ~umask())  # mkstemp's files are for their owner alone
        os.replace(part, path)
    except OSError as error:
        raise OSError(
            f"cannot write {path}: {error.strerror or error}; make room or give write access there, "
            "or name another folder in TWINVAE_RESULTS"
        ) from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


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
