"""Collects the finished runs into `report/generated/`, from which LaTeX makes the PDF.

    python -m twinvae_collect [--results DIR] [--out DIR] [--backend torch|tf|both]

The text calls for what it shows: `\\val{03/torch/name}` a number, `\\twinfigure{03}{torch}{name}` and
`\\twintable{03}{torch}{name}` a figure and a table, `\\twinworst` and `\\twinpairs` a table shortened (see
`twinvae_collect.short_tables`), `\\twinclaims{004}` the claims of a report with their rules, `\\verdict{C-004-1}` what
one has come to. Every number of every run has its macro, whether the text calls it or not; of figures and tables
only those that the text shows are written. Always: verdicts counted, all items in a list, twins compared, provenance.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from twinvae import paths
from twinvae.run import notebook, results
from twinvae.run.parameters import BACKENDS
from twinvae.run.results import NO_BACKEND, Key, Result
from twinvae_collect import claims_tables, short_tables
from twinvae_collect.amounts_table import amounts_table
from twinvae_collect.macro_calls import MacroCalls, read_macro_calls
from twinvae_collect.macros import macros
from twinvae_collect.provenance_tables import campaign_table, provenance_long, provenance_table
from twinvae_collect.twin_agreement import twins_table
from twinvae_studies import amounts, claims, errata
from twinvae_studies.claims import Claim

ORDER = (*BACKENDS, NO_BACKEND)  # of a notebook's runs
Stale = dict[Key, list[str]]  # what of each stale run is no longer what it used


def collect(root: Path, texts: Path, runs: Path, out: Path, backend: str) -> list[str]:
    """Write all that the text shows into `out`; returns notices for the terminal.

    Raises ValueError before anything is written when a run, number, figure, table or claim is not there.
    """
    best, unfinished = results.best(runs)
    found = {key: best[key] for key in sorted(best, key=lambda key: (key[0], ORDER.index(key[1])))}
    calls = read_macro_calls(texts)
    judged = [claim for claim in claims.load(texts / "claims.yaml") if claim.report in calls.reports]
    needed = {key for path in (root / "notebooks").glob("[0-9]*.ipynb") for key in notebook_keys(path)}
    needed |= {item[:2] for kind in ("numbers", "figures", "tables") for item in calls.places(kind)}
    for claim in judged:  # decided by the one run of its notebook, or those of all backends
        alone = (claim.notebook, NO_BACKEND)
        needed |= {alone} if alone in found else {(claim.notebook, backend) for backend in BACKENDS}
    chosen = BACKENDS if backend == "both" else (backend,)
    check_runs({key for key in needed if key[1] in (*chosen, NO_BACKEND)}, found, unfinished)
    check_names(calls, found)
    check_claims(calls, judged)
    stale = {key: changed for key, result in found.items() if (changed := result.changed(root))}
    errors = errata.load(texts / "errata.yaml") if (texts / "errata.yaml").is_file() else []
    pieces = latex_pieces(calls, judged, errors, found, stale)
    if theirs := amounts.load(texts / "amounts.yaml"):
        pieces["amounts.tex"] = amounts_table(theirs, found)
    if (campaign := root / "results" / "torture.csv").is_file():
        pieces["torture.tex"] = campaign_table(campaign)
    shutil.rmtree(out, ignore_errors=True)
    for name, text in pieces.items():
        paths.write_text(out / name, text)
    copy_files(calls, found, out)
    return list(notices(found, unfinished, stale))


def notebook_keys(path: Path) -> list[Key]:
    """Return the runs that a notebook has: one with each backend, or one alone when it takes none."""
    takes_backend = "backend" in notebook.declared_parameters(path)
    return [(path.stem.split("_")[0], backend) for backend in (BACKENDS if takes_backend else (NO_BACKEND,))]


def check_runs(needed: set[Key], found: dict[Key, Result], unfinished: dict[Key, list[Path]]) -> None:
    """Raise ValueError that names every needed run that is missing, failed or half-written."""
    lacking = []
    for key in sorted(needed - set(found)):
        folders = ", ".join(str(folder) for folder in unfinished.get(key, []))
        lacking.append(f"{results.words(key)} ({f'failed or half-written: {folders}' if folders else 'missing'})")
    if lacking:
        raise ValueError(f"the report needs runs that are not there: {', '.join(lacking)}; run make report")


def check_names(calls: MacroCalls, found: dict[Key, Result]) -> None:
    """Raise ValueError that names every number, figure or table that the text shows of a run that does not have it."""
    lacking = []
    for kind in ("numbers", "figures", "tables"):
        for number, backend, name in sorted(calls.places(kind)):
            result = found.get((number, backend))
            if result and name not in (result.numbers if kind == "numbers" else result.manifest["captions"][kind]):
                lacking.append(f"{kind[:-1]} {number}/{backend}/{name} (not in {result.folder})")
    if lacking:
        raise ValueError(f"the text asks for what no run wrote: {', '.join(lacking)}")


def check_claims(calls: MacroCalls, judged: list[Claim]) -> None:
    """Raise ValueError for a report whose claims the text shows and that has none, or a verdict of no claim shown."""
    if empty := sorted(set(calls.reports) - {claim.report for claim in judged}):
        raise ValueError(f"the text shows the claims of report {', '.join(empty)}, and claims.yaml has none")
    if lacking := sorted(set(calls.verdicts) - {claim.id for claim in judged}):
        raise ValueError(f"the text asks for the verdict of {', '.join(lacking)}, no claim of a report that it shows")


def latex_pieces(
    calls: MacroCalls, judged: list[Claim], errors: list[dict[str, str]], found: dict[Key, Result], stale: Stale
) -> dict[str, str]:
    """Return the files that are made of the runs: name in `generated/` -> text."""
    pieces = {f"claims-{one}.tex": claims_tables.claims_table(one, judged, found) for one in calls.reports}
    shown = calls.of_runs(found)
    for number, backend, name, columns in shown["worst"]:
        table = short_tables.worst(found[number, backend], name, columns.split(", "))
        pieces[f"tables/worst-{number}-{backend}-{name}.tex"] = table
    for number, backend, name in shown["pairs"]:
        pieces[f"tables/pairs-{number}-{backend}-{name}.tex"] = short_tables.pairs(found[number, backend], name)
    counts = claims_tables.verdict_counts(calls.reports, judged, found)
    return pieces | {
        "macros.tex": macros(calls, judged, counts, found),
        "verdicts.tex": claims_tables.verdicts_table(counts),
        "verdicts.md": claims_tables.verdicts_markdown(counts, judged, found),
        "items.tex": claims_tables.items_table(errors, judged, found),
        "twins.tex": twins_table(found),
        "provenance.tex": provenance_table(found, stale),
        "provenance-long.tex": provenance_long(calls, found),
    }


def copy_files(calls: MacroCalls, found: dict[Key, Result], out: Path) -> None:
    """Copy the figures and tables that the text shows, under names that say their run: `figures/03-torch-name.pdf`."""
    shown = calls.of_runs(found)
    for kind, suffix in (("figures", "pdf"), ("tables", "tex")):
        (out / kind).mkdir(parents=True, exist_ok=True)
        for number, backend, name in shown[kind]:
            source = found[number, backend].folder / kind / f"{name}.{suffix}"
            shutil.copyfile(source, out / kind / f"{number}-{backend}-{name}.{suffix}")


def notices(found: dict[Key, Result], unfinished: dict[Key, list[Path]], stale: Stale) -> Iterator[str]:
    """Yield what the reader of the terminal should know: stale runs, and unfinished ones that were passed over."""
    for key, changed in stale.items():
        others = f" and {len(changed) - 1} others" if len(changed) > 1 else ""
        yield f"stale: {results.words(key)} ({found[key].profile}) is older than {changed[0]}{others}"
    if stale:
        yield "make refresh runs again what is stale, and nothing else"
    for key in sorted(set(unfinished) & set(found)):
        yield f"unfinished, passed over: {', '.join(str(folder) for folder in unfinished[key])}"


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; it ends with one sentence and exit status 1 when the report cannot be made."""
    root = paths.find_root(Path.cwd())
    parser = argparse.ArgumentParser(prog="python -m twinvae_collect", description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=paths.results_folder(root), help="the runs (results/)")
    parser.add_argument("--texts", type=Path, default=root / "report", help="main.tex, sections/, claims.yaml")
    parser.add_argument("--out", type=Path, help="where to write (generated/ beside main.tex)")
    parser.add_argument("--backend", choices=(*BACKENDS, "both"), default="both", help="the runs that must be there")
    given = parser.parse_args(arguments)
    out = given.out or given.texts / "generated"
    try:
        for line in collect(root, given.texts, given.results, out, given.backend):
            print(line)
    except (ValueError, OSError) as error:
        sys.exit(f"report: {error}")
    print(f"collected into {out}")
