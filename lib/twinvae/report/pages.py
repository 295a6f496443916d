"""The pieces of LaTeX that the report takes from the runs: macros, floats, claims, provenance."""

from pathlib import Path

from twinvae import latex
from twinvae.report.asked import Asked
from twinvae.report.claims import FAILS, HOLDS, UNDECIDED, Claim, together, verdict
from twinvae.results import NO_BACKEND, Key, Result, words

FRAMEWORK = {"torch": "PyTorch", "tf": "TensorFlow", NO_BACKEND: "--"}
LETTER = {"smoke": "s", "quick": "q", "overnight": "o", "full": ""}


def mark(result: Result, kind: str, name: str) -> str:
    """The raised letter beside a number that is not from a full run on official data."""
    letters = LETTER[result.profile] + ("" if result.official(kind, name) else r"$\ast$")
    return rf"\textsuperscript{{{letters}}}" if letters else ""


def value(result: Result | None, name: str) -> str:
    """A number as the run's format says, with its mark; 'n/a' where there is no run."""
    if result is None:
        return "n/a"
    return latex.number(result.numbers[name], result.manifest["formats"][name]) + mark(result, "numbers", name)


def define(name: str, text: str) -> str:
    """A macro whose name may hold any character."""
    return rf"\expandafter\def\csname {name}\endcsname{{{text}}}" + "\n"


def macros(asked: Asked, judged: list[Claim], found: dict[Key, Result]) -> str:
    """What `\\val`, `\\twinfigure` and `\\twintable` look up: values, captions, and what was not run."""
    text = "".join(
        define(f"val@{number}/{backend}/{name}", value(found.get((number, backend)), name))
        for number, backend, name in asked.numbers
    )
    for report in asked.reports:
        verdicts = [verdict_of(claim, found) for claim in judged if claim.report == report]
        counts = {"total": len(verdicts), "hold": verdicts.count(HOLDS), "fail": verdicts.count(FAILS)}
        counts["undecided"] = verdicts.count(UNDECIDED)
        text += "".join(define(f"val@claims/{report}/{name}", str(count)) for name, count in counts.items())
    for kind in ("figures", "tables"):
        whole = [
            (*key, name)
            for key in asked.runs
            if key in found
            for name in found[key].manifest["captions"][kind]
        ]
        for number, backend, name in sorted({*getattr(asked, kind), *whole}):
            result = found.get((number, backend))
            if result:
                text += define(f"caption@{kind}/{number}/{backend}/{name}", caption(result, kind, name))
    return text + define(
        "runs@date", max((r.manifest["ended"][:10] for r in found.values()), default="no run")
    )


def caption(result: Result, kind: str, name: str) -> str:
    """The caption that the notebook gave, and where it is from unless that is a full run on official data."""
    text = latex.escape(result.manifest["captions"][kind][name])
    where = latex.escape(result.where(kind, name))
    return text + (rf" \twinwhere{{{where}}}" if mark(result, kind, name) else "")


def all_of(key: Key, asked: Asked, found: dict[Key, Result]) -> str:
    """Every figure and table of a run that the text shows nowhere else, in the notebook's order."""
    if key not in found:
        return rf"\twinnotrun{{{latex.escape(words(key))}}}" + "\n"
    captions = found[key].manifest["captions"]
    lines = [
        rf"\{macro}{{{key[0]}}}{{{key[1]}}}{{{name}}}"
        for kind, macro in (("figures", "twinfigure"), ("tables", "twintable"))
        for name in captions[kind]
        if (*key, name) not in getattr(asked, kind)
    ]
    return "\n".join(lines) + "\n"


def in_order(found: dict[Key, Result]) -> list[tuple[Key, Result]]:
    """The runs by notebook, PyTorch before TensorFlow."""
    return sorted(found.items(), key=lambda item: (item[0][0], list(FRAMEWORK).index(item[0][1])))


def runs_of(claim: Claim, found: dict[Key, Result]) -> dict[str, Result]:
    """The runs that judge a claim, by backend."""
    return {key[1]: result for key, result in in_order(found) if key[0] == claim.notebook}


def verdict_of(claim: Claim, found: dict[Key, Result]) -> str:
    """The verdict of all runs of a claim together."""
    return together([verdict(claim, result.numbers) for result in runs_of(claim, found).values()])


def claims_table(report: str, judged: list[Claim], found: dict[Key, Result]) -> str:
    """'The report said / we measured / verdict' as a longtable; ValueError for a report without claims."""
    chosen = [claim for claim in judged if claim.report == report]
    if not chosen:
        raise ValueError(f"the text shows the claims of report {report}, and claims.yaml has none")
    head = r"\# & the report said & we measured & verdict \\"
    rows = [claim_row(claim, runs_of(claim, found)) for claim in chosen]
    return longtable(r"lL{0.3\linewidth}L{0.42\linewidth}L{0.14\linewidth}", head, rows)


