"""Pixels, labels, class names and splits of each set at hand are what they always were, bit for bit.

`python tests/data/test_known_arrays.py` prints the checksums anew. A change of one is a change of every result.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from twinvae import data
from twinvae.data import loading

KNOWN = json.loads(Path(__file__).with_name("known_arrays.json").read_text())
REAL = pytest.mark.skipif("TWINVAE_DATA" not in os.environ, reason="TWINVAE_DATA is not set")
SPLITS = ((0, None, None, None), (1, 100, 20, 10))


def checksum(*parts: object) -> str:
    """16 hexadecimal digits for arrays and whatever prints."""
    made = hashlib.sha256()
    for part in parts:
        made.update(np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return made.hexdigest()[:16]


def measured(key: str) -> dict[str, str]:
    """The checksums of 'name edition option=value': all images, and the positions in two splits by two seeds."""
    name, edition, *given = key.split()
    options = {option: int(value) if value.isdigit() else value for option, value in (one.split("=") for one in given)}
    edition = None if edition == "best" else edition
    images = data.load(name, "all", edition=edition, **options)
    if images.source.kind == "stand-in":
        raise FileNotFoundError(f"{key} is not at hand")
    found = {"x": checksum(images.x, images.x.shape), "y": checksum(images.y), "classes": checksum(images.class_names)}
    made = [data.splits(name, *how, edition=edition, **options) for how in SPLITS]
    positions = [split.indices[part] for split in made for part in ("train", "valid", "test")]
    return found | {"source": checksum(images.source), "splits": checksum(*positions)}


@pytest.mark.slow
@REAL
@pytest.mark.parametrize("key", KNOWN)
def test_arrays_and_splits_are_the_known_ones(key, monkeypatch):
    read, memory = loading._read, {}  # the same files are read once, not once a split

    def once(dataset, *how):
        asked = dataset.name, repr(how)
        memory[asked] = memory[asked] if asked in memory else read(dataset, *how)
        return memory[asked]

    monkeypatch.setattr(loading, "_read", once)
    try:
        found = measured(key)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert found == KNOWN[key]


if __name__ == "__main__":
    print(json.dumps({key: measured(key) for key in KNOWN}, indent=1))
