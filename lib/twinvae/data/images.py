"""What every loader returns: `Images`, where they came from, and how they are split."""

import hashlib
import zlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np

KINDS = ("official", "variant", "stand-in", "own")


class DataError(ValueError):
    """A data file that is not what it should be; the message names the file and the row or byte."""


@dataclass(frozen=True)
class Source:
    """Where images came from; the label is printed on every figure and table made from them.

    `kind`: 'official' (byte-exact published files), 'variant' (a known file that differs from the published one),
    'stand-in' (made in place of the real data) or 'own' (the user's files). `files`: pairs of file name and sha256.
    """

    dataset: str
    label: str
    kind: str
    files: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Source.kind is {self.kind!r}; allowed are {', '.join(KINDS)}.")


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images: x uint8 [N, H, W, C] with C 1 or 3, y int64 [N] in 0..K-1.  Raises ValueError for others.

    A y of finite floats [N, K] is a condition of any K numbers, each with its name in `class_names`.
    """

    x: np.ndarray
    y: np.ndarray
    class_names: tuple[str, ...]
    source: Source

    def __post_init__(self) -> None:
        x, y, names = self.x, self.y, self.class_names
        if x.dtype != np.uint8 or x.ndim != 4 or x.shape[3] not in (1, 3) or 0 in x.shape:
            raise ValueError(f"x is {x.dtype} {list(x.shape)}; it must be uint8 [N, H, W, 1 or 3], not empty.")
        condition = np.issubdtype(y.dtype, np.floating)
        if condition and (y.shape != (len(x), len(names)) or not np.isfinite(y).all()):
            raise ValueError(f"y is {y.dtype} {list(y.shape)}; a condition must be finite, [{len(x)}, {len(names)}].")
        if not condition and (y.dtype != np.int64 or y.shape != x.shape[:1]):
            raise ValueError(f"y is {y.dtype} {list(y.shape)}; it must be int64 [{len(x)}], one label an image.")
        if not names or len(set(names)) != len(names):
            raise ValueError(f"class_names are {names}; they must be distinct, at least one.")
        if not condition and not 0 <= y.min() <= y.max() < len(names):
            raise ValueError(f"Labels run {y.min()}..{y.max()}; {len(names)} classes allow 0..{len(names) - 1}.")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size of one image, (H, W, C)."""
        return self.x.shape[1:]

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return len(self.class_names)

    @property
    def labelled(self) -> bool:
        """Whether y are labels, not a condition of numbers."""
        return self.y.ndim == 1

    @property
    def tells(self) -> bool:
        """Whether y says anything of an image: its label, one of several, or numbers; else no model can be told it."""
        return self.num_classes > 1 or not self.labelled

    @property
    def strata(self) -> np.ndarray:
        """The labels, in proportion to which parts are cut; one for all under a condition of numbers.  int64 [N]"""
        return self.y if self.labelled else np.zeros(len(self), np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """A checksum of pixels and labels, to notice that a run would go on with other data."""
        return f"{len(self)} images, crc {zlib.crc32(self.y.tobytes(), zlib.crc32(self.x.tobytes())):08x}"

    def subset(self, index: np.ndarray) -> Self:
        """Return the images at `index` (positions or a mask), in that order."""
        return Images(self.x[index], self.y[index], self.class_names, self.source)


@dataclass(frozen=True)
class Recipe:
    """Which images a training sees, as a record that a job can hold: the arguments of `data.splits`, and a transform.

    `transform` names a function 'package.module:function' that makes other splits of the splits, with `arguments`.
    Options and arguments are pairs of name and value.
    """

    dataset: str
    seed: int = 0
    train_size: int | None = None
    valid_size: int | None = None
    test_size: int | None = None
    edition: str | None = None
    options: tuple[tuple[str, object], ...] = ()
    transform: str = ""
    arguments: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test images of one data set.

    `indices` maps 'train', 'valid', 'test' to positions in the order of the files: 'train' and 'valid' in the
    training half and 'test' in the test half, or all three in the one pile of a set published without halves.
    `recipe` makes the same splits again (`data.from_recipe`); None for splits that were put together by hand.
    """

    train: Images
    valid: Images
    test: Images
    seed: int = 0
    indices: dict[str, np.ndarray] = field(default_factory=dict)
    recipe: Recipe | None = field(default=None, init=False)

    def made_by(self, recipe: Recipe) -> Self:
        """Return these splits with the recipe that makes them again; splits changed by hand have none."""
        made = replace(self)
        object.__setattr__(made, "recipe", recipe)
        return made

    @property
    def source(self) -> Source:
        """Where all three parts came from."""
        return self.train.source

    def record(self) -> dict:
        """Return what a manifest keeps of the split: seed, sizes and a sha256 of each part's indices."""
        record: dict = {"seed": self.seed}
        for name, index in self.indices.items():
            checksum = hashlib.sha256(index.astype("<i8").tobytes()).hexdigest()
            record[name] = {"images": len(index), "indices_sha256": checksum}
        return record
