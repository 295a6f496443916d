"""A folder of pictures as people have them, one sub-folder a class: which are read, and how."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .images import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".pgm", ".ppm")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")
SYSTEM = ("__macosx", "@eadir", "thumbs.db", "desktop.ini", "$recycle.bin")  # beside what begins with a dot
HALVES = ("train", "training", "test", "testing", "val", "valid", "validation")
UNLABELLED = "unlabelled"  # the one class of images without labels
MAX_BYTES = 4_000_000_000  # of memory; half of it for the pictures
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)  # of this EXIF tag: height and width change places

Read = tuple[np.ndarray, np.ndarray, tuple[str, ...], list[Path]]  # x, y, names of classes, the files read
say = cache(print)  # a line once a process: own data are read more than once


def read_folder(
    path: Path, size: tuple[int, int] | None = None, channels: int | None = None, background: int = 255
) -> Read:
    """Read a folder with one sub-folder a class, named so, with pictures in it, at any depth; class 2 before class 10.

    Pictures without sub-folders are one class, 'unlabelled'; halves (`train/`, `test/`) with the same classes are read
    as one; hidden and system files are passed over, others counted in a line. All pictures must have one size, once
    they are turned as their camera says, or are brought to `size`, (H, W). Transparency lies on `background`. Colour is
    kept if any picture has it, unless `channels` (1 or 3) says otherwise.
    Raises DataError for a class without pictures, for all together that do not decode, for pictures of different sizes
    and more of them than the memory that they may take; before any is decoded, their sizes are known.
    """
    if channels not in (None, 1, 3) or not (size is None or len(size) == 2) or background not in range(256):
        given = f"size is {size!r}, channels {channels!r}, background {background!r}"
        raise ValueError(f"folder: {given}; size is (H, W), channels 1 or 3, background 0..255.")
    classes = _classes(path)
    if empty := [name for name, found in classes.items() if not found]:
        raise DataError(f"folder:{path}: class {empty[0]!r} has no pictures ({', '.join(SUFFIXES)}).")
    files = [file for found in classes.values() for file in found]
    headers = _each(_header, files)
    height, width = size or headers[0][:2]
    for file, (h, w, _) in zip(files, headers, strict=True):
        if size is None and (h, w) != (height, width):
            sizes = f"{h} x {w} but {files[0].name} {height} x {width}"
            raise DataError(f"{file} is {sizes}; bring them to one size or pass size=(H, W).")
    channels = channels or max(found for *_, found in headers)
    if len(files) * height * width * channels > MAX_BYTES // 2:
        what = f"{len(files):,} pictures of {height} x {width} pixels take more than {MAX_BYTES // 2:,} bytes"
        raise DataError(f"{path}: its {what}; take fewer, or pass a smaller size=(H, W).")
    x = np.empty((len(files), height, width, channels), np.uint8)
    _each(lambda at: np.copyto(x[at], decoded(files[at], size, channels, background)), range(len(files)))
    return x, np.repeat(np.arange(len(classes)), [len(found) for found in classes.values()]), tuple(classes), files


def _classes(path: Path) -> dict[str, list[Path]]:
    """Return the pictures of each class."""
    folders, left = _folders(path), Counter()
    inside = [{part.name: part for part in _folders(half)} for half in folders if half.name.lower() in HALVES]
    if len(folders) > 1 and len(inside) == len(folders) and all(inside):
        halves = " and ".join(half.name for half in folders)
        if odd := sorted(set.union(*map(set, inside)) - set.intersection(*map(set, inside))):
            raise DataError(f"folder:{path}: {halves} have not the same classes: {odd[0]!r} is not in all of them.")
        say(f"folder:{path}: {halves} are read as one; a tenth of all pictures is held back for tests")
        found = {_readable(name): [p for half in inside for p in _pictures(half[name], left)] for name in inside[0]}
    elif folders:
        found = {_readable(folder.name): _pictures(folder, left) for folder in folders}
        left.update(file.suffix or file.name for file in path.iterdir() if _visible(file.name) and file.is_file())
    else:
        found = {UNLABELLED: _pictures(path, left)}
        if not found[UNLABELLED]:
            raise DataError(f"folder:{path} has no sub-folders, it needs one a class, and no pictures.")
    if left:
        say(f"folder:{path}: left out are " + ", ".join(f"{n} {kind}" for kind, n in sorted(left.items())))
    return found


def _visible(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in SYSTEM


def _readable(name: str) -> str:
    """Return a name as UTF-8 can hold it: that of other bytes, which the system gives as surrogates, as Latin-1."""
    return name if name.isprintable() else os.fsencode(name).decode("latin-1")


def _folders(path: Path) -> list[Path]:
    """Return the sub-folders, links followed, as people count."""
    return sorted((entry for entry in path.iterdir() if _visible(entry.name) and entry.is_dir()), key=_as_counted)


def _pictures(folder: Path, left: Counter) -> list[Path]:
    """Return the pictures at any depth, as people count; `left` counts what is none, by its suffix."""
    found = []
    for where, folders, names in os.walk(folder):
        left["links to folders"] += sum(_visible(name) and Path(where, name).is_symlink() for name in folders)
        folders[:] = filter(_visible, folders)
        files = [Path(where, name) for name in names if _visible(name)]
        found += [file for file in files if file.suffix.lower() in SUFFIXES]
        left.update(file.suffix or file.name for file in files if file.suffix.lower() not in SUFFIXES)
    left += Counter()  # without those that are 0
    return sorted(found, key=_as_counted)


def _as_counted(path: Path) -> tuple:
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
    except DataError:
        raise
    except Exception as error:  # what Pillow raises on a broken picture is open-ended
        raise DataError(f"{path} does not decode as {', '.join(FORMATS)} ({error}).") from None


def _header(path: Path) -> tuple[int, int, int]:
    """Return height, width and number of channels, without decoding more than a palette's picture."""
    with _opened(path) as picture:
        picture.verify()  # of PNG, that its last chunk is there: decoding ends before it
    with _opened(path) as picture:
        if picture.mode[0] in "IF":
            raise DataError(f"{path} has 16 bits a pixel or more; save it with 8.")
        width, height = picture.size[::-1] if picture.getexif().get(ORIENTATION) in TURNED else picture.size
        return height, width, 1 if _grey(picture) else 3


def _grey(picture: Any) -> bool:
    """Return whether a picture has no colour, by its mode or its palette."""
    if picture.mode in ("P", "PA"):
        return bool((np.diff(np.reshape(picture.getpalette("RGB"), (-1, 3))) == 0).all())
    return picture.mode in ("1", "L", "LA")


def decoded(path: Path, size: tuple[int, int] | None, channels: int, background: int) -> np.ndarray:
    """Decode one picture -> uint8 [H, W, channels]."""
    from PIL import Image, ImageOps

    with _opened(path) as picture:
        mode, turned = "L" if _grey(picture) else "RGB", ImageOps.exif_transpose(picture)
        if turned.has_transparency_data:
            ground = Image.new("RGBA", turned.size, (background, background, background, 255))
            turned = Image.alpha_composite(ground, turned.convert("RGBA"))
        plain = turned.convert(mode)
        image = np.array(plain if size is None else plain.resize(size[::-1], Image.Resampling.BOX))
    image = image[..., None] if image.ndim == 2 else image
    if channels < image.shape[2]:  # as ITU-R BT.601 weighs
        return np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]
    return np.broadcast_to(image, (*image.shape[:2], channels))
