"""The PDF: it builds, every reference is defined, fonts are embedded, nothing sticks out of the text."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from pypdf import PageObject, PdfReader
from pypdf.generic import ContentStream
from tiny import CLAIM, ROOT, finished_run, write_project

from twinvae.run.parameters import PROFILES
from twinvae_collect.collect import main as collect

needs_latex = pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed; see make latex")
OVERFULL_POINTS = 2
BODY_PAGES = 45  # with the references, without the appendices
TEXT_POINTS, FIGURE_POINTS = 6.9, 4.9  # of what has as many letters as a WORD: others are indices, exponents, marks
WORD = 7
FOOT = 75  # points from the lower edge, below which a page's number stands
LEAST = {"figure": 0.99, "table": 0.875}  # a figure at its own size; a table set in 8 pt, which is 7 pt at least
EVERYTHING = r"""
\section{All}\label{sec:all}
\twinsource{03}{torch}\twinsource{03}{tf}
\twinasked{What?}\twinanswer{004}{That.}
Numbers: \val{03/torch/a}, in mathematics $x = \val{03/tf/a}$ and \val{01/none/c};
Figures~\ref{fig:03-torch-line}
and~\ref{fig:03-tf-line}, Table~\ref{tab:03-torch-sizes};
the claims of \val{claims/004/total} report~\cite{kingma2014}.
\twinfigure{03}{torch}{line}
\twinfigure{03}{tf}{line}
\twintable{03}{torch}{sizes}
\twinworst{03}{tf}{sizes}{model_name}
\verdict{C-1}

\input{generated/verdicts}

\noindent\makebox[\linewidth][c]{\input{generated/twins}}

\input{generated/items}
\twinclaims{004}
\input{generated/provenance}
\input{generated/provenance-long}
"""


def build(report: Path) -> tuple[Path, str]:
    """Make the PDF as the Makefile does; returns it and LaTeX's log."""
    command = [
        "latexmk",
        "-pdf",
        "-latexoption=-no-shell-escape",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-silent",
        "-outdir=build",
        "main.tex",
    ]
    done = subprocess.run(command, cwd=report, capture_output=True, text=True, errors="replace")
    log = (report / "build" / "main.log").read_text(errors="replace")
    assert done.returncode == 0, log[-3000:]
    return report / "build" / "main.pdf", log


def faults(pdf: Path, log: str) -> list[str]:
    """What one would not hand in."""
    found = re.findall(
        r"LaTeX Warning: (?:Reference|Citation|There were undefined|Label\(s\) may).*|.*multiply defined.*", log
    )
    for line, points in re.findall(r"(Overfull \\hbox \(([0-9.]+)pt too wide\).*)", log):
        if float(points) > OVERFULL_POINTS:
            found.append(line)
    return found + too_small(log) + fonts_outside(pdf)


def too_small(log: str) -> list[str]:
    """The figures and tables that the page made too small to be read, from what `\\twinfit` left in the log."""
    sizes = re.findall(r"twinvae: (figure|table) (\S+) of ([0-9.]+)pt in ([0-9.]+)pt", log.replace("\n", ""))
    return [
        f"{kind} {name} is at {float(place) / float(wide):.2f} of its size"
        for kind, name, wide, place in sizes
        if float(place) < LEAST[kind] * float(wide)
    ]


def places(build: Path) -> tuple[dict[str, int], list[int]]:
    """The page of each label, and the first page of each section, appendices included."""
    labels = re.findall(r"\\newlabel\{([^}]*)\}\{\{[^}]*\}\{(\d+)\}", (build / "main.aux").read_text())
    sections = re.findall(r"\\contentsline \{section\}.*\}\{(\d+)\}\{\w+\.\w+\}%", (build / "main.toc").read_text())
    return {label: int(page) for label, page in labels}, [int(page) for page in sections]


