"""Reads the lists beside the report, which people write by hand, so that a slip is an error."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml


class Strict(yaml.SafeLoader):
    """Reads YAML in which no key stands twice."""

    def construct_mapping(self, node, deep=False):
        """Return a mapping; raises yaml.YAMLError for a key that stands twice."""
        if twice := repeated(str(self.construct_object(key)) for key, _ in node.value):
            raise yaml.YAMLError(f"the key {twice[0]!r} stands twice{node.start_mark}")
        return super().construct_mapping(node, deep)


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that stand more than once, sorted."""
    return sorted(name for name, times in Counter(names).items() if times > 1)


def read(path: Path) -> Any:
    """Return what a file says; ValueError, one line that names it, where it is no YAML or asks for more than data."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Strict)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no well-formed YAML: {' '.join(str(error).split())}") from None
