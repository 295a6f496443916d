"""`python -m twinvae.data list | fetch NAME | check [NAME]`: what there is, and what it is."""

from __future__ import annotations

import argparse
import os
import sys

from .download import cache_folder, downloadable, fetch
from .files import digest
from .finding import describe, folders, search
from .images import DataError
from .sets import SETS
from .table import DataSet


def show_list() -> int:
    """One line a data set: name, sizes, licence, and what is at hand."""
    for dataset in SETS.values():
        height, width, channels = dataset.shape
        images = " + ".join(f"{size:,}" for size in dataset.sizes.values())
        print(
            f"{dataset.name:16} {height}x{width}x{channels}  {dataset.num_classes:3} classes  "
            f"{images:>17} images  "
            f"{_at_hand(dataset)}"
        )
    return 0


def _at_hand(dataset: DataSet) -> str:
    """Which edition `splits` would read."""
    if dataset.direct:
        return "shipped with scikit-learn"
    if dataset.parts:
        return " and ".join(_at_hand(part) for part in dataset.parts)
    try:
        found = search(dataset, ("train", "test"))
    except DataError as error:
        return f"refused: {error}"
    return found.edition.label if found else f"not at hand; stand-in: {dataset.standin_label}"


def fetch_one(dataset: DataSet) -> int:
    """Download a data set's first edition that has an address; or say where to get it by hand."""
    if dataset.direct:
        print(f"{dataset.name}: nothing to fetch, it is shipped with scikit-learn.")
        return 0
    if dataset.parts:
        return max(fetch_one(part) for part in dataset.parts)
    halves = [tuple(edition.halves) for edition in dataset.editions]
    pairs = [pair for pair in zip(dataset.editions, halves, strict=True) if downloadable(*pair)]
    try:
        paths = fetch(dataset, *(pairs[0] if pairs else (dataset.editions[0], halves[0])))
    except (OSError, ValueError) as error:
        print(f"{dataset.name}: not fetched ({error})", file=sys.stderr)
        return 1
    for path in paths:
        print(f"{path}  {describe(dataset, path)}")
    return 0


def check(names: list[str]) -> int:
    """Say of each file in the folders of these sets what it is; 1 if one is unknown."""
    print(f"TWINVAE_DATA: {os.environ.get('TWINVAE_DATA', 'not set')}; cache: {cache_folder()}")
    unknown = 0
    shared = {}
    for name in names:
        for folder in folders(SETS[name]):
            shared.setdefault(folder, []).append(SETS[name])
    for folder, datasets in shared.items():
        for path in sorted(entry for entry in folder.iterdir() if entry.is_file()):
            candidates = [other for other in SETS.values() if folder.name in (other.folder, *other.other_folders)]
            what = next(filter(None, (describe(dataset, path) for dataset in candidates)), None)
            unknown += what is None
            print(f"  {folder.name}/{path.name}: {what or f'UNKNOWN, sha256:{digest(path)}'}")
    for name in names:
        _say_missing(SETS[name])
    return 1 if unknown else 0


def _say_missing(dataset: DataSet) -> None:
    """What `load` would read, and which files of the first edition are not there."""
    print(f"{dataset.name}: {_at_hand(dataset)}")
    if dataset.editions:
        wanted = dataset.editions[0]
        present = {digest_of for folder in folders(dataset) for digest_of in _checksums(folder)}
        missing = [file.name for file in wanted.files(tuple(wanted.halves)) if file.checksum not in present]
        if missing:
            print(f"  missing of the official files: {', '.join(missing)} ({dataset.url})")


def _checksums(folder) -> set[str]:
    paths = [path for path in folder.iterdir() if path.is_file()]
    return {f"{algorithm}:{digest(path, algorithm)}" for path in paths for algorithm in ("sha256", "md5")}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is 1 where something is unknown or was not fetched."""
    parser = argparse.ArgumentParser(prog="python -m twinvae.data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the data sets, and what is at hand")
    commands.add_parser("fetch", help="download from the official source").add_argument("name", choices=SETS)
    commands.add_parser("check", help="what each file is").add_argument("name", nargs="?", choices=SETS)
    chosen = parser.parse_args(arguments)
    if chosen.command == "list":
        return show_list()
    if chosen.command == "fetch":
        return fetch_one(SETS[chosen.name])
    return check([chosen.name] if chosen.name else list(SETS))


if __name__ == "__main__":
    sys.exit(main())
