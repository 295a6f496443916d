"""The pieces of LaTeX that the report takes from the runs: macros, floats, claims, provenance."""

import re
from pathlib import Path
from statistics import median

from twinvae.run import latex
from twinvae.run.results import NO_BACKEND, Key, Result
from twinvae_collect.claims import FAILS, HOLDS, UNDECIDED, Claim, together, verdict
from twinvae_collect.report_text import Asked

FRAMEWORK = {"torch": "PyTorch", "tf": "TensorFlow", NO_BACKEND: "--"}
TIMES = re.compile("second|minute|pace|speed|time|cost|ratio")  # in the name of a number that a machine decides
WHOLE = 4  # rows of a table of claims that is not broken over pages
LETTER = {"smoke": "s", "quick": "q", "full": ""}


def mark(result: Result, kind: str, name: str) -> str:
    """The raised letter beside a number that is not from a full run on official data."""
    letters = LETTER[result.profile] + ("" if result.official(kind, name) else r"$\ast$")
    return rf"\textsuperscript{{{letters}}}" if letters else ""


def value(result: Result | None, name: str) -> str:
    """A number as the run's format says, with its mark; 'n/a' where there is no run."""
    if result is None:
        return "n/a"
    text, letters = latex.number(result.numbers[name], result.manifest["formats"][name]), mark(result, "numbers", name)
    return text + (r"\," if r"\times" in text and letters else "") + letters  # beside an exponent, not in it


def define(name: str, text: str) -> str:
    """A macro whose name may hold any character."""
    return rf"\expandafter\def\csname {name}\endcsname{{{text}}}" + "\n"


def macros(asked: Asked, judged: list[Claim], found: dict[Key, Result]) -> str:
    """What `\\val`, `\\twinfigure` and `\\twintable` look up: values, captions, and what was not run."""
    text = "".join(
        define(f"val@{number}/{backend}/{name}", value(found.get((number, backend)), name))
        for number, backend, name in asked.numbers
    )
    for report, counts in verdict_counts(asked.reports, judged, found).items():
        text += "".join(define(f"val@claims/{report}/{name}", str(count)) for name, count in counts.items())
    text += "".join(define(f"verdict@{claim.id}", verdict_of(claim, found)) for claim in judged)
    for kind in ("figures", "tables"):
        for number, backend, name in getattr(asked, kind):
            if (number, backend) in found:
                text += define(f"caption@{kind}/{number}/{backend}/{name}", caption(found[number, backend], kind, name))
    for kind, items in (("worst", asked.worst), ("pairs", asked.pairs)):
        for number, backend, name, *columns in items:
            if (number, backend) in found:
                said = cut_caption(found[number, backend], name, *columns)
                text += define(f"caption@{kind}/{number}/{backend}/{name}", said)
    return text + define("runs@date", max((r.manifest["ended"][:10] for r in found.values()), default="no run"))


def caption(result: Result, kind: str, name: str) -> str:
    """The caption that the notebook gave, and where it is from unless that is a full run on official data."""
    text = latex.escape(result.manifest["captions"][kind][name])
    return text + (rf" \twinwhere{{{latex.escape(where(result, kind, name))}}}" if mark(result, kind, name) else "")


def where(result: Result, kind: str, name: str) -> str:
    """Profile, data and backend in few words: what a set is beyond its name stands in the table of the data sets."""
    sources = result.sources(kind, name)
    names = [(s["label"].replace(", official files", "").partition(", ")[0], s["kind"]) for s in sources]
    sets = [
        name + ("" if kind == "official" or "(" in name or name.startswith(kind) else f" ({kind})")
        for name, kind in names
    ]
    data = "; ".join(dict.fromkeys(sets)) if len(sets) <= 3 else f"{len(sets)} data sets"
    return ", ".join(word for word in (result.profile, data, result.manifest["backend"]) if word)


