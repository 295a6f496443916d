"""What a notebook uses of the project's own code and data files, by hashes that only a change of meaning changes.

From the notebook's cells the walk goes to every definition that they reach: functions, methods, classes, constants. A
name leads to what it stands for in its file, an attribute of something unknown (`twin.train.fit`) to every definition
of that name, a word handed to a call (`predict("generate")`) to every method of that name, a string 'module:name' to
what is called so, the name of a data file to that file. Only modules that the process has imported count. Definitions
are written `module:name`.
"""

import ast
import hashlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from twinvae.data.strict_yaml import parse
from twinvae.provenance.syntax import ANY, BODY, ELSEWHERE, METHODS, Meaning, Module

PACKAGES = {"twinvae": "lib/twinvae", "twinvae_apps": "notebooks/apps", "twinvae_studies": "notebooks/studies"}
# These rooms find, keep and describe, and compute nothing; what `training` makes counts by its models' own probes.
NOT_FOLLOWED = re.compile(r"twinvae\.(paths|provenance|run|training)\b")
FIGURES = re.compile(r"(lib/)?twinvae[./]figures\b")  # what changes here makes only the figures stale that use it
STYLE = "twinvae.figures.style:apply"  # which `Run.start` calls for all figures
NOTEBOOK = "notebook"  # the module of the cells
parsed = lru_cache(maxsize=8)(parse)  # the same few files are asked for again and again; not to be changed


