"""The last section of a notebook: the claims that it decides, judged by its own run before it ends."""

from typing import Any

import pandas as pd

from twinvae.run.results import Result
from twinvae_studies import claims
from twinvae_studies.claims import FAILS, HOLDS, NOT_TESTED, UNDECIDED, Claim

COLOURS = {HOLDS: "#bfe8c9", FAILS: "#f6c3c0", UNDECIDED: "#fbe7a8", NOT_TESTED: "#dddddd"}
CAPTION = (
    "What was said, its rule, the numbers of this run, and the verdict. Where twins differ, the report says undecided."
)


def show(run: Any) -> dict[str, int]:
    """Show and keep the claims that this run's notebook decides, after its scoreboard; return the verdicts counted."""
    table = verdicts(run, claims.load(run.root / "report" / "claims.yaml"))
    run.table("verdicts", table, CAPTION, colours=COLOURS)
    return {verdict: int((table.verdict == verdict).sum()) for verdict in COLOURS}


def in_words(counts: dict[str, int]) -> dict[str, str]:
    """Return counted verdicts as `Run.findings` takes them: all, hold, fail, open, small."""
    names = {HOLDS: "hold", FAILS: "fail", UNDECIDED: "open", NOT_TESTED: "small"}
    return {"all": str(sum(counts.values()))} | {names[verdict]: str(count) for verdict, count in counts.items()}


def verdicts(run: Any, judged: list[Claim]) -> pd.DataFrame:
    """Return a row for each claim that the notebook of an open run decides, judged as a finished run is."""
    result = as_result(run)
    rows = []
    for claim in (claim for claim in judged if claim.notebook == result.key[0]):
        numbers = {words: number(run, name) for words, name in claim.shown.items()}
        row = {
            "claim": claim.id,
            "said": claim.said,
            "holds if": claim.holds_if,
            "numbers of this run": "; ".join(f"{words}: {value}" for words, value in numbers.items()),
            "verdict": claims.judge(claim, result),
            "why": "; ".join(claims.reasons(claim, result)) or claim.because,
        }
        rows.append(row)
    return pd.DataFrame(rows)


def as_result(run: Any) -> Result:
    """Return an open run as if it were finished: numbers, specs, splits and scoreboard as they are now."""
    manifest = {name: getattr(run, name) for name in ("name", "profile", "backend", "specs", "splits", "files")}
    return Result(run.folder, manifest, run.numbers)


def number(run: Any, name: str) -> str:
    """Return a number of the run in its format; '–' where it has none of this name."""
    return format(run.numbers[name], run.formats[name]) if name in run.numbers else "–"


def compared(run: Any, one: str, other: str, less: str, more: str, alike: str) -> str:
    """Return the words that are true of two numbers of a run: `less` or `more` clear of their spread over seeds.

    The interval is the one by which claims are judged; a number without a deviation has none.
    """
    ends = [value for name in (one, other) for value in (run.numbers[name], run.numbers.get(f"{name}_sd", 0.0))]
    return less if claims.upper(*ends) < 0 else more if claims.lower(*ends) > 0 else alike
