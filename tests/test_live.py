"""A notebook that is alive: cells run again, in any order; and runs on other data, which never meet those in git."""

import json
import os
import subprocess
from pathlib import Path

import nbformat
import numpy as np
import pytest
from live import numbers
from nbclient import NotebookClient
from PIL import Image
from tiny import ROOT, finished_run, write_notebook

from twinvae import paths
from twinvae.run import Run, results

BREAK = 'raise RuntimeError("a cell that fails")'


def execute(project: Path, *sources: str, history: bool = True) -> str:
    """Run these cells one after another in a kernel of the project; return what they print, errors included."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    folder = {"metadata": {"path": str(project / "notebooks")}}
    NotebookClient(
        notebook, kernel_name="python3", resources=folder, allow_errors=True, store_history=history
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    return "".join(output.get("text", "") + output.get("evalue", "") for output in outputs)


@pytest.fixture
def cells(project) -> list[str]:
    """The code cells of the project's notebook, in smoke: parameters, start, work, words, finish."""
    path = project / "notebooks" / "03_tiny.ipynb"
    path.write_text(path.read_text().replace('\\"quick\\"', '\\"smoke\\"'))
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_each_cell_run_twice_leaves_what_one_run_leaves(project):
    path = project / "notebooks" / "03_tiny.ipynb"
    once = numbers(path, project / "once", 1)
    assert once and numbers(path, project / "twice", 2) == once
    manifests = [json.loads(next((project / n).rglob("manifest.json")).read_text()) for n in ("once", "twice")]
    for part in ("files", "captions", "checks", "numbers", "formats", "shown", "data"):
        assert manifests[0].get(part) == manifests[1].get(part), part


def test_a_client_that_keeps_no_history_finishes_too(project, cells):
    assert "unfinished" not in execute(project, *cells, history=False)
    assert (project / "results" / "smoke" / "03_tiny-torch" / "manifest.json").exists()


def test_what_a_cell_kept_is_replaced_when_it_runs_again_changed(project, cells):
    parameters, start, work, words, finish = cells
    changed = work.replace("0.5 * epochs", "7.5").replace('"Two sizes"', '"Two other sizes"')
    said = execute(project, parameters, start, work, changed, work, words, finish, changed)
    folder = project / "results" / "smoke" / "03_tiny-torch"
    assert "Error" not in said and json.loads((folder / "numbers.json").read_text())["score"] == 1.5
    assert not (folder / "manifest.json").exists(), "what was kept after the end is not what the manifest vouches for"


def test_one_name_twice_in_one_cell_is_a_mistake(project, cells):
    said = execute(project, *cells[:2], "for at in range(2):\n    run.number('score', at)")
    assert "number score was kept before in this cell; give it another name" in said


def test_finish_says_what_was_not_run_and_deletes_nothing(project, cells):
    parameters, start, work, words, finish = cells
    folder = project / "results" / "smoke" / "03_tiny-torch"
    execute(project, *cells)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert folder / "manifest.json" in before
    said = execute(project, parameters, start, "run.number('other', 1)", finish)
    assert said.endswith(
        "unfinished: not run since Run.start, as they stand in 03_tiny.ipynb, code cell 3, code cell 4\n"
    )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    only = "fig, ax = plt.subplots()\nrun.figure('line', fig, caption='Another line')"
    assert "unfinished" in execute(project, parameters, start, only, finish)
    assert {path for path in before if not path.exists()} == {folder / "manifest.json"}
    said = execute(project, *cells[:2], BREAK, work, words, finish)
    assert "a cell that fails" in said and "unfinished" not in said and (folder / "manifest.json").exists()
    assert "unfinished" in execute(project, *cells, start, finish), "each start begins anew"


@pytest.mark.parametrize(
    "dataset", ["mnits", "folder:nowhere", "folder:broken", "npz:broken.npz", "csv:broken/a/b.png"]
)
def test_data_that_cannot_be_read_leave_a_finished_run_finished(project, dataset):
    (project / "broken" / "a").mkdir(parents=True)
    (project / "broken" / "a" / "b.png").write_bytes(b"no picture")
    (project / "broken.npz").write_bytes(b"no archive")
    path = write_notebook(project / "notebooks" / "05_data.ipynb")
    path.write_text(
        path.read_text().replace("epochs: int = 3 ", 'dataset: str = \\"mnist\\"  # a name\\n",\n    "epochs: int = 3 ')
    )
    start = {"profile": "smoke", "backend": "torch", "epochs": 1}
    run = Run.start("05_data", **start, dataset="mnist")
    run.number("score", 1)
    run.finish()
    before = {path: path.read_bytes() for path in (project / "results").rglob("*") if path.is_file()}
    with pytest.raises((ValueError, FileNotFoundError), match="unknown|no such|does not|header begins"):
        Run.start("05_data", **start, dataset=dataset)
    assert {path: path.read_bytes() for path in (project / "results").rglob("*") if path.is_file()} == before


