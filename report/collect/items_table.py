"""Every item of the five reports in one list: what is wrong by proof, and what holds, does not, or is open."""

from twinvae.run import latex
from twinvae.run.results import Key, Result
from twinvae_collect.claims_tables import claimant, verdict_of
from twinvae_collect.rendering import render
from twinvae_studies.claims import Claim
from twinvae_studies.errata import STATED


def items_table(errors: list[dict[str, str]], judged: list[Claim], found: dict[Key, Result]) -> str:
    """Return the errata and the claims of each report as one table: item, where, what the report says, verdict."""
    reports = {}
    for report in sorted({claim.report for claim in judged if claim.report.isdigit()}):
        wrong = [(e["id"], e["where"], e["stands"], erratum(e)) for e in errors if e["report"] == report]
        rows = [(c.id, c.where, c.said, verdict_of(c, found)) for c in judged if c.report == report]
        rows = [(name, where if "(" in where else f"({where})", *others) for name, where, *others in wrong + rows]
        reports[claimant(report)] = [[latex.escape(text) for text in row] for row in rows]
    return render("items.tex", reports=reports)


def erratum(item: dict[str, str]) -> str:
    """Return the verdict of an erratum: it is wrong, or right and not all, by proof or as stated."""
    kind = "incomplete" if item["right"].startswith("Right") else "wrong"
    return f"{kind}, {'stated' if item['proof'] == STATED else 'by proof'}"
