"""A folder of pictures as people have them, one sub-folder a class: which are read, and how."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .images import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".pgm", ".ppm")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")
SYSTEM = ("__macosx", "@eadir", "thumbs.db", "desktop.ini", "$recycle.bin")  # beside what begins with a dot
TRAIN, TEST = ("train", "training"), ("test", "testing", "holdout", "eval", "val", "valid", "validation", "dev")
UNLABELLED = "unlabelled"  # the one class of images without labels
MAX_BYTES = 4_000_000_000  # of memory; half of it for the pictures
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)  # of this EXIF tag: height and width change places

say = cache(lambda words: print(readable(words)))  # a line once a process: own data are read more than once


class Read(NamedTuple):
    """What a reader of own data found: `names` of classes or of a condition's numbers, the `files` that were read.

    `test` [N] says which images are the half for tests; None where there are no halves.
    """

    x: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    files: list[Path]
    test: np.ndarray | None = None


def read_folder(
    path: Path, size: int | tuple | None = None, fit: str = "crop", channels: int | None = None, background: int = 255
) -> Read:
    """Read a folder with one sub-folder a class, named so, with pictures in it, at any depth; class 2 before class 10.

    Pictures without sub-folders are one class, 'unlabelled'; halves (`train/`, `test/`), with the same classes or none,
    are kept; hidden and system files are passed over, others counted in a line. All pictures must have one size, once
    turned as their camera says, or are brought to `size`, a side or (H, W): their middle by `fit` 'crop', whole and on
    `background` by 'pad'. Transparency lies on `background`, too. Colour is kept if any picture has it, unless
    `channels` (1 or 3) says otherwise.
    Raises DataError for a class without pictures, for all together that do not decode, for pictures of different sizes
    and more of them than the memory that they may take; before any is decoded, their sizes are known.
    """
    size = (size, size) if isinstance(size, int) else size
    wrong = size is not None and (len(size) != 2 or min(size) < 1) or fit not in ("crop", "pad")
    if wrong or channels not in (None, 1, 3) or background not in range(256):
        given = f"size is {size!r}, fit {fit!r}, channels {channels!r}, background {background!r}"
        raise ValueError(f"folder: {given}; a side or (H, W), 'crop' or 'pad', 1 or 3, and 0..255 are allowed.")
    halves = _halves(path)
    classes = _classes(path, halves)
    if empty := [name for name, found in classes.items() if not found]:
        raise DataError(f"folder:{path}: class {empty[0]!r} has no pictures ({', '.join(SUFFIXES)}).")
    files = [file for found in classes.values() for file in found]
    headers = _each(_header, files)
    height, width = size or headers[0][:2]
    shapes = {header[:2]: file for file, header in zip(files, headers, strict=True)}
    if size is None and len(shapes) > 1:
        (h, w), file = [*shapes.items()][1]
        sizes = f"{h} x {w} but {files[0].name} {height} x {width}"
        raise DataError(f"{file} is {sizes}; pass size, a side or (H, W), to bring them to one.")
    if any(h * width != w * height for h, w in shapes):
        how = "cut to their middle" if fit == "crop" else f"padded with {background}"
        say(f"folder:{path}: pictures of {len(shapes)} sizes are {how}, for {height} x {width}")
    channels = channels or max(found for *_, found in headers)
    if len(files) * height * width * channels > MAX_BYTES // 2:
        what = f"{len(files):,} pictures of {height} x {width} pixels take more than {MAX_BYTES // 2:,} bytes"
        raise DataError(f"{path}: its {what}; take fewer, or pass a smaller size.")
    x = np.empty((len(files), height, width, channels), np.uint8)
    _each(lambda at: np.copyto(x[at], decoded(files[at], size, fit, channels, background)), range(len(files)))
    y = np.repeat(np.arange(len(classes)), [len(found) for found in classes.values()])
    return Read(x, y, tuple(classes), files, _in_test(path, halves, files))


def _halves(path: Path) -> dict[str, Path]:
    """Return the folders of halves, where there is nothing else, by what they are called, without case and '_set'."""
    folders = _folders(path)
    called = {re.sub("[-_ ]?set$", "", folder.name.lower()): folder for folder in folders}
    return called if {*called} <= {*TRAIN, *TEST} and len(called) == len(folders) > 1 else {}


def _in_test(path: Path, halves: dict[str, Path], files: list[Path]) -> np.ndarray | None:
    """Return which files are the half for tests, the first of TEST that is there; others are for training."""
    train, tests = ([halves[name].name for name in names if name in halves] for names in (TRAIN, TEST))
    if not train or not tests:
        return None
    for other in tests[1:]:
        say(f"folder:{path}: {other} is read with {train[0]}, from which the seed holds out validation images")
    return np.array([file.relative_to(path).parts[0] == tests[0] for file in files])


def _classes(path: Path, halves: dict[str, Path]) -> dict[str, list[Path]]:
    """Return the pictures of each class; those beside folders of classes are left out."""
    left, tops = Counter(), [*halves.values()] or [path]
    inside = [{part.name: part for part in _folders(top)} for top in tops]
    names = " and ".join(top.name for top in tops)
    if odd := sorted(set.union(*map(set, inside)) - set.intersection(*map(set, inside))):
        raise DataError(f"folder:{path}: {names} have not the same classes: {odd[0]!r} is not in all of them.")
    found = {readable(name): [p for half in inside for p in _pictures(half[name], left)] for name in inside[0]}
    if found:
        left.update(p.suffix or p.name for top in tops for p in top.iterdir() if _visible(p.name) and p.is_file())
    elif not (pictures := _pictures(path, left)):
        raise DataError(f"folder:{path} has no sub-folders, it needs one a class, and no pictures.")
    elif halves:
        say(f"folder:{path}: {names} are halves without labels, as no folders of classes are in them")
    if left := +left:  # without those that are 0
        say(f"folder:{path}: left out are " + ", ".join(f"{n} {kind}" for kind, n in sorted(left.items())))
    return found or {UNLABELLED: pictures}


def _visible(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in SYSTEM


def readable(name: str) -> str:
    """Return a name as UTF-8 can hold it: other bytes, to the system surrogates, as Latin-1; controls spelled out."""
    name = re.sub(r"[\udc80-\udcff]", lambda byte: chr(ord(byte[0]) - 0xDC00), name)
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda control: ascii(control[0])[1:-1], name)


def _folders(path: Path) -> list[Path]:
    """Return the sub-folders, links followed, as people count."""
    return sorted((entry for entry in path.iterdir() if _visible(entry.name) and entry.is_dir()), key=as_counted)


def _pictures(folder: Path, left: Counter) -> list[Path]:
    """Return the pictures at any depth, as people count; `left` counts what is none, by its suffix."""
    found = []
    for where, folders, names in os.walk(folder):
        left["links to folders"] += sum(_visible(name) and Path(where, name).is_symlink() for name in folders)
        folders[:] = filter(_visible, folders)
        files = [Path(where, name) for name in names if _visible(name)]
        found += [file for file in files if file.suffix.lower() in SUFFIXES]
        left.update(file.suffix or file.name for file in files if file.suffix.lower() not in SUFFIXES)
    return sorted(found, key=as_counted)


def as_counted(path: Path) -> tuple:
    """Return by what 2.png comes before 10.png."""
    return [int(part) if part.isdecimal() else part.casefold() for part in re.split(r"(\d+)", str(path))], path


def _each(work: Callable[[Any], Any], things: Iterable) -> list:
    """Return what `work` makes of each; one DataError for all that it raised."""
    made, wrong = [], []
    for thing in things:
        try:
            made.append(work(thing))
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        more = f" And {len(wrong) - 9} more." if len(wrong) > 9 else ""
        raise DataError(" ".join(wrong[:9]) + more)
    return made


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a picture; whatever it raises is a DataError with its name."""
    from PIL import Image

    if not path.is_file():
        raise DataError(f"{path} is no file, but a pipe or a folder; take it away.")
    try:
        with Image.open(path, formats=FORMATS) as picture:
            yield picture
    except Exception as error:  # what Pillow raises on a broken picture is open-ended
        raise DataError(f"{path} does not decode as {', '.join(FORMATS)} ({error}).") from None


