"""Your own images: 'folder:PATH' (one folder a class), 'npz:PATH', 'csv:PATH'; any size, grey or colour."""

from __future__ import annotations

import hashlib
import math
import zipfile
from functools import partial
from pathlib import Path

import numpy as np

from .archives import zip_member
from .csv_pixels import parse_csv
from .files import digest
from .images import DataError, Images, Source
from .splitting import exact_groups
from .table import DataSet

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
MAX_BYTES = 4_000_000_000


def read_folder(path: Path, size: tuple[int, int] | None = None, channels: int | None = None) -> Images:
    """One sub-folder a class, named so, with PNG, JPEG or BMP pictures in it, at any depth.

    All must have one size, or are brought to `size`, (H, W). Colour is kept if any picture has it, unless
    `channels` (1 or 3) says otherwise. Raises DataError for a class without pictures, a picture that does not
    decode, and pictures of different sizes.
    """
    if channels not in (None, 1, 3) or not (size is None or len(size) == 2):
        raise ValueError(f"folder: size is {size!r} and channels {channels!r}; size is (H, W), channels 1 or 3.")
    if not path.is_dir():
        raise FileNotFoundError(f"folder:{path}: there is no such folder.")
    classes = sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not classes:
        raise DataError(f"folder:{path} has no sub-folders; it needs one a class.")
    files, labels = [], []
    for label, entry in enumerate(classes):
        pictures = sorted(file for file in entry.rglob("*") if file.suffix.lower() in SUFFIXES)
        if not pictures:
            raise DataError(f"folder:{path}: class {entry.name!r} has no pictures ({', '.join(SUFFIXES)}).")
        files += pictures
        labels += [label] * len(pictures)
    images = [_picture(file, size) for file in files]
    _one_size(images, files)
    if channels is None:
        channels = max(image.shape[2] for image in images)
    x = np.stack([_with_channels(image, channels) for image in images])
    # One checksum over the pictures' own, so that the source stays short.
    total = hashlib.sha256("".join(digest(file) for file in files).encode()).hexdigest()
    return Images(x, np.array(labels), tuple(entry.name for entry in classes), _source("folder", path, total))


def _picture(path: Path, size: tuple[int, int] | None) -> np.ndarray:
    """Decode one picture -> uint8 [H, W, 1 or 3]."""
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG", "JPEG", "BMP")) as picture:
            grey = picture.mode in ("1", "L", "LA", "I", "I;16")
            if picture.mode.startswith("I"):
                raise DataError(f"{path} has 16 bits a pixel; save it with 8.")
            decoded = picture.convert("L" if grey else "RGB")
            if size is not None:
                decoded = decoded.resize(size[::-1], Image.Resampling.BOX)
            array = np.array(decoded)
    except DataError:
        raise
    except Exception as error:
        # What Pillow raises on a broken picture is open-ended.
        raise DataError(f"{path} does not decode as PNG, JPEG or BMP ({error}).") from None
    return array[..., None] if grey else array


def _one_size(images: list[np.ndarray], files: list[Path]) -> None:
    for image, file in zip(images, files, strict=True):
        if image.shape[:2] != images[0].shape[:2]:
            height, width = image.shape[:2]
            raise DataError(
                f"{file} is {height} x {width} but {files[0].name} {images[0].shape[0]} x "
                f"{images[0].shape[1]}; bring them to one size or pass size=(H, W)."
            )


def _with_channels(image: np.ndarray, channels: int) -> np.ndarray:
    if image.shape[2] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=2)
    # The weights of ITU-R BT.601, those that image libraries use.
    return np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]


def read_npz(path: Path) -> Images:
    """An .npz with x uint8 [N, H, W] or [N, H, W, 1 or 3], y whole numbers [N] from 0, and maybe class_names.

    Never unpickles.  Raises DataError for missing arrays, other types and shapes, labels without images.
    """
    arrays = {name: _npy(path, name) for name in ("x", "y", "class_names")}
    x, y, names = arrays.values()
    if x is None or y is None:
        raise DataError(f"{path} must hold the arrays x and y.")
    x = x[..., None] if x.ndim == 3 else x
    if x.dtype != np.uint8 or x.ndim != 4 or x.shape[3] not in (1, 3) or 0 in x.shape:
        raise DataError(f"{path}: x is {x.dtype} {list(x.shape)}; it must be uint8 [N, H, W] or [N, H, W, 1 or 3].")
    if y.dtype.kind not in "iu" or y.shape != x.shape[:1] or y.min() < 0 or y.max() > len(y):
        raise DataError(f"{path}: y is {y.dtype} {list(y.shape)}; it must be {len(x)} whole numbers from 0 on.")
    return _labelled(x, y, None if names is None else tuple(map(str, names.ravel())), "npz", path)


