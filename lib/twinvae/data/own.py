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
from .folder import MAX_BYTES, UNLABELLED, Read, as_counted, read_folder, readable, say
from .images import DataError, Images, Source
from .splitting import exact_groups
from .table import DataSet

# The number that each way to write one in a CSV means: up to three digits, 0..255.
BYTES = {f"{value:0{digits}}": value for value in range(256) for digits in (1, 2, 3)}
LABEL = ("label", "class", "target", "y")  # what the first column of a CSV is called
PIXEL, PLACE = re.compile(r"(?:pixel)?(\d+(?:x\d+)?)"), re.compile(r"\d+x\d+")  # of the others: pixel1, 1 or 1x1


def dataset(name: str) -> DataSet:
    """Return the entry of a data set that a name such as 'folder:PATH' means; its options are the reader's own."""
    kind, _, given = name.partition(":")
    _, *options = inspect.signature(READERS[kind]).parameters.values()
    inside = {} if Path(given).expanduser().is_absolute() else {"inside": str(Path.cwd())}  # a recipe keeps it
    return DataSet(name, options={option.name: option.default for option in options} | inside, groups="own.groups")


def read(name: str, inside: str = "", **options) -> dict[str, Images]:
    """Read the images that a name such as 'folder:PATH' means: the halves train and test, or the one pile 'all'.

    A path that does not begin with / begins in the folder `inside`. Raises FileNotFoundError and DataError.
    """
    kind, _, given = name.partition(":")
    path = Path(inside, Path(given).expanduser()).resolve()
    if not (path.is_dir() if kind == "folder" else path.is_file()):
        raise FileNotFoundError(f"{kind}:{path}: there is no such {'folder' if kind == 'folder' else 'file'}.")
    x, y, names, files, test = READERS[kind](path, **options)
    if y.ndim == 1:
        y, names = _classes(path, y, names, test)
    # One checksum over the pictures' own, so that the source stays short.
    checksum = hashlib.sha256("".join(map(digest, files)).encode()).hexdigest() if kind == "folder" else digest(path)
    called = readable(path.name)
    source = Source(f"{kind}:{called}", f"own data: {called}", "own", ((called, checksum),))
    images = Images(np.ascontiguousarray(x), y, names, source)
    return {"all": images} if test is None else {"train": images.subset(~test), "test": images.subset(test)}


def _classes(path: Path, y: np.ndarray, names: tuple[str, ...], test: np.ndarray | None) -> tuple:
    """Return labels as numbers from 0 on, and the names of their classes: those given, else the labels themselves.

    Raises DataError for classes that share a name, have none, or have no image in a half.
    """
    found = sorted(set(y.tolist()), key=lambda label: as_counted(str(label)))
    names = names or tuple(readable(str(label)) for label in found)
    if (y.dtype.kind not in "iu" or found != [*range(len(found))]) and len(found) == len(names):
        say(f"{path}: its labels are {', '.join(map(str, found))[:80]}; the classes are called {', '.join(names)[:80]}")
        number = {label: at for at, label in enumerate(found)}
        y = np.array([number[label] for label in y.tolist()])
    halves = {"": y} if test is None else {" for training": y[~test], " for tests": y[test]}
    for words, labels in halves.items():
        missing = sorted(set(range(len(names))) - set(np.unique(labels).tolist()))
        if missing or y.max() >= len(names) or len(set(names)) != len(names):
            lacking = ", ".join(str(names[k]) for k in missing[:9]) or "none"
            said = f"{path}: {len(names)} distinct classes are named and labels run to {int(y.max())}"
            raise DataError(f"{said}; classes without an image{words}: {lacking}.")
    return y.astype(np.int64), names


def groups(images: Images) -> np.ndarray:
    """Give images equal in every pixel the same number.  -> int [N]

    Raises DataError where a class has fewer than two different images: it cannot be cut, for tests or for validation.
    """
    numbers = exact_groups(images)
    different = np.bincount(images.strata[np.unique(numbers, return_index=True)[1]])
    if few := [k for k, count in enumerate(different) if count < 2]:
        what = f"class {images.class_names[few[0]]!r} has" if images.labelled else "there are"
        need = "3 different images at least, one each for training, validation and tests"
        raise DataError(f"{images.source.label}: {what} too few images; a class needs {need}, or leave it out.")
    return numbers


