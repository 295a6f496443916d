"""Your own images: 'folder:PATH' (one folder a class), 'npz:PATH', 'csv:PATH'; any size, grey or colour."""

import hashlib
import inspect
import math
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from .files import digest, unpacked
from .folder import MAX_BYTES, UNLABELLED, Read, read_folder, say
from .images import DataError, Images, Source
from .table import DataSet

# The number that each way to write one in a CSV means: up to three digits, 0..255.
BYTES = {f"{value:0{digits}}": value for value in range(256) for digits in (1, 2, 3)}
LABEL = ("label", "class", "target", "y")  # what the first column of a CSV is called
PLACE = re.compile(r"\d+x\d+")  # and the others, where they are not counted: 1x1, 1x2, ...


def dataset(name: str) -> DataSet:
    """Return the entry of a data set that a name such as 'folder:PATH' means; its options are the reader's own."""
    _, *options = inspect.signature(READERS[name.partition(":")[0]]).parameters.values()
    return DataSet(name, options={option.name: option.default for option in options}, groups="splitting.exact_groups")


def read(name: str, **options) -> Images:
    """Read the images that a name such as 'folder:PATH' means.  Raises FileNotFoundError and DataError."""
    kind, _, given = name.partition(":")
    path = Path(given).expanduser().resolve()
    if not (path.is_dir() if kind == "folder" else path.is_file()):
        raise FileNotFoundError(f"{name}: there is no such {'folder' if kind == 'folder' else 'file'}.")
    x, y, names, files = READERS[kind](path, **options)
    if kind == "csv" and (found := np.unique(y)).tolist() != list(range(len(found))):
        say(f"{name}: its labels are {', '.join(map(str, found))}; each is a class of that name")
        names, y = tuple(map(str, found)), np.searchsorted(found, y)
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


def read_npz(path: Path) -> Read:
    """Read an .npz with x uint8 [N, H, W] or [N, H, W, 1 or 3], y whole numbers [N] from 0, and maybe class_names.

    Without y all are of one class, 'unlabelled'; x_train, y_train, x_test, y_test, as Keras has them, are read as one.
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
    try:
        if "x_train" in arrays:
            arrays |= {a: np.concatenate([arrays[f"{a}_{half}"] for half in ("train", "test")]) for a in "xy"}
            say(f"npz:{path}: its halves are read as one; a tenth of all images is held back for tests")
        x, y, names = arrays["x"], arrays.get("y"), arrays.get("class_names")
    except (KeyError, ValueError) as error:
        raise DataError(f"{path} must hold the array x, with y or without, or x_train to y_test ({error}).") from None
    if y is None:
        y, names = np.zeros(x.shape[:1], np.int64), np.array([UNLABELLED])
    y = y[:, 0] if y.shape[1:] == (1,) else y
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
    """Read a CSV `label,pixel1,...`, packed or not, one image a row; `shape` is (H, W) or (H, W, C), else square, grey.

    Raises DataError, naming the row (the header is row 1), for a wrong header, missing or surplus columns, and anything
    but whole numbers 0..255.
    """
    if path.stat().st_size > MAX_BYTES // 8:  # its lines and fields take several times as much
        raise DataError(f"{path} has more than {MAX_BYTES // 8:,} bytes; save its arrays as .npz.")
    try:
        text = unpacked(path).decode("utf-8-sig", "replace").replace('"', "")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} does not unpack ({error}).") from None
    header, *lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    columns = [column.strip() for column in header.split(",")]
    label, *pixels = [column.lower().removeprefix("pixel") for column in columns]
    counted = [[str(at + first) for at in range(len(pixels))] for first in (0, 1)]
    if label not in LABEL or not pixels or not (pixels in counted or all(map(PLACE.fullmatch, pixels))):
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
