"""The rows of the table of data sets: known files, editions of a set, and the set itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .images import Images

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class KnownFile:
    """One file known by its checksum, 'sha256:...' or 'md5:...'; `megabytes` is what a download costs."""

    name: str
    checksum: str
    url: str | None = None
    megabytes: float = 0.0


@dataclass(frozen=True)
class Edition:
    """One form in which a data set is known: its official files, or a variant that differs from them.

    `halves` maps 'train' and 'test', or 'all' for a set without published halves, to the files needed.
    `read(paths, half, **options)` returns x uint8 [N, H, W, C] and y int64 [N].
    """

    name: str
    kind: str
    label: str
    halves: dict[str, tuple[KnownFile, ...]]
    read: Callable[..., Arrays]

    def files(self, halves: tuple[str, ...]) -> tuple[KnownFile, ...]:
        """The known files that these halves need, each once."""
        return tuple(dict.fromkeys(file for half in halves for file in self.halves[half]))


@dataclass(frozen=True)
class DataSet:
    """One line of the table: what a data set is, where it comes from and how it is read.

    `standin(folder)` writes made files in the format of the first edition, which reads them; `valid` is how
    many training images `splits` holds out (None: a tenth). `options` are the set's own options with their
    defaults, `groups(images)` gives near-duplicates one number, `finish(images, **options)` comes last.
    `direct(**options)` reads the one pile where no files are looked for (own data, what a package ships).
    `parts` are sets whose images and classes it puts together, and then it has no files of its own.
    `extras` are known files that no reader needs; `other_folders` may hold the set's files, too.
    """

    name: str
    title: str
    folder: str
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    sizes: dict[str, int]
    licence: str
    citation: str
    url: str
    editions: tuple[Edition, ...]
    standin: Callable[[Path], None] | None = None
    standin_label: str = ""
    valid: int | None = None
    options: dict[str, object] = field(default_factory=dict)
    groups: Callable[[Images], np.ndarray] | None = None
    finish: Callable[..., Images] | None = None
    direct: Callable[..., Images] | None = None
    parts: tuple[DataSet, ...] = ()
    extras: tuple[KnownFile, ...] = ()
    other_folders: tuple[str, ...] = ()

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return len(self.class_names)