def read_npz(path: Path) -> Read:
    """Read an .npz with x uint8 [N, H, W] or [N, H, W, 1 or 3], y, and maybe class_names.

    y are whole numbers [N] from 0, bools, text, which are classes of that name, or a condition of floats [N, K], whose
    names class_names are then. Without y all are of one class, 'unlabelled'; x_train, y_train, x_test, y_test, as Keras
    has them, are halves.  Never unpickles.  Raises DataError for missing arrays, other types and shapes.
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
        test = None
        if "x_train" in arrays:
            there = [a for a in "xy" if {f"{a}_train", f"{a}_test"} & arrays.keys()]
            arrays |= {a: np.concatenate([arrays[f"{a}_{half}"] for half in ("train", "test")]) for a in there}
            test = np.arange(len(arrays["x"])) >= len(arrays["x_train"])
        x, y, names = arrays["x"], arrays.get("y"), arrays.get("class_names")
    except (KeyError, ValueError) as error:
        raise DataError(f"{path} must hold the array x, with y or without, or x_train to y_test ({error}).") from None
    if y is None:
        y, names = np.zeros(x.shape[:1], np.int64), np.array([UNLABELLED])
    y = y[:, 0] if y.shape[1:] == (1,) else y
    x = x[..., None] if x.ndim == 3 else x
    if x.dtype != np.uint8 or x.ndim != 4 or x.shape[3] not in (1, 3) or 0 in x.shape:
        raise DataError(f"{path}: x is {x.dtype} {list(x.shape)}; it must be uint8 [N, H, W] or [N, H, W, 1 or 3].")
    names = () if names is None or y.dtype.kind in "SU" else tuple(map(str, names.ravel()))
    if y.dtype.kind == "f":
        y = y[:, None] if y.ndim == 1 else y
        return Read(x, *_numbers(path, y, names or tuple(f"y{at}" for at in range(y.shape[-1])), len(x)), [path], test)
    if y.dtype.kind not in "biuSU" or y.shape != x.shape[:1] or y.dtype.kind == "i" and y.min() < 0:
        raise DataError(f"{path}: y is {y.dtype} {list(y.shape)}; it must be {len(x)} whole numbers from 0 on or text.")
    y = np.char.decode(y, "utf-8", "surrogateescape") if y.dtype.kind == "S" else y
    return Read(x, y, names, [path], test)


def _numbers(path: Path, y: np.ndarray, names: tuple[str, ...], count: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a condition as float32, and the names of its numbers; DataError unless finite [count, K], K names."""
    if y.shape != (count, len(names)) or not np.isfinite(y).all() or len(set(names)) != len(names):
        what = f"y is {y.dtype} {list(y.shape)} under the names {', '.join(names)[:80]}"
        raise DataError(f"{path}: {what}; a condition must be finite numbers [{count}, K] with K different names.")
    if np.abs(y).max() > 10:
        say(f"{path}: its numbers run to {np.abs(y).max():.4g}; models learn sooner from numbers near -1 to 1")
    return y.astype(np.float32), names


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

    Other columns before the pixels are the numbers of a condition. Raises DataError, naming the row (the header is row
    1), for a wrong header, missing or surplus columns, and pixels that are no whole numbers 0..255.
    """
    if path.stat().st_size > MAX_BYTES // 8:  # its lines and fields take several times as much
        raise DataError(f"{path} has more than {MAX_BYTES // 8:,} bytes; save its arrays as .npz.")
    try:
        text = unpacked(path).decode("utf-8-sig", "replace").replace('"', "")
    except (OSError, EOFError, ValueError, zlib.error) as error:  # ValueError: a bzip2 file that ends too soon
        raise DataError(f"{path} does not unpack ({error}).") from None
    header, *lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    columns = [column.strip() for column in header.split(",")]
    found = [PIXEL.fullmatch(column.lower()) for column in columns]
    told = columns[: next((at for at, match in enumerate(found) if match), len(columns))]
    pixels = [match and match[1] for match in found[len(told) :]]
    counted = [[str(at + start) for at in range(len(pixels))] for start in (0, 1)]
    if not told or not pixels or not (pixels in counted or all(name and PLACE.fullmatch(name) for name in pixels)):
        raise DataError(f"{path}, row 1: the header begins {header[:40]!r}; it must be label,pixel1,pixel2,...")
    if not lines:
        raise DataError(f"{path} has a header but no rows.")
    labelled = len(told) == 1 and told[0].lower() in LABEL
    if not labelled:
        say(f"csv:{path}: {', '.join(told)[:80]} are numbers of a condition; a column of classes is called label")
    table = np.empty((len(lines), len(columns)), np.uint8)
    numbers = np.empty((len(lines), 0 if labelled else len(told)))
    for row, line in enumerate(lines):
        where = f"{path}, row {row + 2}"
        fields = line.split(",")
        if len(fields) != len(columns):
            raise DataError(f"{where}: {len(fields)} columns; the header promises {len(columns)}.")
        for at, name in enumerate(told[: numbers.shape[1]]):
            try:
                numbers[row, at], fields[at] = float(fields[at]), "0"
            except ValueError:
                raise DataError(f"{where}, column {name}: {fields[at][:40]!r}; a condition must be a number.") from None
        for column, field in zip(columns, fields, strict=True):
            if field not in BYTES:
                raise DataError(f"{where}, column {column}: {field[:40]!r}; whole numbers 0..255 are allowed.")
        table[row] = [BYTES[field] for field in fields]
    shape = tuple(shape or (math.isqrt(len(pixels)), math.isqrt(len(pixels))))
    shape = (*shape, 1) if len(shape) == 2 else shape
    if len(shape) != 3 or shape[2] not in (1, 3) or math.prod(shape) != len(pixels):
        size = " x ".join(map(str, shape))
        raise DataError(f"{path} has {len(pixels)} pixels a row, not {size}; pass shape=(H, W) or (H, W, 3).")
    x = table[:, len(told) :].reshape(-1, *shape)
    y, names = (table[:, 0], ()) if labelled else _numbers(path, numbers, tuple(told), len(x))
    return Read(x, y, names, [path])


READERS = {"folder": read_folder, "npz": read_npz, "csv": read_csv}
