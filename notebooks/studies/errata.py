"""The errata of the five reports: one list in `report/errata.yaml`, from which every table of them is made."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from twinvae.data.strict_yaml import read_yaml, repeated
from twinvae.spec import one_of

FIELDS = ("id", "report", "where", "stands", "right", "verdict", "proof")
VERDICTS = ("wrong", "wrong in part", "incomplete", "unsupported")
STATED = "stated"  # the proof of what needs no computation
VALUE = re.compile(r"\\val\{([a-z0-9_]+)\}")


def load(path: Path) -> list[dict[str, str]]:
    """Return the items of the list, each with all FIELDS as text.

    Raises ValueError for an item with other fields than FIELDS, an empty one, another verdict than VERDICTS, or an id
    that comes twice.
    """
    items = read_yaml(path)
    for item in items:
        if tuple(item) != FIELDS or not all(isinstance(text, str) and text for text in item.values()):
            raise ValueError(
                f"{path.name}: item {item.get('id')} has the fields {list(item)}; "
                f"give each of {list(FIELDS)}, in this order, as text"
            )
        one_of(f"{path.name}: the verdict of {item['id']}", item["verdict"], VERDICTS)
    if twice := repeated(item["id"] for item in items):
        raise ValueError(f"{path.name}: {', '.join(twice)} stands there twice; give each item an id of its own")
    return items


def value_names(items: list[dict[str, str]]) -> set[str]:
    """Return the names of the numbers that the items quote as \\val{name}."""
    return {name for item in items for text in item.values() for name in VALUE.findall(text)}


def show(run: Any, report: str) -> None:
    """Show and keep the items of one report as a table of a run, and say how many of them a computation settles."""
    items = load(run.root / "report" / "errata.yaml")
    run.table(f"errata_{report}", table(items, report, run.numbers, run.formats), f"Errata of report {report}.")
    own = [item for item in items if item["report"] == report]
    proved = sum(item["proof"] != STATED for item in own)
    run.findings(
        "**What we see.** Of the {count} items of report {report} cells of this notebook settle {proved} by a "
        "computation; {others}.",
        count=str(len(own)),
        report=report,
        proved=str(proved),
        others="what is stated needs none, for the printed text shows it"
        if proved < len(own)
        else "none is only stated",
    )


def table(
    items: list[dict[str, str]], report: str, numbers: Mapping[str, float], formats: Mapping[str, str]
) -> pd.DataFrame:
    """Return the items of one report in three columns, each \\val{name} replaced by its number in math mode.

    Raises ValueError for a report without items and KeyError for a number that was not computed.
    """
    rows = [item for item in items if item["report"] == report]
    if not rows:
        raise ValueError(f"no item is of report {report!r}; there are {sorted({i['report'] for i in items})}")

    def shown(match: re.Match) -> str:
        text = format(numbers[match[1]], formats[match[1]]).replace(",", "{,}")
        digits, _, exponent = text.partition("e")
        return f"${digits}$" if not exponent else f"${digits} \\times 10^{{{int(exponent)}}}$"

    filled = pd.DataFrame(rows).map(lambda text: VALUE.sub(shown, text))
    proof = (" Proof: " + filled.proof).mask(filled.proof == STATED, " (Stated.)")
    columns = {"what stands": filled.stands, "what is right, and its proof": filled.right + proof}
    return pd.DataFrame({"item": filled.id + ", " + filled["where"]} | columns)
