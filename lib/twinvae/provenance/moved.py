"""An old import or command says in one sentence what replaces the module, as `moved.yaml` has it."""

from pathlib import Path

import yaml

MOVED = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def refuse(name: str) -> None:
    """Raise ModuleNotFoundError, with one sentence on what replaces it, for a module that has moved.

    Python imports a package before what is in it, so the sentence about a package names its renamed modules too.
    The error has no `name`, or `from twinvae import plots` would hide its sentence.
    """
    if name in MOVED:
        inside = {old.removeprefix(f"{name}."): new for old, new in MOVED.items() if old.startswith(f"{name}.")}
        renamed = ", ".join(f"{old} is {new.rpartition('.')[2]}" for old, new in inside.items())
        raise ModuleNotFoundError(f"{name} is now {MOVED[name]}{f', where {renamed}' if renamed else ''}")
