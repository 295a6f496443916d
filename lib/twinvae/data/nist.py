"""NIST Special Database 19: 62 classes of handwritten characters, black on white, read as report 000 does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .by_class import CHARACTER_TO_HEX, SIDE, convert, read_converted
from .download import cache_folder
from .emnist import ALPHANUMERIC
from .files import digest
from .splitting import exact_groups
from .table import Arrays, DataSet, Edition, KnownFile

URL = "https://s3.amazonaws.com/nist-srd/SD19/by_class.zip"
BY_CLASS = KnownFile("by_class.zip", "md5:79572b1694a8506f2b722c7be54130c4", URL, 984)
HANDWRITING = KnownFile(
    "by_class.handwriting62.zip", "sha256:d29a4ee80225d948d5db0d15bec4cd7f6dc6241f2b32bc4cbf8b7f04bda94d94"
)


def read(paths: tuple[Path, ...], half: str, size: int) -> Arrays:
    """A by_class zip -> x uint8 [N, size, size, 1], y int64 [N]; the arrays are made once and kept."""
    if not isinstance(size, int) or not 4 <= size <= SIDE:
        raise ValueError(f"nist: size is {size!r}; it must be a whole number from 4 to {SIDE}.")
    (path,) = paths
    folder = cache_folder("arrays", f"by_class-{digest(path)[:16]}-{size}")
    arrays = read_converted(folder)
    if arrays is None:
        convert(path, folder, size)
        arrays = read_converted(folder)
    return arrays[0][..., None], arrays[1].astype(np.int64)


def make_standin(folder: Path) -> None:
    """Write a by_class zip of PNGs with characters drawn from fonts, 80 a class."""
    import zipfile

    import cv2

    from .draw_glyphs import draw

    x, y = draw(ALPHANUMERIC, 80, seed=2)
    with zipfile.ZipFile(folder / BY_CLASS.name, "w") as archive:
        for at, (image, label) in enumerate(zip(x, y, strict=True)):
            code = CHARACTER_TO_HEX[ALPHANUMERIC[label]]
            # A fixed date in each entry keeps the archive the same, byte for byte.
            entry = zipfile.ZipInfo(f"by_class/{code}/hsf_0/hsf_0_{at:05d}.png")
            archive.writestr(entry, cv2.imencode(".png", 255 - image)[1].tobytes())


NIST = DataSet(
    name="nist",
    title="NIST Special Database 19, by class",
    folder="nist",
    shape=(28, 28, 1),
    class_names=ALPHANUMERIC,
    sizes={"all": 814_255},
    licence="a work of the US government",
    citation="Grother 1995, NIST Special Database 19, Handprinted Forms and Characters Database",
    url=URL,
    editions=(
        Edition("official", "official", "NIST SD19 by_class, official file", {"all": (BY_CLASS,)}, read),
        Edition(
            "handwriting62",
            "variant",
            "62-class handwriting in NIST's layout (not NIST)",
            {"all": (HANDWRITING,)},
            read,
        ),
    ),
    standin=make_standin,
    standin_label="characters drawn from fonts, in a by_class tree",
    options={"size": 28},
    groups=exact_groups,
    other_folders=("nist_layout",),
)
