"""The one list of errata: well formed, each proof in a cell of notebook 01, each number computed."""

import re
from types import SimpleNamespace

import pytest
import yaml
from tiny import ROOT

from twinvae.run.notebook import code_cells
from twinvae_studies import errata

ITEMS = errata.load(ROOT / "report" / "errata.yaml")
CELLS = [cell["source"] for cell in code_cells(ROOT / "notebooks" / "01_theory.ipynb")]
ITEM = {
    "id": "E-1",
    "report": "000",
    "where": "(1)",
    "stands": "$a$",
    "right": "b",
    "verdict": "wrong",
    "proof": "it is \\val{x}",
}


def write(folder, items):
    path = folder / "errata.yaml"
    path.write_text(yaml.safe_dump(items, sort_keys=False))
    return path


def test_every_report_has_its_items_in_order():
    ids = [item["id"] for item in ITEMS]
    assert {item["report"] for item in ITEMS} == {"000", "001", "002", "003", "004"}
    assert all(item["id"].startswith(f"E-{item['report']}-") for item in ITEMS)
    assert ids == sorted(ids, key=lambda name: [int(part) for part in name.split("-")[1:]])


def test_every_proof_is_a_cell_of_the_notebook_and_every_cell_an_item():
    named = {
        name
        for cell in CELLS
        for line in re.findall(r"^# proves (.*)$", cell, re.MULTILINE)
        for name in line.split(", ")
    }
    assert named == {item["id"] for item in ITEMS if item["proof"] != errata.STATED}


def test_every_quoted_number_is_one_that_the_notebook_keeps():
    source = "\n".join(CELLS)
    kept = re.findall(r'run\.number\(f?"([a-z0-9_{}]+)"', source)
    patterns = [re.sub(r"\\\{[a-z_]+\\\}", "[a-z0-9_]+", re.escape(name)) for name in kept]
    for name in errata.value_names(ITEMS):
        assert any(re.fullmatch(pattern, name) for pattern in patterns), f"{name} is not computed"


def test_mathematics_is_closed_and_numbers_stand_outside_of_it():
    for item in ITEMS:
        for field, text in item.items():
            parts = text.split("$")
            assert len(parts) % 2 == 1, f"{item['id']}, {field}: a $ is not closed"
            assert not any(errata.VALUE.search(part) for part in parts[1::2]), f"{item['id']}, {field}"


def test_a_table_quotes_numbers_in_math_mode(tmp_path):
    items = errata.load(write(tmp_path, [ITEM, ITEM | {"id": "E-2", "proof": "stated"}]))
    for value, form, shown in (
        (-0.5, ".2f", "$-0.50$"),
        (1e6, ",.0f", "$1{,}000{,}000$"),
        (1.5e-4, ".1e", "$1.5 \\times 10^{-4}$"),
    ):
        table = errata.table(items, "000", {"x": value}, {"x": form})
        assert list(table["item"]) == ["E-1, (1)", "E-2, (1)"]
        assert list(table.iloc[:, 2]) == [f"b Proof: it is {shown}", "b (Stated.)"]


@pytest.mark.parametrize(
    "proof, words",
    [("stated", "settle 1 by a computation; what is stated needs none"), ("by hand", "settle 2 .*; none is only")],
)
def test_a_report_is_shown_as_a_table_and_counted(tmp_path, proof, words):
    shown = {}
    run = SimpleNamespace(
        root=tmp_path,
        numbers={"x": 0.5},
        formats={"x": ".1f"},
        table=lambda name, table, caption: shown.update({name: len(table)}),
        findings=lambda text, **others: shown.update(said=text.format(**others)),
    )
    (tmp_path / "report").mkdir()
    write(tmp_path / "report", [ITEM, ITEM | {"id": "E-2", "proof": proof}, ITEM | {"id": "E-3", "report": "001"}])
    errata.show(run, "000")
    assert shown["errata_000"] == 2 and "Of the 2 items of report 000" in shown["said"]
    assert re.search(words, shown["said"])


@pytest.mark.parametrize(
    "items, message",
    [
        ([ITEM, ITEM], "E-1 stands there twice"),
        ([{k: v for k, v in ITEM.items() if k != "proof"}], "item E-1 has the fields"),
        ([ITEM | {"right": ""}], "item E-1 has the fields"),
        ([ITEM | {"verdict": "so so"}], "the verdict of E-1 is 'so so'"),
        ([ITEM | {"report": 0}], "item E-1 has the fields"),
    ],
)
def test_a_list_that_is_not_well_formed_is_refused(tmp_path, items, message):
    with pytest.raises(ValueError, match=message):
        errata.load(write(tmp_path, items))


def test_a_report_without_items_and_a_number_that_is_missing_are_named():
    with pytest.raises(ValueError, match="no item is of report '005'; there are"):
        errata.table([ITEM], "005", {}, {})
    with pytest.raises(KeyError, match="x"):
        errata.table([ITEM], "000", {}, {})
