"""Downloads from official sources, by pooch, into its cache; what came is checked before it is used."""

from __future__ import annotations

import os
from pathlib import Path

from .images import DataError
from .table import DataSet, Edition, KnownFile

ASK_ABOVE_MB = 50
TIMEOUT_SECONDS = 8

_failed: set[str] = set()


def cache_folder(*parts: str) -> Path:
    """A folder in pooch's cache: where downloads, stand-ins and unpacked arrays are kept."""
    import pooch

    return Path(pooch.os_cache("twinvae")).joinpath(*parts)


def downloadable(edition: Edition, halves: tuple[str, ...]) -> bool:
    """Whether every file that these halves need has an official address."""
    return all(file.url for file in edition.files(halves))


def megabytes(edition: Edition, halves: tuple[str, ...]) -> float:
    """What a download of these halves costs."""
    return sum(file.megabytes for file in edition.files(halves))


def try_small(dataset: DataSet, edition: Edition, halves: tuple[str, ...]) -> bool:
    """Download an edition below 50 MB, unasked; whether it came.

    Never with TWINVAE_OFFLINE=1, and a failure is remembered, so that no process waits for it twice.
    """
    if os.environ.get("TWINVAE_OFFLINE") == "1" or dataset.name in _failed:
        return False
    if not downloadable(edition, halves) or megabytes(edition, halves) > ASK_ABOVE_MB:
        return False
    try:
        fetch(dataset, edition, halves)
    except (OSError, ValueError):
        _failed.add(dataset.name)
        return False
    return True


def fetch(dataset: DataSet, edition: Edition, halves: tuple[str, ...]) -> list[Path]:
    """Download the files that these halves need; says the size first where it is above 50 MB.

    Raises DataError where there is no address or the checksum differs, OSError where the network fails.
    """
    files = edition.files(halves)
    for file in files:
        if not file.url:
            raise DataError(
                f"{dataset.name} has no direct download; get {file.name} from {dataset.url} "
                f"and put it into $TWINVAE_DATA/{dataset.folder}/."
            )
    size = megabytes(edition, halves)
    if size > ASK_ABOVE_MB:
        print(f"{dataset.name}: downloading {size:,.0f} MB from {dataset.url}")
    return [_retrieve(file, cache_folder(dataset.folder)) for file in files]


def _retrieve(file: KnownFile, folder: Path) -> Path:
    import pooch

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(progressbar=file.megabytes > 1, timeout=TIMEOUT_SECONDS)
    path = pooch.retrieve(file.url, file.checksum, file.name, folder, downloader=downloader)
    return Path(path)
