"""What the text of the report asks for: the numbers, figures, tables, runs and claims that its macros name."""

import re
from dataclasses import dataclass
from pathlib import Path

from twinvae.run.results import Key

COMMENT = re.compile(r"(?<!\\)%.*")
ASKED = re.compile(
    r"\\(val|verdict|twinfigure|twintable|twinworst|twinpairs|twinclaims|twinrules)\s*(?:\[[^]]*\])?((?:\{[^{}#]*\})+)"
)
ARGUMENTS = {
    "val": 1,
    "verdict": 1,
    "twinfigure": 3,
    "twintable": 3,
    "twinworst": 4,
    "twinpairs": 3,
    "twinclaims": 1,
    "twinrules": 1,
}


@dataclass(frozen=True)
class Asked:
    """What the text asks for: numbers, figures, tables as (notebook, backend, name); verdicts of claims; reports.

    `worst` and `pairs` are tables that are cut down; a `worst` one has its columns, joined by commas, behind its name.
    """

    numbers: list[tuple[str, str, str]]
    figures: list[tuple[str, str, str]]
    tables: list[tuple[str, str, str]]
    worst: list[tuple[str, str, str, str]]
    pairs: list[tuple[str, str, str]]
    verdicts: list[str]
    reports: list[str]

    def keys(self) -> set[Key]:
        """The runs that the text asks something of."""
        return {item[:2] for item in (*self.numbers, *self.figures, *self.all_tables())}

    def all_tables(self) -> list[tuple[str, str, str]]:
        """The tables, whole or cut down."""
        return [*self.tables, *(item[:3] for item in self.worst), *self.pairs]


def read_text(folder: Path) -> Asked:
    """Find all that `main.tex` and `sections/*.tex` ask for; ValueError for what is not well formed."""
    found: dict[str, list] = {name: [] for name in ARGUMENTS}
    for path in (folder / "main.tex", *sorted((folder / "sections").glob("*.tex"))):
        for macro, groups in ASKED.findall(COMMENT.sub("", path.read_text(encoding="utf-8"))):
            arguments = re.findall(r"\{([^{}]*)\}", groups)[: ARGUMENTS[macro]]
            parts = tuple(arguments[0].split("/")) if macro == "val" else tuple(arguments)
            if len(parts) != (3 if macro == "val" else ARGUMENTS[macro]):
                raise ValueError(f"{path.name}: \\{macro}{groups} is not well formed; see twinvae_collect.collect")
            found[macro].append(parts)
    unique = {macro: sorted(set(items)) for macro, items in found.items()}
    reports = sorted({report for macro in ("twinclaims", "twinrules") for (report,) in unique[macro]})
    numbers = [item for item in unique["val"] if item[0] != "claims"]
    verdicts = [claim for (claim,) in unique["verdict"]]
    return Asked(
        numbers, unique["twinfigure"], unique["twintable"], unique["twinworst"], unique["twinpairs"], verdicts, reports
    )
