"""Folders, arrays and tables as people have them: turned, transparent, hidden, in halves, without labels."""

import dataclasses
import gzip
import json
import os
import subprocess

import numpy as np
import pytest
from PIL import Image

from twinvae import data
from twinvae.data import DataError, folder

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (20, 30, 3), np.uint8)


@pytest.fixture(autouse=True)
def says_all_again():
    """What is said once a process is said once a test."""
    folder.say.cache_clear()


def save(path, array=COLOURS, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def load(path, **options):
    return data.load(f"folder:{path}", "all", **options)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff", ".jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_lies_as_its_camera_says(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[folder.ORIENTATION] = orientation
    picture = np.full((20, 30, 3), 40, np.uint8)
    picture[:8, :16] = 200  # blocks of whole cells, which a JPEG keeps
    picture = COLOURS if suffix != ".jpg" else picture
    save(tmp_path / "a" / f"x{suffix}", picture, exif=exif, **({"lossless": True} if suffix == ".webp" else {}))
    turned = {1: picture, 2: picture[:, ::-1], 3: picture[::-1, ::-1], 4: picture[::-1]}
    flipped = picture.swapaxes(0, 1)
    turned |= {5: flipped, 6: flipped[:, ::-1], 7: flipped[::-1, ::-1], 8: flipped[::-1]}
    for size in (None, turned[orientation].shape[:2]):
        image = load(tmp_path, size=size).x[0]
        assert image.shape == turned[orientation].shape
        assert np.abs(image.astype(int) - turned[orientation]).max() <= (12 if suffix == ".jpg" else 0)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "RGB", "L"])
def test_transparency_lies_on_white_or_on_what_is_asked_for(tmp_path, mode):
    """Black ink on transparent paper: the upper half is ink."""
    ink = np.zeros((20, 30), np.uint8)
    alpha = np.where(np.arange(20)[:, None] < 10, 255, 0).astype(np.uint8) + ink
    options = {}
    if mode in ("RGBA", "LA"):
        picture = Image.fromarray(np.dstack([ink] * (len(mode) - 1) + [alpha]), mode)
    elif mode == "PA":
        picture, mode = Image.fromarray(np.dstack([ink] * 3 + [alpha])).quantize(4), "P"
    else:  # one shade stands for transparent
        paper = np.where(alpha, 0, 77).astype(np.uint8)
        picture = Image.fromarray(paper).convert(mode)
        options["transparency"] = (77, 77, 77) if mode == "RGB" else 77
    (tmp_path / "a").mkdir()
    picture.save(tmp_path / "a" / "x.png", **options)
    for ground in (255, 0, 90):
        image = load(tmp_path, background=ground).x[0]
        assert (image[:10] == 0).all() and (image[10:] == ground).all()
    assert (load(tmp_path).x[0, 10:] == 255).all()
    with pytest.raises(ValueError, match="background 300; .* 0..255 are allowed"):
        load(tmp_path, background=300)


@pytest.mark.parametrize("hidden", [".ipynb_checkpoints/x.png", "._000.png", "@eaDir/x.png", "deep/.git/x.png"])
def test_hidden_and_system_files_are_passed_over_at_any_depth(tmp_path, hidden, capsys):
    save(tmp_path / "a" / "x.png")
    save(tmp_path / "b" / "deep" / "y.png")
    save(tmp_path / "b" / hidden)
    (tmp_path / "b" / "Thumbs.db").write_bytes(b"system")
    save(tmp_path / "__MACOSX" / "a" / "x.png")
    save(tmp_path / ".cache" / "x.png")
    images = load(tmp_path)
    assert images.class_names == ("a", "b") and len(images) == 2 and not capsys.readouterr().out


