"""Staleness: finished runs that use what has changed, and `make refresh`, which runs just those again."""

import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest
from tiny import ROOT, finished_run, write_notebook, write_project

from twinvae.run import Run, results


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """In the place of `twinvae.training`: one model was used, and `why` says why it is stale."""
    model = {"key": "ab", "name": "vae", "weights": "0" * 64, "card": "models/vae-ab/card.json"}
    module = types.SimpleNamespace(used=lambda: [model], stale=lambda folder: module.why, why="", model=model)
    monkeypatch.setitem(sys.modules, "twinvae.training", module)
    return module


def test_a_run_is_stale_with_the_models_that_it_used(project, training):
    run = results.read(finished_run("03_tiny", "torch"))
    assert run.manifest["used"]["models"] == [training.model] and not run.changed(project)
    training.why = "is stale: its probe gives another loss"
    assert not run.changed(project), "a model that is not at hand cannot be asked"
    card = project / "results" / "models" / "vae-ab" / "card.json"
    card.parent.mkdir(parents=True)
    card.write_text("{}")
    assert run.changed(project) == ["the model vae, which is stale: its probe gives another loss"]
    (card.parent / "weights.safetensors").write_bytes(b"other")
    assert run.changed(project) == ["the model vae, which was trained again"]
    sys.modules["twinvae.training"].used = lambda: []
    assert not results.read(finished_run("03_tiny", "tf")).changed(project)


def test_a_run_is_stale_with_the_runs_that_it_used(project):
    first, _ = (finished_run("03_tiny", backend, a=1.0) for backend in ("torch", "tf"))
    run = Run.start("01_alone", profile="smoke", epochs=1)
    others, _ = results.best(project / "results")
    results.resting_on(others["03", "torch"])
    run.finish()
    assert not results.read(run.folder).changed(project)
    finished_run("03_tiny", "tf", a=2.0)
    assert not results.read(run.folder).changed(project), "it was found, and not used"
    finished_run("03_tiny", "torch", a=1.0)
    assert not results.read(run.folder).changed(project), "the same numbers"
    finished_run("03_tiny", "torch", a=2.0)
    assert results.read(run.folder).changed(project) == ["smoke/03_tiny-torch"]
    shutil.rmtree(first)
    assert results.read(run.folder).changed(project) == ["smoke/03_tiny-torch"]


def test_a_run_from_before_manifests_said_what_is_used_is_stale(project):
    manifest = finished_run("03_tiny", "torch") / "manifest.json"
    known = json.loads(manifest.read_text())
    del known["used"]
    manifest.write_text(json.dumps(known))
    assert results.read(manifest.parent).changed(project) == ["manifests that say what a run uses"]


# --- make refresh --------------------------------------------------------------------------------
COUNT = """\
from twinvae import reference
run.number("kl", float(reference.kl_standard([[1.0]], [[0.0]])[0]))
"""
DRAW = """\
from twinvae.figures import drawing
fig, ax = plt.subplots()
drawing.draw(ax)
run.figure("drawing", fig, "A drawing")
"""


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a copy of the library of its own: one notebook with a figure, one without, both run."""
    folder = write_project(tmp_path_factory.mktemp("refresh"))
    shutil.copytree(ROOT / "lib" / "twinvae", folder / "lib" / "twinvae", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "lib" / "twinvae" / "figures" / "drawing.py").write_text("def draw(ax):\n    ax.plot([1, 2])\n")
    write_notebook(folder / "notebooks" / "01_alone.ipynb", backend=False, work=COUNT)
    write_notebook(folder / "notebooks" / "03_tiny.ipynb", work=COUNT + DRAW)
    table = 'NOTEBOOKS = {"01_alone": [None], "03_tiny": ["torch", "tf"]}\n'
    text = re.sub(r"NOTEBOOKS = \{.*?\n\}\n", table, (ROOT / "Snakefile").read_text(), flags=re.DOTALL)
    (folder / "Snakefile").write_text(text)
    run(folder, "-m", "snakemake", "--cores", "1", "--quiet", "all", "--config", "profile=smoke", "backend=torch")
    return folder


def change(path: Path, old: str, new: str) -> None:
    """Put something else in the place of what stands in a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def run(folder: Path, *words: str) -> str:
    """What Python prints that runs in the project, with the project's own library."""
    environment = os.environ | {"PYTHONPATH": str(folder / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def times(folder: Path) -> dict[str, int]:
    """When the manifest of each run was written."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("results/smoke/*/manifest.json")}


@pytest.mark.slow
def test_refresh_runs_what_is_stale_and_nothing_else(refreshed):
    before = times(refreshed)
    assert set(before) == {"01_alone", "03_tiny-torch"}
    for path in (refreshed / "lib").rglob("*.py"):
        path.write_text("# A comment in every file.\n" + path.read_text())
    assert run(refreshed, "-m", "twinvae.run.refresh") == "nothing is stale\n" and times(refreshed) == before
    run(refreshed, "-m", "snakemake", "--cores", "1", "--quiet", "all", "--config", "profile=smoke", "backend=torch")
    assert times(refreshed) == before

    change(refreshed / "lib/twinvae/figures/drawing.py", "[1, 2]", "[2, 1]")
    out = run(refreshed, "-m", "twinvae.run.refresh")
    assert "smoke/03_tiny-torch is older than twinvae.figures.drawing:draw (only in figures: drawing)" in out
    assert "01_alone" not in out and "refreshed: 1 runs" in out
    after = times(refreshed)
    assert after["01_alone"] == before["01_alone"] and after["03_tiny-torch"] > before["03_tiny-torch"]
    assert run(refreshed, "-m", "twinvae.run.refresh") == "nothing is stale\n"