def cut_caption(result: Result, name: str, columns: str = "") -> str:
    """The caption of a table that is cut down, how it is, and where all of it is."""
    how = (
        rf"One row for all of the same {latex.escape(columns)}: how many they are, and the largest of each number"
        if columns
        else "PyTorch/TensorFlow where the two differ as printed"
    )
    return caption(result, "tables", name) + rf" {how}; all rows: {code(f'{result.folder.name}/tables/{name}.csv')}."


def in_order(found: dict[Key, Result]) -> list[tuple[Key, Result]]:
    """The runs by notebook, PyTorch before TensorFlow."""
    return sorted(found.items(), key=lambda item: (item[0][0], list(FRAMEWORK).index(item[0][1])))


def runs_of(claim: Claim, found: dict[Key, Result]) -> dict[str, Result]:
    """The runs that judge a claim, by backend."""
    return {key[1]: result for key, result in in_order(found) if key[0] == claim.notebook}


def verdict_of(claim: Claim, found: dict[Key, Result]) -> str:
    """The verdict of all runs of a claim together."""
    return together([verdict(claim, result.numbers) for result in runs_of(claim, found).values()])


def verdict_counts(reports: list[str], judged: list[Claim], found: dict[Key, Result]) -> dict[str, dict[str, int]]:
    """How many claims of each report, and of 'all' that have a number and no author, hold, fail and are undecided."""
    counts = {}
    for report in (*reports, "all"):
        these = {report} if report != "all" else {name for name in reports if name.isdigit()}
        verdicts = [verdict_of(claim, found) for claim in judged if claim.report in these]
        counts[report] = {
            "total": len(verdicts),
            "hold": verdicts.count(HOLDS),
            "fail": verdicts.count(FAILS),
            "undecided": verdicts.count(UNDECIDED),
        }
    return counts


def verdicts_table(reports: list[str], judged: list[Claim], found: dict[Key, Result]) -> str:
    """The verdicts of each report, counted."""
    rows = [
        " & ".join([source(report), *map(str, counts.values())]) + r" \\"
        for report, counts in verdict_counts(reports, judged, found).items()
    ]
    head = r"claims of & in all & hold & do not hold & undecided \\"
    return "\n".join(
        [r"\begin{tabular}{lrrrr}", r"\toprule", head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}", ""]
    )


def verdicts_markdown(reports: list[str], judged: list[Claim], found: dict[Key, Result]) -> str:
    """What holds and what does not, for README.md: the verdicts of each report counted, then a line a claim."""
    lines = ["| claims of | in all | hold | do not hold | undecided |", "| --- | --- | --- | --- | --- |"]
    for report, counts in verdict_counts(reports, judged, found).items():
        lines.append("| " + " | ".join([source(report), *map(str, counts.values())]) + " |")
    lines += ["", "| claim | said | verdict |", "| --- | --- | --- |"]
    lines += [
        f"| {claim.id} | {claim.said} | {verdict_of(claim, found)} |"
        for claim in sorted(judged, key=lambda claim: claim.report)
    ]
    return "\n".join(lines) + "\n"


def twins_table(found: dict[Key, Result]) -> str:
    """How far the numbers of two runs of a notebook, of one profile and as many seeds, are apart; times left out."""
    rows = []
    for number in sorted({key[0] for key in found if key[1] == "torch"} & {key[0] for key in found if key[1] == "tf"}):
        torch, tf = found[number, "torch"], found[number, "tf"]
        if torch.profile != tf.profile or torch.numbers.get("seeds") != tf.numbers.get("seeds"):
            continue
        shared = [name for name in torch.numbers if name in tf.numbers and not TIMES.search(name)]
        forms = torch.manifest["formats"]
        equal = sum(format(torch.numbers[n], forms[n]) == format(tf.numbers[n], forms[n]) for n in shared)
        apart = sorted(
            abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0
            for a, b in ((torch.numbers[n], tf.numbers[n]) for n in shared)
        )
        cells = [
            code(torch.manifest["name"]),
            torch.profile,
            str(len(shared)),
            str(equal),
            str(sum(gap < 0.05 for gap in apart)),
            latex.number(100 * median(apart), ".2g") + r"\,\%" if apart else "--",
        ]
        rows.append(" & ".join(cells) + r" \\")
    head = r"notebook & profile & numbers & equal as printed & less than 5\,\% apart & median \\"
    return "\n".join(
        [r"\begin{tabular}{llrrrr}", r"\toprule", head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}", ""]
    )