def test_pictures_of_every_kind_are_read_and_what_is_left_out_is_counted(tmp_path, capsys):
    smooth = np.repeat(np.arange(0, 240, 8, np.uint8)[None, :, None], 20, axis=0).repeat(3, axis=2)
    for suffix in folder.SUFFIXES:
        array = smooth[..., 0] if suffix == ".pgm" else smooth
        options = {"lossless": True} if suffix == ".webp" else {}
        save(tmp_path / "a" / f"x{suffix.upper()}", array, **options)
        image = folder.decoded(tmp_path / "a" / f"x{suffix.upper()}", None, "crop", 3, 255)
        grey = array if array.ndim == 3 else array[..., None]
        assert np.abs(image.astype(int) - grey).max() <= (4 if suffix in (".jpg", ".jpeg") else 0), suffix
    (tmp_path / "a" / "notes.txt").touch()
    (tmp_path / "a" / "more.txt").touch()
    (tmp_path / "a" / "raw.CR2").touch()
    (tmp_path / "README").touch()
    save(tmp_path.with_name("linked") / "y.png")
    (tmp_path / "a" / "one").symlink_to(tmp_path.with_name("linked"))
    (tmp_path / "b").symlink_to(tmp_path.with_name("linked"))
    images = load(tmp_path)
    assert images.class_names == ("a", "b") and len(images) == len(folder.SUFFIXES) + 1
    load(tmp_path)
    said = capsys.readouterr().out.splitlines()
    assert said == [f"folder:{tmp_path}: left out are 1 .CR2, 2 .txt, 1 README, 1 links to folders"], said


def test_a_grey_palette_is_grey_and_a_coloured_one_is_not(tmp_path):
    Image.fromarray(COLOURS[..., 0]).convert("P").save(_made(tmp_path / "grey" / "x.png"))
    assert load(tmp_path).shape == (20, 30, 1)
    Image.fromarray(COLOURS).quantize(16).save(_made(tmp_path / "colour" / "x.png"))
    assert load(tmp_path).shape == (20, 30, 3)


LATIN_1 = os.fsdecode(b"caf\xe9")  # as the system gives a name that is no UTF-8


def on_latin_1(path):
    """Make a folder called so; the test is skipped where the file system takes UTF-8 alone."""
    try:
        path.mkdir(parents=True)
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    return path


