"""Own data: folders, .npz and .csv, grey and colour, any size; and what is refused."""

import bz2
import gzip
import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image

from twinvae import data
from twinvae.data import DataError, folder, own

RNG = np.random.default_rng(0)


def write_folder(root, shape, classes=("cat", "dog"), count=20):
    for name in classes:
        (root / name).mkdir(parents=True)
        for at in range(count):
            Image.fromarray(RNG.integers(0, 256, shape, np.uint8)).save(root / name / f"{at}.png")
    return root


@pytest.mark.parametrize("shape", [(12, 20), (24, 9, 3)])
def test_folder_grey_and_colour_of_any_size(tmp_path, shape):
    write_folder(tmp_path / "pets", shape)
    images = data.load(f"folder:{tmp_path / 'pets'}", "all")
    assert images.shape == (*shape[:2], shape[2] if len(shape) == 3 else 1) and images.class_names == ("cat", "dog")
    first = np.array(Image.open(tmp_path / "pets" / "dog" / "0.png"))
    assert np.array_equal(images.x[20].reshape(shape), first) and images.y.tolist() == [0] * 20 + [1] * 20
    assert images.source.kind == "own" and images.source.label == "own data: pets"
    splits = data.splits(f"folder:{tmp_path / 'pets'}")
    assert [len(splits.train), len(splits.valid), len(splits.test)] == [32, 4, 4]
    assert len(data.load(f"folder:{tmp_path / 'pets'}", "train")) == 36


def test_copies_of_one_picture_stay_on_one_side(tmp_path):
    write_folder(tmp_path / "a", (4, 4), count=5)
    for name in ("cat", "dog"):
        for copy in range(10):
            Image.open(tmp_path / "a" / name / "0.png").save(tmp_path / "a" / name / f"copy{copy}.png")
    for seed in range(5):
        splits = data.splits(f"folder:{tmp_path / 'a'}", seed=seed)
        for one, other in ((splits.train, splits.test), (splits.train, splits.valid), (splits.valid, splits.test)):
            assert len(data.shared_images(one, other)) == 0


def test_folder_options(tmp_path):
    root = write_folder(tmp_path / "a", (8, 8))
    Image.fromarray(RNG.integers(0, 256, (16, 8, 3), np.uint8)).save(root / "cat" / "x.jpg")
    with pytest.raises(
        DataError, match=r"x.jpg is 16 x 8 but 0.png 8 x 8; pass size, a side or .H, W., to bring them to one"
    ):
        data.load(f"folder:{root}")
    assert data.load(f"folder:{root}", "all", size=(6, 5)).shape == (6, 5, 3)
    grey = data.load(f"folder:{root}", "all", size=(6, 5), channels=1)
    assert grey.shape == (6, 5, 1)
    with pytest.raises(ValueError, match="channels 2"):
        data.load(f"folder:{root}", channels=2)
    with pytest.raises(ValueError, match="no option 'colour'; its options: size, fit, channels, background"):
        data.load(f"folder:{root}", colour=True)


def test_bad_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        data.load(f"folder:{tmp_path / 'none'}")
    with pytest.raises(DataError, match="no sub-folders"):
        data.load(f"folder:{tmp_path}")
    root = write_folder(tmp_path / "a", (4, 4))
    (root / "empty").mkdir()
    with pytest.raises(DataError, match="class 'empty' has no pictures"):
        data.load(f"folder:{root}")
    (root / "empty" / "a.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="empty/a.png does not decode as PNG, JPEG, BMP, WEBP, GIF, TIFF, PPM"):
        data.load(f"folder:{root}")
    Image.fromarray(RNG.integers(0, 9999, (4, 4), np.uint16)).save(root / "empty" / "a.png")
    with pytest.raises(DataError, match="16 bits"):
        data.load(f"folder:{root}")


def test_npz(tmp_path):
    x, y = RNG.integers(0, 256, (30, 6, 7), np.uint8), np.arange(30) % 3
    np.savez_compressed(tmp_path / "a.npz", x=x, y=y, class_names=["a", "b", "c"])
    images = data.load(f"npz:{tmp_path / 'a.npz'}", "all")
    assert np.array_equal(images.x[..., 0], x) and images.class_names == ("a", "b", "c")
    np.savez(tmp_path / "b.npz", x=np.asfortranarray(np.repeat(x[..., None], 3, axis=3)), y=y)
    images = data.load(f"npz:{tmp_path / 'b.npz'}", "all")
    assert np.array_equal(images.x[..., 2], x) and images.class_names == ("0", "1", "2")


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"y": np.arange(3)}, "must hold the array x, with y or without, or x_train to y_test .'x'"),
        ({"x_train": np.zeros((3, 4, 4), np.uint8)}, "must hold .*x_train to y_test .'x_test'"),
        ({"x": np.zeros((3, 4, 4)), "y": np.arange(3)}, r"x is float64 \[3, 4, 4, 1\]"),
        ({"x": np.zeros((3, 4, 4), np.uint8), "y": np.arange(2)}, r"y is int64 \[2\]; it must be 3 whole numbers"),
        (
            {"x": np.zeros((3, 4, 4), np.uint8), "y": np.array([0, 2, 2]), "class_names": ["a", "b", "c"]},
            "classes without an image: b",
        ),
        (
            {"x": np.zeros((3, 4, 4), np.uint8), "y": np.array([1, 2, 3]), "class_names": ["a", "b"]},
            "2 distinct classes",
        ),
        (
            {"x": np.zeros((3, 4, 4), np.uint8), "y": [True, True, True], "class_names": ["a", "b"]},
            "without an image: a",
        ),
        ({"x": np.zeros((3, 4, 4), np.uint8), "y": ["a", "b"]}, "y is <U1 .2.; it must be 3 whole .* or text"),
        ({"x": np.zeros((3, 4, 4), np.uint8), "y": np.zeros(3, complex)}, "y is complex128 .3.; it must be 3 whole"),
        ({"x": np.zeros((3, 4, 4), np.uint8), "y": np.array([-1, 0, 0])}, "whole numbers from 0 on"),
        ({"x": np.zeros((2, 4, 4), np.uint8), "y": np.arange(2), "class_names": ["a", "a"]}, "2 distinct classes"),
        ({"x": np.array([{}]), "y": np.arange(1)}, "does not read .Object arrays"),
    ],
)
def test_bad_npz(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message):
        data.load(f"npz:{tmp_path / 'a.npz'}")