def _npy(path: Path, name: str) -> np.ndarray | None:
    """One array of an .npz, its promised size checked before it is read; None if it is not there."""
    try:
        with zipfile.ZipFile(path) as archive:
            if f"{name}.npy" not in archive.namelist():
                return None
            with archive.open(f"{name}.npy") as file:
                shape, fortran, dtype = NPY_HEADERS[np.lib.format.read_magic(file)](file)
                start = file.tell()
            promised = math.prod(shape) * dtype.itemsize
            if dtype.hasobject or promised > MAX_BYTES:
                raise DataError(f"{path}: {name} holds objects or promises {promised:,} bytes; it is not read.")
            raw = zip_member(archive, f"{name}.npy", start + promised)
    except FileNotFoundError:
        raise FileNotFoundError(f"npz:{path}: there is no such file.") from None
    except DataError:
        raise
    except Exception as error:
        # NumPy's header parser and zipfile raise many kinds of errors on broken bytes.
        raise DataError(f"{path}: array {name} does not read ({error}).") from None
    if len(raw) != start + promised:
        raise DataError(f"{path}: {name} promises {promised:,} bytes but holds {len(raw) - start:,}.")
    return np.frombuffer(raw, dtype, offset=start).reshape(shape, order="F" if fortran else "C")


def read_csv(path: Path, shape: tuple[int, ...] | None = None) -> Images:
    """A CSV `label,pixel1,...`, one image a row; `shape` is (H, W) or (H, W, C), else square and grey."""
    if not path.is_file():
        raise FileNotFoundError(f"csv:{path}: there is no such file.")
    x, y = parse_csv(path.read_bytes(), str(path))
    side = math.isqrt(x.shape[1])
    shape = tuple(shape or (side, side))
    shape = (*shape, 1) if len(shape) == 2 else shape
    if len(shape) != 3 or shape[2] not in (1, 3) or math.prod(shape) != x.shape[1]:
        raise DataError(
            f"{path} has {x.shape[1]} pixels a row, not {' x '.join(map(str, shape))}; pass shape=(H, W) or (H, W, 3)."
        )
    return _labelled(x.reshape(-1, *shape), y, None, "csv", path)


def _labelled(x: np.ndarray, y: np.ndarray, names: tuple[str, ...] | None, kind: str, path: Path) -> Images:
    """Images with the class names given, or the numbers; each class must have an image."""
    names = names or tuple(str(label) for label in range(int(y.max()) + 1))
    missing = sorted(set(range(len(names))) - set(np.unique(y).tolist()))
    if missing or y.max() >= len(names) or len(set(names)) != len(names):
        raise DataError(
            f"{path}: {len(names)} distinct classes are named and labels run to {y.max()}; "
            f"classes without an image: {', '.join(map(str, missing[:9])) or 'none'}."
        )
    return Images(np.ascontiguousarray(x), y.astype(np.int64), names, _source(kind, path, digest(path)))


def _source(kind: str, path: Path, checksum: str) -> Source:
    return Source(f"{kind}:{path.name}", f"own data: {path.name}", "own", ((path.name, checksum),))


KINDS = {
    "folder": (read_folder, {"size": None, "channels": None}),
    "npz": (read_npz, {}),
    "csv": (read_csv, {"shape": None}),
}


def own_dataset(name: str) -> DataSet | None:
    """The data set that a name such as 'folder:PATH' means; None if it is no such name."""
    kind, colon, path = name.partition(":")
    if not colon or kind not in KINDS:
        return None
    read, options = KINDS[kind]
    return DataSet(
        name=name,
        title=name,
        folder="",
        shape=(0, 0, 0),
        class_names=(),
        sizes={},
        licence="your own",
        citation="",
        url="",
        editions=(),
        options=options,
        direct=partial(read, Path(path).expanduser()),
        groups=exact_groups,
    )
