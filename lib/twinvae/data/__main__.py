"""`python -m twinvae.data list | fetch NAME | check [NAME]`: what there is, and what it is."""

import argparse
import os
import sys

from .download import NoNetwork
from .files import cache_folder, digest
from .finding import anywhere, candidates, describe, fetch, folders, search
from .images import DataError
from .table import DataSet, sets


def show(datasets: list[DataSet]) -> int:
    """Print a line a data set: name, sizes, and what is at hand."""
    for dataset in datasets:
        size = "x".join(map(str, dataset.shape))
        images = " + ".join(f"{count:,}" for count in dataset.sizes.values()) + " images"
        print(f"{dataset.name:16} {size:8} {len(dataset.class_names):3} classes {images:>25}  {_at_hand(dataset)}")
    return 0


def _at_hand(dataset: DataSet) -> str:
    """Say which edition `splits` would read."""
    if dataset.parts:
        return " and ".join(_at_hand(sets()[part]) for part in dataset.parts)
    try:
        found = search(dataset, ("train", "test"))
    except DataError as error:
        return f"refused: {error}"
    return found.edition.label if found else f"not at hand; stand-in: {dataset.standin['label']}"


def fetch_one(dataset: DataSet) -> int:
    """Download a set's first edition that has an address, or say where to get it by hand; 1 if it did not come."""
    if dataset.package:
        print(f"{dataset.name}: nothing to fetch, it is shipped with {dataset.package.partition('/')[0]}.")
        return 0
    direct = [edition for edition in dataset.editions if all(file.megabytes for file in edition.files())]
    try:
        paths = fetch(dataset, (direct or dataset.editions)[0].files())
    except (OSError, ValueError, NoNetwork) as error:
        print(f"{dataset.name}: not fetched ({error})", file=sys.stderr)
        return 1
    print(*(f"{path}  {describe(path)}" for path in paths), sep="\n")
    return 0


def check(datasets: list[DataSet]) -> int:
    """Say of each file in the folders of these sets what it is, and what is missing; 1 if one is unknown."""
    print(f"TWINVAE_DATA: {os.environ.get('TWINVAE_DATA', 'not set')}; cache: {cache_folder()}")
    unknown = 0
    for folder in dict.fromkeys(folder for dataset in datasets if not dataset.package for folder in folders(dataset)):
        for path in candidates(folder):
            what = describe(path)
            unknown += what is None
            print(f"  {folder.name}/{path.name}: {what or f'UNKNOWN, sha256:{digest(path)}'}")
    for dataset in datasets:
        print(f"{dataset.name}: {_at_hand(dataset)}")
        wanted = dataset.editions[0].files() if dataset.editions else ()
        if missing := [file.name for file in wanted if not anywhere(dataset, file)]:
            print(f"  missing of the official files: {', '.join(missing)} ({dataset.url})")
    return 1 if unknown else 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is 1 where something is unknown or was not fetched."""
    parser = argparse.ArgumentParser(prog="python -m twinvae.data", description=__doc__)
    parser.add_argument("command", choices=("list", "fetch", "check"))
    parser.add_argument("name", nargs="?", choices=sets(), help="a data set, for fetch and check")
    chosen = parser.parse_args(arguments)
    if chosen.command == "fetch" and not chosen.name:
        parser.error(f"fetch what? Name one of {', '.join(sets())}")
    datasets = [sets()[chosen.name]] if chosen.name else list(sets().values())
    if chosen.command == "fetch":
        return max(fetch_one(part) for part in [sets()[part] for part in datasets[0].parts] or datasets)
    return {"list": show, "check": check}[chosen.command](datasets)


if __name__ == "__main__":
    try:
        status = main()
        print(end="", flush=True)
    except KeyboardInterrupt:
        status = "interrupted; whole files are kept, and the same command fetches the others"
    except BrokenPipeError:  # whoever reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except (OSError, ValueError) as error:
        status = f"python -m twinvae.data: {error}"
    sys.exit(status)