def source(report: str) -> str:
    """Who claims: 'report 004', 'ours', or the first author of a paper."""
    names = {"all": "all reports", "ours": "ours"}
    return f"report {report}" if report.isdigit() else names.get(report, f"{report.capitalize()} et al.")


def claims_table(report: str, judged: list[Claim], found: dict[Key, Result]) -> str:
    """'The report said / we measured / verdict' as a table; ValueError for a report without claims."""
    chosen = [claim for claim in judged if claim.report == report]
    if not chosen:
        raise ValueError(f"the text shows the claims of report {report}, and claims.yaml has none")
    who = "we expected" if report == "ours" else f"{source(report)} said"
    head = rf"\# & {who} & we measured & verdict \\"
    rows = [claim_row(claim, runs_of(claim, found)) for claim in chosen]
    return ruled(r"lL{0.24\linewidth}L{0.55\linewidth}L{0.095\linewidth}", head, rows)


def claim_row(claim: Claim, runs: dict[str, Result]) -> str:
    """One row: the claim and its place, the numbers of each backend, the verdict; theirs in the note where they differ."""
    lacking = [
        f"{name} (not in {run.folder})" for run in runs.values() for name in claim.names if name not in run.numbers
    ]
    if lacking:
        raise ValueError(f"claim {claim.id} asks for numbers that no run wrote: {', '.join(sorted(lacking))}")
    measured = [
        f"{latex.escape(shown)}: " + " / ".join(value(run, name) for run in runs.values())
        for shown, name in claim.shown.items()
    ]
    verdicts = {backend: verdict(claim, run.numbers) for backend, run in runs.items()}
    notes = [f"{FRAMEWORK[backend]}: {word}." for backend, word in verdicts.items() if len(set(verdicts.values())) > 1]
    notes += [latex.escape(claim.note)] if claim.note else []
    note = [rf"{{\scriptsize {' '.join(notes)}}}"] if notes else []
    said = rf"{latex.escape(claim.said)} ({latex.escape(claim.where)})"
    final = rf"\textbf{{{together(list(verdicts.values()))}}}"
    cells = [latex.escape(claim.id), said, r"\newline ".join(["; ".join(measured), *note]), final]
    return " & ".join(cells) + r" \\"


def rules_table(report: str, judged: list[Claim]) -> str:
    """The rule of each claim, as it stands in claims.yaml."""
    return "".join(
        rf"\par\noindent\textbf{{{latex.escape(claim.id)}}} holds if {code(claim.holds_if)}; does not hold if {code(claim.fails_if)}."
        + "\n"
        for claim in judged
        if claim.report == report
    )


def code(text: str) -> str:
    """Typewriter text that may break after an underscore, a hyphen and a point that is in no number."""
    text = re.sub(r"(\\_|-|\.(?!\d))", r"\1\\allowbreak{}", latex.escape(text))
    return rf"\texttt{{{text}}}"


