"""The table of data sets, `sets.yaml`, as records; functions that an entry names are imported when called for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

HALVES = ("train", "test", "all")


@dataclass(frozen=True)
class KnownFile:
    """One file known by its checksum, 'sha256:...' or 'md5:...', and the megabytes of a download (0: there is none).

    `unpacked` is the checksum of what it holds; as others unpack and call it, it is known, too.
    """

    name: str
    checksum: str
    megabytes: float = 0
    unpacked: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What the file is called: as it was published, and where it is unpacked."""
        plain = Path(self.name).stem
        return (self.name, plain, plain.replace("-idx", ".idx")) if self.unpacked else (self.name,)


@dataclass(frozen=True)
class Edition:
    """One form in which a set is known: official files or a variant; `halves` are train and test, or the one pile all.

    `read` names the function(paths, half, **arguments) that returns x uint8 [N, H, W, C] and y int64 [N].
    """

    name: str
    label: str
    read: str
    halves: dict[str, tuple[KnownFile, ...]]
    kind: str = "official"
    arguments: dict = field(default_factory=dict)

    def needed(self, halves: tuple[str, ...]) -> tuple[str, ...]:
        """Return which of the edition's halves serve the halves asked for: the one pile 'all', or the same."""
        return ("all",) if "all" in self.halves else halves

    def files(self, halves: tuple[str, ...] = ()) -> tuple[KnownFile, ...]:
        """Return the known files that these halves (left out: all) need, each once."""
        return tuple(dict.fromkeys(file for half in halves or self.halves for file in self.halves[half]))


@dataclass(frozen=True)
class DataSet:
    """One entry of `sets.yaml`, which explains the fields, or the user's own data."""

    name: str
    title: str = ""
    folder: str = ""
    shape: tuple[int, int, int] = (0, 0, 0)
    class_names: tuple[str, ...] = ()
    sizes: dict[str, int] = field(default_factory=dict)
    licence: str = ""
    citation: str = ""
    url: str = ""
    files: tuple[KnownFile, ...] = ()
    editions: tuple[Edition, ...] = ()
    standin: dict | None = None
    valid: int | None = None
    options: dict = field(default_factory=dict)
    groups: str = ""
    finish: str = ""
    package: str = ""
    also_in: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def function(name: str) -> Callable:
    """Return the function that 'module.function' of this package names; the module is imported now, not before."""
    return resolve_name(f"{__package__}.{name}")


@cache
def sets() -> dict[str, DataSet]:
    """Return the data sets of `sets.yaml` by name."""
    from .strict_yaml import read_yaml  # only now: jobs with packed images run without YAML

    entries = read_yaml(Path(__file__).with_name("sets.yaml"))
    return {name: _data_set(name, **entry) for name, entry in entries.items()}


def _data_set(name: str, classes: str | list[str], files: dict | None = None, editions: dict | None = None, **fields):
    known = {file: KnownFile(file, *row) for file, row in (files or {}).items()}
    made = []
    for edition, given in (editions or {}).items():
        halves = {half: tuple(known[file] for file in given.pop(half)) for half in HALVES if half in given}
        made.append(Edition(edition, halves=halves, **given))
    fields |= {key: tuple(fields[key]) for key in ("shape", "parts", "also_in") if key in fields}
    return DataSet(name, class_names=tuple(classes), files=tuple(known.values()), editions=tuple(made), **fields)
