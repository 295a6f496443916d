"""Every set of the table: its stand-in, and the real files where they are at hand."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from formats import write_mnist

from twinvae import data
from twinvae.data import SETS, finding, sign_language
from twinvae.data.strict_yaml import read_yaml

NAMES = [name for name in SETS if name != "digits"]
REAL = pytest.mark.skipif("TWINVAE_DATA" not in os.environ, reason="TWINVAE_DATA is not set")


def check(images, dataset):
    assert images.shape == dataset.shape and images.class_names == dataset.class_names
    assert np.bincount(images.y, minlength=len(dataset.class_names)).min() > 0
    assert images.x.std() > 10


@pytest.mark.parametrize("name", NAMES)
def test_stand_in_has_the_shape_the_classes_and_clean_splits(name):
    splits = data.splits(name, edition="stand-in", train_size=500)
    for part in (splits.train, splits.valid, splits.test):
        check(part, SETS[name])
        assert part.source.kind == "stand-in"
    assert len(splits.train) == 500 and len(data.shared_images(splits.train, splits.test)) == 0
    again = data.splits(name, edition="stand-in", train_size=500)
    assert np.array_equal(again.train.x, splits.train.x) and splits.record() == again.record()
    other = data.splits(name, edition="stand-in", train_size=500, seed=1)
    assert np.array_equal(other.test.x, splits.test.x) and not np.array_equal(other.train.x, splits.train.x)


def test_mnist_stand_in_sizes():
    splits = data.splits("mnist", edition="stand-in")
    counts = [np.bincount(part.y).tolist() for part in (splits.train, splits.valid, splits.test)]
    assert counts == [[400] * 10, [50] * 10, [50] * 10]


def test_a_set_of_sets_keeps_the_order_of_its_classes():
    both, digits, letters = (data.load(name, "test", edition="stand-in") for name in
                             ("characters", "mnist", "emnist_letters"))  # fmt: skip
    assert np.array_equal(both.x, np.concatenate([digits.x, letters.x]))
    assert np.array_equal(both.y, np.concatenate([digits.y, 10 + letters.y]))
    assert both.source.label == f"{digits.source.label} and {letters.source.label}"
    assert both.source.kind == "stand-in" and both.source.files == digits.source.files + letters.source.files


def test_more_than_there_is_gives_all_and_says_so(capsys):
    assert len(data.splits("mnist", edition="stand-in", train_size=60_000).train) == 4_000
    assert "mnist: train_size=60,000, but there are 4,000 images; all are taken." in capsys.readouterr().out


def test_digits_are_always_there():
    check(data.load("digits", "all"), SETS["digits"])
    splits = data.splits("digits")
    assert [len(splits.train), len(splits.valid), len(splits.test)] == [1439, 179, 179]
    assert splits.source.kind == "official" and splits.train.x.max() == 255


def test_table_is_complete():
    for name, dataset in SETS.items():
        assert dataset.name == name and dataset.licence and dataset.citation and dataset.url.startswith("http")
        assert bool(dataset.editions) != bool(dataset.parts) and len(set(dataset.class_names)) == len(
            dataset.class_names
        )
        assert [edition.kind for edition in dataset.editions if edition.kind not in ("official", "variant")] == []
        for file in dataset.files:
            algorithm, _, value = file.checksum.partition(":")
            assert len(value) == {"sha256": 64, "md5": 32}[algorithm]
        for edition in dataset.editions:
            assert set(edition.halves) in ({"all"}, {"train", "test"}) and set(edition.files()) <= set(dataset.files)


def test_sign_language_labels():
    raw = sign_language.RAW_LABELS
    assert len(raw) == 24 and "J" not in sign_language.CLASS_NAMES and "Z" not in sign_language.CLASS_NAMES
    assert sign_language.VOWELS == (0, 4, 8, 13, 19) and [raw[at] for at in sign_language.VOWELS] == [0, 4, 8, 14, 20]


def test_options_of_a_set():
    assert data.load("nist", "test", edition="stand-in", size=16).shape == (16, 16, 1)
    with pytest.raises(ValueError, match="size is 200; it must be a whole number from 4 to 128"):
        data.load("nist", edition="stand-in", size=200)
    with pytest.raises(ValueError, match="task is 'word'; choose one of letter, vowel, rotation"):
        data.load("sign_language", edition="stand-in", task="word")


def test_sign_language_tasks():
    letters = data.load("sign_language", "test", edition="stand-in")
    vowels = data.load("sign_language", "test", edition="stand-in", task="vowel")
    assert vowels.class_names == ("consonant", "vowel")
    assert np.array_equal(vowels.y == 1, np.isin([letters.class_names[y] for y in letters.y], list("AEIOU")))
    turned = data.load("sign_language", "test", edition="stand-in", task="rotation")
    assert len(turned) == 4 * len(letters) and turned.class_names[1] == "90 degrees"
    blocks = turned.x.reshape(4, *letters.x.shape)
    # Counter-clockwise: the top right corner comes to the top left.
    assert np.array_equal(blocks[0], letters.x) and np.array_equal(blocks[1][:, 0, 0], letters.x[:, 0, -1])
    assert np.array_equal(np.rot90(blocks[3], axes=(1, 2)), letters.x)


def test_near_duplicates_never_cross_a_split():
    images = data.load("sign_language", "all", edition="stand-in")
    groups = sign_language.near_duplicates(images)
    # 24 letters, 10 photographs each, 20 copies of each.
    assert len(np.unique(groups)) == 240 and np.bincount(groups).tolist() == [20] * 240
    splits = data.splits("sign_language", edition="stand-in")
    train, valid = (
        set(sign_language.near_duplicates(data.load("sign_language", edition="stand-in"))[index])
        for index in (splits.indices["train"], splits.indices["valid"])
    )
    assert not train & valid


def test_rotation_does_not_leak_between_parts():
    splits = data.splits("sign_language", edition="stand-in", task="rotation")
    assert len(data.shared_images(splits.train, splits.valid)) == 0 and len(splits.train) == 4 * 3_360


def loaded(code):
    """The modules that a process has loaded after this code, heavy ones and the parts of twinvae.data."""
    code = f"import sys; {code}; print(*sys.modules, file=sys.stderr)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    heavy = {
        "pandas",
        "cv2",
        "h5py",
        "scipy",
        "sklearn",
        "PIL",
        "requests",
        "mlxtend",
        "matplotlib",
        "torch",
        "tensorflow",
    }
    return heavy & set(names), {name.rpartition(".")[2] for name in names if name.startswith("twinvae.data.")}


def test_import_is_light():
    heavy, parts = loaded("import twinvae.data")
    assert not heavy and not parts & READERS


def test_list_is_light():
    heavy, parts = loaded("from twinvae.data.__main__ import main; main(['list'])")
    assert not heavy and not parts & READERS


READERS = {"idx", "digits", "sign_language", "by_class", "cifar", "own", "standins"}


@REAL
@pytest.mark.parametrize("name, heavy, reader", [("mnist", set(), "idx"), ("usps_raw", {"h5py"}, "digits")])
def test_only_the_reader_of_the_set_is_loaded(name, heavy, reader):
    found, parts = loaded(f"from twinvae import data; data.splits({name!r})")
    assert found == heavy and parts & READERS == {reader}


def test_mnist_needs_nothing_but_numpy(data_root):
    """Its files at hand, the core's data come without the libraries of the other readers."""
    write_mnist(data_root / "mnist")
    blocked = ["pandas", "scipy", "sklearn", "matplotlib", "IPython", "requests", "h5py", "PIL", "cv2", "mlxtend"]
    code = f"""if True:
        import sys
        from dataclasses import replace
        sys.modules |= dict.fromkeys({blocked})
        from twinvae import data
        from twinvae.data import finding
        finding.matches = lambda path, checksum: True
        finding.digest = lambda path: "0" * 64
        finding.verified = lambda folder, file: folder / file.name
        images = data.splits("mnist")
        print(len(images.train), images.source.kind, data.from_recipe(images.recipe).record() == images.record())
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "350 official True\n"


@REAL
def test_real_mnist_is_official_and_fast():
    start = time.perf_counter()
    splits = data.splits("mnist")
    assert time.perf_counter() - start < 5  # the goal, 1 s, is measured by the benchmark on a quiet machine
    assert [len(splits.train), len(splits.valid), len(splits.test)] == [55_000, 5_000, 10_000]
    assert splits.source.kind == "official" and splits.train.y.dtype == np.int64
    assert len(data.shared_images(splits.train, splits.test)) == 0


@REAL
@pytest.mark.parametrize("name", NAMES)
def test_real_files_are_known_and_give_the_published_sizes(name):
    if finding.search(SETS[name], ("train", "test")) is None:
        pytest.skip(f"{name} is not at hand")
    images = data.load(name, "test")
    assert images.source.kind in ("official", "variant")
    check(images, SETS[name])
    if "test" in SETS[name].sizes and "all" not in finding.find(SETS[name], ("test",)).edition.halves:
        assert len(images) == SETS[name].sizes["test"]


@REAL
def test_real_emnist_is_upright_and_the_mapping_agrees():
    mapping = (finding.folders(SETS["emnist_letters"])[0] / "emnist-letters-mapping.txt").read_text().split()
    numbers = dict(zip(map(int, mapping[::3]), map(int, mapping[1::3]), strict=True))
    assert [chr(numbers[label]) for label in range(1, 27)] == list(SETS["emnist_letters"].class_names)
    letters = data.load("emnist_letters", "test")
    # Upright, the foot of an L is at the bottom and the bar of a T at the top.
    mean = {name: letters.x[letters.y == label].mean(axis=0)[..., 0] for label, name in enumerate(letters.class_names)}
    assert mean["T"][6:10].sum() > mean["T"][18:22].sum() and mean["M"][4:24, :9].sum() > mean["M"][:9, 4:24].sum()


@REAL
def test_real_usps_libsvm_is_the_smoothed_raw_one():
    smooth, raw = data.load("usps", "test"), data.load("usps_raw", "test")
    assert np.array_equal(smooth.y, raw.y) and not np.array_equal(smooth.x, raw.x)
    assert np.abs(np.diff(smooth.x.astype(int), axis=2)).mean() < np.abs(np.diff(raw.x.astype(int), axis=2)).mean()
    assert smooth.source.kind == "official"
    assert data.splits("usps").source.kind == "variant"
    assert "usps-rebuilt.bz2" in dict(data.splits("usps").source.files)


@REAL
def test_real_sign_language_copies_of_photographs():
    images = data.load("sign_language", "all")
    sizes = np.bincount(sign_language.near_duplicates(images))
    assert len(images) == 7_172 and sizes.min() > 1 and np.median(sizes) == 21


@REAL
def test_real_cifar10_jpeg_is_near_the_exact_images():
    exact, jpeg = (data.load("cifar10", "test", edition="first5000"), data.load("cifar10", "test", edition="jpeg"))
    for label in range(10):
        one, other = exact.x[exact.y == label].astype(float), jpeg.x[jpeg.y == label].astype(float)
        assert np.median((one - other[: len(one)]) ** 2) < 100
    assert jpeg.class_names == SETS["cifar10"].class_names


def test_a_key_that_stands_twice_is_refused_by_name_and_line(tmp_path):
    file = tmp_path / "sets.yaml"
    file.write_text("a: &a {x: 1}\nb: {<<: *a, x: 2}\n")
    assert read_yaml(file) == {"a": {"x": 1}, "b": {"x": 2}}
    for text, line in (("a: 1\nb: 2\na: 3\n", 1), ("a: 1\nb:\n  - {c: 1, c: 2}\n", 3)):
        file.write_text(text)
        with pytest.raises(ValueError, match=rf"sets.yaml is no well-formed YAML: the key '[ac]' .* line {line}, "):
            read_yaml(file)
    file.write_text("a: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(ValueError, match="sets.yaml is no well-formed YAML"):
        read_yaml(file)
