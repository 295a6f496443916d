"""EMNIST: handwritten letters and digits from NIST Special Database 19; IDX files, stored transposed."""

from __future__ import annotations

import string
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from .archives import open_zip, zip_member
from .idx import read_pair, write_idx
from .images import DataError
from .table import Arrays, DataSet, Edition, KnownFile

URL = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
ZIP = KnownFile("gzip.zip", "md5:58c8d27c78d21e728a6bc7b3cc06412e", URL, 562)
MAX_MEMBER = 200_000_000
ALPHANUMERIC = tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase)

CHECKSUMS = {
    "letters-train-images": "6288f418a917e007bf5fddb823a2dc7a5c6a35031401b93292a539cb12bd881f",
    "letters-train-labels": "9759af91ea6bccdf07a6040fd085861f2ec88e37f7c3f5760f6feb57106fbe5c",
    "letters-test-images": "50f0e93d75b99b463e9760b8345866f22587fa2c2fba472730a5ba09c693412d",
    "letters-test-labels": "924955c31fe7fd809b7303b5c0141282955f4b8390c74cdfd5d80435e0f4b4cb",
    "balanced-train-images": "74295e75e4e9fa2c102147460ee7eb763653d5132d883a84fb88932bfb8d2db4",
    "balanced-train-labels": "b46d41e5156a0a8aaaa4d18979fdd1588850fa8571018acffd5d93b325a7d6ed",
    "balanced-test-images": "117fc12b015e37ea98bfb2cbba3f77c3782c056cdbd219b87abfc8661d7135db",
    "balanced-test-labels": "a67cac948379b67270b9a4d0a01c8ec661598accf2f2b1964340b7c83cb175cd",
    "byclass-train-images": "9e21987f03a6eb8b870187e785883ddad96947299587908f1a7ec2ca0f4be5f0",
    "byclass-train-labels": "f7ef403d48dc18a89dae0d83d11ee69cecb6e1c12c3a961d03712e495c02a8fa",
    "byclass-test-images": "5ec835bd5d5b1a66378a132e727fef20fe994b3cc666899befcca5ac766f50cd",
    "byclass-test-labels": "501e305eeeacb093b162592d80e8a2632040872360fa6d85cfcb2200d91ca92a",
}
LETTERS_MAPPING = KnownFile(
    "emnist-letters-mapping.txt", "sha256:599a90f3abd7b467e93aae0beb3adebc4360c2f46363efb076b9366c9b5eac35"
)


def parse_mapping(raw: bytes, name: str) -> dict[int, str]:
    """The mapping file, lines of 'label code [code]' -> label to its first character.  Raises DataError."""
    mapping = {}
    for row, line in enumerate(raw.decode("ascii", "replace").splitlines(), 1):
        fields = line.split()
        if len(fields) not in (2, 3) or not all(f.isascii() and f.isdigit() and int(f) < 128 for f in fields):
            raise DataError(f"{name}, row {row}: {line[:40]!r}; it must read 'label code' or 'label code code'.")
        mapping[int(fields[0])] = chr(int(fields[1]))
    return mapping


def _name(subset: str, half: str, what: str) -> str:
    return f"emnist-{subset}-{half}-{what}-idx{3 if what == 'images' else 1}-ubyte.gz"


def _files(subset: str, half: str) -> tuple[KnownFile, KnownFile]:
    return tuple(
        KnownFile(_name(subset, half, what), f"sha256:{CHECKSUMS[f'{subset}-{half}-{what}']}")
        for what in ("images", "labels")
    )


def _read(paths: tuple[Path, ...], half: str, first_label: int) -> Arrays:
    """A pair of IDX files -> x uint8 [N, 28, 28, 1] upright, y int64 [N] from 0."""
    x, labels = read_pair(*paths)
    y = labels.astype(np.int64) - first_label
    if y.min() < 0:
        raise DataError(
            f"{paths[1].name}: label {labels.min()} at image {np.argmin(labels)}; labels begin with {first_label}."
        )
    return np.ascontiguousarray(x.transpose(0, 2, 1))[..., None], y


def _read_zip(paths: tuple[Path, ...], half: str, subset: str, first_label: int) -> Arrays:
    """The same pair out of the published gzip.zip."""
    names = [_name(subset, half, what) for what in ("images", "labels")]
    with open_zip(paths[0]) as archive, tempfile.TemporaryDirectory() as folder:
        unpacked = tuple(Path(folder) / name for name in names)
        for path in unpacked:
            path.write_bytes(zip_member(archive, f"gzip/{path.name}", MAX_MEMBER))
        return _read(unpacked, half, first_label)


def _make_standin(folder: Path, subset: str, class_names: tuple[str, ...], first_label: int) -> None:
    """Write the four IDX files with characters drawn from fonts, about 2,600 to train and 520 to test."""
    from .draw_glyphs import draw_small

    for half, images, seed in (("train", 2_600, 0), ("test", 520, 1)):
        x, y = draw_small(class_names, images // len(class_names), 28, seed, both_cases=subset == "letters")
        write_idx(folder / _name(subset, half, "images"), x.transpose(0, 2, 1))
        write_idx(folder / _name(subset, half, "labels"), (y + first_label).astype(np.uint8))


def _dataset(subset: str, class_names: tuple[str, ...], train: int, test: int, first_label: int = 0) -> DataSet:
    halves = {half: _files(subset, half) for half in ("train", "test")}
    label = f"EMNIST {subset}, official files"
    return DataSet(
        name=f"emnist_{subset}",
        title=f"EMNIST {subset}",
        folder="emnist",
        shape=(28, 28, 1),
        class_names=class_names,
        sizes={"train": train, "test": test},
        licence="derived from NIST SD19, a work of the US government",
        citation="Cohen, Afshar, Tapson, van Schaik 2017, arXiv:1702.05373",
        url=URL,
        editions=(
            Edition("official", "official", label, halves, partial(_read, first_label=first_label)),
            Edition(
                "official-zip",
                "official",
                label,
                {"train": (ZIP,), "test": (ZIP,)},
                partial(_read_zip, subset=subset, first_label=first_label),
            ),
        ),
        standin=partial(_make_standin, subset=subset, class_names=class_names, first_label=first_label),
        standin_label="characters drawn from fonts",
        extras=(LETTERS_MAPPING,) if subset == "letters" else (),
    )


LETTERS = _dataset("letters", tuple(string.ascii_uppercase), 124_800, 20_800, first_label=1)
BALANCED = _dataset("balanced", ALPHANUMERIC[:36] + tuple("abdefghnqrt"), 112_800, 18_800)
BYCLASS = _dataset("byclass", ALPHANUMERIC, 697_932, 116_323)