def strayed(texts: Path, labels: dict[str, int], sections: list[int]) -> list[str]:
    """The figures and tables that are not on the pages of their section, of which each has a file of its own."""
    names = re.findall(r"\\input\{sections/(\w+)\}", (texts / "main.tex").read_text())
    names = [name for name in names if name != "abstract"]
    assert len(names) == len(sections)
    found = []
    for name, first, last in zip(names, sections, [*sections[1:], 10_000], strict=True):
        text = re.sub(r"(?<!\\)%.*", "", (texts / "sections" / f"{name}.tex").read_text())
        floats = re.findall(r"\\label\{((?:fig|tab|alg):[^}#]*)\}", text)
        for kind, *run in re.findall(r"\\twin(figure|table|worst|pairs)\{(\w+)\}\{(\w+)\}\{(\w+)\}", text):
            floats.append(f"{'fig' if kind == 'figure' else 'tab'}:{'-'.join(run)}")
        for label in floats:
            if not first <= labels[label] <= last:
                found.append(f"{label} of {name}.tex is on page {labels[label]}")
    return found


def smallest(page: PageObject) -> float:
    """The size in points of the smallest text of a page, without its figures, indices and exponents."""
    sizes, before, size, scale, line = [], [], 0.0, 1.0, 1.0

    def factor(matrix: list) -> float:
        a, b, c, d = (float(number) for number in matrix[:4])
        return abs(a * d - b * c) ** 0.5

    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator == b"q":
            before.append(scale)
        elif operator == b"Q":
            scale = before.pop()
        elif operator == b"cm":
            scale *= factor(operands)
        elif operator == b"BT":
            line = 1.0
        elif operator == b"Tm":
            line = factor(operands)
        elif operator == b"Tf":
            size = float(operands[1])
        elif operator in (b"Tj", b"TJ"):
            parts = operands[0] if operator == b"TJ" else operands
            if sum(len(part) for part in parts if isinstance(part, (str, bytes))) >= WORD:
                sizes.append(size * scale * line)
    return min(sizes, default=float("inf"))


def ends_early(page: PageObject) -> bool:
    """Whether the text of a page ends in its upper half: captions count, not the number at its foot."""
    lines = []

    def place(text: str, matrix: list, line: list, *_) -> None:
        if text.strip() and list(matrix) == [1, 0, 0, 1, 0, 0]:  # not in a figure
            lines.append(line[5])

    page.extract_text(visitor_text=place)
    return not any(FOOT < height < float(page.mediabox.height) / 2 for height in lines)


