"""Every test here runs without a network, and with data only where the test asks for it."""

import pytest


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """No download from inside a test."""
    monkeypatch.setenv("TWINVAE_OFFLINE", "1")


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    """A cache of the test's own, so that it sees no file of the user's and leaves none."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    return tmp_path / "cache" / "twinvae"


@pytest.fixture
def data_root(monkeypatch, tmp_path, empty_cache):
    """An empty TWINVAE_DATA folder."""
    root = tmp_path / "data"
    root.mkdir()
    monkeypatch.setenv("TWINVAE_DATA", str(root))
    return root
