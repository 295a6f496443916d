"""Which files there are: $TWINVAE_DATA, the cache, a small download.  No path leaves before its checksum is known."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from .files import cache_folder, digest, files_in, matches
from .images import DataError, Source
from .table import DataSet, Edition, KnownFile, sets

ASK_ABOVE_MB = 50

_announced: set[str] = set()
_failed: dict[str, str] = {}  # data set -> why its download failed


class Found(NamedTuple):
    """An edition of a data set with the paths of its files, half by half, each verified by its checksum."""

    edition: Edition
    paths: dict[str, tuple[Path, ...]]

    def source(self, dataset: DataSet) -> Source:
        """Return the label, kind and checksums of these files."""
        paths = dict.fromkeys(path for half in self.paths.values() for path in half)
        files = tuple((path.name, digest(path)) for path in paths)
        return Source(dataset.name, self.edition.label, self.edition.kind, files)


def find(dataset: DataSet, halves: tuple[str, ...], edition: str | None = None) -> Found | None:
    """Return the files to read: those at hand, else a small download; None, said in one line, if a stand-in serves.

    Raises ValueError for an unknown edition, FileNotFoundError for one that is not at hand, and DataError.
    """
    name = dataset.name
    names = [known.name for known in dataset.editions]
    if edition == "stand-in" and dataset.standin:
        return None
    if edition not in (None, *names):
        raise ValueError(f"{name} has no edition {edition!r}; choose one of {', '.join(names)}.")
    if found := search(dataset, halves, edition):
        return found
    for folder in folders(dataset):
        _refuse(dataset, folder, {Path(file.name).suffix for file in dataset.files})
    wanted = next(known for known in dataset.editions if edition in (None, known.name))
    files = wanted.files(wanted.needed(halves))
    if _came(dataset, files) and (found := search(dataset, halves, edition)):
        return found
    how = f"'python -m twinvae.data fetch {name}'"
    if edition or not dataset.standin:
        all_files = ", ".join(file.name for file in dataset.files)
        what = f"{name} ({edition}) is not at hand" if edition else f"{name} is not at hand"
        raise FileNotFoundError(f"{what}; put {all_files} into $TWINVAE_DATA/{dataset.folder}/ or run {how}.")
    if name not in _announced:
        _announced.add(name)
        lost = [file.name for file in files if not anywhere(dataset, file)]
        some = len(lost) < len(files)
        why = f" ({', '.join(lost)} {'is' if len(lost) == 1 else 'are'} missing)" if some else ""
        why += f": {_failed[name]}" if name in _failed else ""
        print(f"{name}: real files not at hand{why} ({how} gets them); using the stand-in, {dataset.standin['label']}.")
    return None


def search(dataset: DataSet, halves: tuple[str, ...], edition: str | None = None) -> Found | None:
    """Return the first edition that has all files for these halves in a folder.  Raises DataError for altered ones."""
    for folder in folders(dataset):
        _refuse(dataset, folder)
        here = {file: path for file in dataset.files if (path := verified(folder, file))}
        for known in dataset.editions:
            wanted = known.needed(halves)
            if edition in (None, known.name) and here.keys() >= set(known.files(wanted)):
                return Found(known, {half: tuple(here[file] for file in known.halves[half]) for half in wanted})
    return None


def folders(dataset: DataSet) -> list[Path]:
    """Return the folders where this set's files may lie, the user's before the cache; only those that exist."""
    if dataset.package:
        package, _, inside = dataset.package.partition("/")
        return [Path(find_spec(package).origin).parent / inside]
    places = [root / name for root in _roots() for name in (dataset.folder, *dataset.also_in)]
    return [place for place in places if place.is_dir()]


def _roots() -> list[Path]:
    """Return the user's folder, where there is one, and the cache."""
    if root := os.environ.get("TWINVAE_DATA"):
        if not Path(root).is_dir():
            raise FileNotFoundError(f"TWINVAE_DATA is {root!r}, which is no folder; correct it or unset it.")
        return [Path(root), cache_folder()]
    return [cache_folder()]


