"""The claims of a report as LaTeX: said, measured, judged by which rule; verdicts counted; all items in one list."""

import re
from collections import Counter
from itertools import groupby

import pandas as pd

from twinvae.run import latex
from twinvae.run.results import Key, Result
from twinvae_collect.rendering import FRAMEWORK, marked_number, render, usual
from twinvae_studies.claims import (
    FAILS,
    FUNCTIONS,
    HOLDS,
    NOT_TESTED,
    UNDECIDED,
    Claim,
    judge,
    judge_at_first,
    reasons,
    together,
)
from twinvae_studies.errata import STATED

SAID = (  # verdict, of one claim, of several
    (HOLDS, "holds", "hold"),
    (FAILS, "does not hold", "do not hold"),
    (UNDECIDED, "is undecided", "are undecided"),
    (NOT_TESTED, "is not tested", "are not tested"),
)
SIGNS = {"<=": r"$\le$", ">=": r"$\ge$", "!=": r"$\ne$", "==": "$=$", "*": r"$\times$"} | {c: f"${c}$" for c in "<>+-"}
RULE_WORDS = {"and", "or", "not", *FUNCTIONS}
ALSO = (  # the numbers of rules that no table shows: a pattern of their names, and what they are
    (r"q([123])_elbo_(low|high)", r"\1 observed, ELBO: \2 end"),
    (r"q([123])_hidden_(low|high)", r"\1 observed, hidden: \2 end"),
    (r"q([123])_elbo_published", r"\1 observed: the published value"),
    (r"iwae_50_(low|high)_torch", r"k = 50: \1 end"),
    (r"iwae_5_mean_gain_torch", "mean gain of k = 5"),
    (r"iwae_5_mean_gain_torch_sd", "deviation over seeds of the gain of k = 5"),
    (r"(mnist|usps)_cvae2_(between|probe|diversity)", r"\2, code of 2, \1"),
    (r"vae02_(?:mean_)?(\w+)", r"\1 at lambda 0.2"),
    (r"(naive|weighted)02_logp", r"\1 log p(x) at lambda 0.2"),
    (r"z(\d+)_(\w+)", r"\2, code of \1"),
    (r"(cvae|cgan)_accuracy", r"accuracy of the \1"),
    (r"real_accuracy", "accuracy on real images"),
    (r"mean_frechet", "Fréchet distance of class means"),
    (r"usps_mean_missing", "missing half, mean image, USPS"),
)
CAPITALS = {word: word.upper() for word in ("cvae", "cgan", "mnist", "usps", "sse", "kl")}


def runs_of(claim: Claim, found: dict[Key, Result]) -> dict[str, Result]:
    """Return the runs that judge a claim, by backend."""
    return {backend: result for (notebook, backend), result in found.items() if notebook == claim.notebook}


def verdicts_of(claim: Claim, found: dict[Key, Result]) -> dict[str, str]:
    """Return the verdict of each run of a claim, by backend."""
    return {name: judge(claim, run) for name, run in runs_of(claim, found).items()}


def verdict_of(claim: Claim, found: dict[Key, Result]) -> str:
    """Return the verdict of all runs of a claim together."""
    return together(list(verdicts_of(claim, found).values()))


def other_at_first(claim: Claim, found: dict[Key, Result]) -> str:
    """Return what all runs that test a claim come to by its first rule, where that is another verdict; else ''."""
    first = together([judge_at_first(claim, run) for run in runs_of(claim, found).values()])
    return "" if first in (NOT_TESTED, verdict_of(claim, found)) else first


def verdict_counts(reports: list[str], judged: list[Claim], found: dict[Key, Result]) -> dict[str, dict[str, int]]:
    """Count the claims of each verdict: those of each report, and of 'all' whose name is a number."""
    counts, words = {}, {"hold": HOLDS, "fail": FAILS, "undecided": UNDECIDED, "untested": NOT_TESTED}
    for report in (*reports, "all"):
        these = [claim for claim in judged if claim.report == report or report == "all" and claim.report.isdigit()]
        seen = Counter(verdict_of(claim, found) for claim in these)
        counts[report] = {"total": len(these)} | {name: seen[word] for name, word in words.items()}
    return counts


def answer(report: str, judged: list[Claim], found: dict[Key, Result]) -> str:
    """Return what became of a report's claims: for each verdict how many, and which."""
    verdicts = {claim.id: verdict_of(claim, found) for claim in judged if claim.report == report}
    parts = []
    for verdict, one, many in SAID:
        if ids := [name for name, word in verdicts.items() if word == verdict]:
            parts.append(f"{len(ids)} {one if len(ids) == 1 else many} ({short_ids(ids)})")
    return f"Of the {len(verdicts)} claims {', '.join(parts[:-1])}{' and ' * (len(parts) > 1)}{parts[-1]}"


def short_ids(ids: list[str]) -> str:
    """Return ids of one report with the report named once: C-001-1, C-001-2, C-001-3, C-001-5 -> 'C-001-1 to 3, 5'."""
    report = ids[0].rpartition("-")[0]
    numbers = sorted(int(name.rpartition("-")[2]) for name in ids)
    runs = [list(run) for _, run in groupby(numbers, key=lambda number: number - numbers.index(number))]
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return f"{report}-{', '.join(words)}"


def claimant(report: str) -> str:
    """Return who claims: 'report 004', 'ours', or the first author of a paper."""
    names = {"all": "all reports", "ours": "ours"}
    return f"report {report}" if report.isdigit() else names.get(report, f"{report.capitalize()} et al.")


