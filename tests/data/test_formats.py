"""Each format: what was written is read back, and each kind of bad input gets an error that says where."""

import bz2
import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest
from scipy.io import savemat

from twinvae.data import DataError, archives, emnist, sign_language, svhn
from twinvae.data.csv_pixels import parse_csv
from twinvae.data.files import bunzip, gunzip
from twinvae.data.idx import parse_idx, read_pair, write_idx
from twinvae.data.libsvm import parse_libsvm
from twinvae.data.mat5 import parse_mat5
from twinvae.data.records import pack_records, parse_records

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 4, 5), np.uint8)


def idx_bytes(array, shape=None, magic=b"\0\0\x08"):
    return magic + bytes([array.ndim]) + np.array(shape or array.shape, ">u4").tobytes() + array.tobytes()


def test_idx_round_trip(tmp_path):
    write_idx(tmp_path / "x.gz", IMAGES)
    assert np.array_equal(parse_idx((tmp_path / "x.gz").read_bytes(), 3, "x"), IMAGES)
    assert np.array_equal(parse_idx(idx_bytes(IMAGES), 3, "x"), IMAGES)


@pytest.mark.parametrize(
    "raw, ndim, message",
    [
        (b"", 3, r"f begins with bytes \(none\)"),
        (idx_bytes(IMAGES, magic=b"\0\0\x0d"), 3, "f begins with bytes 00 00 0d 03; an IDX file of 3"),
        (idx_bytes(IMAGES), 1, "begins with 00 00 08 01"),
        (idx_bytes(IMAGES)[:9], 3, "ends at byte 9, inside its header of 16 bytes"),
        (
            idx_bytes(IMAGES, (4, 4, 5)),
            3,
            "promises 4 x 4 x 5 bytes after its header, 96 in all; it holds 76",
        ),
        (idx_bytes(IMAGES, (2, 4, 5)), 3, "promises 2 x 4 x 5 .* it holds 76"),
        (gzip.compress(idx_bytes(IMAGES))[:-12], 3, "before its end mark"),
        (gzip.compress(idx_bytes(IMAGES, (2, 4, 5))), 3, "more than the 56 bytes promised"),
        (gzip.compress(idx_bytes(IMAGES, (2**32 - 1,) * 3)), 3, "packed bytes cannot hold them"),
        (b"\x1f\x8b\x08\x00broken", 3, "no sound gzip file|begins with bytes"),
    ],
)
def test_bad_idx(raw, ndim, message):
    with pytest.raises(DataError, match=message):
        parse_idx(raw, ndim, "f")


def test_idx_pair_of_different_lengths(tmp_path):
    write_idx(tmp_path / "x.gz", IMAGES)
    write_idx(tmp_path / "y.gz", np.zeros(2, np.uint8))
    with pytest.raises(DataError, match="x.gz holds 3 images but y.gz 2 labels"):
        read_pair(tmp_path / "x.gz", tmp_path / "y.gz")


@pytest.mark.parametrize("unpack, pack", [(gunzip, gzip.compress), (bunzip, bz2.compress)])
def test_unpacking_is_bounded_and_complete(unpack, pack):
    packed = pack(b"a" * 1000)
    assert unpack(packed, 1000, "f") == b"a" * 1000
    for broken, message in (
        (pack(b"a" * 1001), "more than the 1,000"),
        (packed[:-9], "before its end mark"),
        (packed + b"x", "1 bytes after its end mark"),
        (b"no" + packed, "no sound"),
    ):
        with pytest.raises(DataError, match=message):
            unpack(broken, 1000, "f")


def test_csv_is_read():
    x, y = parse_csv(b"label,pixel1,pixel2\r\n3,0,255\r\n4,17,1\r\n", "f")
    assert x.tolist() == [[0, 255], [17, 1]] and y.tolist() == [3, 4] and x.dtype == y.dtype == np.uint8