def digest(text: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Library:
    """A notebook's cells and the project's modules that its process has imported, as they lie in the files now."""

    def __init__(self, root: Path, cells: list[str], modules: Iterable[str], data: Iterable = (), number: str = ""):
        self.root, self.data, self.number = root, set(data), number
        self.meanings: dict[str, Meaning] = {}
        self.modules = {NOTEBOOK: Module(NOTEBOOK, "", "\n".join(cells))}
        self.cells = [f"{NOTEBOOK}:cell {number}" for number in range(len(cells))]
        self.definitions = {key: ast.parse(cell).body for key, cell in zip(self.cells, cells, strict=True)}
        todo = {*modules, *self.modules[NOTEBOOK].with_it}
        while todo:
            name = todo.pop()
            if name not in self.modules and (path := source(root, name)):
                package = name if path.name == "__init__.py" else name.rpartition(".")[0]
                self.modules[name] = Module(name, package, path.read_text(encoding="utf-8"))
                todo |= self.modules[name].with_it
        self.definitions |= {f"{m.name}:{n}": d for m in self.modules.values() for n, d in m.definitions.items()}
        self.named = defaultdict(set)
        for key in self.definitions:
            name = re.split(r"[.:]", key)[-1].removesuffix("()")
            for kind in (ANY, METHODS) if is_method(key) else (ANY,):
                self.named[kind + name] |= {key} if name[:2] != "__" else set()  # those come with their class
        folders = [root / folder for folder in (*PACKAGES.values(), "report")]
        files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".yaml", ".mplstyle")]
        self.files = {path.name: path.relative_to(root).as_posix() for path in files}

    def lookup(self, module: str, name: str) -> str | None:
        """Return what a name of a module stands for: a definition, a module, something ELSEWHERE, or None.

        A package may import a name only when it is asked for it; then it is ANY of that name.
        """
        if f"{module}:{name}" in self.definitions:
            return f"{module}:{name}"
        if name not in self.modules[module].imports:
            return f"{module}.{name}" if f"{module}.{name}" in self.modules else None
        owner, wanted = self.modules[module].imports[name]
        full = f"{owner}.{wanted}" if wanted else owner
        if full in self.modules:
            return full
        if owner in self.modules:
            return self.lookup(owner, wanted) or ANY + wanted
        return ELSEWHERE + (wanted if owner.split(".")[0] in PACKAGES else full)

    def meaning(self, key: str) -> Meaning:
        """Return what a definition says."""
        if key not in self.meanings:
            self.meanings[key] = Meaning(self.definitions[key], self.modules[key.partition(":")[0]], self)
        return self.meanings[key]

    def next(self, key: str) -> set[str]:
        """Return the definitions to which one leads.

        Whatever names a class may make instances of it, so it comes with its bases and all methods; a method comes with
        what its class says beside its methods.
        """
        module, _, name = key.partition(":")
        keys = self.meaning(key).keys | ({f"{module}:{BODY}"} if module != NOTEBOOK else set())
        if name.endswith("()"):
            methods = [other for other in self.modules[module].definitions if other.startswith(f"{name[:-2]}.")]
            keys |= {f"{module}:{other}" for other in (name[:-2], *methods)}
        elif is_method(key):
            keys.add(key.rpartition(".")[0])
        return self.known(keys)

    def known(self, keys: Iterable[str]) -> set[str]:
        """Return these definitions; in place of a name of which only a run knows what it is, all that are called so."""
        return {known for key in keys for known in ([key] if key in self.definitions else self.named[key])}

    def reach(self, roots: Iterable[str]) -> set[str]:
        """Return the definitions and data files that these lead to, themselves included."""
        found, files, todo = set(), set(), self.known(roots)
        while todo:
            found |= todo
            todo = {other for key in todo for other in self.next(key)} - found
            if not todo:
                names = {string.rpartition("/")[2] for key in found for string in self.meaning(key).strings}
                files = {path for name, path in self.files.items() if name in names}
                functions = re.findall(r'"\w+\.(\w+)"', " ".join(self.content(path, found) for path in files))
                todo = self.known(ANY + name for name in functions) - found  # named by a file, as 'module.function'
        return files | found

    def content(self, file: str, keys: Iterable[str]) -> str:
        """Return what a data file says, without comments; of entries those that the keys name, or of this notebook."""
        text = (self.root / file).read_text(encoding="utf-8")
        if not file.endswith(".yaml"):
            return " ".join(line.partition("#")[0].strip() for line in text.splitlines())
        content = parsed(text, self.root / file)
        if isinstance(content, dict):
            named = self.data.union(*(self.meaning(key).strings for key in keys if key in self.definitions))
            content = {name: entry for name, entry in content.items() if name in named}
        elif self.number:
            content = [entry for entry in content if entry.get("notebook") in (None, self.number)]
        return json.dumps(content, sort_keys=True, default=str)

    def hashes(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the hashes of definitions and files, but for those of the notebook itself."""
        ours = sorted(key for key in keys if not key.startswith(f"{NOTEBOOK}:"))
        return {k: digest(self.meaning(k).text if k in self.definitions else self.content(k, keys)) for k in ours}


def is_method(key: str) -> bool:
    """Return whether a definition is one of a class."""
    return "." in key.partition(":")[2]


def source(root: Path, module: str) -> Path | None:
    """Return the file of a module of the project that is followed; None where there is none."""
    top, *rest = module.split(".")
    if top in PACKAGES and not NOT_FOLLOWED.match(module):
        path = root.joinpath(PACKAGES[top], *rest)
        return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)
    return None


def imported(root: Path) -> list[str]:
    """Return the modules of the project that this process has imported and that are followed."""
    files = {name: source(root, name) for name in sorted(sys.modules)}
    return [name for name, file in files.items() if file and file == Path(sys.modules[name].__file__).resolve()]


def used(root: Path, cells: list[str], modules: list[str], drawn_in: dict, data: list[str], number: str = "") -> dict:
    """Return what the cells of a notebook use as it is now: `cells`, and by their hashes `definitions` and `figures`.

    `modules` are those `imported`, `data` names data sets, `number` the notebook, as claims do ('': all claims count);
    `drawn_in` has the cell of each figure, None where it is not known. What only draws is kept for each figure apart.
    """
    library = Library(root, cells, modules, data, number)
    hashes = library.hashes(library.reach([*library.cells, STYLE]))
    cell_of = {figure: library.cells if n is None else library.cells[n : n + 1] for figure, n in drawn_in.items()}
    own = {figure: library.reach([*cells, STYLE]) for figure, cells in cell_of.items()}
    return {
        "cells": digest("".join(library.meaning(cell).text for cell in library.cells)),
        "definitions": {key: value for key, value in hashes.items() if not FIGURES.match(key)},
        "figures": {name: {k: hashes[k] for k in sorted(keys) if FIGURES.match(k)} for name, keys in own.items()},
    }


def differing(old: dict[str, str], new: dict[str, str]) -> set[str]:
    """Return the definitions of which one side has no equal on the other, wherever it lies."""
    before, after = ({(key.partition(":")[2], value): key for key, value in hashes.items()} for hashes in (old, new))
    return {(before | after)[pair] for pair in before.keys() ^ after.keys()}


def differences(old: dict, new: dict) -> list[str]:
    """Return in words how what `used` gave has changed; what only draws with the figures that it is drawn in."""
    drawn = defaultdict(list)
    for figure, hashes in old["figures"].items():
        for key in differing(hashes, new["figures"].get(figure, {})):
            drawn[key].append(figure)
    figures = [f"{key} (only in figures: {', '.join(names)})" for key, names in sorted(drawn.items())]
    return sorted(differing(old["definitions"], new["definitions"])) + figures
