"""`python -m twinvae.training.publish` adds to git the models that results/models/PUBLISHED names, a folder a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twinvae import checkpoints
from twinvae.training.kept import models_in_git, published, rounded

FILES = ("card.json", "history.csv", "weights.safetensors", "measures/*.safetensors")
LARGEST = 5_000_000  # bytes of a file in git


def main() -> int:
    """Add every published model to git, without files over 5 MB; return how many cannot be added, and say why."""
    failed = 0
    for folder in (models_in_git() / name for name in sorted(published())):
        if why := _why_not(folder):
            failed += 1
            print(f"{folder.name} {why}")
        else:
            files = [path for pattern in FILES for path in folder.glob(pattern) if path.stat().st_size <= LARGEST]
            subprocess.run(["git", "-C", str(folder), "add", "-f", *map(str, files)], check=True)
    return failed


def _why_not(folder: Path) -> str:
    """Return why a model cannot be published, '' if it can."""
    if not (folder / "card.json").is_file():
        return "has not been trained; train it: make train"
    arrays = checkpoints.read(folder / "weights.safetensors")[0]
    as_kept = all(a.dtype == arrays[name].dtype for name, a in rounded(arrays).items())
    return "" if as_kept else f"was kept before it was named; delete {folder} and make train: its checkpoints are there"


if __name__ == "__main__":
    sys.exit(main())
