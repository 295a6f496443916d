"""What every test shares."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import write_project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first, so that with several processes none is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> Iterator[None]:
    """No test sees the profile, the results folder or the threads of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TWINVAE_PROFILE", "TWINVAE_RESULTS"):
            patch.delenv(name, raising=False)
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("MPLBACKEND", "agg")
        yield


@pytest.fixture(autouse=True)
def no_figures_left() -> Iterator[None]:
    """No test sees the figures that another left open."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as the current folder."""
    monkeypatch.chdir(tmp_path)
    return write_project(tmp_path)


@pytest.fixture
def python() -> str:
    """The interpreter of these tests, for commands in a process of their own."""
    return sys.executable


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty results folder, in which models are kept, too."""
    monkeypatch.setenv("TWINVAE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"
