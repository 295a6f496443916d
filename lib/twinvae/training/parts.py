"""What trainings leave, in few flat files of limited size, for a machine from which no more comes back."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from twinvae.training.jobs import Job

PARTS, LARGEST = 8, 15 * 2**20  # files; bytes of each
LEFT = "without_weights"  # the folder of models whose weights stay where they were trained
WHOLE = ("card.json", "history.csv", "weights.safetensors")
SHORT = ("card.json", "history.csv", "measures/*.safetensors")


class Group(NamedTuple):
    """Files of a folder that make sense together only: its bytes in a tar, where it lies there, and the files."""

    size: int
    folder: Path
    at: Path
    files: list[Path]


def write_parts(out: Path, jobs: Sequence[Job]) -> list[str]:
    """Write OUT/part-NN.tar, all to be unpacked into one folder; return the names of what they have no room for.

    They hold the models of OUT, as many of the small ones as fit beside card, history and measures of the others, in
    `without_weights/`; and, if there is room, what the jobs that are not done go on from.
    """
    short = [_group(card.parent, Path(LEFT), SHORT) for card in out.glob("*/*/card.json")]
    whole = sorted(_group(card.parent, Path("models"), WHOLE) for card in out.glob("models/*/card.json"))
    while True:  # with the weights of one model less each time
        there = {group.folder for group in whole}
        parts, missing = _filled([[] for _ in range(PARTS)], whole + [g for g in short if g.folder not in there])
        if not missing or not whole:
            break
        whole.pop()
    going = []
    for job in jobs:
        if not list(out.glob(f"*/*-{job.key}/card.json")):
            patterns = ("probe.json", "phase-*/**/last.safetensors", *(["phase-*/**/best.safetensors"] * job.best))
            places = out.glob(f"models/unfinished/{job.trajectory}-*")
            going += [_group(place, Path("models", "unfinished"), patterns) for place in places]
    parts, more = _filled(parts, going)
    for number in range(PARTS):
        path = out / f"part-{number + 1:02}.tar"
        path.unlink(missing_ok=True)
        if parts[number]:
            with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
                for group in parts[number]:
                    for file in group.files:
                        tar.add(file, group.at / file.relative_to(group.folder))
    return [group.folder.name for group in missing + more]


def _group(folder: Path, top: Path, patterns: Sequence[str]) -> Group:
    files, block = [path for pattern in patterns for path in sorted(folder.glob(pattern))], tarfile.BLOCKSIZE
    size = sum(block + -(-path.stat().st_size // block) * block for path in files)  # in whole blocks, after a header
    return Group(size, folder, top / folder.name, files)


def _filled(parts: list[list[Group]], groups: Sequence[Group]) -> tuple[list[list[Group]], list[Group]]:
    """Return parts to which each group is added where there is room for it, large ones first, and those without."""
    parts, missing = [list(part) for part in parts], []
    for group in sorted(groups, reverse=True):
        fitting = (p for p in parts if sum(g.size for g in p) + group.size <= LARGEST - tarfile.RECORDSIZE)
        next(fitting, missing).append(group)
    return parts, missing
