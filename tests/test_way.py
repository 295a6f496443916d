"""The way through the notebooks: what each teaches and asks for, and links that lead from one to the next."""

import json
import re
from pathlib import Path

import pytest
from tiny import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
EVERYWHERE = ["[map](00_start_here.ipynb#The-map)", "[glossary](00_start_here.ipynb#Glossary)"]
LINK = re.compile(r"\]\(([\w-]+\.ipynb)?(?:#([^)\s]*))?\)")


def markdown(path: Path) -> list[str]:
    """The markdown cells of a notebook, each as one string."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def way(name: str) -> str:
    """The line with which the first cell of a notebook ends."""
    at = NAMES.index(name)
    back = [f"[< previous]({before}.ipynb)" for before in NAMES[:at][-1:]]
    on = [f"[next >]({after}.ipynb)" for after in NAMES[at + 1 :][:1]]
    return " | ".join([*back, *EVERYWHERE, *on])


def test_the_way_goes_from_00_to_10():
    assert [name.split("_")[0] for name in NAMES] == ["00", "01", "01b", *(f"{n:02}" for n in range(2, 11))]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_what_it_teaches_and_asks_for(path):
    said = re.findall(r"^\*\*(Question\.|You will learn|Before you start\.)\*\* \w", markdown(path)[0], re.MULTILINE)
    assert said == ["Question.", "You will learn", "Before you start."]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_first_cell_ends_with_the_way_on(path):
    assert markdown(path)[0].splitlines()[-1] == way(path.stem)


def test_every_notebook_is_on_the_map_and_every_link_leads_to_one():
    (the_map,) = [cell for cell in markdown(NOTEBOOKS[0]) if cell.startswith("## The map")]
    assert [f"{name}.ipynb" for name in NAMES[1:]] == [file for file, _ in LINK.findall(the_map) if file]
    linked = {file for path in NOTEBOOKS for cell in markdown(path) for file, _ in LINK.findall(cell) if file}
    assert linked == {path.name for path in NOTEBOOKS}