def test_a_run_on_other_data_is_another_run(project):
    """Own data of two places with one name, and another set: each in a folder of its own, that no report reads."""
    path = project / "notebooks" / "03_tiny.ipynb"
    path.write_text(
        path.read_text().replace("epochs: int = 3 ", 'dataset: str = \\"mnist\\"  # a name\\n",\n    "epochs: int = 3 ')
    )
    folders = []
    for place in ("here/My pets, 2024 \N{CAT}.npz", "there/My pets, 2024 \N{CAT}.npz"):
        (project / place).parent.mkdir()
        np.savez(project / place, x=np.zeros((3, 8, 8), np.uint8))
        folders.append(Run.start("03_tiny", "quick", "torch", epochs=2, dataset=f"npz:{project / place}").folder)
    folders.append(Run.start("03_tiny", "quick", "torch", epochs=2, dataset="usps").folder)
    ours = Run.start("03_tiny", "quick", "torch", epochs=2, dataset="mnist").folder
    assert len({*folders, ours}) == 4 and ours == project / "results" / "quick" / "03_tiny-torch"
    names = [folder.relative_to(project / "results").parts for folder in folders]
    assert [name[0] for name in names] == ["own"] * 3 and [name[2:] for name in names] == [ours.parts[-2:]] * 3
    assert names[0][1].startswith("My-pets-2024-") and names[0][1].isascii() and names[2][1] == "usps"
    for folder in folders:
        (folder / "manifest.json").write_text("{}")
    finished_run("01_alone", None, profile="quick")
    assert [*results.best(project / "results")[0]] == [("01", "none")]


@pytest.mark.parametrize("place", ["pets", "m\u00e9decine/pets", os.fsdecode(b"caf\xe9/pets"), os.fsdecode(b"caf\xe9")])
def test_a_run_on_own_data_lies_in_one_folder_however_their_path_is_written(project, place, monkeypatch):
    path = write_notebook(project / "notebooks" / "05_data.ipynb")
    path.write_text(
        path.read_text().replace("epochs: int = 3 ", 'dataset: str = \\"mnist\\"  # a name\\n",\n    "epochs: int = 3 ')
    )
    try:
        (project / place / "a").mkdir(parents=True)
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(project / place / "a" / "x.png")
    monkeypatch.setenv("HOME", str(project))
    written = [place, f"./{place}/", f"~/{place}", project / place]
    runs = [Run.start("05_data", "smoke", "torch", epochs=1, dataset=f"folder:{path}") for path in written]
    runs[-1].number("score", 1)
    runs[-1].finish()
    assert len({run.folder for run in runs}) == 1 and runs[0].folder.as_posix().isascii()


@pytest.mark.parametrize(
    "path", ["own/pets-12345678/quick/03_digits_ae_vae_cvae-torch", "models/report004_vae-own-0123456789abcdef"]
)
def test_git_passes_over_runs_and_models_of_own_data(path):
    for name in ("manifest.json", "numbers.json", "card.json", "weights.safetensors", "tables/t.csv"):
        done = subprocess.run(["git", "check-ignore", "-q", f"results/{path}/{name}"], cwd=ROOT)
        assert done.returncode == 0, name


HOLD = """
from pathlib import Path
from twinvae import paths
paths.hold(Path("results/smoke/03_tiny-torch"))
print("held", flush=True)
input()
"""


def test_two_runs_at_a_time_into_one_folder_are_said(project, python, capsys):
    start = dict(name="03_tiny", profile="smoke", backend="torch", epochs=2)
    words = "another process writes into 03_tiny-torch, too"
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen([python, "-c", HOLD], cwd=project, **pipes) as other:
        assert other.stdout.readline() == "held\n"
        Run.start(**start)
        assert words in capsys.readouterr().out
        other.communicate("\n")
    paths.release(project / "results" / "smoke" / "03_tiny-torch")
    Run.start(**start)
    Run.start(**start)  # again in one kernel is no second run
    assert words not in capsys.readouterr().out
