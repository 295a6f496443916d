"""Collects the finished runs into `report/generated/`, from which LaTeX makes the PDF.

    python -m twinvae_collect [--results DIR] [--out DIR] [--backend torch|tf|both]

The text asks for what it shows: `\\val{03/torch/name}` a number, `\\twinfigure{03}{torch}{name}` and
`\\twintable{03}{torch}{name}` a figure and a table, `\\twinworst` and `\\twinpairs` a table cut down (see
`twinvae_collect.tables`), `\\twinclaims{004}` and `\\twinrules{004}` the claims of a report, `\\verdict{C-004-1}` what
one has come to. Nothing else is written but what every report has: verdicts counted, twins compared, provenance.
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
from twinvae_collect import claims, latex_pieces, tables
from twinvae_collect.report_text import Asked, read_text


def check_needed(needed: set[Key], found: dict[Key, Result], unfinished: dict[Key, list[Path]]) -> None:
    """Raise ValueError that names every needed run that is missing, failed or half-written."""
    lacking = []
    for key in sorted(needed - set(found)):
        folders = ", ".join(str(folder) for folder in unfinished.get(key, []))
        lacking.append(f"{results.words(key)} ({f'failed or half-written: {folders}' if folders else 'missing'})")
    if lacking:
        raise ValueError(f"the report needs runs that are not there: {', '.join(lacking)}; run make report")


def check_names(asked: Asked, found: dict[Key, Result]) -> None:
    """Raise ValueError that names every number, figure or table asked of a run that does not have it."""
    lacking = []
    for kind, items in (("numbers", asked.numbers), ("figures", asked.figures), ("tables", asked.all_tables())):
        for number, backend, name in items:
            result = found.get((number, backend))
            has = result and (result.numbers if kind == "numbers" else result.manifest["captions"][kind])
            if result and name not in has:
                lacking.append(f"{kind[:-1]} {number}/{backend}/{name} (not in {result.folder})")
    if lacking:
        raise ValueError(f"the text asks for what no run wrote: {', '.join(lacking)}")


def check_verdicts(asked: Asked, judged: list[claims.Claim]) -> None:
    """Raise ValueError that names every claim whose verdict the text asks for and that is none of a report it shows."""
    lacking = sorted(set(asked.verdicts) - {claim.id for claim in judged})
    if lacking:
        raise ValueError(f"the text asks for the verdict of {', '.join(lacking)}, no claim of a report that it shows")


def notices(found: dict[Key, Result], unfinished: dict[Key, list[Path]], root: Path) -> Iterator[str]:
    """What the reader of the terminal should know: stale runs, and unfinished ones that were passed over."""
    stale = {key: words for key, result in sorted(found.items()) if (words := result.changed(root))}
    for key, changed in stale.items():
        yield f"stale: {results.words(key)} ({found[key].profile}) is older than {', '.join(changed)}"
    if stale:
        yield "make refresh runs again what is stale, and nothing else"
    for key in sorted(set(unfinished) & set(found)):
        yield f"unfinished, passed over: {', '.join(str(folder) for folder in unfinished[key])}"


def collect(root: Path, texts: Path, runs: Path, out: Path, backend: str) -> list[str]:
    """Write all that the text asks for into `out`; returns notices for the terminal.

    Raises ValueError before anything is written when a run, number, figure, table or claim is not there.
    """
    found, unfinished = results.best(runs)
    asked = read_text(texts)
    chosen = BACKENDS if backend == "both" else (backend,)
    judged = [claim for claim in claims.load(texts / "claims.yaml") if claim.report in asked.reports]
    needed = asked.keys() | {key for path in (root / "notebooks").glob("*.ipynb") for key in notebook_keys(path)}
    needed |= {key for claim in judged for key in claim_keys(claim, chosen, found)}
    check_needed({key for key in needed if key[1] in (*chosen, NO_BACKEND)}, found, unfinished)
    check_names(asked, found)
    pieces = {f"claims-{report}.tex": latex_pieces.claims_table(report, judged, found) for report in asked.reports}
    pieces |= {f"rules-{report}.tex": latex_pieces.rules_table(report, judged) for report in asked.reports}
    check_verdicts(asked, judged)
    for number, backend, name, columns in asked.worst:
        if (number, backend) in found:
            text = tables.worst(found[number, backend], name, columns.split(", "))
            pieces[f"tables/worst-{number}-{backend}-{name}.tex"] = text
    for number, backend, name in asked.pairs:
        if (number, backend) in found:
            pieces[f"tables/pairs-{number}-{backend}-{name}.tex"] = tables.pairs(found[number, backend], name)
    pieces["macros.tex"] = latex_pieces.macros(asked, judged, found)
    pieces["verdicts.tex"] = latex_pieces.verdicts_table(asked.reports, judged, found)
    pieces["verdicts.md"] = latex_pieces.verdicts_markdown(asked.reports, judged, found)
    pieces["twins.tex"] = latex_pieces.twins_table(found)
    pieces["provenance.tex"] = latex_pieces.provenance_table(found, root)
    pieces["provenance-long.tex"] = latex_pieces.provenance_long(asked, found)
    shutil.rmtree(out, ignore_errors=True)
    for name, text in pieces.items():
        write_text(out / name, text)
    copy_files(asked, found, out)
    return list(notices(found, unfinished, root))


def notebook_keys(path: Path) -> list[Key]:
    """The runs that a notebook has: one with each backend, or one alone when it takes none."""
    takes_backend = "backend" in notebook.declared_parameters(path)
    return [(path.stem.split("_")[0], backend) for backend in (BACKENDS if takes_backend else (NO_BACKEND,))]


def claim_keys(claim: claims.Claim, chosen: tuple[str, ...], found: dict[Key, Result]) -> list[Key]:
    """The runs that decide a claim: those of the backends chosen, or the one run of its notebook."""
    alone = (claim.notebook, NO_BACKEND)
    return [alone] if alone in found else [(claim.notebook, backend) for backend in chosen]


def copy_files(asked: Asked, found: dict[Key, Result], out: Path) -> None:
    """Copy the figures and tables asked for under names that say their run: `figures/03-torch-name.pdf`."""
    for kind, suffix in (("figures", "pdf"), ("tables", "tex")):
        (out / kind).mkdir(parents=True, exist_ok=True)
        for number, backend, name in getattr(asked, kind):
            if (number, backend) in found:
                source = found[number, backend].folder / kind / f"{name}.{suffix}"
                shutil.copyfile(source, out / kind / f"{number}-{backend}-{name}.{suffix}")


def main(arguments: list[str] | None = None) -> None:
    """The command line; ends with one sentence and exit status 1 when the report cannot be made."""
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