@pytest.mark.parametrize(
    "called, read",
    [
        ("New\u00a0York", "New\u00a0York"),
        ("\u6771\u3000\u4eac", "\u6771\u3000\u4eac"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\U0001f468\u200d\U0001f33e", "\U0001f468\u200d\U0001f33e"),
        (LATIN_1, "caf\u00e9"),
        (f"\u6771 {LATIN_1}", "\u6771 caf\u00e9"),
        ("bell\x07", "bell\\x07"),
        ("two\nlines", "two\\nlines"),
        (os.fsdecode(b"it\x92s"), "it\\x92s"),
    ],
    ids=ascii,
)
def test_a_class_is_called_as_its_folder_is_what_is_no_utf_8_as_latin_1(tmp_path, called, read):
    save(on_latin_1(tmp_path / called) / "x.png")
    assert load(tmp_path).class_names == (read,) and read.encode()


def test_a_folder_that_is_no_utf_8_may_be_anywhere_in_the_path(tmp_path, capsys):
    above = on_latin_1(tmp_path / LATIN_1)
    for at in range(4):
        save(above / LATIN_1 / "a" / f"{at}.png", RNG.integers(0, 256, (4, 5 + at), np.uint8))
    np.savez(above / "a.npz", x=RNG.integers(0, 256, (5, 4, 4), np.uint8), y=[0, 1, 1, 0, 0])
    images = load(above / LATIN_1, size=4)
    assert images.source.label == "own data: caf\u00e9" and images.source.dataset == "folder:caf\u00e9"
    assert "caf\u00e9/caf\u00e9: pictures of 4 sizes are" in capsys.readouterr().out
    assert data.load(f"npz:{above / 'a.npz'}", "all").source.label == "own data: a.npz"


def _made(path):
    path.parent.mkdir(parents=True)
    return path


def test_classes_and_pictures_come_as_people_count(tmp_path):
    for name in ("10", "2", "1", "b", "A"):
        for picture in ("img10.png", "img9.png"):
            save(tmp_path / name / picture, np.full((4, 4), 9 if "9" in picture else 10, np.uint8))
    images = load(tmp_path)
    assert images.class_names == ("1", "2", "10", "A", "b") and images.x[:4, 0, 0, 0].tolist() == [9, 10, 9, 10]


@pytest.mark.parametrize(
    "halves, tests",
    [
        (("train", "test"), "test"),
        (("Training", "Validation", "Testing"), "Testing"),
        (("test", "train"), "test"),
        (("TRAIN", "val"), "val"),
        (("training_set", "test_set"), "test_set"),
        (("Training Set", "Test-Set"), "Test-Set"),
        (("train", "eval"), "eval"),
        (("train", "dev"), "dev"),
        (("train", "holdout"), "holdout"),
        (("train", "dev", "test"), "test"),
        (("train", "dev", "eval"), "eval"),
        (("train", "eval", "test"), "test"),
    ],
)
@pytest.mark.parametrize("labelled", [True, False])
def test_halves_are_no_classes_and_are_kept(tmp_path, halves, tests, labelled, capsys):
    for at, half in enumerate(halves):
        for name in ("cat", "dog"):
            for picture in range(2 + at):
                path = tmp_path / half / (f"{name}/{picture}.png" if labelled else f"{name}{picture}.png")
                save(path, np.full((4, 4), at * 50 + picture + 20 * (name == "dog"), np.uint8))
    train, test = (data.load(f"folder:{tmp_path}", half) for half in ("train", "test"))
    assert train.class_names == test.class_names == (("cat", "dog") if labelled else ("unlabelled",))
    assert {int(x) // 50 for x in test.x[:, 0, 0, 0]} == {halves.index(tests)}
    assert len(train) + len(test) == len(load(tmp_path)) == 2 * sum(2 + at for at in range(len(halves)))
    parts = data.splits(f"folder:{tmp_path}")
    assert len(parts.test) == len(test) and len(parts.train) + len(parts.valid) == len(train)
    (train_name,) = (half for half in halves if half.lower().startswith("train"))
    others = set(halves) - {train_name, tests}
    said = capsys.readouterr().out
    assert (
        said.count("is read with") == len(others) == sum(f"{half} is read with {train_name}" in said for half in others)
    )
    assert ("are halves without labels" in said) == (not labelled)
    save(tmp_path / halves[1] / "cow" / "x.png")
    with pytest.raises(DataError, match="have not the same classes: 'c(at|ow)' is not in all of them"):
        load(tmp_path)


@pytest.mark.parametrize("names", [("train", "tests"), ("trainee", "test"), ("set", "train"), ("test",)])
def test_other_names_beside_those_of_halves_are_classes(tmp_path, names):
    for name in names:
        save(tmp_path / name / "x.png")
    assert load(tmp_path).class_names == tuple(sorted(names))


def test_pictures_beside_the_classes_of_halves_are_counted(tmp_path, capsys):
    for name in ("train/a/x.png", "test/a/x.png", "train/y.png", "test/z.png"):
        save(tmp_path / name)
    (tmp_path / "test" / "list.csv").touch()
    assert len(load(tmp_path)) == 2
    assert "left out are 1 .csv, 2 .png" in capsys.readouterr().out


@pytest.mark.parametrize("left", ["train", "test"])
def test_a_half_without_pictures_is_refused(tmp_path, left):
    save(tmp_path / left / "x.png")
    (tmp_path / "train").mkdir(exist_ok=True)
    (tmp_path / "test").mkdir(exist_ok=True)
    with pytest.raises(DataError, match="classes without an image for t(raining|ests): unlabelled"):
        load(tmp_path)


def test_all_that_do_not_decode_are_named_at_once(tmp_path):
    for at in range(12):
        save(tmp_path / "a" / f"{at}.png")
        (tmp_path / "a" / f"bad{at}.png").write_bytes(b"no picture")
    with pytest.raises(DataError) as error:
        load(tmp_path)
    assert all(f"bad{at}.png does not decode" in str(error.value) for at in range(9))
    assert str(error.value).endswith("And 3 more.")


LOAD = """
import resource, sys
from twinvae import data
for count in (3, 30):
    data.load(f"folder:{count}", "all", size=(8, 8))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_number_of_large_pictures(tmp_path, python):
    """30 photos of two megapixels, 6 MB each, brought to 8 x 8: as much memory as 3 of them."""
    save(tmp_path / "photo.jpg", np.zeros((1250, 1600, 3), np.uint8))
    for count in (3, 30):
        (tmp_path / str(count) / "a").mkdir(parents=True)
        for at in range(count):
            (tmp_path / str(count) / "a" / f"{at}.jpg").symlink_to(tmp_path / "photo.jpg")
    done = subprocess.run([python, "-c", LOAD], cwd=tmp_path, capture_output=True, text=True)
    few, many = (int(line) for line in done.stdout.splitlines() if line.isdecimal())
    assert many < 1.05 * few, done.stderr


def test_pictures_and_arrays_without_labels_are_one_class(tmp_path):
    for at in range(12):
        save(tmp_path / "flat" / f"{at}.png", RNG.integers(0, 256, (8, 8), np.uint8))
    assert load(tmp_path / "flat").class_names == ("unlabelled",)
    assert len(data.splits(f"folder:{tmp_path / 'flat'}").train) == 10
    np.savez(tmp_path / "a.npz", x=RNG.integers(0, 256, (12, 8, 8), np.uint8))
    images = data.load(f"npz:{tmp_path / 'a.npz'}", "all")
    assert images.class_names == ("unlabelled",) and not images.y.any()


def test_an_archive_as_keras_has_it(tmp_path):
    x = RNG.integers(0, 256, (12, 8, 8), np.uint8)
    y = (np.arange(12) % 3)[:, None]
    np.savez(tmp_path / "a.npz", x_train=x[:9], y_train=y[:9], x_test=x[9:], y_test=y[9:])
    for half, rows in (("all", slice(None)), ("train", slice(9)), ("test", slice(9, None))):
        images = data.load(f"npz:{tmp_path / 'a.npz'}", half)
        np.testing.assert_array_equal(images.x[..., 0], x[rows])
        assert images.y.tolist() == y[rows, 0].tolist()
    np.savez(tmp_path / "a.npz", x_train=x[:9], y_train=y[:9], x_test=x[9:], y_test=[[0], [1], [1]])
    with pytest.raises(DataError, match="a.npz: 3 distinct classes .* classes without an image for tests: 2"):
        data.load(f"npz:{tmp_path / 'a.npz'}")


def test_halves_of_an_archive_without_labels_are_one_class(tmp_path):
    x = RNG.integers(0, 256, (12, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=x[:9], x_test=x[9:])
    for half, rows in (("all", slice(None)), ("train", slice(9)), ("test", slice(9, None))):
        images = data.load(f"npz:{tmp_path / 'a.npz'}", half)
        np.testing.assert_array_equal(images.x[..., 0], x[rows])
        assert images.class_names == ("unlabelled",) and not images.y.any()
    np.savez(tmp_path / "a.npz", x_train=x[:9], y_train=np.arange(9) % 3, x_test=x[9:])
    with pytest.raises(DataError, match="must hold .*x_train to y_test .'y_test"):
        data.load(f"npz:{tmp_path / 'a.npz'}")


@pytest.mark.parametrize(
    "y, given, names, labels",
    [
        ([True, False, True], None, ("False", "True"), [1, 0, 1]),
        ([True, False, True], ["no", "yes"], ("no", "yes"), [1, 0, 1]),
        (["b10", "b2", "b10"], None, ("b2", "b10"), [1, 0, 1]),
        (["dog", "cat", "dog"], ["dog", "cat"], ("cat", "dog"), [1, 0, 1]),
        ([["dog"], ["cat"], ["dog"]], None, ("cat", "dog"), [1, 0, 1]),
        ([b"caf\xc3\xa9", b"bar", b"caf\xe9t"], None, ("bar", "caf\u00e9", "caf\u00e9t"), [1, 0, 2]),
        ([1, 2, 3], None, ("1", "2", "3"), [0, 1, 2]),
        ([10, 2, 2], None, ("2", "10"), [1, 0, 0]),
        ([1, 2, 1], ["cat", "dog"], ("cat", "dog"), [0, 1, 0]),
        (np.array([7, 2**40, 7], np.uint64), None, ("7", str(2**40)), [0, 1, 0]),
        (np.array([5, 5, 5], np.int8), None, ("5",), [0, 0, 0]),
    ],
)
def test_labels_of_an_archive_may_be_words_bools_or_any_numbers(tmp_path, y, given, names, labels, capsys):
    x = RNG.integers(0, 256, (3, 4, 4), np.uint8)
    np.savez(tmp_path / "a.npz", x=x, y=y, **({} if given is None else {"class_names": given}))
    images = data.load(f"npz:{tmp_path / 'a.npz'}", "all")
    assert images.class_names == names and images.y.tolist() == labels
    assert f"; the classes are called {', '.join(names)}" in capsys.readouterr().out
    np.savez(tmp_path / "b.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    assert data.load(f"npz:{tmp_path / 'b.npz'}", "test").y.tolist() == labels


@pytest.mark.parametrize(
    "header, rows, ends",
    [
        ("label,pixel1,pixel2,pixel3,pixel4", ["0,1,2,3,4", "1,5,6,7,8"], "\n"),
        ("\ufefflabel,pixel1,pixel2,pixel3,pixel4", ["0,1,2,3,4", "1,5,6,7,8"], "\r\n"),
        ('"Label","Pixel0","Pixel1","Pixel2","Pixel3"', ['"0",1,2,3,4', "1,5,6,7,8"], "\n"),
        ("label,1x1,1x2,2x1,2x2", ["0,1,2,3,4", "1,5,6,7,8", ""], "\n"),
        ("class, 0, 1, 2, 3", ["0,1,2,3,4", "1,5,6,7,8", "", ""], "\n"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_tables_as_they_are_found(tmp_path, header, rows, ends, packed):
    raw = ends.join([header, *rows]).encode()
    (tmp_path / "a.csv").write_bytes(gzip.compress(raw) if packed else raw)
    images = data.load(f"csv:{tmp_path / 'a.csv'}", "all")
    assert images.x.reshape(2, 4).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]] and images.y.tolist() == [0, 1]


def test_labels_of_a_table_may_have_gaps(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("label,pixel1\n7,1\n3,2\n7,3\n")
    images = data.load(f"csv:{tmp_path / 'a.csv'}", "all")
    assert images.class_names == ("3", "7") and images.y.tolist() == [1, 0, 1]
    assert "its labels are 3, 7; the classes are called 3, 7" in capsys.readouterr().out


@pytest.mark.parametrize(
    "header", ["label,pixel2,pixel1", "label,pixel1,pixel3", "pixel1,pixel2,label", "label", "label,a,b"]
)
def test_a_header_that_says_something_else_is_refused(tmp_path, header):
    (tmp_path / "a.csv").write_text(f"{header}\n0,1,2\n")
    with pytest.raises(DataError, match="row 1: the header begins"):
        data.load(f"csv:{tmp_path / 'a.csv'}", shape=(1, 2))


def test_the_folder_that_one_is_in_has_a_name(tmp_path, monkeypatch):
    save(tmp_path / "pets" / "a" / "x.png")
    monkeypatch.chdir(tmp_path / "pets")
    assert data.load("folder:.", "all").source.label == "own data: pets"


@pytest.mark.parametrize(
    "written", ["folder:pets", "folder:./pets/", "folder:", "npz:pets.npz", "csv:../sets/pets.csv"]
)
def test_a_recipe_finds_the_same_images_from_another_folder(tmp_path, monkeypatch, written):
    x = RNG.integers(0, 256, (12, 4, 4), np.uint8)
    for at, picture in enumerate(x):
        save(tmp_path / "sets" / "pets" / "ab"[at % 2] / f"{at}.png", picture)
    np.savez(tmp_path / "sets" / "pets.npz", x=x, y=np.arange(12) % 2)
    rows = [",".join(map(str, [at % 2, *picture.ravel()])) for at, picture in enumerate(x)]
    (tmp_path / "sets" / "pets.csv").write_text("\n".join([",".join(["label", *map(str, range(16))]), *rows]))
    monkeypatch.chdir(tmp_path / "sets" / "pets" if written == "folder:" else tmp_path / "sets")
    images = data.splits(written, seed=3, train_size=6)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    kept = json.loads(json.dumps(dataclasses.asdict(images.recipe)))  # as a job or a card has it
    pairs = {name: tuple(map(tuple, kept[name])) for name in ("options", "arguments")}
    again = data.from_recipe(data.Recipe(**kept | pairs))
    for part in ("train", "valid", "test"):
        assert getattr(again, part).fingerprint == getattr(images, part).fingerprint
    assert again.recipe == images.recipe
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}/elsewhere/lost: there is no such f"):
        data.splits(f"{written.partition(':')[0]}:lost")


def test_a_recipe_of_a_whole_path_does_not_depend_on_where_it_is_made(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", x=RNG.integers(0, 256, (12, 4, 4), np.uint8))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (f"npz:{tmp_path / 'a.npz'}", "npz:~/a.npz"):
        assert data.splits(name).recipe == data.Recipe(name)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_pictures_of_many_sizes_come_to_one(tmp_path, fit, capsys):
    """A black picture with a white right third; upright it is two thirds white at the foot."""
    wide = np.zeros((20, 60), np.uint8)
    wide[:, 40:] = 200
    save(tmp_path / "a" / "wide.png", wide)
    save(tmp_path / "a" / "high.png", np.full((40, 20), 100, np.uint8))
    save(tmp_path / "a" / "square.png", np.full((30, 30), 50, np.uint8))
    high, square, wide = load(tmp_path, size=12, fit=fit, background=7).x[..., 0]
    assert (square == 50).all()
    if fit == "crop":  # the middle third
        assert (wide == 0).all() and (high == 100).all()
    else:
        assert (wide[:4] == 7).all() and (wide[8:] == 7).all() and (wide[4:8, 8:] == 200).all()
        assert (high[:, :3] == 7).all() and (high[:, 3:9] == 100).all()
    how = "cut to their middle" if fit == "crop" else "padded with 7"
    assert f"pictures of 3 sizes are {how}, for 12 x 12" in capsys.readouterr().out
    assert load(tmp_path, size=(6, 18)).shape == (6, 18, 1)


@pytest.mark.parametrize("options", [{"size": 0}, {"size": (4, 4, 4)}, {"size": -3}, {"fit": "stretch"}])
def test_a_size_that_is_none_is_refused(tmp_path, options):
    save(tmp_path / "a" / "x.png")
    with pytest.raises(ValueError, match="a side or .H, W., 'crop' or 'pad', 1 or 3, and 0..255 are allowed"):
        load(tmp_path, **options)


@pytest.mark.parametrize("counts", [(60, 3), (200, 4), (3, 3), (30,), (3,), (40, 3, 7, 12)])
def test_few_pictures_of_a_class_are_in_every_part(tmp_path, counts):
    y = np.repeat(np.arange(len(counts)), counts)
    np.savez(tmp_path / "a.npz", x=RNG.integers(0, 256, (len(y), 4, 4), np.uint8), y=y)
    for seed in range(3):
        parts = data.splits(f"npz:{tmp_path / 'a.npz'}", seed)
        for part in (parts.train, parts.valid, parts.test):
            assert np.unique(part.y).tolist() == list(range(len(counts)))


@pytest.mark.parametrize("counts, copies", [((200, 1), 0), ((30, 2), 0), ((2,), 0), ((30, 1), 9), ((30, 2), 9)])
def test_too_few_pictures_of_a_class_are_refused_before_anything_else(tmp_path, counts, copies):
    y = np.repeat(np.arange(len(counts)), counts)
    x = RNG.integers(0, 256, (len(y), 4, 4), np.uint8)
    x, y = np.concatenate([x, x[-1:].repeat(copies, 0)]), np.concatenate([y, y[-1:].repeat(copies)])
    np.savez(tmp_path / "a.npz", x=x, y=y)
    message = f"class '{len(counts) - 1}' has too few images; a class needs 3 different images at least"
    with pytest.raises(DataError, match=message):
        data.splits(f"npz:{tmp_path / 'a.npz'}")


@pytest.mark.parametrize("kind", ["npz", "csv", "halves", "named"])
def test_a_condition_may_be_numbers(tmp_path, kind):
    x = RNG.integers(0, 256, (20, 3, 3), np.uint8)
    y = RNG.normal(size=(20, 2)).astype(np.float32)
    names, path = ("y0", "y1"), tmp_path / "a.npz"
    if kind == "csv":
        names, path = ("cos", "sin"), tmp_path / "a.csv"
        rows = [",".join(map(str, [*condition, *image.ravel()])) for condition, image in zip(y, x, strict=True)]
        path.write_text("\n".join([",".join([*names, *(f"pixel{at}" for at in range(9))]), *rows]))
    elif kind == "halves":
        np.savez(path, x_train=x[:15], y_train=y[:15], x_test=x[15:], y_test=y[15:])
    else:
        names = ("a", "b") if kind == "named" else names
        np.savez(path, x=x, y=y, **({"class_names": names} if kind == "named" else {}))
    images = data.load(f"{path.suffix[1:]}:{path}", "all")
    assert images.class_names == names and images.shape == (3, 3, 1)
    np.testing.assert_allclose(images.y, y, rtol=1e-6)
    parts = data.splits(f"{path.suffix[1:]}:{path}", train_size=8, valid_size=2, test_size=1)
    assert [len(parts.train), len(parts.valid), len(parts.test)] == [8, 2, 1]


def test_a_condition_that_is_none_is_refused(tmp_path):
    x = np.zeros((3, 2, 2), np.uint8)
    for y, names in ((np.full((3, 2), np.nan), ()), (np.zeros((2, 2)), ()), (np.zeros((3, 2)), ("a", "a"))):
        np.savez(tmp_path / "a.npz", x=x, y=y, **({"class_names": names} if names else {}))
        with pytest.raises(DataError, match="a condition must be finite numbers .3, K. with K different names"):
            data.load(f"npz:{tmp_path / 'a.npz'}")
    (tmp_path / "a.csv").write_text("angle,size,pixel1\n0.5,big,3\n")
    with pytest.raises(DataError, match="a.csv, row 2, column size: 'big'; a condition must be a number"):
        data.load(f"csv:{tmp_path / 'a.csv'}")
