"""The HTML edition: pages that need no network, formulas drawn without scripts, links that lead to pages."""

import inspect
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from tiny import ROOT

from twinvae_apps import shell
from twinvae_collect import explorer_page, html_edition

OUTSIDE = re.compile(r"^(https?:)?//")


@pytest.fixture(scope="module")
def pages():
    """Four pages: links, formulas, code that is hidden, figures; parsed."""
    names = ("00_start_here", "01_theory", "01b_from_scratch", "10_explorer")
    return {
        name: BeautifulSoup(html_edition.page(ROOT / "notebooks" / f"{name}.ipynb"), "html.parser") for name in names
    }


def test_nothing_is_loaded_from_elsewhere(pages):
    for name, page in pages.items():
        loaded = [tag.get("src") or tag.get("href") for tag in page.find_all(["script", "img", "link", "iframe"])]
        assert not [where for where in loaded if where and OUTSIDE.match(where)], name
        assert not [tag for tag in page.find_all("script") if "http" in (tag.string or "")], name
        assert not [tag for tag in page.find_all("style") if "url(http" in (tag.string or "")], name


def test_no_script_runs_whatever_an_output_holds(pages):
    """The page forbids scripts, in its head and so before all that they could stand in."""
    for page in pages.values():
        (said,) = page.head.find_all("meta", {"http-equiv": "Content-Security-Policy"})
        assert "script-src 'none'" in said["content"] and "http" not in said["content"]


def test_formulas_are_mathml(pages):
    page = pages["01_theory"]
    assert len(page.find_all("math")) > 50
    words = " ".join(tag.get_text() for tag in page.find_all(class_="jp-RenderedMarkdown"))
    assert "$" not in words and "\\frac" not in words
    assert html_edition.mathml(r"$\displaystyle \frac{1}{2}$").count("<mfrac>") == 1
    assert "<mspace" in html_edition.convert(r"\log p") and "<mspace" in html_edition.convert(r"\log\sigma^2")
    assert "<mspace" not in html_edition.convert(r"\log(p)")


def test_formulas_in_the_cells_of_tables_are_mathml_and_dollars_are_dollars(pages):
    cells = pages["01_theory"].select("td, th")
    assert len([cell for cell in cells if cell.find("math")]) > 50
    assert not [cell for cell in cells if "$" in cell.get_text() or "\\frac" in cell.get_text()]
    assert html_edition.in_cells("<td>$a &lt; b$ or c</td>").count("<math") == 1
    assert html_edition.in_cells("<td><div>$x$</div></td>").count("<math") == 1
    for other in ("<td>$5 & $6</td>", "<p>$x$</p>", "<td>costs $5</td>"):
        assert html_edition.in_cells(other) == other


def test_links_lead_to_pages_and_figures_have_words(pages):
    links = [tag["href"] for tag in pages["00_start_here"].find_all("a", href=True)]
    assert "03_digits_ae_vae_cvae.html" in links and not [link for link in links if ".ipynb" in link]
    places = {f"{name}.html": {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    wanted = [tag["href"].split("#") for page in pages.values() for tag in page.find_all("a", href=re.compile("#"))]
    assert ["00_start_here.html", "The-map"] in wanted
    assert not [(page, place) for page, place in wanted if page in places and place not in places[page]]
    figures = pages["10_explorer"].find_all("img")
    assert len(figures) == 3 and all(len(figure["alt"]) > 40 for figure in figures)


def test_code_that_jupyterlab_hides_is_not_shown(pages):
    page = pages["01b_from_scratch"]
    code = " ".join(tag.get_text() for tag in page.find_all(class_="jp-InputArea-editor"))
    words = " ".join(tag.get_text() for tag in page.find_all(class_="jp-RenderedMarkdown"))
    assert "class TorchVAE" in code and "What we see." not in code and words.count("What we see.") >= 5


def test_answers_are_folded_with_their_code(pages):
    answers = pages["01b_from_scratch"].find_all("details")
    assert [len(answer.find_all("pre")) for answer in answers] == [1, 1, 1]
    assert all(answer.summary.get_text() == "Answer" for answer in answers)


def test_the_index_is_the_first_notebook(tmp_path, monkeypatch):
    monkeypatch.setattr(html_edition, "page", lambda notebook: notebook.stem)
    written = html_edition.write(ROOT / "notebooks", tmp_path)
    assert (tmp_path / "index.html").read_text() == "00_start_here" and (tmp_path / "explorer.html").is_file()
    assert len(written) == len(list(tmp_path.iterdir()))


def test_the_explorers_page_is_small_and_asks_for_nothing(monkeypatch):
    text = explorer_page.page()
    assert len(text.encode()) < 3_000_000 and "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")
    monkeypatch.setattr(explorer_page.training, "published", set)
    with pytest.raises(LookupError, match="no CVAE of report 002 with two latent units is published"):
        explorer_page.page()


def test_index_and_notebook_10_lead_to_the_explorers_page(pages):
    leads = {name: bool(page.find("a", href="explorer.html")) for name, page in pages.items()}
    assert leads == {"00_start_here": True, "01_theory": False, "01b_from_scratch": False, "10_explorer": True}


# --- questions -----------------------------------------------------------------------------------

QUESTIONS = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
ANSWERS = {title.strip(): body for title, _, body in (part.partition("\n") for part in QUESTIONS.split("\n## ")[1:])}
PROOF = re.compile(r"\(\[[^]]+\]\(\.\./notebooks/(\w+)\.ipynb#cell-id=([\w-]+)\)\)\s*$")


def test_there_are_twenty_questions():
    assert len(ANSWERS) == 20 and all(title.endswith("?") for title in ANSWERS)


@pytest.mark.parametrize("title", ANSWERS)
def test_an_answer_has_two_sentences_and_the_cell_that_proves_it(title):
    (proof,) = PROOF.finditer(ANSWERS[title])
    words = ANSWERS[title][: proof.start()]
    assert len(re.findall(r"[.?!](?=\s|$)", words)) == 2
    cells = nbformat.read(ROOT / "notebooks" / f"{proof[1]}.ipynb", as_version=4).cells
    (cell,) = [cell for cell in cells if cell.id == proof[2]]
    assert cell.cell_type == "code" and cell.outputs, "it shows something"


@pytest.mark.parametrize("program", re.findall(r"`(twinvae [^`]+)`", QUESTIONS.replace("\n", " ")))
def test_the_commands_of_the_answers_are_those_of_the_shell(program):
    name, *options = [word for word in program.split()[1:] if word.startswith("--") or word.isalpha()]
    (command,) = [one for one in shell.app.registered_commands if one.callback.__name__ == name]
    known = inspect.signature(command.callback).parameters
    assert {option[2:] for option in options if option.startswith("--")} <= set(known)


def test_the_page_of_questions_leads_to_the_cells(pages):
    page = BeautifulSoup(html_edition.page(ROOT / "docs" / "questions.md"), "html.parser")
    assert page.title.get_text() == "questions" and len(page.find_all("h2")) == 20
    links = [tag["href"] for tag in page.find_all("a", href=True)]
    proofs = [link.split("#") for link in links if "#cell-id=" in link]
    assert len(proofs) == 20 and not [link for link in links if ".ipynb" in link]
    places = {f"{name}.html": {tag["id"] for tag in one.find_all(id=True)} for name, one in pages.items()}
    looked_up = [place in places[where] for where, place in proofs if where in places]
    assert len(looked_up) >= 4 and all(looked_up)
    assert pages["00_start_here"].find("a", href="questions.html")
