"""Each reader on small files in the official formats; own CSV with each kind of bad input, which gets an error."""

import bz2
import gzip
import io
import tarfile
import zipfile

import h5py
import numpy as np
import pytest
from formats import idx as idx_bytes
from formats import records
from PIL import Image
from scipy.io import savemat

from twinvae.data import DataError, cifar, digits, own, sign_language
from twinvae.data import idx as idx_files

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (3, 28, 28), np.uint8)
LABELS = np.array([3, 1, 2], np.uint8)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_packed_and_not(tmp_path, pack):
    (tmp_path / "x").write_bytes(pack(idx_bytes(PIXELS)))
    (tmp_path / "y").write_bytes(pack(idx_bytes(LABELS)))
    paths = (tmp_path / "x", tmp_path / "y")
    x, y = idx_files.read(paths, "train")
    assert np.array_equal(x[..., 0], PIXELS) and y.tolist() == [3, 1, 2] and y.dtype == np.int64
    x, y = idx_files.read_emnist(paths, "train", first_label=1)
    assert np.array_equal(x[..., 0], PIXELS.transpose(0, 2, 1)) and y.tolist() == [2, 0, 1]


def test_emnist_out_of_the_archive_of_all_subsets(tmp_path):
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as archive:
        for what, array in (("images-idx3", PIXELS), ("labels-idx1", LABELS)):
            archive.writestr(f"gzip/emnist-letters-test-{what}-ubyte.gz", gzip.compress(idx_bytes(array)))
    x, y = idx_files.read_emnist((tmp_path / "gzip.zip",), "test", first_label=1, subset="letters")
    assert np.array_equal(x[..., 0], PIXELS.transpose(0, 2, 1)) and y.tolist() == [2, 0, 1]


def test_usps_libsvm_is_rounded(tmp_path):
    rows = "1 1:-0.5 3:1e-1 \n10 2:1 256:-1\n"
    (tmp_path / "renamed").write_bytes(bz2.compress(rows.encode()))
    x, y = digits.read_usps((tmp_path / "renamed",), "train")
    wanted = np.full((2, 256), 128)  # what is left out is 0, in the middle: 127.5, rounded to even
    wanted[0, [0, 2]], wanted[1, [1, 255]] = (64, 140), (255, 0)
    assert x.shape == (2, 16, 16, 1) and np.array_equal(x.reshape(2, 256), wanted) and y.tolist() == [0, 9]


def test_usps_hdf5_is_rounded(tmp_path):
    with h5py.File(tmp_path / "usps.h5", "w") as file:
        file["test/data"], file["test/target"] = np.full((2, 256), 0.25, np.float32), np.array([0, 9], np.int32)
    x, y = digits.read_usps_raw((tmp_path / "usps.h5",), "test")
    assert x.shape == (2, 16, 16, 1) and (x == 64).all() and y.tolist() == [0, 9] and y.dtype == np.int64


@pytest.mark.parametrize("packed", [True, False])
def test_svhn_as_scipy_writes_it(tmp_path, packed):
    x, labels = RNG.integers(0, 256, (32, 32, 3, 5), np.uint8), np.array([[10], [1], [2], [9], [10]])
    for kind in (np.uint8, np.float64):
        savemat(tmp_path / "a.mat", {"X": x, "y": labels.astype(kind)}, do_compression=packed)
        read_x, read_y = digits.read_svhn((tmp_path / "a.mat",), "train")
        assert np.array_equal(read_x, x.transpose(3, 0, 1, 2)) and read_y.tolist() == [0, 1, 2, 9, 0]


def test_sign_language_csv(tmp_path):
    x = RNG.integers(0, 256, (3, 784), np.uint8)
    header = ",".join(["label", *(f"pixel{at}" for at in range(1, 785))])
    rows = [",".join(map(str, (label, *row))) for label, row in zip((0, 10, 24), x, strict=True)]
    (tmp_path / "a").write_bytes(gzip.compress("\n".join([header, *rows]).encode()))
    (tmp_path / "b").write_text("\r\n".join([header, *rows]))
    read_x, read_y = sign_language.read((tmp_path / "a", tmp_path / "b"), "all", task="letter")
    assert np.array_equal(read_x.reshape(6, 784), np.concatenate([x, x])) and read_y.tolist() == [0, 9, 23] * 2