def claims_table(report: str, judged: list[Claim], found: dict[Key, Result]) -> str:
    """Return the claims of a report, what was measured, the rules and the verdicts, as a table."""
    who = {"ours": "we expected", "sohn": "Sohn et al. and Pyro said"}.get(report, f"{claimant(report)} said")
    claims = [claim for claim in judged if claim.report == report]
    runs = {FRAMEWORK[name]: run for claim in claims for name, run in runs_of(claim, found).items()}
    source = f"Notebook {claims[0].notebook}; " + ", ".join(f"{name}: {run.profile}" for name, run in runs.items())
    rows = [claim_row(claim, found) for claim in claims]
    first, *_ = runs.values()
    return render("claims.tex", report=report, who=who, rows=rows, source=source, usual=usual(first))


def claim_row(claim: Claim, found: dict[Key, Result]) -> dict:
    """Return a claim with its numbers of each backend, its verdict, and notes: where twins differ, what would decide.

    A number that one twin alone has written yet is '--' of the other, one that none has is left out.  Raises ValueError
    for a number that a run did not write and the claim does not await.
    """
    runs = runs_of(claim, found)
    wanted = {name for name in claim.names if not {name, name.removesuffix("_sd")} & set(claim.awaits)}
    if lacking := [f"{name} (not in {run.folder})" for run in runs.values() for name in wanted - set(run.numbers)]:
        raise ValueError(f"claim {claim.id} asks for numbers that no run wrote: {', '.join(sorted(lacking))}")
    measured = [
        f"{latex.escape(words)}: "
        + " / ".join(marked_number(run, name) if name in run.numbers else "--" for run in runs.values())
        for words, name in claim.shown.items()
        if any(name in run.numbers for run in runs.values())
    ]
    verdicts = verdicts_of(claim, found)
    notes = [f"{FRAMEWORK[backend]}: {word}." for backend, word in verdicts.items() if len(set(verdicts.values())) > 1]
    if (word := together(list(verdicts.values()))) == NOT_TESTED:
        why = list(dict.fromkeys(why for run in runs.values() for why in reasons(claim, run)))
        notes += [latex.escape(f"Not tested: {'; '.join(why)}.")]
    notes += [latex.escape(claim.note)] if claim.note else []
    notes += [f"By its first rule: {first}."] if (first := other_at_first(claim, found)) else []
    notes += [latex.escape(f"To decide it: {claim.decided_by}")] if word in (UNDECIDED, NOT_TESTED) else []
    return {"claim": claim, "measured": measured, "notes": notes, "rule": rule(claim), "verdict": word}


def rule(claim: Claim) -> str:
    """Return the rule of a claim, with the reason for its margin and what must not pass it, in the table's words."""
    return (
        f"holds if {rule_in_words(claim, claim.holds_if)}; does not hold if {rule_in_words(claim, claim.fails_if)}. "
        f"{latex.escape(claim.because)} It must not pass: {latex.escape('; '.join(claim.control))}."
    )


def rule_in_words(claim: Claim, expression: str) -> str:
    """Return a rule as it is read: in place of a number's name the words that stand beside it in the table, in italics.

    A name that the table does not show stands in the words of ALSO.
    """
    shown = {name: words for words, name in claim.shown.items()}

    def word(match: re.Match) -> str:
        if match[0] in SIGNS or match[0] in RULE_WORDS:
            return SIGNS.get(match[0], match[0])
        return rf"\emph{{{latex.escape(shown.get(match[0]) or name_in_words(match[0]))}}}"

    return re.sub(r"[<>=!]=|[<>*+-]|[A-Za-z_]\w*", word, expression)


def name_in_words(name: str) -> str:
    """Return what a number is that a rule names and its table does not show; a name without words is its own."""
    for pattern, words in ALSO:
        if match := re.fullmatch(pattern, name):
            return " ".join(CAPITALS.get(word, word) for word in match.expand(words).split(" "))
    return name


def verdicts_table(counts: dict[str, dict[str, int]]) -> str:
    """Return the verdicts of each report, counted."""
    head = ["claims of", "in all", "hold", "do not hold", "undecided", "not tested"]
    rows = [[claimant(report), *numbers.values()] for report, numbers in counts.items()]
    return latex.table(pd.DataFrame(rows, columns=head), {}, index=False)


def verdicts_markdown(counts: dict[str, dict[str, int]], judged: list[Claim], found: dict[Key, Result]) -> str:
    """Return what holds and what does not, for README.md: the verdicts of each report counted, then a line a claim."""
    verdicts = [(claim, verdict_of(claim, found)) for claim in sorted(judged, key=lambda claim: claim.report)]
    return render("verdicts.md", counts=counts, claimant=claimant, verdicts=verdicts)


def items_table(errors: list[dict[str, str]], judged: list[Claim], found: dict[Key, Result]) -> str:
    """Return errata and claims of each report as one table: item, where, what it says, what of it is right."""
    reports = {}
    for report in sorted({claim.report for claim in judged if claim.report.isdigit()}):
        wrong = [(e["id"], e["where"], e["stands"], erratum(e)) for e in errors if e["report"] == report]
        rows = [(c.id, c.where, c.said, verdict_of(c, found)) for c in judged if c.report == report]
        rows = [(name, where if "(" in where else f"({where})", *others) for name, where, *others in wrong + rows]
        reports[claimant(report)] = [[latex.escape(text) for text in row] for row in rows]
    return render("items.tex", reports=reports)


def erratum(item: dict[str, str]) -> str:
    """Return the verdict of an erratum, and whether it is by proof or as stated."""
    return f"{item['verdict']}, {'stated' if item['proof'] == STATED else 'by proof'}"
