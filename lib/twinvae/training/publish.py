"""`python -m twinvae.training.publish` adds to git the models that results/models/PUBLISHED names, a folder a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from twinvae import checkpoints, paths

ROUNDED, LARGEST = 1_000_000, 5_000_000  # bytes of float32 weights that are rounded, and of a file that git takes


def names() -> set[str]:
    """Return the folders of the models that are published: their weights are rounded when they are kept."""
    file = paths.find_root(Path.cwd()) / "results" / "models" / "PUBLISHED"
    return set(file.read_text(encoding="utf-8").split()) if file.is_file() else set()


def rounded(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return weights as they are published: as float16 where float32 takes over 1 MB."""
    large = sum(4 * a.size for a in arrays.values()) > ROUNDED
    return {name: a.astype("float16") for name, a in arrays.items()} if large else arrays


def _why_not(folder: Path) -> str:
    """Return why a model cannot be published, '' if it can."""
    if not (folder / "card.json").is_file():
        return "has not been trained; train it: make train"
    arrays = checkpoints.read(folder / "weights.safetensors")[0]
    as_kept = all(a.dtype == arrays[name].dtype for name, a in rounded(arrays).items())
    return "" if as_kept else f"was kept before it was named; delete {folder} and make train: its checkpoints are there"


def main() -> int:
    """Add every published model to git, without files over 5 MB; return how many cannot be added, and say why."""
    root, failed = paths.find_root(Path.cwd()), 0
    for folder in (root / "results" / "models" / name for name in sorted(names())):
        if why := _why_not(folder):
            failed += 1
            print(f"{folder.name} {why}")
        else:
            files = [str(path) for path in folder.rglob("*") if path.is_file() and path.stat().st_size <= LARGEST]
            subprocess.run(["git", "-C", str(root), "add", "-f", *files], check=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
