"""The pipeline of report 000 on by_class archives: its dictionaries, its arrays, resuming and failures."""

import json
import zipfile

import cv2
import numpy as np
import pytest

from twinvae.data import DataError, by_class
from twinvae.data.by_class import ALPHANUMERIC, CHARACTER_TO_CLASS, CHARACTER_TO_HEX, HEX_TO_CHARACTER


def png(value=0, side=128):
    return cv2.imencode(".png", np.full((side, side), value, np.uint8))[1].tobytes()


@pytest.fixture
def archive(tmp_path):
    """Writes a by_class zip: two pictures a class, grey value = class number; more members on request."""

    def make(extra=(), skip=(), count=2):
        path = tmp_path / "by_class.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("by_class/", b"")
            for label, character in enumerate(ALPHANUMERIC):
                for at in range(count * (character not in skip)):
                    file.writestr(f"by_class/{CHARACTER_TO_HEX[character]}/hsf_0/hsf_0_{at:05d}.png", png(label))
            for name, raw in extra:
                file.writestr(name, raw)
        return path

    return make


def test_dictionaries_both_ways():
    assert len(HEX_TO_CHARACTER) == 62 and HEX_TO_CHARACTER["4a"] == "J" and CHARACTER_TO_HEX["z"] == "7a"
    assert all(HEX_TO_CHARACTER[CHARACTER_TO_HEX[character]] == character for character in ALPHANUMERIC)
    assert [ALPHANUMERIC[number] for number in CHARACTER_TO_CLASS.values()] == list(CHARACTER_TO_CLASS)


def test_arrays_are_resized_labelled_and_shuffled_by_seed(tmp_path, archive):
    path = archive()
    by_class.convert(path, tmp_path / "a", 16)
    x, y = by_class.read_converted(tmp_path / "a")
    assert x.shape == (124, 16, 16) and x.dtype == np.uint8
    assert np.array_equal(x[:, 0, 0], y) and np.any(np.diff(y.astype(int)) < 0)
    by_class.convert(path, tmp_path / "b", 16)
    assert np.array_equal(np.load(tmp_path / "b" / "labels.npy"), y)
    by_class.convert(path, tmp_path / "c", 16, seed=1)
    assert not np.array_equal(np.load(tmp_path / "c" / "labels.npy"), y)


def test_a_folder_gives_the_same_as_the_zip(tmp_path, archive):
    path = archive()
    zipfile.ZipFile(path).extractall(tmp_path / "tree")
    by_class.convert(path, tmp_path / "a", 8)
    by_class.convert(tmp_path / "tree" / "by_class", tmp_path / "b", 8)
    for one, other in zip(
        by_class.read_converted(tmp_path / "a"), by_class.read_converted(tmp_path / "b"), strict=True
    ):
        assert np.array_equal(one, other)


def test_it_goes_on_where_it_was_interrupted(tmp_path, archive, monkeypatch):
    path, folder = archive(), tmp_path / "a"
    monkeypatch.setattr(by_class, "CHUNK", 50)
    decode, seen = by_class.decode, []

    def stop_after_60(raw, size):
        seen.append(1)
        if len(seen) > 60:
            raise KeyboardInterrupt
        return decode(raw, size)

    monkeypatch.setattr(by_class, "decode", stop_after_60)
    with pytest.raises(KeyboardInterrupt):
        by_class.convert(path, folder, 8, workers=1)
    assert by_class.read_converted(folder) is None and json.loads((folder / "state.json").read_text())["done"] == 50
    rest = []
    monkeypatch.setattr(by_class, "decode", lambda raw, size: rest.append(1) or decode(raw, size))
    by_class.convert(path, folder, 8)
    assert len(rest) == 74
    by_class.convert(path, tmp_path / "b", 8)
    assert np.array_equal(np.load(folder / "images.npy"), np.load(tmp_path / "b" / "images.npy"))


def test_pictures_that_do_not_decode_are_counted_listed_and_left_out(tmp_path, archive, capsys):
    flipped = bytearray(png(5))
    flipped[60] ^= 1
    bad = [
        ("by_class/41/hsf_1/text.png", b"no png"),
        ("by_class/41/hsf_1/small.png", png(1, 64)),
        ("by_class/61/hsf_1/flipped.png", bytes(flipped)),
    ]
    done = by_class.convert(archive(bad, count=5), tmp_path / "a", 8)
    assert done["failures"] == [
        "by_class/41/hsf_1/small.png: is 64 x 64, not 128 x 128",
        "by_class/41/hsf_1/text.png: is no PNG",
        "by_class/61/hsf_1/flipped.png: is a damaged PNG",
    ]
    x, y = by_class.read_converted(tmp_path / "a")
    assert len(x) == len(y) == 310 and np.array_equal(x[:, 0, 0], y)
    assert "3 pictures left out, listed in" in capsys.readouterr().out


def test_more_than_one_percent_of_failures_stops(tmp_path, archive):
    with pytest.raises(DataError, match="2 of 126 pictures failed, more than 1 %; the first is .*, which is no PNG"):
        by_class.convert(archive([(f"by_class/41/hsf_1/{at}.png", b"") for at in (1, 2)]), tmp_path / "a", 8)
    assert by_class.read_converted(tmp_path / "a") is None


@pytest.mark.parametrize("folder", ["xy", "7b", "2e", "041", ""])
def test_folder_that_is_none_of_the_62(folder):
    with pytest.raises(DataError, match="is not the hexadecimal ASCII code of one of 0-9, A-Z, a-z"):
        by_class.class_of(folder, "f")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"extra": [("by_class/zz/hsf_0/a.png", b"")]}, "folder 'zz' is not the hexadecimal"),
        ({"extra": [("../a.png", b"")]}, "points outside the archive"),
        ({"skip": "Qr"}, "no pictures of Q r"),
    ],
)
def test_archives_that_are_not_in_the_layout(tmp_path, archive, change, message):
    with pytest.raises(DataError, match=message):
        by_class.convert(archive(**change), tmp_path / "a", 8)


def test_the_repeated_training_folders_are_left_out(tmp_path, archive):
    extra = [("by_class/41/train_41/train_41_00000.png", png()), ("by_class/41/hsf_0.mit", b"text")]
    assert by_class.convert(archive(extra), tmp_path / "a", 8)["images"] == 124


def test_an_altered_array_is_made_anew(tmp_path, archive):
    by_class.convert(archive(), tmp_path / "a", 8)
    raw = bytearray((tmp_path / "a" / "images.npy").read_bytes())
    raw[-1] ^= 1
    (tmp_path / "a" / "images.npy").write_bytes(raw)
    assert by_class.read_converted(tmp_path / "a") is None
