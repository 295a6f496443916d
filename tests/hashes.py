"""`python tests/hashes.py` writes requirements.hashed anew: requirements.lock with the checksums of its files on PyPI.

`make env` installs from it, so pip refuses any file that is not the one that was locked.  It holds what Python 3.11 to
3.13 on Linux and macOS may take: wheels, or the source where there is no wheel.  Checksums that are there and that PyPI
does not know, as of PyTorch's wheels without CUDA, stay as long as the version does.

With uv at hand it also writes pylock.toml, the same files with their addresses on PyPI in the standard form (PEP 751),
for `pip install -r pylock.toml`.
"""

import json
import re
import shutil
import subprocess
import tempfile
import tomllib
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

from packaging.tags import Tag
from packaging.utils import parse_wheel_filename
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK, HASHED, PYLOCK = ROOT / "requirements.lock", ROOT / "requirements.hashed", ROOT / "pylock.toml"
PINNED = re.compile(r"(?m)^([a-z0-9-]+)==(\S+)( ; [^#\n]*[^#\s])?")
HEAD = """\
# requirements.lock with the checksums of all files that pip may take, for `pip install --require-hashes --no-deps`;
# made by tests/hashes.py.
"""
PYLOCK_HEAD = """\
# requirements.lock as PEP 751 writes it, with the addresses of the files; made by tests/hashes.py.
# What PyTorch needs of CUDA is not in it: pip install -e '.[torch,tf]' adds that.
lock-version = "1.0"
requires-python = ">=3.11.5,<3.14"
created-by = "tests/hashes.py"
"""
PYLOCK_KEYS = ("name", "version", "marker")


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


def pylock(of_uv: dict) -> str:
    """Return pylock.toml from what uv wrote: the wheels that suit, or the source where there is no wheel."""
    lines = [PYLOCK_HEAD]
    for package in of_uv["packages"]:
        lines += ["[[packages]]", *(f"{key} = {json.dumps(package[key])}" for key in PYLOCK_KEYS if key in package)]
        if wheels := [one for one in package.get("wheels", []) if any(map(suits, wheel_tags(one["url"])))]:
            lines += ["wheels = [", *(f"    {address(one)}," for one in wheels), "]", ""]
        else:
            lines += [f"sdist = {address(package['sdist'])}", ""]
    return "\n".join(lines)


def address(file: dict) -> str:
    """Return where a file lies, and its checksum, as TOML."""
    return f'{{ url = "{file["url"]}", hashes = {{ sha256 = "{file["hashes"]["sha256"]}" }} }}'


def wheel_tags(url: str) -> frozenset[Tag]:
    """Return the tags of the wheel at an address."""
    return parse_wheel_filename(unquote(url.rpartition("/")[2]))[3]


def write_pylock(uv: str) -> None:
    """Have uv look up the files of the lock on PyPI, and write those that suit."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "pylock.toml"
        options = "--no-config --no-deps --universal --python-version 3.11.5 --format pylock.toml --index-url"
        command = [uv, "pip", "compile", "-q", LOCK, *options.split(), "https://pypi.org/simple", "-o", out]
        subprocess.run(command, check=True)
        PYLOCK.write_text(pylock(tomllib.loads(out.read_text())))


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
    if uv := shutil.which("uv"):
        write_pylock(uv)
    else:
        print("pylock.toml is as it was: install uv and run this again")


if __name__ == "__main__":
    main()
