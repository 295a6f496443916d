"""Which files there are: $TWINVAE_DATA first, then pooch's cache, a small download, the stand-in."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from .download import cache_folder, try_small
from .files import digest, matches
from .images import DataError, Source
from .sets import SETS
from .standins import standin_folder
from .table import DataSet, Edition, KnownFile

_announced: set[str] = set()


@dataclass(frozen=True)
class Found:
    """An edition of a data set with the paths of its files, half by half."""

    edition: Edition
    paths: dict[str, tuple[Path, ...]]

    def source(self, dataset: DataSet) -> Source:
        """The label, kind and checksums of these files."""
        paths = dict.fromkeys(path for half in self.paths.values() for path in half)
        files = tuple((path.name, digest(path)) for path in paths)
        return Source(dataset.name, self.edition.label, self.edition.kind, files)


def folders(dataset: DataSet) -> list[Path]:
    """Where this set's files may lie, the user's folder before the cache; only those that exist."""
    roots = [cache_folder()]
    if root := os.environ.get("TWINVAE_DATA"):
        if not Path(root).is_dir():
            raise FileNotFoundError(f"TWINVAE_DATA is {root!r}, which is no folder; correct it or unset it.")
        roots.insert(0, Path(root))
    places = [root / name for root in roots for name in (dataset.folder, *dataset.other_folders)]
    return [place for place in places if place.is_dir()]


def known_files(dataset: DataSet) -> tuple[KnownFile, ...]:
    """Every file of every edition, each once."""
    needed_ones = [file for edition in dataset.editions for file in edition.files(tuple(edition.halves))]
    return tuple(dict.fromkeys([*needed_ones, *dataset.extras]))


def _refuse_altered(dataset: DataSet, folder: Path) -> None:
    """Raise DataError for a file that bears a known name but none of the known checksums."""
    known = known_files(dataset)
    for path in (folder / name for name in dict.fromkeys(file.name for file in known)):
        if path.is_file() and not any(matches(path, file.checksum) for file in known):
            expected = [file.checksum for file in known if file.name == path.name]
            algorithm = expected[0].partition(":")[0]
            raise DataError(
                f"{path} has {algorithm}:{digest(path, algorithm)}, which is not the known file's "
                f"{' or '.join(expected)}; fetch it again or take it away."
            )


def describe(dataset: DataSet, path: Path) -> str | None:
    """What a file is, by its checksum: the label of the first edition that it belongs to; None if unknown."""
    for edition in dataset.editions:
        if any(matches(path, file.checksum) for file in edition.files(tuple(edition.halves))):
            return f"{edition.kind}: {edition.label}"
    if any(matches(path, file.checksum) for file in dataset.extras):
        return f"official: {dataset.title}, not needed for reading"
    return None


def _refuse_unknown(dataset: DataSet) -> None:
    """Raise DataError for a file that looks like data, but that no set in its folder knows."""
    suffixes = {Path(file.name).suffix for file in known_files(dataset)}
    for folder in folders(dataset):
        others = [other for other in SETS.values() if folder.name in (other.folder, *other.other_folders)]
        for path in sorted(folder.iterdir()):
            if path.suffix in suffixes and path.is_file() and not any(describe(other, path) for other in others):
                expected = dataset.editions[0].files(tuple(dataset.editions[0].halves))[0]
                algorithm = expected.checksum.partition(":")[0]
                raise DataError(
                    f"{path} has {algorithm}:{digest(path, algorithm)}, which is no known file of "
                    f"{dataset.name} ({expected.name} is {expected.checksum}); take it away."
                )


def _by_checksum(folder: Path, files: tuple[KnownFile, ...]) -> tuple[Path, ...] | None:
    """The paths of these files in a folder, whatever they are called there; None if one is missing."""
    present = sorted(path for path in folder.iterdir() if path.is_file())
    # The file of the expected name is looked at first, so that a large folder is not read in vain.
    found = []
    for file in files:
        candidates = sorted(present, key=lambda path: path.name != file.name)
        found.append(next((path for path in candidates if matches(path, file.checksum)), None))
    return None if None in found else tuple(found)


def search(dataset: DataSet, halves: tuple[str, ...], edition: str | None = None) -> Found | None:
    """The first edition in the table of which every file for these halves is there.

    A set without published halves has the one pile 'all', whatever halves are asked for.
    Raises DataError for an altered file.
    """
    for folder in folders(dataset):
        _refuse_altered(dataset, folder)
        for known in dataset.editions:
            if edition not in (None, known.name):
                continue
            wanted = needed(known, halves)
            if wanted is None:
                continue
            paths = {half: _by_checksum(folder, known.halves[half]) for half in wanted}
            if None not in paths.values():
                return Found(known, paths)
    return None


def needed(edition: Edition, halves: tuple[str, ...]) -> tuple[str, ...] | None:
    """Which of an edition's halves serve the halves asked for; None if it cannot serve them."""
    if "all" in edition.halves:
        return ("all",)
    return halves if all(half in edition.halves for half in halves) else None


def find(dataset: DataSet, halves: tuple[str, ...], edition: str | None = None) -> Found:
    """The files to read: those at hand, else a small download, else the stand-in, announced in one line."""
    names = [known.name for known in dataset.editions]
    if edition == "stand-in" and dataset.standin:
        return stand_in(dataset, halves)
    if edition is not None and edition not in names:
        raise ValueError(f"{dataset.name} has no edition {edition!r}; choose one of {', '.join(names)}.")
    found = search(dataset, halves, edition)
    if found:
        return found
    _refuse_unknown(dataset)
    wanted = next(known for known in dataset.editions if edition in (None, known.name))
    if try_small(dataset, wanted, needed(wanted, halves) or ()):
        found = search(dataset, halves, edition)
    if found:
        return found
    if edition is not None or dataset.standin is None:
        files = ", ".join(file.name for file in known_files(dataset))
        raise FileNotFoundError(
            f"{dataset.name}{f' ({edition})' if edition else ''} is not at hand; put its files "
            f"({files}) into $TWINVAE_DATA/{dataset.folder}/ or run "
            f"'python -m twinvae.data fetch {dataset.name}'."
        )
    _announce(dataset)
    return stand_in(dataset, halves)


def stand_in(dataset: DataSet, halves: tuple[str, ...]) -> Found:
    """The made files, to be read by the reader of the first edition."""
    first = dataset.editions[0]
    edition = replace(first, name="stand-in", kind="stand-in", label=f"stand-in: {dataset.standin_label}")
    folder = standin_folder(dataset)
    wanted = needed(first, halves)
    return Found(edition, {half: tuple(folder / file.name for file in first.halves[half]) for half in wanted})


def _announce(dataset: DataSet) -> None:
    """Say once a process that a stand-in serves, and how to get the real files."""
    if dataset.name not in _announced:
        _announced.add(dataset.name)
        print(
            f"{dataset.name}: real files not at hand "
            f"('python -m twinvae.data fetch {dataset.name}' gets them); "
            f"using the stand-in, {dataset.standin_label}."
        )