def fonts_outside(pdf: Path) -> list[str]:
    """The fonts that a PDF asks for and does not hold, those of its figures included."""
    if shutil.which("pdffonts") is None:
        return []
    lines = subprocess.run(["pdffonts", pdf], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    return [f"font not embedded: {line}" for line in lines if line[37:].split()[-5] != "yes"]


def words(pdf: Path) -> str:
    """The text of a PDF, in one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(pdf).pages).split())


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The report's frame around a text that asks for something of everything."""
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "report"
    (folder / "sections").mkdir(parents=True)
    for name in ("main.tex", "references.bib"):
        shutil.copy(ROOT / "report" / name, folder)
    for name in re.findall(r"\\input\{sections/(\w+)\}", (folder / "main.tex").read_text()):
        (folder / "sections" / f"{name}.tex").write_text(EVERYTHING if name == "method" else "")
    (folder / "claims.yaml").write_text(yaml.safe_dump([CLAIM | {"note": "one & two_three"}]))
    finished_run("03_tiny", "torch", "full", a=1.0, b=2.0)
    finished_run("01_alone", None, c=-0.25)
    return folder


# Stands for LaTeX: writes its aux file in two halves, and cannot read one of which there is only a half.
LATEXMK = """#!/bin/sh
case "$*" in *-no-shell-escape*) ;; *) echo "LaTeX may run commands" >&2; exit 1;; esac
test ! -e build/main.aux || grep -q end build/main.aux || exit 12
echo begin > build/main.aux
test ! -e wait || { touch waiting; sleep 30; }
echo end >> build/main.aux
echo "a whole PDF" > build/main.pdf
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_build_that_was_stopped_does_not_break_the_next(end, tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    folder = tmp_path / "report"
    folder.mkdir()
    (tmp_path / "latexmk").write_text(LATEXMK)
    (tmp_path / "latexmk").chmod(0o755)
    (folder / "wait").touch()
    (folder / "twinvae.pdf").write_text("the one before")
    command, environment = ["make", "tex"], os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True, stdout=-3, stderr=-3)
    while not (folder / "waiting").exists() and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, end)
    process.wait()
    assert (folder / "build" / "main.aux").read_text() == "begin\n"
    assert (folder / "twinvae.pdf").read_text() == "the one before"
    (folder / "wait").unlink()
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (folder / "twinvae.pdf").read_text() == "a whole PDF\n"
    assert {path.name for path in folder.iterdir()} == {"build", "twinvae.pdf", "waiting"}


@needs_latex
def test_the_pdf_of_both_twins(report):
    finished_run("03_tiny", "tf", "quick", kind="stand-in", a=3.0, b=2.0)
    collect([])
    pdf, log = build(report)
    assert not faults(pdf, log)
    text = words(pdf)
    assert "stand-in: tiny files" in text and "Not run" not in text
    assert "A is below 5 % of B. (2.4)" in text and "undecided" in text
    again, _ = build(shutil.copytree(report, report.parent / "again", ignore=shutil.ignore_patterns("build")))
    assert again.read_bytes() == pdf.read_bytes(), "the same sources and results give the same file"


@needs_latex
def test_the_pdf_of_one_twin_says_what_was_not_run(report):
    collect(["--backend", "torch"])
    pdf, log = build(report)
    assert not faults(pdf, log)
    text = words(pdf)
    assert "Not run: 03/tf/line." in text and "Not run: 03/tf/sizes." in text and "x = n/a" in text


def test_what_is_too_small_to_be_read_is_noticed():
    log = "twinvae: figure 03-torch-a of 345.0pt in 3\n45.0pt\ntwinvae: table 03-tf-b of 300.0pt in 225.0pt\n"
    assert too_small(log) == ["table 03-tf-b is at 0.75 of its size"]


@needs_latex
def test_a_number_that_was_not_collected_stops_latex(report):
    collect(["--backend", "torch"])
    (report / "sections" / "theory.tex").write_text(r"\val{03/torch/forgotten}")
    with pytest.raises(AssertionError, match="val@03/torch/forgotten was not collected"):
        build(report)


@needs_latex
def test_the_report_as_it_stands(tmp_path):
    if not any((ROOT / "results" / profile).is_dir() for profile in PROFILES if profile != "smoke"):
        pytest.skip("no committed results")
    texts = shutil.copytree(ROOT / "report", tmp_path / "report", ignore=shutil.ignore_patterns("generated", "build"))
    collect(["--results", str(ROOT / "results"), "--texts", str(texts)])
    pdf, log = build(texts)
    assert not faults(pdf, log)
    assert "Not run" not in words(pdf) and "n/a" not in words(pdf)
    labels, sections = places(pdf.parent)
    assert labels["end:body"] <= BODY_PAGES
    assert not strayed(texts, labels, sections)
    pages = PdfReader(pdf).pages
    ends = (labels["end:discussion"], len(pages))  # the one before other margins, and the last
    early = [number for number, page in enumerate(pages, 1) if number not in ends and ends_early(page)]
    assert not early, f"pages of which the lower half is empty: {early}"
    small = {number: size for number, page in enumerate(pages, 1) if (size := smallest(page)) < TEXT_POINTS}
    assert not small, f"pages with text below {TEXT_POINTS} points: {small}"
    figures = sorted((texts / "generated" / "figures").glob("*.pdf"))
    small = {path.name: size for path in figures if (size := smallest(PdfReader(path).pages[0])) < FIGURE_POINTS}
    assert not small, f"figures with text below {FIGURE_POINTS} points: {small}"


def test_a_float_in_another_section_is_noticed(tmp_path):
    (tmp_path / "sections").mkdir()
    (tmp_path / "main.tex").write_text(r"\input{sections/one}\input{sections/two}")
    (tmp_path / "sections" / "one.tex").write_text(r"\twinfigure{03}{torch}{line}")
    (tmp_path / "sections" / "two.tex").write_text(r"\begin{table}\label{tab:a}\end{table}")
    assert not strayed(tmp_path, {"fig:03-torch-line": 2, "tab:a": 2}, [1, 2])
    assert strayed(tmp_path, {"fig:03-torch-line": 3, "tab:a": 1}, [1, 2]) == [
        "fig:03-torch-line of one.tex is on page 3",
        "tab:a of two.tex is on page 1",
    ]


def test_the_committed_pdf_holds_its_fonts():
    pdf = ROOT / "report" / "twinvae.pdf"
    if not pdf.is_file():
        pytest.skip("no report/twinvae.pdf")
    assert not fonts_outside(pdf) and len(PdfReader(pdf).pages) > 5