def verified(folder: Path, file: KnownFile) -> Path | None:
    """Return the path of this file in a folder, whatever it is called there; None if it is missing."""
    # The file of the expected name is looked at first, so that a large folder is not read in vain.
    paths = sorted(candidates(folder), key=lambda path: path.name not in file.names)
    return next((path for path in paths if _is(path, file)), None)


def _is(path: Path, file: KnownFile) -> bool:
    return matches(path, file.checksum) or bool(file.unpacked) and matches(path, file.unpacked)


def candidates(folder: Path) -> list[Path]:
    """Return the files of a folder that may be a set's; of the root, where anything may lie, those of known names."""
    if folder not in _roots():
        return files_in(folder)
    names = {name for dataset in sets().values() for file in dataset.files for name in file.names}
    return [path for path in files_in(folder) if path.name in names]


def anywhere(dataset: DataSet, file: KnownFile) -> bool:
    """Return whether this file of a set is at hand."""
    return any(verified(folder, file) for folder in folders(dataset))


def _refuse(dataset: DataSet, folder: Path, suffixes: set[str] = frozenset()) -> None:
    """Raise DataError for a file that bears a known name, or looks like data by its suffix, and is unknown."""
    known = {name: file for file in dataset.files for name in file.names}
    for path in candidates(folder):
        if (path.name in known or path.suffix in suffixes) and not describe(path):
            expected = known.get(path.name, dataset.files[0])
            algorithm = expected.checksum.partition(":")[0]
            what = f"{path} has {algorithm}:{digest(path, algorithm)}, which is no known file of {dataset.name}"
            raise DataError(f"{what} ({expected.name} is {expected.checksum}); fetch it again or take it away.")


def describe(path: Path) -> str | None:
    """Return what a file in a set's folder is, by its checksum, as the first edition that has it; None if unknown."""
    for dataset in sets().values():
        if path.parent in folders(dataset):
            for file in (file for file in dataset.files if _is(path, file)):
                used = [f"{edition.kind}: {edition.label}" for edition in dataset.editions if file in edition.files()]
                return used[0] if used else f"official: {dataset.title}, not needed for reading"
    return None


def _came(dataset: DataSet, files: tuple[KnownFile, ...]) -> bool:
    """Download less than 50 MB, unasked, but not with TWINVAE_OFFLINE=1 nor after a failure; return whether it came.

    Raises DataError for files that are not the known ones.
    """
    from .download import NoNetwork

    sizes = [file.megabytes for file in files]
    small = all(sizes) and sum(sizes) <= ASK_ABOVE_MB
    if not small or os.environ.get("TWINVAE_OFFLINE") == "1" or dataset.name in _failed:
        return False
    try:
        return bool(fetch(dataset, files))
    except (OSError, NoNetwork) as error:
        _failed[dataset.name] = str(error)
        return False


def fetch(dataset: DataSet, files: tuple[KnownFile, ...]) -> list[Path]:
    """Download these files of a set into the cache; says the size first where it is above 50 MB.

    Raises as `download.download` does, and DataError where there is no address.
    """
    from .download import download

    if by_hand := [file.name for file in files if not file.megabytes]:
        where = f"get {by_hand[0]} from {dataset.url} and put it into $TWINVAE_DATA/{dataset.folder}/"
        raise DataError(f"{dataset.name} has no direct download; {where}.")
    megabytes = sum(file.megabytes for file in files)
    if megabytes > ASK_ABOVE_MB:
        print(f"{dataset.name}: downloading {megabytes:,.0f} MB from {dataset.url}")
    paths = [cache_folder(dataset.folder, file.name) for file in files]
    for file, path in zip(files, paths, strict=True):
        if not (path.is_file() and matches(path, file.checksum)):
            download(dataset.url + file.name if dataset.url.endswith("/") else dataset.url, file, path)
    return paths
