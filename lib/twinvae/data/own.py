"""Your own images: 'folder:PATH' (one folder a class), 'npz:PATH', 'csv:PATH'; any size, grey or colour."""

import hashlib
import inspect
import math
import zipfile
from pathlib import Path

import numpy as np

from .files import digest
from .images import DataError, Images, Source
from .table import DataSet

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
MAX_BYTES = 4_000_000_000  # of memory; pictures take theirs twice, each by itself and all as one array
TOO_MUCH = f"more than {MAX_BYTES // 2:,} bytes; take fewer, or pass a smaller size=(H, W)."
# The number that each way to write one in a CSV means: up to three digits, 0..255.
BYTES = {f"{value:0{digits}}": value for value in range(256) for digits in (1, 2, 3)}

Read = tuple[np.ndarray, np.ndarray, tuple[str, ...], list[Path]]  # x, y, names of classes, the files read


def dataset(name: str) -> DataSet:
    """Return the entry of a data set that a name such as 'folder:PATH' means; its options are the reader's own."""
    _, *options = inspect.signature(READERS[name.partition(":")[0]]).parameters.values()
    return DataSet(name, options={option.name: option.default for option in options}, groups="splitting.exact_groups")


def read(name: str, **options) -> Images:
    """Read the images that a name such as 'folder:PATH' means.  Raises FileNotFoundError and DataError."""
    kind, _, given = name.partition(":")
    path = Path(given).expanduser()
    if not (path.is_dir() if kind == "folder" else path.is_file()):
        raise FileNotFoundError(f"{name}: there is no such {'folder' if kind == 'folder' else 'file'}.")
    x, y, names, files = READERS[kind](path, **options)
    names = names or tuple(str(label) for label in range(int(y.max()) + 1))
    missing = sorted(set(range(len(names))) - set(np.unique(y).tolist()))
    if missing or y.max() >= len(names) or len(set(names)) != len(names):
        lacking = ", ".join(map(str, missing[:9])) or "none"
        said = f"{path}: {len(names)} distinct classes are named and labels run to {y.max()}"
        raise DataError(f"{said}; classes without an image: {lacking}.")
    # One checksum over the pictures' own, so that the source stays short.
    sums = "".join(digest(file) for file in files)
    checksum = hashlib.sha256(sums.encode()).hexdigest() if kind == "folder" else sums
    source = Source(f"{kind}:{path.name}", f"own data: {path.name}", "own", ((path.name, checksum),))
    return Images(np.ascontiguousarray(x), y.astype(np.int64), names, source)


def read_folder(path: Path, size: tuple[int, int] | None = None, channels: int | None = None) -> Read:
    """Read a folder with one sub-folder a class, named so, with PNG, JPEG or BMP pictures in it, at any depth.

    All must have one size, or are brought to `size`, (H, W). Colour is kept if any picture has it, unless
    `channels` (1 or 3) says otherwise. Raises DataError for a class without pictures, a picture that does not
    decode or is no file, pictures of different sizes, and more of them than the memory that they may take.
    """
    if channels not in (None, 1, 3) or not (size is None or len(size) == 2):
        raise ValueError(f"folder: size is {size!r} and channels {channels!r}; size is (H, W), channels 1 or 3.")
    entries = sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    classes = [sorted(file for file in entry.rglob("*") if file.suffix.lower() in SUFFIXES) for entry in entries]
    if not classes:
        raise DataError(f"folder:{path} has no sub-folders; it needs one a class.")
    if [] in classes:
        empty = entries[classes.index([])].name
        raise DataError(f"folder:{path}: class {empty!r} has no pictures ({', '.join(SUFFIXES)}).")
    files = [file for found in classes for file in found]
    images, room = [], MAX_BYTES // 2
    for file in files:
        images.append(_picture(file, size, room))
        room -= images[-1].nbytes
    height, width, _ = images[0].shape
    for image, file in zip(images, files, strict=True):
        if image.shape[:2] != (height, width):
            sizes = f"{image.shape[0]} x {image.shape[1]} but {files[0].name} {height} x {width}"
            raise DataError(f"{file} is {sizes}; bring them to one size or pass size=(H, W).")
    channels = channels or max(image.shape[2] for image in images)
    if len(images) * height * width * channels > MAX_BYTES // 2:
        raise DataError(f"{path}: its {len(images):,} pictures take {TOO_MUCH}")
    x = np.empty((len(images), height, width, channels), np.uint8)
    for at, image in enumerate(images):
        x[at] = _with_channels(image, channels)
    y = np.repeat(np.arange(len(classes)), [len(found) for found in classes])
    return x, y, tuple(entry.name for entry in entries), files


