"""The report's text, before LaTeX: it names each figure, types no measured number, and starts with the answer."""

import re
from pathlib import Path

import pytest
from tiny import ROOT

SECTIONS = sorted((ROOT / "report" / "sections").glob("*.tex"))
APPENDICES = ("errata", "claims", "provenance", "figures", "abstract")
# Facts of the reports, of papers, of data sets or of the set-up, which no run measures; all other numbers are macros.
FACTS = {
    "data": {"16", "255", "784", "0.01"},
    "errata": {"0.12", "0.32", "0.51"},  # widths of columns
    "method": {"60,000", "10,000", "28", "5,000", "55,000", "95"},
    "provenance": {"256"},
    "report000": {"36", "62", "128", "95", "255", "0.03", "20"},
    "report001": {"24", "512", "0.5"},
    "report002": {"256", "0.001", "95", "3,280"},
    "report003": {"0.1", "110", "51", "40", "0.99", "80", "70", "256"},
    "report004": {"100", "0.4"},
    "scoreboard": {"62", "512", "16", "500", "200", "50", "95"},
}
WITHOUT_NUMBERS = [  # what of LaTeX holds digits that nobody reads as a number
    r"(?<!\\)%.*",
    r"\\begin\{(equation|align|tikzpicture|tabular|tabularx)\*?\}.*?\\end\{\1\*?\}",
    r"\$[^$]*\$",
    r"\\(?:setlength|addtocounter|twinroom)\{[^}]*\}\{[^}]*\}",
    r"\\(?:val|seen|ref|eqref|cite|label|verdict|twin\w+|input|texttt|begin|end|fontsize|includegraphics|item)\b(?:\[[^]]*\])?"
    r"(?:\{[^{}]*\})+",
    r"\b[EC]-\w+-\d+",
    r"(?:[Rr]eports?|[Nn]otebook|[Tt]ask|[Dd]atabase|[Ff]igure|CIFAR|TensorFlow)[~ -]\d+(?:(?:,| and| to) \d+)*",
]
NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?")


def typed(text: str) -> set[str]:
    """The numbers of two digits or more, or with a point, that a text has of its own."""
    for pattern in WITHOUT_NUMBERS:
        text = re.sub(pattern, " ", text, flags=re.DOTALL if "begin" in pattern and "equation" in pattern else 0)
    return {number for found in NUMBER.findall(text) if len(number := found.rstrip(",")) > 1}


def shown(text: str) -> set[str]:
    """The labels of the figures, tables and algorithms that a text shows."""
    calls = re.findall(r"\\twin(figure|table|worst|pairs)\{(\w+)\}\{(\w+)\}\{(\w+)\}", text)
    made = {f"{'fig' if kind == 'figure' else 'tab'}:{'-'.join(run)}" for kind, *run in calls}
    return made | set(re.findall(r"\\label\{((?:fig|tab|alg):[^}#]*)\}", text))


def unnamed(texts: list[str]) -> list[str]:
    """What is shown in one of the texts and named in none; a range 'Figures a to c' names what stands between."""
    text = re.sub(r"(?<!\\)%.*", "", "\n".join(texts))
    order = re.findall(r"\\twinfigure\{(\w+)\}\{(\w+)\}\{(\w+)\}", text)
    figures = [f"fig:{'-'.join(run)}" for run in order]
    named = set(re.findall(r"\\ref\{([^}]*)\}", text))
    for first, last in re.findall(r"\\ref\{(fig:[^}]*)\} to~\\ref\{(fig:[^}]*)\}", text):
        named |= set(figures[figures.index(first) : figures.index(last) + 1])
    return sorted(label for label in shown(text) - named if not label.startswith("tab:01-none-errata"))


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.stem)
def test_no_measured_number_is_typed(path: Path):
    assert typed(path.read_text()) == FACTS.get(path.stem, set()), "write \\val{...}, or name it in FACTS"


def test_a_typed_number_is_noticed():
    text = r"It is 0.97 in report~004, $x = 12.5$, \val{03/torch/a99} and Table~\ref{tab:1234}; 1,500 images of MNIST."
    assert typed(text) == {"0.97", "1,500"}


def test_every_figure_and_table_is_named():
    assert not unnamed([path.read_text() for path in SECTIONS])


def test_a_figure_that_no_sentence_names_is_noticed():
    text = r"\twinfigure{03}{torch}{a}\twinfigure{03}{torch}{b}\twintable{03}{torch}{c} Table~\ref{tab:03-torch-c}"
    assert unnamed([text]) == ["fig:03-torch-a", "fig:03-torch-b"]
    assert not unnamed([text, r"Figures~\ref{fig:03-torch-a} to~\ref{fig:03-torch-b}"])


@pytest.mark.parametrize("path", [p for p in SECTIONS if p.stem not in APPENDICES], ids=lambda path: path.stem)
def test_a_section_starts_with_what_was_asked_and_the_answer(path: Path):
    head = r"\\section\{.*\}\\label\{.*\}\n(?:\\twinsource\{\w+\}\{\w+\}\n)?(?:\n)?\\twinasked\{"
    text = path.read_text()
    assert re.match(head, text), "after its head and source a section asks"
    answer = r"\\twinanswer\{\d{3}\}" if path.stem.startswith("report") else r"\\twinfound\{"
    assert len(re.findall(answer, text)) == 1
