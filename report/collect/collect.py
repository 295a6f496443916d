"""Collects the finished runs into `report/generated/`, from which LaTeX makes the PDF.

    python -m twinvae_collect [--results DIR] [--out DIR] [--backend torch|tf|both]

The text calls for what it shows: `\\val{03/torch/name}` a number, `\\twinfigure{03}{torch}{name}` and
`\\twintable{03}{torch}{name}` a figure and a table, `\\twinworst` and `\\twinpairs` a table shortened (see
`twinvae_collect.short_tables`), `\\twinclaims{004}` and `\\twinrules{004}` the claims of a report, `\\verdict{C-004-1}`
what one has come to. Every number of every run has its macro, whether the text calls it or not; of figures and tables
only those that the text shows are written. Every report has: verdicts counted, twins compared, provenance.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from twinvae import paths
from twinvae.paths import write_text
from twinvae.run import notebook, results
from twinvae.run.parameters import BACKENDS
from twinvae.run.results import NO_BACKEND, Key, Result
from twinvae_collect import claims, claims_tables, short_tables
from twinvae_collect.macro_calls import MacroCalls, read_macro_calls
from twinvae_collect.macros import macros
from twinvae_collect.provenance_tables import provenance_long, provenance_table
from twinvae_collect.twin_agreement import twins_table


def collect(root: Path, texts: Path, runs: Path, out: Path, backend: str) -> list[str]:
    """Write all that the text shows into `out`; returns notices for the terminal.

    Raises ValueError before anything is written when a run, number, figure, table or claim is not there.
    """
    best, unfinished = results.best(runs)
    found = dict(sorted(best.items(), key=lambda item: report_order(item[0])))
    calls = read_macro_calls(texts)
    judged = [claim for claim in claims.load(texts / "claims.yaml") if claim.report in calls.reports]
    chosen = BACKENDS if backend == "both" else (backend,)
    needed = calls.keys() | {key for path in (root / "notebooks").glob("*.ipynb") for key in notebook_keys(path)}
    needed |= {key for claim in judged for key in claim_keys(claim, chosen, found)}
    check_runs({key for key in needed if key[1] in (*chosen, NO_BACKEND)}, found, unfinished)
    check_names(calls, found)
    check_claims(calls, judged)
    pieces = latex_pieces(calls, judged, found, root)
    shutil.rmtree(out, ignore_errors=True)
    for name, text in pieces.items():
        write_text(out / name, text)
    copy_files(calls, found, out)
    return list(notices(found, unfinished, root))


def report_order(key: Key) -> tuple[str, int]:
    """Return a run's place in the report: by notebook, PyTorch before TensorFlow."""
    return key[0], (*BACKENDS, NO_BACKEND).index(key[1])


def notebook_keys(path: Path) -> list[Key]:
    """Return the runs that a notebook has: one with each backend, or one alone when it takes none."""
    takes_backend = "backend" in notebook.declared_parameters(path)
    return [(path.stem.split("_")[0], backend) for backend in (BACKENDS if takes_backend else (NO_BACKEND,))]


def claim_keys(claim: claims.Claim, chosen: tuple[str, ...], found: dict[Key, Result]) -> list[Key]:
    """Return the runs that decide a claim: those of the backends chosen, or the one run of its notebook."""
    alone = (claim.notebook, NO_BACKEND)
    return [alone] if alone in found else [(claim.notebook, backend) for backend in chosen]


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
    for kind, items in (("numbers", calls.numbers), ("figures", calls.figures), ("tables", calls.all_tables())):
        for number, backend, name in items:
            result = found.get((number, backend))
            has = result and (result.numbers if kind == "numbers" else result.manifest["captions"][kind])
            if result and name not in has:
                lacking.append(f"{kind[:-1]} {number}/{backend}/{name} (not in {result.folder})")
    if lacking:
        raise ValueError(f"the text asks for what no run wrote: {', '.join(lacking)}")


def check_claims(calls: MacroCalls, judged: list[claims.Claim]) -> None:
    """Raise ValueError for a report whose claims the text shows and that has none, or a verdict of no claim shown."""
    empty = sorted(set(calls.reports) - {claim.report for claim in judged})
    if empty:
        raise ValueError(f"the text shows the claims of report {', '.join(empty)}, and claims.yaml has none")
    lacking = sorted(set(calls.verdicts) - {claim.id for claim in judged})
    if lacking:
        raise ValueError(f"the text asks for the verdict of {', '.join(lacking)}, no claim of a report that it shows")


def latex_pieces(calls: MacroCalls, judged: list[claims.Claim], found: dict[Key, Result], root: Path) -> dict[str, str]:
    """Return the files that are made of the runs: name in `generated/` -> text."""
    pieces = {f"claims-{report}.tex": claims_tables.claims_table(report, judged, found) for report in calls.reports}
    pieces |= {f"rules-{report}.tex": claims_tables.rules_list(report, judged) for report in calls.reports}
    for number, backend, name, columns in calls.worst:
        if (number, backend) in found:
            text = short_tables.worst(found[number, backend], name, columns.split(", "))
            pieces[f"tables/worst-{number}-{backend}-{name}.tex"] = text
    for number, backend, name in calls.pairs:
        if (number, backend) in found:
            pieces[f"tables/pairs-{number}-{backend}-{name}.tex"] = short_tables.pairs(found[number, backend], name)
    return pieces | {
        "macros.tex": macros(calls, judged, found),
        "verdicts.tex": claims_tables.verdicts_table(calls.reports, judged, found),
        "verdicts.md": claims_tables.verdicts_markdown(calls.reports, judged, found),
        "twins.tex": twins_table(found),
        "provenance.tex": provenance_table(found, root),
        "provenance-long.tex": provenance_long(calls, found),
    }


def copy_files(calls: MacroCalls, found: dict[Key, Result], out: Path) -> None:
    """Copy the figures and tables that the text shows, under names that say their run: `figures/03-torch-name.pdf`."""
    for kind, suffix in (("figures", "pdf"), ("tables", "tex")):
        (out / kind).mkdir(parents=True, exist_ok=True)
        for number, backend, name in getattr(calls, kind):
            if (number, backend) in found:
                source = found[number, backend].folder / kind / f"{name}.{suffix}"
                shutil.copyfile(source, out / kind / f"{number}-{backend}-{name}.{suffix}")


def notices(found: dict[Key, Result], unfinished: dict[Key, list[Path]], root: Path) -> Iterator[str]:
    """Yield what the reader of the terminal should know: stale runs, and unfinished ones that were passed over."""
    stale = {key: words for key, result in found.items() if (words := result.changed(root))}
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
    parser.add_argument(
        "--texts", type=Path, default=root / "report", help="main.tex, sections/, claims.yaml (report/)"
    )
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
