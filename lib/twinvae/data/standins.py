"""Stand-ins: made files, in the official format, for a machine without the data and without a network."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from .download import cache_folder
from .files import digest
from .table import DataSet

# Raise it when a stand-in is drawn differently, so that kept ones are made anew.
VERSION = 1


def _sound(folder: Path) -> bool:
    """Whether a kept stand-in is complete and unaltered, by the checksums beside it."""
    try:
        sums = json.loads((folder / "sums.json").read_text())
        return all(digest(folder / name) == value for name, value in sums.items())
    except (OSError, ValueError):
        return False


def standin_folder(dataset: DataSet) -> Path:
    """The folder with the stand-in's files, made now unless kept; temporary if there is no cache."""
    folder = cache_folder("standins", f"{dataset.name}-{VERSION}")
    if _sound(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent))
    except OSError:
        work = folder = Path(tempfile.mkdtemp(prefix="twinvae-"))
    dataset.standin(work)
    sums = {path.name: digest(path) for path in sorted(work.iterdir())}
    (work / "sums.json").write_text(json.dumps(sums))
    if work != folder:
        _put(work, folder)
    return folder


def _put(work: Path, folder: Path) -> None:
    """Move a finished folder into place; another process may have been quicker, with the same files."""
    if folder.exists() and not _sound(folder):
        shutil.rmtree(folder)
    try:
        os.rename(work, folder)
    except OSError:
        shutil.rmtree(work)
        if not _sound(folder):
            raise
