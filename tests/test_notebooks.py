"""The committed notebooks: their form, and nbval, which runs them again in the smoke profile."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tiny import ROOT, write_notebook

from twinvae.run.notebook import declared_parameters

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LINES, DEF_LINES, COMPARED = 20, 5, 3
# Notebooks that may define classes and longer functions, and their cells that may be longer; and why.
TEACHES = {
    "01b_from_scratch": (4, 5)  # the models written out, in PyTorch and in TensorFlow, each to be read at one look
}
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|work|tmp|Users|mnt|opt|private|var)/[\w.]")
NESTED = re.compile(r"(?<![\w^_\\}{])\{[a-z]\w*\}")  # a {name}; in LaTeX something stands before the brace
FORBIDDEN = re.compile(r"^\s*[!%]\s*pip|sys\.path|urlretrieve|pooch\.", re.MULTILINE)


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def faults(path: Path) -> list[str]:
    """What is not as the house wants it in a notebook as it is committed."""
    notebook = nbformat.read(path, as_version=4)
    cells = notebook.cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    of_code = [*faults_of_code(code, path.stem), *faults_of_outputs(code)]
    return [*faults_of_order(cells), *of_code, *faults_of_traces(path, notebook)]


def faults_of_order(cells: list[nbformat.NotebookNode]) -> list[str]:
    """Title, parameters, start, the story, the checks, findings."""
    kinds = [cell.cell_type for cell in cells]
    found = []
    if kinds[:3] != ["markdown", "code", "code"] or not cells[0].source.startswith("# "):
        found.append("it starts with a title, the parameters and the start of the run")
    elif tags(cells[1]) != ["parameters"] or "Run.start(" not in cells[2].source:
        found.append("the second cell is tagged parameters, the third calls Run.start")
    elif "nbval-ignore-output" not in tags(cells[2]):
        found.append("the start prints threads and folder, which differ: tag it nbval-ignore-output")
    last = max(at for at, kind in enumerate(kinds) if kind == "code")
    if kinds[-1] != "markdown" or "run.finish()" not in cells[last].source:
        found.append("it ends with run.finish() and the findings in words")
    elif "nbval-check-output" not in tags(cells[last]):
        found.append("the last code cell is compared by nbval")
    if sum("nbval-check-output" in tags(cell) for cell in cells) < COMPARED:
        found.append(f"at least {COMPARED} cells are compared by nbval")
    return found


def faults_of_code(code: list[nbformat.NotebookNode], name: str) -> list[str]:
    """Short cells; no class and no long function but where they are taught; no installing, no download."""
    found = []
    for number, cell in enumerate(code, start=1):
        if len(cell.source.splitlines()) > LINES and number not in TEACHES.get(name, ()):
            found.append(f"code cell {number} has more than {LINES} lines")
        if re.match(r"run\.number\(.*\)$", cell.source.rstrip().rpartition("\n")[2]):
            found.append(f"code cell {number} ends in a number that it shows: put a ; behind it")
        if cell.source.rstrip().endswith(";") and "nbval-ignore-output" not in tags(cell):
            found.append(f"code cell {number} ends in a ; which is not heeded under nbval: tag it nbval-ignore-output")
        if FORBIDDEN.search(cell.source):
            found.append(f"code cell {number} installs, downloads or edits sys.path")
        for node in ast.walk(ast.parse(cell.source)) if name not in TEACHES else ():
            if isinstance(node, ast.ClassDef):
                found.append(f"code cell {number} has a class")
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > DEF_LINES:
                found.append(f"code cell {number} has a function of more than {DEF_LINES} lines")
        found += [f"code cell {number}: findings do not fill {name} within a word" for name in unfilled(cell.source)]
    parameters = [line for cell in code if "parameters" in tags(cell) for line in cell.source.splitlines() if line]
    plain = [line for line in parameters if not re.fullmatch(r"\w+: [\w \[\]|,]+ = \S.*  # \S.*", line)]
    return [*found, *(f"parameter without type or comment: {line}" for line in plain)]


def unfilled(source: str) -> list[str]:
    """The {names} within the words that `run.findings` is given: only those of its text are filled."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    words = [word for call in calls if getattr(call.func, "attr", "") == "findings" for word in call.keywords]
    texts = [node.value for word in words for node in ast.walk(word) if isinstance(node, ast.Constant)]
    return [name for text in texts for name in NESTED.findall(str(text))]


def faults_of_outputs(code: list[nbformat.NotebookNode]) -> list[str]:
    """Outputs of one run from the first cell to the last, without errors."""
    found = []
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("the code cells are not counted from 1 on, as one run counts them")
    for number, cell in enumerate(code, start=1):
        if "nbval-check-output" in tags(cell) and not cell.outputs:
            found.append(f"code cell {number} is to be compared and has no output")
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                found.append(f"code cell {number} shows an error or a warning: {str(output)[:200]}")
        for image, below in pairwise([*cell.outputs, {}]):
            words = image.get("metadata", {}).get("image/png", {}).get("alt", "")
            if "image/png" in image.get("data", {}) and (
                not words or below.get("data", {}).get("text/markdown") != f"*{words}*"
            ):
                found.append(f"code cell {number} has a figure without its words as alternative text and below it")
    return found


def faults_of_traces(path: Path, notebook: nbformat.NotebookNode) -> list[str]:
    """Nothing of papermill and of the machine it ran on."""
    found = []
    if "papermill" in notebook.metadata or any("papermill" in cell.metadata for cell in notebook.cells):
        found.append("it holds metadata of papermill")
    if any("injected-parameters" in tags(cell) for cell in notebook.cells):
        found.append("it holds a cell that papermill injected")
    # Pictures are base64, in which anything may stand.
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if "image/png" not in line)
    found += [f"it holds a path of a machine: {match[0]}" for match in MACHINE_PATH.finditer(text)]
    return found


