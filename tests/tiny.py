"""Tiny projects, notebooks and runs, for the tests of the pipeline."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import nbformat

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
sizes = pd.DataFrame({"model_name": ["AE", "VAE"], "nats": [1.5, -2.25]})
run.table("sizes", sizes, caption="Two sizes")
score = run.number("score", 0.5 * epochs, fmt=".1f")
minus = run.number("minus", -1.25e-3, fmt=".1e")
2 + 2"""
TRAININGS = """
from twinvae_studies import jobs as training_jobs
from dataclasses import replace
from twinvae.spec import TrainSpec
from twinvae.training import Job
from twinvae_studies import planning, report001_anomalies

def tiny(profile, backend, epochs):
    images = planning.recipe("digits", planning.sizes(40, 20, 20))
    good = Job(report001_anomalies.detector("good", (8, 8, 1), 4, 2), (TrainSpec(epochs, 8),), images, backend)
    bad = replace(good, phases=(TrainSpec(epochs, 8, 1e30, "sgd"),), spec=replace(good.spec, name="bad"))
    return [good, bad]

training_jobs.STUDIES, training_jobs.shared = {"03_tiny": tiny}, list
"""


def write_notebook(path: Path, backend: bool = True, work: str = WORK) -> Path:
    """Write a notebook of the house's form, not executed."""
    parameters = 'profile: str = "quick"  # smoke, quick or full\n'
    parameters += 'backend: str = "torch"  # torch or tf\n' if backend else ""
    parameters += "epochs: int = 3  # rounds through the data"
    start = START.format(name=path.stem, backend="backend=backend, " if backend else "")
    sources = [(parameters, ["parameters"]), (start, ["nbval-ignore-output"]), (work, ["nbval-check-output"])]
    sources += [('print("half:", 1 / 2)', ["nbval-check-output"])]
    sources += [('run.check("a half of two is one", 2 / 2 == 1)\nrun.finish()', ["nbval-check-output"])]
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": tags} if tags else {}) for source, tags in sources]
    title, findings = (
        nbformat.v4.new_markdown_cell(f"# {path.stem}"),
        nbformat.v4.new_markdown_cell("Findings: none."),
    )
    notebook = nbformat.v4.new_notebook(cells=[title, *cells, findings])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def write_project(folder: Path) -> Path:
    """Make a project of a folder: one notebook that takes a backend, one that takes none."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    write_notebook(folder / "notebooks" / "03_tiny.ipynb")
    write_notebook(folder / "notebooks" / "01_alone.ipynb", backend=False)
    return folder


def write_trainings(folder: Path) -> Path:
    """Make a project of a folder whose `make train` has two short trainings: `good`, and `bad`, which diverges."""
    write_project(folder)
    text = (ROOT / "Snakefile").read_text()
    (folder / "Snakefile").write_text(text.replace("\nrule all:", f"{TRAININGS}\nrule all:"))
    return folder


def finished_run(
    name: str, backend: str | None, profile: str = "smoke", kind: str = "official", **numbers: float
) -> Path:
    """A finished run of the current project, with a figure, a table and the numbers given; returns its folder."""
    from matplotlib import pyplot as plt
    from pandas import DataFrame

    from twinvae.data import Source
    from twinvae.run import Run

    run = Run.start(name, profile=profile, epochs=2, **({"backend": backend} if backend else {}))
    run.use(
        Source(
            "tiny",
            "stand-in: tiny files" if kind == "stand-in" else "tiny files",
            kind,
            (("tiny-images.gz", "ab" * 32),),
        )
    )
    fig, ax = plt.subplots(figsize=(4.77, 1.5))
    ax.plot([1, 2])
    run.figure("line", fig, caption="A line, 100 % straight & short")
    run.table("sizes", DataFrame({"model_name": ["AE"], "nats": [-1.5]}), caption="Sizes")
    for key, value in numbers.items():
        run.number(key, value)
    run.finish()
    return run.folder


CLAIM = {
    "id": "C-1",
    "report": "004",
    "notebook": "03",
    "where": "2.4",
    "said": "A is below 5 % of B.",
    "shown": {"A": "a", "B": "b"},
    "holds_if": "a < b - 0.5",
    "fails_if": "a > b + 0.5",
    "because": "Half of one is more than noise.",
    "control": {"B itself": {"a": "b"}},
    "decided_by": "a larger B.",
}


class Kept(SimpleNamespace):
    """A run as far as numbers are kept: `Kept(numbers={})`."""

    def number(self, name, value, fmt=".2f", sources=None):
        self.numbers[name] = value
        return value
