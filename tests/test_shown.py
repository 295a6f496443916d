"""What a run shows in a notebook beside figures: tables, findings in words, source code."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tiny import ROOT, write_notebook

from twinvae.run import Run


def shown_by(work: str, tmp_path: Path) -> list[dict]:
    """The outputs of a cell of a tiny notebook, as JupyterLab gets them."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = write_notebook(tmp_path / "notebooks" / "01_alone.ipynb", backend=False, work=work)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    return [output.get("data", output) for output in notebook.cells[3].outputs]


TABLES = """\
sizes = pd.DataFrame({"images": ["a < b", "c"], "frechet": [1234.567, float("nan")], "weights": [7, 1200]})
run.table("first", sizes, "One & $x < y$.", {"weights": ",d"}, best={"weights": "max"}, colours={"c": "#ffcc00"})
run.table("second", sizes.set_index("images"), "Two.")"""


def test_every_table_of_a_cell_is_shown_once_with_name_caption_and_formats(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINVAE_PROFILE", "smoke")
    first, second = (output["text/html"] for output in shown_by(TABLES, tmp_path))
    assert (
        "Table <i>first</i>. One &amp; $x &lt; y$.</div></caption>" in first and "Table <i>second</i>. Two." in second
    )
    cells = re.findall(r'<t[dh] [^>]*class="(?:data|col_heading)[^>]*>(.*?)</t[dh]>', first)
    words = [re.sub("</?div.*?>", "", cell) for cell in cells]
    assert words == ["images", "Fréchet", "weights", "a &lt; b", "1.23e+03", "7", "c", "–", "<b>1,200</b>"]
    lefts = ["text-align: left" in cell for cell in cells]
    assert lefts == [True, False, False] * 3, "words are to the left where the style sheet is dropped, too"
    assert "text-align: left; white-space: nowrap; color: black; background-color: #ffcc00" in cells[6]
    assert "row_heading" not in first + second and re.search(r"> *a &lt; b</div></td>", second), "no counted rows"
    assert re.search(r"#T_first \.col1 \{\s*text-align: right", first) and "#T_first .col0" not in first
    assert first == shown_by(TABLES, tmp_path)[0]["text/html"], "two runs leave the same"


def test_findings_say_the_numbers_of_the_run_in_their_formats(project, capsys):
    run = Run.start("01_alone", profile="smoke", epochs=2)
    run.number("gap", 1234.5, ",.1f")
    run.findings("The gap is {gap} nats, {how}; $q_{{\\phi}}$.", how="more" if run.numbers["gap"] > 1 else "less")
    assert capsys.readouterr().out.endswith("The gap is 1,234.5 nats, more; $q_{\\phi}$.\n")
    with pytest.raises(ValueError, match="the findings name 'other', which the run has not kept: keep it with"):
        run.findings("It is {other}.")


def test_what_is_shown_as_findings_and_source_is_text_and_code(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINVAE_PROFILE", "smoke")
    work = (
        'from twinvae.run import show_source\nrun.number("a", 0.5)\nrun.findings("**a** is {a}")\nshow_source(Source)'
    )
    words, code = shown_by(work, tmp_path)
    assert words["text/markdown"] == "**a** is 0.50"
    assert code["text/markdown"].startswith("```python\n") and "class Source" in code["text/markdown"]


def test_a_scoreboard_is_shown_by_its_main_columns_that_are_not_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINVAE_PROFILE", "smoke")
    (board,) = shown_by('run.scoreboard([{"model": "AE", "parameters": 1200, "elbo": -1.25}])', tmp_path)
    heads = re.findall(r"<th [^>]*class=\"col_heading[^>]*>(?:<div[^>]*>)?(.*?)(?:</div>)?</th>", board["text/html"])
    assert heads == ["model", "parameters", "elbo"] and ">1,200</td>" in board["text/html"]
