"""The calls of our macros in the text of the report: the numbers, figures, tables and claims that it shows."""

import re
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from twinvae.run.results import Key

COMMENT = re.compile(r"(?<!\\)%.*")
KINDS = {"twinfigure": "figures", "twintable": "tables", "twinworst": "worst", "twinpairs": "pairs"}
ARGUMENTS = {"val": 1, "verdict": 1, "twinclaims": 1} | dict.fromkeys(KINDS, 3) | {"twinworst": 4}
CALL = re.compile(rf"\\({'|'.join(ARGUMENTS)})\s*(?:\[[^]]*\])?((?:\{{[^{{}}#]*\}})+)")


@dataclass(frozen=True)
class MacroCalls:
    """What the text shows: numbers as (notebook, backend, name), verdicts of claims, reports; and in `shown` the rest.

    That is the same of 'figures', 'tables', and 'worst' and 'pairs', which are tables shortened; a 'worst' one has its
    columns, joined by commas, behind its name.
    """

    numbers: list[tuple[str, str, str]]
    shown: dict[str, list[tuple[str, ...]]]
    verdicts: list[str]
    reports: list[str]

    def places(self, kind: str) -> set[tuple[str, ...]]:
        """Return where the numbers, the figures or the tables, whole or shortened, come from."""
        whole = self.numbers if kind == "numbers" else self.shown[kind]
        return {*whole, *(item[:3] for short in ("worst", "pairs") for item in self.shown[short] if kind == "tables")}

    def of_runs(self, found: Container[Key]) -> dict[str, list[tuple[str, ...]]]:
        """Return what is shown of these runs."""
        return {kind: [item for item in items if item[:2] in found] for kind, items in self.shown.items()}


def read_macro_calls(folder: Path) -> MacroCalls:
    """Find all that `main.tex` and `sections/*.tex` show; ValueError for a call that is not well formed."""
    found: dict[str, set] = {name: set() for name in ARGUMENTS}
    for path in (folder / "main.tex", *sorted((folder / "sections").glob("*.tex"))):
        for macro, groups in CALL.findall(COMMENT.sub("", path.read_text(encoding="utf-8"))):
            arguments = re.findall(r"\{([^{}]*)\}", groups)[: ARGUMENTS[macro]]
            parts = tuple(arguments[0].split("/")) if macro == "val" else tuple(arguments)
            if len(parts) != (3 if macro == "val" else ARGUMENTS[macro]):
                raise ValueError(f"{path.name}: \\{macro}{groups} is not well formed; see twinvae_collect.collect")
            found[macro].add(parts)
    return MacroCalls(
        numbers=sorted(item for item in found["val"] if item[0] != "claims"),
        shown={kind: sorted(found[macro]) for macro, kind in KINDS.items()},
        verdicts=sorted(claim for (claim,) in found["verdict"]),
        reports=sorted(report for (report,) in found["twinclaims"]),
    )
