"""Where everything comes from: a table of the runs, and for each its parameters, machine, versions and data files."""

from collections.abc import Iterable
from pathlib import Path
from string import ascii_uppercase

import pandas as pd

from twinvae.run.results import Key, Result
from twinvae_collect.macro_calls import MacroCalls
from twinvae_collect.rendering import LETTERS, render

MACHINE = "{cpu}, {cores} cores, threads: {threads}, {memory_gib} GiB, {device}, {system}"
SHOWN = (("Figures", "fig", "figures"), ("Tables", "tab", "tables"))  # word, LaTeX's label, where they lie


def provenance_table(found: dict[Key, Result], stale: Iterable[Key]) -> str:
    """Return the table of the runs: data, device, commit and date, and which of them are stale."""
    letters = ", ".join(f"{letter} {profile}" for profile, letter in LETTERS.items())
    return render("provenance.tex", runs=found.values(), stale=stale, letters=letters)


def provenance_long(calls: MacroCalls, found: dict[Key, Result]) -> str:
    """Return for each run its time, machine, parameters, versions and what is shown of it; then the data files."""
    runs = [
        {
            "result": result,
            "machine": MACHINE.format(**result.manifest["machine"]),
            "software": ", ".join(f"{name} {version}" for name, version in result.manifest["versions"].items()),
            "shown": [(word, label, *shown_and_not(result, kind, calls)) for word, label, kind in SHOWN],
            "used": sum(item[:2] == key for item in calls.numbers),
        }
        for key, result in found.items()
    ]
    sources = [source for result in reversed(found.values()) for source in result.manifest["data"]]
    names = {digest: f"{source['dataset']}/{name}" for source in sources for name, digest in source["files"]}
    return render(
        "provenance-long.tex",
        runs=runs,
        machines=lettered(run["machine"] for run in runs),
        software=lettered(run["software"] for run in runs),
        files=sorted((name, digest[:16]) for digest, name in names.items()),
    )


def campaign_table(path: Path) -> str:
    """Return what `make torture` has found and kept in `path`: a row a kind of attack, and their sums."""
    table = pd.read_csv(path)
    table.loc[len(table)] = {"what": "all"} | table.drop(columns="what").sum().to_dict()
    rows = [[row.what, f"{row.trials:,.0f}", *(f"{n:.0f}" for n in row[3:6])] for row in table.itertuples()]
    return render("table.tex", alignment="lrrrr", head=["attack", "trials", "wrong", "hangs", "files left"], rows=rows)


def shown_and_not(result: Result, kind: str, calls: MacroCalls) -> tuple[list[str], list[str]]:
    """Return the names of a run's figures or tables that the text shows, and of the others."""
    places = calls.places(kind)
    shown = [name for name in result.manifest["captions"][kind] if (*result.key, name) in places]
    return shown, [name for name in result.manifest["captions"][kind] if name not in shown]


def lettered(texts: Iterable[str]) -> dict[str, str]:
    """Return each text once, with a capital letter of its own."""
    return dict(zip(dict.fromkeys(texts), ascii_uppercase, strict=False))
