"""What every test shares."""

import sys
from pathlib import Path

import pytest

from tiny import write_project


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the profile, the results folder or the threads of whoever runs the tests."""
    for name in ("TWINVAE_PROFILE", "TWINVAE_RESULTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MPLBACKEND", "agg")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as the current folder."""
    monkeypatch.chdir(tmp_path)
    return write_project(tmp_path)


@pytest.fixture
def python() -> str:
    """The interpreter of these tests, for commands in a process of their own."""
    return sys.executable