def test_cifar_records_and_archives(tmp_path):
    x, y = RNG.integers(0, 256, (4, 32, 32, 3), np.uint8), np.array([0, 9, 3, 5])
    read_x, read_y = cifar.parse(records(x, y[:, None]))
    assert np.array_equal(read_x, x) and np.array_equal(read_y, y) and read_y.dtype == np.int64
    planes = np.concatenate([np.full(1024, value, np.uint8) for value in (1, 2, 3)])
    assert cifar.parse(b"\x07" + planes.tobytes())[0][0, 0, 0].tolist() == [1, 2, 3]
    (tmp_path / "a.bin").write_bytes(records(x, y[:, None]))
    (tmp_path / "b.bin").write_bytes(gzip.compress(records(x[:1], y[:1, None])))
    read_x, read_y = cifar.read_batches((tmp_path / "a.bin", tmp_path / "b.bin"), "train")
    assert read_y.tolist() == [0, 9, 3, 5, 0] and np.array_equal(read_x[4], x[0])
    members = {"cifar/two.bin": records(x[2:], y[2:, None]), "cifar/one.bin": records(x[:2], y[:2, None])}
    path = write_tar(tmp_path / "c.tar.gz", members)
    read_x, read_y = cifar.read_tar((path,), "train", {"train": ["one.bin", "two.bin"]})
    assert np.array_equal(read_x, x) and np.array_equal(read_y, y)
    path = write_tar(tmp_path / "d.tar.gz", {"test.bin": records(x, np.column_stack([y // 5, y]))})
    assert np.array_equal(cifar.read_tar((path,), "test", {"test": ["test.bin"]}, label_bytes=2)[1], y)


def test_cifar_jpeg_archive_comes_in_the_order_of_its_numbers(tmp_path, empty_cache):
    members = {}
    for half, name, label, value in (
        ("train", "0001", "cat", 10),
        ("test", "0000", "dog", 50),
        ("train", "0000", "ship", 90),
        ("train", "0000", "airplane", 130),
    ):
        buffer = io.BytesIO()
        Image.fromarray(np.full((32, 32, 3), value, np.uint8)).save(buffer, "JPEG")
        members[f"{half}/{label}/{name}.jpg"] = buffer.getvalue()
    path = write_tar(tmp_path / "a.tar.gz", members)
    for _ in range(2):  # decoded, then kept
        x, y = cifar.read_jpeg((path,), "train")
        assert y.tolist() == [0, 8, 3] and x[:, 0, 0, 0].tolist() == [130, 90, 10]
    assert len(list((empty_cache / "arrays").iterdir())) == 1


def write_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, raw in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return path


def test_sklearn_digits_spread_over_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(gzip.compress(("0.0,16.0,8.0," + "1.0," * 61 + "7.0\n").encode() * 2))
    x, y = digits.read_sklearn((tmp_path / "a",), "all")
    assert x.shape == (2, 8, 8, 1) and x[0, 0, :4, 0].tolist() == [0, 255, 128, 16] and y.tolist() == [7, 7]


def test_own_csv_is_read(tmp_path):
    (tmp_path / "f").write_bytes(b"label,pixel1,pixel2\r\n3,0,255\r\n4,17,1\r\n")
    x, y, *_ = own.read_csv(tmp_path / "f", shape=(1, 2))
    assert x[..., 0].tolist() == [[[0, 255]], [[17, 1]]] and y.tolist() == [3, 4] and x.dtype == y.dtype == np.uint8


@pytest.mark.parametrize(
    "raw, message",
    [
        (b"", "f, row 1: the header begins ''"),
        (b"label,pixel2\n1,2\n", "f, row 1: the header begins 'label,pixel2'"),
        (b"label,pixel1\n", "has a header but no rows"),
        (b"label,pixel1\n1,2\n3\n", "f, row 3: 1 columns; the header promises 2"),
        (b"label,pixel1\n1,2\n\n3,4\n", "f, row 3: 1 columns"),
        (b"label,pixel1\n1,2,3\n", "f, row 2: 3 columns"),
        (b"label,pixel1\n1,x\n", "f, row 2, column pixel1: 'x'; whole numbers"),
        (b"label,pixel1\n1,\n", "f, row 2, column pixel1: ''"),
        (b"label,pixel1\n-1,2\n", "f, row 2, column label: '-1'"),
        (b"label,pixel1\n1,2\n1,256\n", "f, row 3, column pixel1: '256'"),
        (b"label,pixel1\n1,2.5\n", "column pixel1: '2.5'"),
        (b"label,pixel1\n1,99999999999999999999\n", "column pixel1: '99999999999999999999'"),
    ],
)
def test_bad_own_csv(tmp_path, raw, message):
    (tmp_path / "f").write_bytes(raw)
    with pytest.raises(DataError, match=message):
        own.read_csv(tmp_path / "f")
