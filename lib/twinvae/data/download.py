"""One known file from its address: whole and checked, or not at all, with the cause."""

import time
from pathlib import Path

from tqdm.auto import tqdm

from ..paths import written_whole
from .files import digest, matches
from .images import DataError
from .table import KnownFile

SILENT, PAUSES = 8, (1, 3)  # seconds: until a server is given up, and before each further try
MINUTE, LEAST = 60, 0.01  # in this many seconds at least this share of the file must come
LARGEST = 1.1  # times the known size, which is rounded to 0.1 MB
MAY_PASS = (429, 500, 502, 503, 504)


class NoNetwork(Exception):
    """A file that did not come: no server, no answer, or none but errors; `passing`: another try may help."""

    def __init__(self, cause: str, passing: bool = False):
        super().__init__(cause)
        self.passing = passing


def download(url: str, file: KnownFile, path: Path) -> None:
    """Download a known file to `path`; what may pass is tried twice more.

    Raises DataError for what is not that file (another checksum, a page, too large, a redirect that is not followed),
    NoNetwork where nothing or too little comes, OSError where `path` cannot be written.
    """
    for pause in (*PAUSES, None):
        try:
            with written_whole(path) as part:
                _receive(url, file, part)
            return
        except NoNetwork as error:
            if pause is None or not error.passing:
                raise
            time.sleep(pause)
        except OSError as error:  # its sentence speaks of results, not of the cache
            raise OSError(str(error).replace("TWINVAE_RESULTS", "XDG_CACHE_HOME")) from None


def _receive(url: str, file: KnownFile, part: Path) -> None:
    """Write what the server sends to `part`, and check it."""
    import requests
    import urllib3

    answered = False
    try:
        with requests.get(url, stream=True, timeout=SILENT, headers={"Accept-Encoding": "identity"}) as answer:
            answered = True
            if not answer.ok:
                said = f"the server of {url} says {answer.status_code} {answer.reason}"
                raise NoNetwork(said, passing=answer.status_code in MAY_PASS)
            chunks = iter(lambda: answer.raw.read1(1 << 16) or b"", b"")  # each as it comes, be it a byte
            _write(chunks, url, file, part)
    except (requests.TooManyRedirects, requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL) as error:
        raise DataError(f"{url} leads to where nothing is fetched from ({error}).") from None
    except requests.Timeout:
        raise NoNetwork(f"the server of {url} does not answer for {SILENT} s") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError):
        why = f"{url} broke off" if answered else f"there is no connection to {url}"
        raise NoNetwork(why, passing=answered) from None
    if not matches(part, file.checksum):
        algorithm = file.checksum.partition(":")[0]
        with part.open("rb") as begun:
            page = begun.read(256).lstrip().startswith(b"<")
        what = "a page of HTML or XML" if page else f"a file with {algorithm}:{digest(part, algorithm)}"
        raise DataError(f"{url} gives {what}, not {file.name}, which has {file.checksum}; nothing of it is kept.")


def _write(chunks, url: str, file: KnownFile, part: Path) -> None:
    """Write the chunks, as long as they are no more than the file can be and come at a pace that ends."""
    size = file.megabytes * 1e6
    most, came, seen, since = LARGEST * (size + 5e4), 0, 0, time.monotonic()
    bar = tqdm(total=round(size), unit="B", unit_scale=True, desc=file.name, leave=False, disable=size <= 1e6)
    with part.open("wb") as out, bar:
        for chunk in chunks:
            out.write(chunk)
            came += len(chunk)
            bar.update(len(chunk))
            if came > most:
                known = f"{file.name}, which has {file.megabytes} MB"
                raise DataError(f"{url} gives more than {most / 1e6:.1f} MB, not {known}; nothing of it is kept.")
            if time.monotonic() - since > MINUTE:
                if came - seen < LEAST * size:
                    raise NoNetwork(f"{url} gave less than {LEAST:.0%} of {file.name} in {MINUTE} s")
                seen, since = came, time.monotonic()
