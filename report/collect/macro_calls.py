"""The calls of our macros in the text of the report: the numbers, figures, tables and claims that it shows."""

import re
from dataclasses import dataclass
from pathlib import Path

from twinvae.run.results import Key

COMMENT = re.compile(r"(?<!\\)%.*")
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
CALL = re.compile(rf"\\({'|'.join(ARGUMENTS)})\s*(?:\[[^]]*\])?((?:\{{[^{{}}#]*\}})+)")


@dataclass(frozen=True)
class MacroCalls:
    """What the text shows: numbers, figures, tables as (notebook, backend, name); verdicts of claims; reports.

    `worst` and `pairs` are tables that are shortened; a `worst` one has its columns, joined by commas, behind its name.
    """

    numbers: list[tuple[str, str, str]]
    figures: list[tuple[str, str, str]]
    tables: list[tuple[str, str, str]]
    worst: list[tuple[str, str, str, str]]
    pairs: list[tuple[str, str, str]]
    verdicts: list[str]
    reports: list[str]

    def keys(self) -> set[Key]:
        """Return the runs of which the text shows something."""
        return {item[:2] for item in (*self.numbers, *self.figures, *self.all_tables())}

    def all_tables(self) -> list[tuple[str, str, str]]:
        """Return the tables, whole or shortened."""
        return [*self.tables, *(item[:3] for item in self.worst), *self.pairs]


def read_macro_calls(folder: Path) -> MacroCalls:
    """Find all that `main.tex` and `sections/*.tex` show; ValueError for a call that is not well formed."""
    found: dict[str, list] = {name: [] for name in ARGUMENTS}
    for path in (folder / "main.tex", *sorted((folder / "sections").glob("*.tex"))):
        for macro, groups in CALL.findall(COMMENT.sub("", path.read_text(encoding="utf-8"))):
            arguments = re.findall(r"\{([^{}]*)\}", groups)[: ARGUMENTS[macro]]
            parts = tuple(arguments[0].split("/")) if macro == "val" else tuple(arguments)
            if len(parts) != (3 if macro == "val" else ARGUMENTS[macro]):
                raise ValueError(f"{path.name}: \\{macro}{groups} is not well formed; see twinvae_collect.collect")
            found[macro].append(parts)
    unique = {macro: sorted(set(items)) for macro, items in found.items()}
    return MacroCalls(
        numbers=[item for item in unique["val"] if item[0] != "claims"],
        figures=unique["twinfigure"],
        tables=unique["twintable"],
        worst=unique["twinworst"],
        pairs=unique["twinpairs"],
        verdicts=[claim for (claim,) in unique["verdict"]],
        reports=sorted({report for macro in ("twinclaims", "twinrules") for (report,) in unique[macro]}),
    )