def _header(path: Path) -> tuple[int, int, int]:
    """Return height, width and number of channels, without decoding more than a palette's picture."""
    with _opened(path) as picture:
        picture.verify()  # of PNG, that its last chunk is there: decoding ends before it
    with _opened(path) as picture:
        turned = picture.format != "TIFF" and picture.getexif().get(ORIENTATION) in TURNED  # Pillow turns a TIFF's size
        width, height = picture.size[::-1] if turned else picture.size
        channels = 1 if _grey(picture) else 3
    if picture.mode[0] in "IF":
        raise DataError(f"{path} has 16 bits a pixel or more; save it with 8.")
    return height, width, channels


def _grey(picture: Any) -> bool:
    """Return whether a picture has no colour, by its mode or its palette."""
    if picture.mode in ("P", "PA"):
        return bool((np.diff(np.reshape(picture.getpalette("RGB"), (-1, 3))) == 0).all())
    return picture.mode in ("1", "L", "LA")


def decoded(path: Path, size: tuple[int, int] | None, fit: str, channels: int, background: int) -> np.ndarray:
    """Decode one picture -> uint8 [H, W, channels]."""
    from PIL import Image, ImageOps

    with _opened(path) as picture:
        mode, turned = "L" if _grey(picture) else "RGB", ImageOps.exif_transpose(picture)
        if turned.has_transparency_data:
            ground = Image.new("RGBA", turned.size, (background, background, background, 255))
            turned = Image.alpha_composite(ground, turned.convert("RGBA"))
        plain = turned.convert(mode)
        if size is not None and fit == "crop":
            plain = ImageOps.fit(plain, size[::-1], Image.Resampling.BOX)
        elif size is not None:
            plain = ImageOps.pad(plain, size[::-1], Image.Resampling.BOX, (background,) * len(mode))
        image = np.atleast_3d(plain)
    if channels < image.shape[2]:  # as ITU-R BT.601 weighs
        return np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]
    return np.broadcast_to(image, (*image.shape[:2], channels))
