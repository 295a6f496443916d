"""What requirements bring, each package with what it needs itself; and a Python in which there is nothing else.

    python tests/needed.py

writes binder/requirements.txt anew: what the notebooks of Binder need, in the versions of requirements.lock.
"""

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BINDER = ROOT / "binder" / "requirements.txt"
BINDER_PYTHON = {"python_version": "3.11", "python_full_version": "3.11.9", "sys_platform": "linux"}
HEAD = """\
# Binder: the library with both frameworks, without CUDA, and JupyterLab, in the versions of requirements.lock;
# made by tests/needed.py.
--extra-index-url https://download.pytorch.org/whl/cpu
"""

# A finder that does not find some packages is what there is where they are not installed.
WITHOUT = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in {missing!r} else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""


def needed(requirements: list[str], **python: str) -> set[str]:
    """Return the packages that these requirements bring, by `python` or, left out, by the one that runs this."""
    wanted, seen = [(Requirement(line), "") for line in requirements], set()
    found = set()
    while wanted:
        one, extra = wanted.pop()
        if one.marker is not None and not one.marker.evaluate({"extra": extra, **python}):
            continue
        name = canonicalize_name(one.name)
        found.add(name)
        for each in {"", *one.extras} - {part for known, part in seen if known == name}:
            seen.add((name, each))
            wanted += [(Requirement(line), each) for line in metadata.requires(name) or []]
    return found


def of_extras(*extras: str) -> list[str]:
    """Return what the project asks for, with these extras."""
    return sum((PROJECT["optional-dependencies"][extra] for extra in extras), list(PROJECT["dependencies"]))


def without_others(there: set[str], own: set[str]) -> str:
    """Return the program after which no module can be imported that is neither of these packages nor our own."""
    modules = metadata.packages_distributions().items()
    missing = {module for module, owners in modules if not there & set(map(canonicalize_name, owners))}
    return WITHOUT.format(missing=tuple(sorted(missing - own)))


def binder() -> str:
    """Return binder/requirements.txt."""
    locked = re.findall(r"(?m)^([a-z0-9-]+)(==\S+)", (ROOT / "requirements.lock").read_text())
    there = needed(of_extras("torch", "tf", "lab"), **BINDER_PYTHON)
    return HEAD + "".join(f"{name}{version}\n" for name, version in sorted(locked) if name in there)


if __name__ == "__main__":
    BINDER.write_text(binder())
