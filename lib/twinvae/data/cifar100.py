"""CIFAR-100: 60,000 colour photographs in 100 classes, from the binary version (no pickle)."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import numpy as np

from .archives import tar_members
from .cifar10 import add_to_tar
from .images import DataError
from .records import PLANES, pack_records, parse_records
from .table import Arrays, DataSet, Edition, KnownFile

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"
TAR = KnownFile("cifar-100-binary.tar.gz", "md5:03b5dce01913d631647c71ecec9e9cb8", URL, 169)
MAX_MEMBER = 50_000 * (2 + PLANES)
CLASS_NAMES = tuple(
    [
        "apple",
        "aquarium_fish",
        "baby",
        "bear",
        "beaver",
        "bed",
        "bee",
        "beetle",
        "bicycle",
        "bottle",
        "bowl",
        "boy",
        "bridge",
        "bus",
        "butterfly",
        "camel",
        "can",
        "castle",
        "caterpillar",
        "cattle",
        "chair",
        "chimpanzee",
        "clock",
        "cloud",
        "cockroach",
        "couch",
        "crab",
        "crocodile",
        "cup",
        "dinosaur",
        "dolphin",
        "elephant",
        "flatfish",
        "forest",
        "fox",
        "girl",
        "hamster",
        "house",
        "kangaroo",
        "keyboard",
        "lamp",
        "lawn_mower",
        "leopard",
        "lion",
        "lizard",
        "lobster",
        "man",
        "maple_tree",
        "motorcycle",
        "mountain",
        "mouse",
        "mushroom",
        "oak_tree",
        "orange",
        "orchid",
        "otter",
        "palm_tree",
        "pear",
        "pickup_truck",
        "pine_tree",
        "plain",
        "plate",
        "poppy",
        "porcupine",
        "possum",
        "rabbit",
        "raccoon",
        "ray",
        "road",
        "rocket",
        "rose",
        "sea",
        "seal",
        "shark",
        "shrew",
        "skunk",
        "skyscraper",
        "snail",
        "snake",
        "spider",
        "squirrel",
        "streetcar",
        "sunflower",
        "sweet_pepper",
        "table",
        "tank",
        "telephone",
        "television",
        "tiger",
        "tractor",
        "train",
        "trout",
        "tulip",
        "turtle",
        "wardrobe",
        "whale",
        "willow_tree",
        "wolf",
        "woman",
        "worm",
    ]
)


def read(paths: tuple[Path, ...], half: str) -> Arrays:
    """The published archive -> x uint8 [N, 32, 32, 3], y int64 [N], the fine labels."""
    members = {name.name: raw for name, raw in tar_members(paths[0], MAX_MEMBER, 20)}
    if f"{half}.bin" not in members:
        raise DataError(f"{paths[0].name} has no {half}.bin; fetch it again.")
    return parse_records(members[f"{half}.bin"], 2, len(CLASS_NAMES), f"{half}.bin")


def make_standin(folder: Path) -> None:
    """Write the archive with drawn pictures: ten things in ten colours, 40 and 10 a class."""
    from .draw_icons import draw

    with (
        gzip.GzipFile(folder / TAR.name, "wb", 6, mtime=0) as file,
        tarfile.open(fileobj=file, mode="w") as archive,
    ):
        for half, count, seed in (("train", 40, 10), ("test", 10, 11)):
            x, y = draw(count, seed, hues=10)
            labels = np.stack([y // 5, y], axis=1)
            add_to_tar(archive, f"cifar-100-binary/{half}.bin", pack_records(x, labels))


CIFAR100 = DataSet(
    name="cifar100",
    title="CIFAR-100",
    folder="cifar100",
    shape=(32, 32, 3),
    class_names=CLASS_NAMES,
    sizes={"train": 50_000, "test": 10_000},
    licence="none stated",
    citation="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
    url=URL,
    editions=(Edition("official", "official", "CIFAR-100, official archive", {"train": (TAR,), "test": (TAR,)}, read),),
    standin=make_standin,
    standin_label="drawn pictures, ten things in ten colours",
    valid=5_000,
)
