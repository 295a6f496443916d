"""The way through the notebooks: what each teaches and asks for, and links that lead from one to the next."""

import ast
import json
import re
from pathlib import Path

import pytest
from tiny import ROOT

from twinvae.run.notebook import code_cells

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
EVERYWHERE = ["[map](00_start_here.ipynb#The-map)", "[glossary](00_start_here.ipynb#Glossary)"]
LINK = re.compile(r"\]\(([\w-]+\.ipynb)?(?:#([^)\s]*))?\)")


def markdown(path: Path) -> list[str]:
    """The markdown cells of a notebook, each as one string."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def places(path: Path) -> set[str]:
    """What a link can lead to in a notebook: headings, as JupyterLab names them, and anchors."""
    text = re.sub(r"^```.*?^```", "", "\n".join(markdown(path)), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {heading.replace(" ", "-") for heading in headings} | set(re.findall(r'<a id="(.+?)">', text))


def table(path: Path, heading: str) -> list[list[str]]:
    """The rows of the table below a heading, the names of its columns first."""
    (cell,) = [cell for cell in markdown(path) if cell.startswith(f"## {heading}\n")]
    rows = [line for line in cell.splitlines() if line.startswith("|") and "---" not in line]
    return [[word.strip() for word in row.strip("|").split(" |")] for row in rows]


def way(name: str) -> str:
    """The line with which the first cell of a notebook ends."""
    at = NAMES.index(name)
    back = [f"[< previous]({before}.ipynb)" for before in NAMES[:at][-1:]]
    on = [f"[next >]({after}.ipynb)" for after in NAMES[at + 1 :][:1]]
    return " | ".join([*back, *EVERYWHERE, *on])


def test_the_way_goes_from_00_to_11():
    numbers = sorted([*(f"{n:02}" for n in range(12)), "01b", "04b"])
    assert [name.split("_")[0] for name in NAMES] == numbers


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_what_it_teaches_and_asks_for(path):
    said = re.findall(r"^\*\*(Question\.|You will learn|Before you start\.)\*\* \w", markdown(path)[0], re.MULTILINE)
    assert said == ["Question.", "You will learn", "Before you start."]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_first_cell_ends_with_the_way_on(path):
    assert markdown(path)[0].splitlines()[-1] == way(path.stem)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_readme_says_the_minutes_that_the_notebook_says(path):
    (minutes,) = re.findall(rf"^\| \[{path.stem}\].*\| (\d+)[^|]* \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    (said,) = re.findall(r"^(?:- )?\*\*Minutes\*\*.*", markdown(path)[0], re.MULTILINE)
    of_quick = re.search(r"quick (\d+)|(\d+) in `quick`", said)
    assert minutes == (max(filter(None, of_quick.groups())) if of_quick else "1"), said


def test_every_notebook_is_on_the_map_and_every_link_leads_to_one():
    (the_map,) = [cell for cell in markdown(NOTEBOOKS[0]) if cell.startswith("## The map")]
    assert [f"{name}.ipynb" for name in NAMES[1:]] == [file for file, _ in LINK.findall(the_map) if file]
    linked = {file for path in NOTEBOOKS for cell in markdown(path) for file, _ in LINK.findall(cell) if file}
    assert linked == {path.name for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_link_to_a_place_leads_to_it(path):
    there = {other.name: places(other) for other in NOTEBOOKS}
    links = [(file or path.name, place) for cell in markdown(path) for file, place in LINK.findall(cell) if place]
    assert len(links) >= 2 and not [(file, place) for file, place in links if place not in there[file]]


def test_the_glossary_has_every_word_once():
    words = re.findall(r'^\| <a id="([\w-]+)"></a>\*\*', "\n".join(markdown(NOTEBOOKS[0])), flags=re.MULTILINE)
    assert len(words) == len(set(words)) == len(table(NOTEBOOKS[0], "Glossary")) - 1
    asked = "encoder decoder code prior posterior elbo reconstruction kl reparameterisation collapse condition"
    assert set(words) >= {
        *asked.split(),
        "frechet",
        "judge",
        "diversity",
        "importance-sampling",
        "seed",
        "profile",
        "twin",
    }


def test_the_table_of_parameters_is_what_the_notebooks_declare():
    declared = {}
    for path in NOTEBOOKS:
        cell = next(cell for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", []))
        nodes = [node for node in ast.parse(cell["source"]).body if isinstance(node, ast.AnnAssign)]
        declared[path.stem.split("_")[0]] = {f"`{n.target.id}`": str(ast.literal_eval(n.value)) for n in nodes}
    (_, _, *columns), *rows = table(NOTEBOOKS[0], "The parameters")
    shown = {number: {} for number in declared} | {  # a long value may break after its _
        number: {row[0]: value.replace("_ ", "_") for row in rows if (value := row[at])}
        for at, number in enumerate(columns, start=2)
    }
    assert {number: {"`profile`": "quick"} | more for number, more in shown.items()} == declared
