"""Report 000's reading of by_class archives: its dictionaries, its arrays, and what is kept."""

import os
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

    def make(extra=()):
        path = tmp_path / "by_class.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("by_class/", b"")
            for label, character in enumerate(ALPHANUMERIC):
                for at in range(2):
                    file.writestr(f"by_class/{CHARACTER_TO_HEX[character]}/hsf_0/hsf_0_{at:05d}.png", png(label))
            for name, raw in extra:
                file.writestr(name, raw)
        return path

    return make


def test_dictionaries_both_ways():
    assert len(HEX_TO_CHARACTER) == 62 and HEX_TO_CHARACTER["4a"] == "J" and CHARACTER_TO_HEX["z"] == "7a"
    assert all(HEX_TO_CHARACTER[CHARACTER_TO_HEX[character]] == character for character in ALPHANUMERIC)
    assert [ALPHANUMERIC[number] for number in CHARACTER_TO_CLASS.values()] == list(CHARACTER_TO_CLASS)


def test_arrays_are_resized_labelled_and_shuffled_by_seed(archive):
    path = archive()
    x, y = by_class.convert(path, 16)
    assert x.shape == (124, 16, 16) and x.dtype == np.uint8
    assert np.array_equal(x[:, 0, 0], y) and np.any(np.diff(y) < 0) and np.bincount(y).tolist() == [2] * 62
    assert np.array_equal(by_class.convert(path, 16)[1], y)
    assert not np.array_equal(by_class.convert(path, 16, seed=1)[1], y)


def test_arrays_are_made_once_and_kept(archive, empty_cache, monkeypatch):
    path = archive()
    x, y = by_class.read((path,), "all", size=8)
    assert x.shape == (124, 8, 8, 1) and y.dtype == np.int64
    monkeypatch.setattr(by_class, "convert", lambda *_: pytest.fail("the arrays are there"))
    assert all(np.array_equal(*pair) for pair in zip((x, y), by_class.read((path,), "all", size=8), strict=True))


def test_an_altered_array_is_made_anew(archive, empty_cache):
    path = archive()
    x, _ = by_class.read((path,), "all", size=8)
    (kept,) = (empty_cache / "arrays").iterdir()
    raw = bytearray(kept.read_bytes())
    raw[len(raw) // 3] ^= 1
    kept.write_bytes(raw)
    assert np.array_equal(by_class.read((path,), "all", size=8)[0], x)


@pytest.mark.parametrize("raw, size", [(png(1, 64), "small"), (b"no png", "text")])
def test_a_picture_that_is_no_png_of_128_x_128(archive, raw, size):
    assert by_class.decode(raw, 28) is None
    with pytest.raises(DataError, match=f"by_class.zip: by_class/41/hsf_1/{size}.png is no PNG of 128 x 128"):
        by_class.convert(archive([(f"by_class/41/hsf_1/{size}.png", raw)]), 8)


@pytest.mark.parametrize("folder", ["xy", "7b", "2e", "041", ""])
def test_folder_that_is_none_of_the_62(archive, folder):
    with pytest.raises(DataError, match="is not the hexadecimal ASCII code of one of 0-9, A-Z, a-z"):
        by_class.class_of(folder, "f")
    if folder:
        with pytest.raises(DataError, match=f"by_class.zip: folder '{folder}' is not the hexadecimal"):
            by_class.convert(archive([(f"by_class/{folder}/hsf_0/a.png", b"")]), 8)


def test_the_repeated_training_folders_are_left_out(archive):
    extra = [("by_class/41/train_41/train_41_00000.png", png()), ("by_class/41/hsf_0.mit", b"text")]
    assert len(by_class.convert(archive(extra), 8)[0]) == 124


@pytest.mark.parametrize("step", ["decode", "savez", "fsync", "replace"])
def test_a_conversion_that_is_stopped_at_any_step_is_made_again_whole(archive, empty_cache, monkeypatch, step):
    path = archive()
    wanted = by_class.convert(path, 8)
    owner = {"decode": by_class, "savez": np}.get(step, os)
    work, calls = getattr(owner, step), []

    def stopped(*arguments, **options):
        calls.append(work(*arguments, **options) if step in ("decode", "savez") else None)
        if len(calls) == (50 if step == "decode" else 1):
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(owner, step, stopped)
    with pytest.raises(KeyboardInterrupt):
        by_class.read((path,), "all", size=8)
    assert not list(empty_cache.rglob("*.npz"))
    monkeypatch.setattr(owner, step, work)
    for _ in range(2):  # made again, then from the cache
        x, y = by_class.read((path,), "all", size=8)
        assert np.array_equal(x[..., 0], wanted[0]) and np.array_equal(y, wanted[1])