@pytest.mark.parametrize(
    "raw, message",
    [
        (b"", "f, row 1: the header begins ''"),
        (b"label,pixel2\n1,2\n", "f, row 1: the header begins 'label,pixel2'"),
        (b"label,pixel1\n", "has a header but no rows"),
        (b"label,pixel1\n1,2\n3\n", "f, row 3: 1 columns; the header promises 2"),
        (b"label,pixel1\n1,2\n\n", "f, row 3: 1 columns"),
        (b"label,pixel1\n1,2,3\n", "f, row 2: 3 columns"),
        (b"label,pixel1\n1,x\n", "f, row 2, column pixel1: 'x'; whole numbers"),
        (b"label,pixel1\n1,\n", "f, row 2, column pixel1: ''"),
        (b"label,pixel1\n-1,2\n", "f, row 2, column label: '-1'"),
        (b"label,pixel1\n1,2\n1,256\n", "f, row 3, column pixel1: '256'"),
        (b"label,pixel1\n1,2.5\n", "column pixel1: '2.5'"),
        (b"label,pixel1\n1,99999999999999999999\n", "column pixel1: '99999999999999999999'"),
    ],
)
def test_bad_csv(raw, message):
    with pytest.raises(DataError, match=message):
        parse_csv(raw, "f")


def test_csv_of_the_wrong_width():
    with pytest.raises(DataError, match="1 pixel columns; 784 are needed"):
        parse_csv(b"label,pixel1\n1,2\n", "f", 784)


@pytest.mark.parametrize("label", [9, 25])
def test_sign_language_has_no_j_and_no_z(label):
    header = "label," + ",".join(f"pixel{at}" for at in range(1, 785))
    rows = "\n".join(f"{row},{','.join(['0'] * 784)}" for row in (24, label))
    with pytest.raises(DataError, match=f"f, row 3: label {label}; 0..24 without 9"):
        sign_language.parse(f"{header}\n{rows}\n".encode(), "f")


def test_libsvm_is_read():
    values, labels = parse_libsvm(b"1 1:-0.5 3:1e-1 \n10 2:1\n7\n", 3, "f")
    assert np.allclose(values, [[-0.5, 0, 0.1], [0, 1, 0], [0, 0, 0]]) and labels.tolist() == [1, 10, 7]


@pytest.mark.parametrize(
    "raw, message",
    [
        (b"", "f, row 1 begins ''"),
        (b"1 1:0\nx 1:0\n", "f, row 2 begins 'x 1:0'"),
        (b"1 1:0 2\n", "row 1 begins"),
        (b"1 1:\n", "row 1 begins"),
        (b"1 1:nan\n", "row 1 begins"),
        (b"1.5 1:0\n", "row 1 begins"),
        (b"1 1:0 4:0\n", r"row 1: its indices do not rise within 1..3"),
        (b"1 2:0 1:0\n", "do not rise"),
        (b"1 0:0\n", "do not rise"),
        (b"1 1:0\n1 1:-1.5\n", "f, row 2: a value of -1.5; -1..1"),
    ],
)
def test_bad_libsvm(raw, message):
    with pytest.raises(DataError, match=message):
        parse_libsvm(raw, 3, "f")


def test_records_round_trip():
    x, y = RNG.integers(0, 256, (4, 32, 32, 3), np.uint8), np.array([0, 9, 3, 5])
    read_x, read_y = parse_records(pack_records(x, y[:, None]), 1, 10, "f")
    assert np.array_equal(read_x, x) and np.array_equal(read_y, y) and read_y.dtype == np.int64
    planes = np.concatenate([np.full(1024, value, np.uint8) for value in (1, 2, 3)])
    pixel = parse_records(b"\x07" + planes.tobytes(), 1, 10, "f")[0][0, 0, 0]
    assert pixel.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "raw, message",
    [
        (b"", "holds 0 bytes"),
        (bytes(3073 + 5), "the last one begins at byte 3,073"),
        (bytes(3073) + b"\x0a" + bytes(3072), "f, byte 3,073: label 10; 0..9"),
    ],
)
def test_bad_records(raw, message):
    with pytest.raises(DataError, match=message):
        parse_records(raw, 1, 10, "f")


