"""Where the project and its results lie, and files that are written whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_root(start: Path) -> Path:
    """The project's folder: the nearest at or above `start` with a pyproject.toml, else the library's."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    return Path(__file__).resolve().parents[2]


def results_folder(root: Path) -> Path:
    """`results/` of the project, or the folder that the environment variable TWINVAE_RESULTS names."""
    return Path(os.environ.get("TWINVAE_RESULTS") or root / "results").resolve()


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` and move it into place when all is written.

    Raises OSError with one sentence when the folder is full or read-only; `path` is then as it was before.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        raise OSError(
            f"cannot write {path}: {error.strerror or error}; make room or give write access there, "
            "or name another folder in TWINVAE_RESULTS"
        ) from None
    finally:
        try:
            part.unlink(missing_ok=True)
        except OSError:  # a read-only folder: nothing was written either
            pass


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
