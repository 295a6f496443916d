"""Writes the HTML edition: the committed notebooks, questions with answers, and an explorer, as linked pages that need
no network.

    python -m twinvae_collect.html_edition [--to report/html]

Formulas become MathML, which browsers draw themselves; scripts are left out, but for those of the explorer.
"""

import argparse
import html
import re
import sys
from pathlib import Path

import nbformat
from jinja2 import pass_context
from latex2mathml import converter
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

from twinvae import paths
from twinvae.run import latex
from twinvae_collect import explorer_page

INDEX = "00_start_here"
LINK = re.compile(r'href="(?:\.\./notebooks/)?([\w-]+)\.ipynb(#[^"]*)?"')
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(?:\\displaystyle\s*)?(.+?)\$", re.DOTALL)
CELL = re.compile(r"(?<=>)[^<>]*\$[^<>]*(?=(?:</div>)?</t[dh]>)")
TEMPLATE = Path(__file__).with_name("templates") / "notebook.html.j2"
# MathML leaves no space after these.
FUNCTION = re.compile(r"(<mi>(?:log|exp|ln|cos|sin)</mi>)(?=<(?:m[in]|msu[bp]|mrow|mfrac))")


def convert(latex: str, display: str = "inline") -> str:
    """Return LaTeX, without its dollars, as MathML."""
    return FUNCTION.sub(r'\1<mspace width="0.17em" />', converter.convert(latex, display=display))


class Renderer(IPythonRenderer):
    """Turns Markdown into HTML, formulas into MathML; a heading is a place to link to, named as JupyterLab names it."""

    def heading(self, text: str, level: int, **attrs) -> str:
        return super().heading(text, level, id=re.sub("<.*?>", "", text).replace(" ", "-"))

    def block_math(self, body: str) -> str:
        return convert(body.strip(), display="block")

    def multiline_math(self, text: str) -> str:
        return convert(text.strip().removeprefix("$$").removesuffix("$$"), display="block")

    def latex_environment(self, name: str, body: str) -> str:
        return convert(rf"\begin{{{name}}}{body}\end{{{name}}}", display="block")

    def inline_math(self, body: str) -> str:
        return convert(body.strip())


def mathml(text: str) -> str:
    """Return a LaTeX output, as sympy gives it, as MathML."""
    return FORMULA.sub(lambda found: convert((found[1] or found[2]).strip(), display="block"), text)


def in_cells(table: str) -> str:
    """Return an HTML output with the formulas in the cells of its tables as MathML; a dollar stays one."""

    def formula(found: re.Match) -> str:
        source = html.unescape(found[2] or "")
        return convert(source) if source and latex.is_mathematics(source) else found[0]

    return CELL.sub(lambda cell: FORMULA.sub(formula, cell[0]), table)


class PageExporter(HTMLExporter):
    """Makes nbconvert's page without scripts, with formulas as MathML."""

    @pass_context
    def markdown2html(self, context, source: str) -> str:
        return MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True)).render(source)


def page(notebook: Path) -> str:
    """Return one notebook, or a file of Markdown, as a page of HTML, with links to the other pages."""
    exporter = PageExporter(
        template_name="lab",
        raw_template=TEMPLATE.read_text(encoding="utf-8"),
        filters={"mathml": mathml, "in_cells": in_cells},
        config=Config({"HTMLExporter": {"embed_images": True}}),
    )
    if notebook.suffix == ".md":
        alone = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(notebook.read_text(encoding="utf-8"))])
        body, _ = exporter.from_notebook_node(alone, {"metadata": {"name": notebook.stem}})
    else:
        body, _ = exporter.from_filename(str(notebook))
    return LINK.sub(lambda found: f'href="{found[1]}.html{found[2] or ""}"', body)


def write(notebooks: Path, folder: Path) -> list[Path]:
    """Write a page for each notebook, index.html, which is that of INDEX, questions and explorer; return the pages."""
    texts = {notebook.stem: page(notebook) for notebook in sorted(notebooks.glob("[0-9]*.ipynb"))}
    texts |= {"index": texts[INDEX], "explorer": explorer_page.page()}
    texts["questions"] = page(notebooks.parent / "docs" / "questions.md")
    for name, text in texts.items():
        paths.write_text(folder / f"{name}.html", text)
    return [folder / f"{name}.html" for name in texts]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    root = paths.find_root(Path.cwd())
    parser = argparse.ArgumentParser(prog="python -m twinvae_collect.html_edition", description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=root / "report" / "html", help="the folder of the pages")
    folder = parser.parse_args(arguments).to
    try:
        pages = write(root / "notebooks", folder)
    except (ValueError, OSError, LookupError) as error:
        sys.exit(f"html: {error}")
    print(f"wrote {len(pages)} pages; open {folder / 'index.html'}")


if __name__ == "__main__":
    main()
