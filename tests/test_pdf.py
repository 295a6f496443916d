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
from pypdf import PdfReader
from tiny import CLAIM, ROOT, finished_run, write_project

from twinvae.run.parameters import PROFILES
from twinvae_collect.collect import main as collect

needs_latex = pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed; see make latex")
OVERFULL_POINTS = 2
LEAST = {"figure": 0.6, "table": 0.875}  # a figure of its own width; a table set in 8 pt, which is 7 pt at least
EVERYTHING = r"""
\section{All}\label{sec:all}
\twinsource{03}{torch}\twinsource{03}{tf}
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

\twinclaims{004}
\twinrules{004}
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
    log = "twinvae: figure 03-torch-a of 345.0pt in 2\n10.0pt\ntwinvae: table 03-tf-b of 300.0pt in 225.0pt\n"
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


def test_the_committed_pdf_holds_its_fonts():
    pdf = ROOT / "report" / "twinvae.pdf"
    if not pdf.is_file():
        pytest.skip("no report/twinvae.pdf")
    assert not fonts_outside(pdf) and len(PdfReader(pdf).pages) > 5
