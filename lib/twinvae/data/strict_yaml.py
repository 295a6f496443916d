"""YAML as the project writes it: plain data, and no key twice, since the second would replace the first unseen."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml


class Strict(yaml.SafeLoader):
    """Reads plain data in which no key stands twice."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        """Return a mapping; raises yaml.YAMLError for a key that stands twice."""
        node = super().compose_mapping_node(anchor)
        if twice := repeated(key.value for key, _ in node.value):
            raise yaml.YAMLError(f"the key {twice[0]!r} stands twice{node.start_mark}")
        return node


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that stand more than once, sorted."""
    return sorted(name for name, times in Counter(names).items() if times > 1)


def parse(text: str, file: Path) -> Any:
    """Return what the text of a YAML file says.  ValueError, one line that names the file, where it is not so."""
    try:
        return yaml.load(text, Strict)
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is no well-formed YAML: {' '.join(str(error).split())}") from None


def read_yaml(file: Path) -> Any:
    """Return what a YAML file says; raises as `parse` does."""
    return parse(file.read_text(encoding="utf-8"), file)