def nbval(notebook: Path, results: Path, how: str = "--nbval-lax", profile: str = "smoke"):
    """Run a notebook and compare the cells that are marked, or with --nbval all of them; results go elsewhere."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", how, "--nbval-cell-timeout=600"]
    command += [f"--rootdir={notebook.parent}", "-c", os.devnull, str(notebook)]
    environment = os.environ | {"TWINVAE_PROFILE": profile, "TWINVAE_RESULTS": str(results)}
    environment.pop("MPLBACKEND", None)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_form_of_a_notebook(path):
    assert not faults(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nbval_runs_a_notebook_again(path, tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    done = nbval(path, tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert list(tmp_path.glob("smoke/*/manifest.json")), "the run came to its end"


@pytest.mark.slow
def test_all_that_a_notebook_prints_is_the_same_with_other_threads_and_another_folder(tmp_path, monkeypatch):
    """As its readers compare it: every cell, in the profile that is shown."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    done = nbval(ROOT / "notebooks" / "01_theory.ipynb", tmp_path, "--nbval", "quick")
    assert done.returncode == 0, done.stdout[-4000:]


def test_every_notebook_is_in_the_snakefile():
    table = re.search(r"NOTEBOOKS = (\{.*?\n\})\n", (ROOT / "Snakefile").read_text(), flags=re.DOTALL)[1]
    listed = ast.literal_eval(table)
    for path in NOTEBOOKS:
        assert path.stem in listed, f"{path.name} is not in the Snakefile"
        takes_backend = "backend" in declared_parameters(path)
        assert listed[path.stem] == (["torch", "tf"] if takes_backend else [None])


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny notebook with the outputs of a run, as it would be committed."""
    folder = tmp_path_factory.mktemp("executed")
    shutil.copy(ROOT / "pyproject.toml", folder)
    path = write_notebook(folder / "notebooks" / "01_alone.ipynb", backend=False)
    notebook = nbformat.read(path, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWINVAE_PROFILE", "smoke")
        patch.delenv("MPLBACKEND", raising=False)
        NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    nbformat.write(notebook, path)
    return path


@pytest.mark.slow
def test_nbval_takes_what_is_right_and_catches_a_doctored_output(executed, tmp_path):
    right = nbval(executed, tmp_path / "one")
    assert right.returncode == 0, right.stdout
    text = executed.read_text()
    doctored = executed.with_name("01_doctored.ipynb")
    doctored.write_text(text.replace("holds: a half of two is one", "holds: a half of two is two"))
    assert doctored.read_text() != text
    wrong = nbval(doctored, tmp_path / "two")
    doctored.unlink()
    assert wrong.returncode != 0 and "a half of two is two" in wrong.stdout


def doctor(path: Path, change) -> list[str]:
    """The faults of a copy of a notebook after a change."""
    notebook = json.loads(path.read_text())
    change(notebook)
    copy = path.with_name("02_copy.ipynb")
    copy.write_text(json.dumps(notebook, indent=1))
    found = faults(copy)
    copy.unlink()
    return found


def test_a_notebook_in_order_has_no_faults(executed):
    assert not faults(executed)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda n: n["cells"][3].update(source="\n".join(["x = 1"] * 21)), "more than 20 lines"),
        (lambda n: n["cells"][3].update(source="class A:\n    pass"), "has a class"),
        (lambda n: n["cells"][3].update(source="def f():\n" + "    x = 1\n" * 5), "function of more than 5 lines"),
        (lambda n: n["cells"][3].update(source="import sys\nsys.path.append('lib')"), "edits sys.path"),
        (lambda n: n["cells"][3].update(source='x = 1\nrun.number("x", x, "d")'), "put a ; behind it"),
        (lambda n: n["cells"][3].update(source='run.findings("{a}", a="b" if x else "{c}")'), "do not fill {c}"),
        (lambda n: n["cells"][3].update(outputs=[]), "is to be compared and has no output"),
        (lambda n: n["cells"][3].update(execution_count=7), "not counted from 1 on"),
        (lambda n: n["cells"][1].update(source="epochs = 3"), "parameter without type or comment"),
        (lambda n: n["cells"][1]["metadata"].update(tags=[]), "tagged parameters"),
        (lambda n: n["cells"][2].update(source="1"), "calls Run.start"),
        (lambda n: n["cells"][2]["metadata"].update(tags=[]), "the start prints threads and folder"),
        (lambda n: n["cells"][3].update(source="x = 1;"), "ends in a ; which is not heeded under nbval"),
        (lambda n: n["cells"].pop(), "it ends with run.finish()"),
        (lambda n: n["cells"][3]["metadata"].update(tags=[]), "at least 3 cells are compared"),
        (lambda n: n["metadata"].update(papermill={}), "metadata of papermill"),
        (lambda n: n["cells"][3]["metadata"].update(tags=["injected-parameters"]), "papermill injected"),
        (lambda n: n["cells"][0].update(source="# see /home/me/data"), "a path of a machine: /home/m"),
        (
            lambda n: n["cells"][3].update(
                outputs=[{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]
            ),
            "shows an error or a warning",
        ),
        (
            lambda n: n["cells"][3].update(
                outputs=[{"output_type": "display_data", "data": {"image/png": "aGk="}, "metadata": {}}]
            ),
            "a figure without its words",
        ),
    ],
)
def test_the_form_is_checked(executed, change, fault):
    assert any(fault in found for found in doctor(executed, change)), doctor(executed, change)