def _picture(path: Path, size: tuple[int, int] | None, room: int = MAX_BYTES) -> np.ndarray:
    """Decode one picture of at most `room` bytes -> uint8 [H, W, 1 or 3]."""
    from PIL import Image

    formats = ("PNG", "JPEG", "BMP")
    if not path.is_file():
        raise DataError(f"{path} is no file, but a pipe or a folder; take it away.")
    try:
        with Image.open(path, formats=formats) as picture:
            mode, (height, width) = picture.mode, size or picture.size[::-1]
            grey = mode in ("1", "L", "LA", "I", "I;16")
            fits = height * width * (1 if grey else 3) <= room
            if fits:
                picture.verify()  # of PNG, that its last chunk is there: decoding ends before it
        if fits:
            with Image.open(path, formats=formats) as picture:
                decoded = picture.convert("L" if grey else "RGB")
                array = np.array(decoded if size is None else decoded.resize(size[::-1], Image.Resampling.BOX))
    except Exception as error:  # what Pillow raises on a broken picture is open-ended
        raise DataError(f"{path} does not decode as PNG, JPEG or BMP ({error}).") from None
    if not fits:
        raise DataError(f"{path}: with its {height} x {width} pixels the pictures take {TOO_MUCH}")
    if mode.startswith("I"):
        raise DataError(f"{path} has 16 bits a pixel; save it with 8.")
    return array[..., None] if grey else array


def _with_channels(image: np.ndarray, channels: int) -> np.ndarray:
    if image.shape[2] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=2)
    return np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]  # as ITU-R BT.601 weighs


def read_npz(path: Path) -> Read:
    """Read an .npz with x uint8 [N, H, W] or [N, H, W, 1 or 3], y whole numbers [N] from 0, and maybe class_names.

    Never unpickles.  Raises DataError for missing arrays, other types and shapes, labels without images.
    """
    try:
        with zipfile.ZipFile(path) as archive, np.load(path, allow_pickle=False) as file:
            # zipfile unpacks no more than the archive's directory says.
            if (promised := sum(member.file_size for member in archive.infolist())) > MAX_BYTES:
                raise ValueError(f"{promised:,} bytes are promised; at most {MAX_BYTES:,} are read")
            for member in archive.infolist():
                _check_header(archive, member)
            arrays = {name: np.asarray(file[name]) for name in file}
    except Exception as error:  # what NumPy and zipfile raise on broken bytes is open-ended
        raise DataError(f"{path} does not read ({error}).") from None
    x, y, names = (arrays.get(name) for name in ("x", "y", "class_names"))
    if x is None or y is None:
        raise DataError(f"{path} must hold the arrays x and y.")
    x = x[..., None] if x.ndim == 3 else x
    if x.dtype != np.uint8 or x.ndim != 4 or x.shape[3] not in (1, 3) or 0 in x.shape:
        raise DataError(f"{path}: x is {x.dtype} {list(x.shape)}; it must be uint8 [N, H, W] or [N, H, W, 1 or 3].")
    if y.dtype.kind not in "iu" or y.shape != x.shape[:1] or y.min() < 0 or y.max() > len(y):
        raise DataError(f"{path}: y is {y.dtype} {list(y.shape)}; it must be {len(x)} whole numbers from 0 on.")
    return x, y, () if names is None else tuple(map(str, names.ravel())), [path]


def _check_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Raise ValueError for an array whose header does not promise the bytes that there are."""
    with archive.open(member) as file:
        header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
        shape, _, dtype = header[np.lib.format.read_magic(file)[0]](file)
        promised = file.tell() + math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and (min(shape, default=0) < 0 or promised != member.file_size):
        raise ValueError(f"{member.filename} has the shape {list(shape)} and {member.file_size:,} bytes")


def read_csv(path: Path, shape: tuple[int, ...] | None = None) -> Read:
    """Read a CSV `label,pixel1,...`, one image a row; `shape` is (H, W) or (H, W, C), else square and grey.

    Raises DataError, naming the row (the header is row 1), for a wrong header, missing or surplus columns, and anything
    but whole numbers 0..255.
    """
    if path.stat().st_size > MAX_BYTES // 8:  # its lines and fields take several times as much
        raise DataError(f"{path} has more than {MAX_BYTES // 8:,} bytes; save its arrays as .npz.")
    text = path.read_bytes().decode("ascii", "replace")
    header, *lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    columns = header.split(",")
    if columns != ["label", *(f"pixel{at}" for at in range(1, len(columns)))] or len(columns) < 2:
        raise DataError(f"{path}, row 1: the header begins {header[:40]!r}; it must be label,pixel1,pixel2,...")
    if not lines:
        raise DataError(f"{path} has a header but no rows.")
    table = np.empty((len(lines), len(columns)), np.uint8)
    for row, line in enumerate(lines):
        fields = line.split(",")
        if len(fields) != len(columns):
            raise DataError(f"{path}, row {row + 2}: {len(fields)} columns; the header promises {len(columns)}.")
        for column, field in zip(columns, fields, strict=True):
            if field not in BYTES:
                where = f"{path}, row {row + 2}, column {column}"
                raise DataError(f"{where}: {field[:40]!r}; whole numbers 0..255 are allowed.")
        table[row] = [BYTES[field] for field in fields]
    pixels = len(columns) - 1
    shape = tuple(shape or (math.isqrt(pixels), math.isqrt(pixels)))
    shape = (*shape, 1) if len(shape) == 2 else shape
    if len(shape) != 3 or shape[2] not in (1, 3) or math.prod(shape) != pixels:
        size = " x ".join(map(str, shape))
        raise DataError(f"{path} has {pixels} pixels a row, not {size}; pass shape=(H, W) or (H, W, 3).")
    return table[:, 1:].reshape(-1, *shape), table[:, 0], (), [path]


READERS = {"folder": read_folder, "npz": read_npz, "csv": read_csv}