@pytest.mark.parametrize("packed", [True, False])
def test_mat_as_scipy_writes_it(packed):
    x, labels = (
        RNG.integers(0, 256, (32, 32, 3, 5), np.uint8),
        np.array([[10], [1], [2], [9], [10]], np.uint8),
    )
    for kind in (np.uint8, np.float64):
        file = io.BytesIO()
        savemat(file, {"X": x, "y": labels.astype(kind)}, do_compression=packed)
        read_x, read_y = svhn.parse(file.getvalue(), "f")
        assert np.array_equal(read_x, x.transpose(3, 0, 1, 2)) and read_y.tolist() == [0, 1, 2, 9, 0]


def test_bad_mat():
    file = io.BytesIO()
    savemat(file, {"X": np.zeros((32, 32, 3, 2), np.uint8), "y": np.array([[11], [1]], np.uint8)})
    raw = file.getvalue()
    for broken, message in (
        (raw, "one outside 1..10"),
        (raw[:200], "byte 128: an element of .* more than the file"),
        (raw[:130], "ends inside an element's tag"),
        (b"x" * 300, "no MATLAB version 5 header"),
        (raw[:128], "it must hold X"),
    ):
        with pytest.raises(DataError, match=message):
            svhn.parse(broken, "f")
    file = io.BytesIO()
    savemat(file, {"a": np.zeros(9_000)}, do_compression=True)
    with pytest.raises(DataError, match="above 1,000 bytes"):
        parse_mat5(file.getvalue(), "f", 1_000)


def test_mapping_file():
    assert emnist.parse_mapping(b"1 65 97\n2 66 98\n", "f") == {1: "A", 2: "B"}
    for raw in (b"1\n", b"1 x\n", b"1 65 97 3\n", b"1 200\n"):
        with pytest.raises(DataError, match="f, row 1"):
            emnist.parse_mapping(raw, "f")


def make_tar(path, members):
    with tarfile.open(path, "w:xz") as archive:
        for name, raw in members:
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return path


def test_tar_is_read_in_memory_and_bounded(tmp_path):
    path = make_tar(tmp_path / "f.tar.xz", [("a/b", b"12"), ("a/c", b"345")])
    assert [(str(name), raw) for name, raw in archives.tar_members(path, 3, 2)] == [
        ("a/b", b"12"),
        ("a/c", b"345"),
    ]
    for limit, count in ((2, 2), (3, 1)):
        with pytest.raises(DataError, match="a/c is file 2 and unpacks to 3 bytes"):
            list(archives.tar_members(path, limit, count))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match="no sound tar archive"):
        list(archives.tar_members(path, 3, 2))


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:/evil"])
def test_paths_that_climb_out_are_refused(tmp_path, name):
    with pytest.raises(DataError, match="points outside the archive"):
        list(archives.tar_members(make_tar(tmp_path / "f.tar.xz", [(name, b"")]), 10, 10))
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"")
    with pytest.raises(DataError, match="points outside the archive"):
        archives.open_zip(tmp_path / "f.zip")


def test_zip_member_is_bounded(tmp_path):
    with zipfile.ZipFile(tmp_path / "f.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"0" * 1000)
    with archives.open_zip(tmp_path / "f.zip") as archive:
        assert archives.zip_member(archive, "a", 1000) == b"0" * 1000
        with pytest.raises(DataError, match="f.zip: a unpacks to more than 999 bytes"):
            archives.zip_member(archive, "a", 999)
        with pytest.raises(DataError, match="f.zip: b is not in the archive"):
            archives.zip_member(archive, "b", 999)
    (tmp_path / "f.zip").write_bytes(b"PK no zip")
    with pytest.raises(DataError, match="no sound zip archive"):
        archives.open_zip(tmp_path / "f.zip")
