"""`python tests/hashes.py` writes requirements.hashed anew: requirements.lock with the checksums of its files on PyPI.

`make env` installs from it, so pip refuses any file that is not the one that was locked.  It holds what Python 3.11 to
3.13 on Linux and macOS may take: wheels, or the source where there is no wheel.  Checksums that are there and that PyPI
does not know, as of PyTorch's wheels without CUDA, stay as long as the version does.
"""

import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.tags import Tag
from packaging.utils import parse_wheel_filename
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK, HASHED = ROOT / "requirements.lock", ROOT / "requirements.hashed"
PINNED = re.compile(r"(?m)^([a-z0-9-]+)==(\S+)( ; [^#\n]*[^#\s])?")
HEAD = """\
# requirements.lock with the checksums of all files that pip may take, for `pip install --require-hashes --no-deps`;
# made by tests/hashes.py.
"""


def suits(tag: Tag) -> bool:
    """Return whether a wheel of this tag is for Python 3.11 to 3.13 on Linux or macOS."""
    minor = re.fullmatch(r"cp3(\d+)", tag.interpreter)
    python = tag.interpreter == "py3" or (minor and (11 if tag.abi != "abi3" else 0) <= int(minor[1]) <= 13)
    linux = "manylinux" in tag.platform and tag.platform.endswith(("x86_64", "aarch64"))
    return bool(python) and not tag.abi.endswith("t") and (linux or tag.platform.startswith(("any", "macosx")))


def checksums(name: str, version: str) -> list[str]:
    """Return the checksums of the files of one version of a package on PyPI: wheels that suit, or else the source."""
    with urllib.request.urlopen(f"https://pypi.org/simple/{name}/", timeout=60) as answer:
        files = re.findall(r'#sha256=([0-9a-f]{64})"[^>]*>\s*([^<\s]+)', answer.read().decode())
    wheels, sources = [], []
    for checksum, file in files:
        if file.endswith(".whl"):
            _, of, _, tags = parse_wheel_filename(file)
            wheels += [checksum] if of == Version(version) and any(map(suits, tags)) else []
        elif file.endswith(f"-{version}.tar.gz"):
            sources.append(checksum)
    return wheels or sources


def entries() -> list[str]:
    """Return what requirements.hashed says of each package, its checksums on lines of their own."""
    return re.split(r"(?m)^(?=[a-z0-9-]+==)", HASHED.read_text())[1:]


def main() -> None:
    """Ask PyPI for the checksums of everything that is locked, and write them."""
    pinned = PINNED.findall(LOCK.read_text())
    before = {entry.split()[0]: re.findall(r"sha256:([0-9a-f]{64})", entry) for entry in entries()}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: checksums(*one[:2]), pinned))
    written = []
    for (name, version, where), ours in zip(pinned, found, strict=True):
        line = f"{name}=={version}"
        every = sorted({*ours, *before.get(line, [])})
        written.append(" \\\n".join([line + where, *(f"    --hash=sha256:{one}" for one in every)]))
    HASHED.write_text(HEAD + "\n".join(written) + "\n")


if __name__ == "__main__":
    main()
