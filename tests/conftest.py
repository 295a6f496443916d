"""A tiny project with tiny notebooks, for the tests of the pipeline."""

import shutil
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]

START = """\
import matplotlib.pyplot as plt
import pandas as pd
from twinvae.data import Source
from twinvae.run import Run

run = Run.start({name!r}, profile=profile, {backend}epochs=epochs)"""
WORK = """\
run.use(Source("tiny", "tiny, made for tests", "stand-in", (("tiny.bin", "ab" * 32),)))
fig, ax = plt.subplots(figsize=(4.77, 1.5))
ax.plot([1, 2, epochs])
run.figure("line", fig, caption="A line of 100 % & nothing_else, with $x^2$")
table = run.table("sizes", pd.DataFrame({"model_name": ["AE", "VAE"], "nats": [1.5, -2.25]}), caption="Two sizes")
score = run.number("score", 0.5 * epochs, fmt=".1f")
minus = run.number("minus", -1.25e-3, fmt=".1e")
2 + 2"""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the profile, the results folder or the threads of whoever runs the tests."""
    for name in ("TWINVAE_PROFILE", "TWINVAE_RESULTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MPLBACKEND", "agg")


def write_notebook(path: Path, backend: bool = True, work: str = WORK) -> Path:
    """Write a notebook of the house's form, not executed."""
    parameters = 'profile: str = "quick"  # smoke, quick, overnight or full\n'
    parameters += 'backend: str = "torch"  # torch or tf\n' if backend else ""
    parameters += "epochs: int = 3  # rounds through the data"
    start = START.format(name=path.stem, backend="backend=backend, " if backend else "")
    sources = [(parameters, ["parameters"]), (start, []), (work, ["nbval-check-output"])]
    sources += [('run.check("a half of two is one", 2 / 2 == 1)\nrun.finish()', ["nbval-check-output"])]
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": tags} if tags else {}) for source, tags in sources]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# {path.stem}"), *cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with one notebook that takes a backend and one that takes none; the current folder."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    write_notebook(tmp_path / "notebooks" / "03_tiny.ipynb")
    write_notebook(tmp_path / "notebooks" / "01_alone.ipynb", backend=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def python() -> str:
    """The interpreter of these tests, for commands in a process of their own."""
    return sys.executable
