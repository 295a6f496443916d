"""What trainings leave, in few flat files of limited size, for a machine from which no more comes back."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path

from twinvae.training.jobs import Job

PARTS, LARGEST = 8, 15 * 2**20  # files; bytes of each
LEFT = "without_weights"  # the folder of models whose weights stay where they were trained
WHOLE = ("card.json", "history.csv", "weights.safetensors")
SHORT = ("card.json", "history.csv", "measures/*.safetensors")


def write_parts(out: Path, jobs: Sequence[Job]) -> list[str]:
    """Write OUT/part-NN.tar, all to be unpacked into one folder; return the names of what they have no room for.

    First come the models of OUT, small ones before large ones; where the weights have no room, card, history and
    measures come, in `without_weights/`.  Then comes what the jobs that are not done go on from.
    """
    for old in out.glob("part-*.tar"):
        old.unlink()
    room = [LARGEST - tarfile.RECORDSIZE] * PARTS

    def put(files: Sequence[Path], top: str = "models") -> bool:
        """Add files to the first part with room for all of them; return whether there is one."""
        part = next((number for number, free in enumerate(room) if _size(files) <= free), None)
        if part is None:
            return False
        room[part] -= _size(files)
        with tarfile.open(out / f"part-{part + 1:02}.tar", "a", format=tarfile.USTAR_FORMAT) as tar:
            for path in files:
                tar.add(path, Path(top, *path.relative_to(out).parts[1:]))
        return True

    models = {card.parent: _files(card.parent, WHOLE) for card in out.glob("models/*/card.json")}
    short = {card.parent: _files(card.parent, SHORT) for card in out.glob("*/*/card.json")}
    needed, missing = sum(map(_size, short.values())), []
    for folder in sorted(short, key=lambda folder: _size(models.get(folder, short[folder]))):
        needed -= _size(short[folder])  # by those that come later
        fits = folder in models and _size(models[folder]) + needed <= sum(room)
        if not (fits and put(models[folder])) and not put(short[folder], LEFT):
            missing.append(folder.name)
    for job in jobs:
        if not list(out.glob(f"*/*-{job.key}/card.json")):
            patterns = ("probe.json", "phase-*/**/last.safetensors", *(["phase-*/**/best.safetensors"] * job.best))
            for place in out.glob(f"models/unfinished/{job.trajectory}-*"):
                missing += [place.name] * (not put(_files(place, patterns)))
    return missing


def _files(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


def _size(files: Sequence[Path]) -> int:
    """The bytes of files in a tar, each after a block that describes it, in whole blocks."""
    block = tarfile.BLOCKSIZE
    return sum(block + -(-path.stat().st_size // block) * block for path in files)