def test_npz_that_is_none(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no zip")
    with pytest.raises(DataError, match="a.npz does not read .File is not a zip file"):
        data.load(f"npz:{tmp_path / 'a.npz'}")
    with pytest.raises(FileNotFoundError, match="no such file"):
        data.load(f"npz:{tmp_path / 'b.npz'}")


def test_an_array_that_promises_more_than_there_is(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 4, 4), np.uint8), y=np.arange(3))
    monkeypatch.setattr(own, "MAX_BYTES", 300)
    with pytest.raises(DataError, match="does not read .* bytes are promised; at most 300 are read"):
        data.load(f"npz:{tmp_path / 'a.npz'}")
    monkeypatch.undo()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)})
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())
    with pytest.raises(DataError, match="b.npz does not read"):
        data.load(f"npz:{tmp_path / 'b.npz'}")


@pytest.mark.parametrize("shape", [(-1, 28, 28), (-3, -3, 28), (2**62, 4, 4), (1, 28, 28)])
def test_a_shape_that_is_not_that_of_the_bytes_is_refused_before_they_are_unpacked(tmp_path, shape):
    header, mebi = io.BytesIO(), 1 << 20
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(64 * mebi))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"a.npz does not read .x.npy has the shape \[.*\] and 67,108,992 bytes"):
        data.load(f"npz:{tmp_path / 'a.npz'}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * mebi


def test_a_pipe_that_is_called_a_picture_is_refused(tmp_path):
    root = write_folder(tmp_path / "a", (4, 4))
    os.mkfifo(root / "cat" / "x.png")
    with pytest.raises(DataError, match="cat/x.png is no file, but a pipe or a folder; take it away"):
        data.load(f"folder:{root}")


def test_a_picture_without_its_last_bytes_is_refused(tmp_path):
    root = write_folder(tmp_path / "a", (40, 40))
    path = root / "dog" / "7.png"
    whole = path.read_bytes()
    for cut in (5, 12, 20, len(whole) // 2):  # of the last four bytes no pixel depends
        path.write_bytes(whole[:-cut])
        with pytest.raises(DataError, match="dog/7.png does not decode"):
            data.load(f"folder:{root}")


def test_pictures_together_take_no_more_memory_than_they_may(tmp_path, monkeypatch):
    root = write_folder(tmp_path / "a", (30, 30), count=2)
    monkeypatch.setattr(folder, "MAX_BYTES", 2 * 3_500)
    monkeypatch.setattr(own, "MAX_BYTES", 2 * 3_500)
    monkeypatch.setattr(folder, "decoded", lambda *_: pytest.fail("decoded before the sizes were known"))
    with pytest.raises(DataError, match="a: its 4 pictures of 30 x 30 pixels take more than .* smaller size"):
        data.load(f"folder:{root}")
    with pytest.raises(DataError, match="a: its 4 pictures of 20 x 20 pixels take more than"):
        data.load(f"folder:{root}", size=(20, 20), channels=3)
    monkeypatch.undo()
    assert data.load(f"folder:{root}", "all", size=(20, 20)).shape == (20, 20, 1)
    monkeypatch.setattr(own, "MAX_BYTES", 2 * 3_500)
    (tmp_path / "a.csv").write_bytes(bytes(900))
    with pytest.raises(DataError, match="a.csv has more than 875 bytes"):
        data.load(f"csv:{tmp_path / 'a.csv'}")


def test_csv(tmp_path):
    rows = ["label," + ",".join(f"pixel{at}" for at in range(1, 13))]
    rows += [f"{at % 2}," + ",".join(str(at * 10 + pixel) for pixel in range(12)) for at in range(20)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(rows))
    assert data.load(f"csv:{path}", "all", shape=(3, 4)).x[1, 2, 3, 0] == 21
    assert data.load(f"csv:{path}", "all", shape=(2, 2, 3)).shape == (2, 2, 3)
    with pytest.raises(DataError, match=r"12 pixels a row, not 3 x 3 x 1; pass shape"):
        data.load(f"csv:{path}")
    with pytest.raises(FileNotFoundError, match="no such file"):
        data.load("csv:nowhere.csv")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_packed_table_that_ends_too_soon_is_refused(tmp_path, pack):
    raw = pack(b"label,pixel1\n" + b"0,1\n" * 50)
    for kept in (2, 3, 9, len(raw) // 2, len(raw) - 1):
        (tmp_path / "a.csv").write_bytes(raw[:kept])
        with pytest.raises(DataError, match="a.csv does not unpack"):
            data.load(f"csv:{tmp_path / 'a.csv'}")