def ruled(columns: str, head: str, rows: list[str]) -> str:
    """A booktabs table in small type that takes no number: whole up to WHOLE rows, a longer one may run over pages."""
    body = "\n\\addlinespace[2.5pt]\n".join(rows) + "\n"
    if len(rows) > WHOLE:
        name, start, end = "longtable*", "", "\\endhead\n\\bottomrule\n\\endfoot\n"
    else:
        name, start, end = "tabular", "\\par\\smallskip\\noindent\n", ""
        body += "\\bottomrule\n"
    return (
        "{\\footnotesize\\sloppy\\setlength{\\tabcolsep}{3pt}\n"
        + start
        + rf"\begin{{{name}}}{{@{{}}{columns}@{{}}}}"
        + f"\n\\toprule\n{head}\n\\midrule\n"
        + end
        + body
        + rf"\end{{{name}}}\par\smallskip}}"
        + "\n"
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
    table = "\\begin{tabularx}{\\linewidth}{@{}L{37mm}llYlrll@{}}\n\\toprule\n" + head + "\n\\midrule\n"
    table += "\n".join(rows) + "\n\\bottomrule\n\\end{tabularx}\n"
    notes = [
        r"A raised letter beside a number and the words in a caption tell the profile: s smoke, q quick;"
        r" none is a full run. A raised $\ast$: not the official data."
    ]
    if any(r.manifest["git"]["dirty"] for r in found.values()):
        notes.append("+ the library or the notebooks differed from the commit.")
    if any(r.changed(root) for r in found.values()):
        notes.append(r"\textsuperscript{\dag} The notebook or the library has changed since this run.")
    return (
        "\\par{\\scriptsize\\setlength{\\tabcolsep}{3pt}\\noindent\n"
        + table
        + "\n\\smallskip\\noindent "
        + "\n".join(notes)
        + "\\par}\n"
    )


def provenance_long(asked: Asked, found: dict[Key, Result]) -> str:
    """For each run its time, machine, parameters, versions and what is shown of it; then the data files by checksum."""
    machines, versions, runs, files = {}, {}, [], {}
    for _, result in in_order(found):
        m = result.manifest
        machine = "{cpu}, {cores} cores, threads: {threads}, {memory_gib} GiB, {device}, {system}".format(
            **m["machine"]
        )
        software = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
        memory = f", at most {m['peak_memory_mib']:.0f} MiB" if m["peak_memory_mib"] else ""
        facts = (
            f"{FRAMEWORK[result.key[1]]}, {m['profile']}, {m['started'][:16]}, {m['seconds']:.0f} s{memory}, "
            f"commit {m['git']['commit'][:12]}, machine {letter(machines, machine)}, software {letter(versions, software)}. "
            + (", ".join(f"{name} = {value}" for name, value in m["parameters"].items()) or "no parameters")
            + ". "
        )
        runs.append(rf"\textbf{{{code(m['name'])}}} {latex.escape(facts)}{shown_of(result, asked)}")
        files = {digest: f"{s['dataset']}/{name}" for s in m["data"] for name, digest in s["files"]} | files
    lists = [
        rf"\textbf{{{word} {sign}.}} {latex.escape(text)}"
        for word, known in (("Machine", machines), ("Software", versions))
        for text, sign in known.items()
    ]
    sums = [
        rf"{code(name)} \texttt{{{digest[:16]}}}"
        for name, digest in sorted((name, digest) for digest, name in files.items())
    ]
    return "".join("\\par\\noindent " + line + "\n" for line in (*lists, *runs, *sums))


def letter(known: dict[str, str], text: str) -> str:
    """The capital letter of a text: a new one for a text not seen before."""
    return known.setdefault(text, chr(ord("A") + len(known)))


def shown_of(result: Result, asked: Asked) -> str:
    """Which figures, tables and numbers of a run the text shows, by their places in it, and the names of the others."""
    number, backend = result.key
    text = ""
    for kind, word, label, items in (
        ("figures", "Figures", "fig", asked.figures),
        ("tables", "Tables", "tab", asked.all_tables()),
    ):
        names = list(result.manifest["captions"][kind])
        here = [name for name in names if (number, backend, name) in items]
        others = [code(name) for name in names if name not in here]
        places = ", ".join(rf"\ref{{{label}:{number}-{backend}-{name}}} {code(name)}" for name in here)
        if here or backend != "tf":
            text += f"{word}: {places or 'none'}" + (f"; not shown: {', '.join(others)}. " if others else ". ")
        else:
            text += f"{word}: none; not shown: the same as PyTorch's. "
    used = sum(item[:2] == (number, backend) for item in asked.numbers)
    return text + f"Numbers: {len(result.numbers)}, in sentences {used}."