def claim_row(claim: Claim, runs: dict[str, Result]) -> str:
    """One row: the claim and its place, the numbers of each backend, the verdict, and theirs where they differ."""
    lacking = [
        f"{name} (not in {run.folder})"
        for run in runs.values()
        for name in claim.names
        if name not in run.numbers
    ]
    if lacking:
        raise ValueError(f"claim {claim.id} asks for numbers that no run wrote: {', '.join(sorted(lacking))}")
    measured = [
        f"{latex.escape(shown)}: " + " / ".join(value(run, name) for run in runs.values())
        for shown, name in claim.shown.items()
    ]
    verdicts = {backend: verdict(claim, run.numbers) for backend, run in runs.items()}
    each = [rf"{{\scriptsize {FRAMEWORK[backend]}: {word}}}" for backend, word in verdicts.items() if backend in FRAMEWORK]
    final = [rf"\textbf{{{together(list(verdicts.values()))}}}", *(each if len(set(verdicts.values())) > 1 else [])]
    note = [rf"{{\scriptsize {latex.escape(claim.note)}}}"] if claim.note else []
    said = rf"{latex.escape(claim.said)} ({latex.escape(claim.where)})"
    cells = [latex.escape(claim.id), said, r"\newline ".join(["; ".join(measured), *note]), r"\newline ".join(final)]
    return " & ".join(cells) + r" \\"


def rules_table(report: str, judged: list[Claim]) -> str:
    """The rule of each claim, as it stands in claims.yaml."""
    rows = [
        f"{latex.escape(claim.id)} & {code(claim.holds_if)} & {code(claim.fails_if)} " + r"\\"
        for claim in judged
        if claim.report == report
    ]
    return longtable(r"lL{0.42\linewidth}L{0.42\linewidth}", r"\# & holds if & does not hold if \\", rows)


def code(text: str) -> str:
    """Typewriter text that may break after an underscore, a hyphen and a point."""
    text = latex.escape(text)
    for character in (r"\_", "-", "."):
        text = text.replace(character, character + r"\allowbreak{}")
    return rf"\texttt{{{text}}}"


def longtable(columns: str, head: str, rows: list[str]) -> str:
    """A booktabs table that may run over pages, in small type."""
    body = "\n\\addlinespace\n".join(rows)
    start = (
        rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}"
        + "\n\\toprule\n"
        + (head + "\n\\midrule\n" if head else "")
    )
    return (
        "{\\footnotesize\\sloppy\\setlength{\\tabcolsep}{3pt}\n"
        + start
        + "\\endhead\n\\bottomrule\n\\endfoot\n"
        + body
        + "\n\\end{longtable}}\n"
    )


def provenance_table(found: dict[Key, Result], root: Path) -> str:
    """The table of the first page: which run, data, device and commit everything comes from."""
    rows = []
    for key, result in in_order(found):
        m = result.manifest
        commit = m["git"]["commit"][:7] + ("+" if m["git"]["dirty"] else "")
        commit += r"\textsuperscript{\dag}" if result.changed(root) else ""
        cells = [code(m["name"]), FRAMEWORK[key[1]], m["profile"], latex.escape(result.data)]
        cells += [latex.escape(m["machine"]["device"]), str(m["machine"]["threads"]), commit, m["ended"][:10]]
        rows.append(" & ".join(cells) + r" \\")
    head = r"notebook & backend & profile & data & device & thr. & commit & date \\"
    table = "\\begin{tabularx}{\\linewidth}{@{}L{27mm}llYlrll@{}}\n\\toprule\n" + head + "\n\\midrule\n"
    table += "\n".join(rows) + "\n\\bottomrule\n\\end{tabularx}\n"
    notes = [
        r"A raised letter beside a number and the words in a caption tell the profile: s smoke, q quick,"
        r" o overnight; none is a full run. A raised $\ast$: not the official data."
    ]
    if any(r.manifest["git"]["dirty"] for r in found.values()):
        notes.append("+ the library or the notebooks differed from the commit.")
    if any(r.changed(root) for r in found.values()):
        notes.append(r"\textsuperscript{\dag} The notebook or the library has changed since this run.")
    return (
        "{\\scriptsize\\setlength{\\tabcolsep}{3pt}\\noindent\n"
        + table
        + "\n\\smallskip\\noindent "
        + "\n".join(notes)
        + "\\par}\n"
    )


def provenance_long(found: dict[Key, Result]) -> str:
    """For each run its machine, time, parameters and versions; then the data files with their checksums."""
    rows, files = [], {}
    for _, result in in_order(found):
        m = result.manifest
        machine, memory = m["machine"], m["peak_memory_mib"]
        parameters = ", ".join(f"{name} = {value}" for name, value in m["parameters"].items()) or "none"
        facts = {
            "run": f"{m['profile']}, {FRAMEWORK[result.key[1]]}, {m['started'][:16]}, {m['seconds']:.0f} s"
            + (f", at most {memory:.0f} MiB" if memory else ""),
            "machine": f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads, "
            f"{machine['memory_gib']} GiB, {machine['device']}, {machine['system']}",
            "parameters": parameters,
            "commit": m["git"]["commit"],
            "versions": ", ".join(f"{name} {version}" for name, version in m["versions"].items()),
        }
        rows.append(rf"\multicolumn{{2}}{{@{{}}l}}{{{code(m['name'])}}} \\*")
        rows += [rf"{name} & {latex.escape(text)} \\" for name, text in facts.items()]
        files |= {(s["dataset"], name): digest for s in m["data"] for name, digest in s["files"]}
    text = longtable(r"lL{0.8\linewidth}", "", rows)
    checksums = [
        rf"{code(dataset)} & {code(name)} & \texttt{{{digest[:32]}\allowbreak {digest[32:]}}} \\"
        for (dataset, name), digest in sorted(files.items())
    ]
    head = r"data set & file & SHA-256 \\"
    return text + (longtable(r"L{0.19\linewidth}L{0.26\linewidth}L{0.49\linewidth}", head, checksums) if checksums else "")
