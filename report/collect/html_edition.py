"""The HTML edition: the notebooks as they are committed, as pages that link to each other and need no network.

    python -m twinvae_collect.html_edition [--to report/html]

Formulas become MathML, which browsers draw themselves; scripts from elsewhere are left out.
"""

import argparse
import re
import sys
from html import escape
from pathlib import Path

import nbformat
from jinja2 import pass_context
from latex2mathml import converter
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config
from twinvae import paths

INDEX = "00_start_here"
LINK = re.compile(r'href="(?:\.\./notebooks/)?([\w-]+)\.ipynb(#[^"]*)?"')
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(?:\\displaystyle\s*)?(.+?)\$", re.DOTALL)
PAGE = """{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block footer_js -%}{%- endblock -%}
{%- block data_latex scoped -%}<div class="jp-OutputArea-output">{{ output.data['text/latex'] | mathml }}</div>{%- endblock -%}
{%- block data_png scoped -%}
{%- set known = output.metadata.get('image/png', {}) -%}
<div class="jp-RenderedImage jp-OutputArea-output"><img alt="{{ known.get('alt', 'figure') | e }}" width="{{ known.get('width', 700) }}"
src="data:image/png;base64,{{ output.data['image/png'] | replace("\\n", "") }}"></div>{%- endblock -%}
{%- block extra_css -%}<style>math { font-size: 1.2em; }</style>{%- endblock -%}"""
FUNCTION = re.compile(r"(<mi>(?:log|exp|ln|cos|sin)</mi>)(?=<(?:mi|msub|mrow))")  # MathML leaves no space after these


def convert(latex: str, display: str = "inline") -> str:
    """LaTeX, without its dollars, as MathML."""
    return FUNCTION.sub(r'\1<mspace width="0.17em" />', converter.convert(latex, display=display))


class Renderer(IPythonRenderer):
    """Markdown to HTML, formulas to MathML."""

    def block_math(self, body: str) -> str:
        return convert(body.strip(), display="block")

    def multiline_math(self, text: str) -> str:
        return convert(text.strip().removeprefix("$$").removesuffix("$$"), display="block")

    def latex_environment(self, name: str, body: str) -> str:
        return convert(rf"\begin{{{name}}}{body}\end{{{name}}}", display="block")

    def inline_math(self, body: str) -> str:
        return convert(body.strip())


def mathml(text: str) -> str:
    """A LaTeX output, as sympy gives it, as MathML."""
    return FORMULA.sub(lambda found: convert((found[1] or found[2]).strip(), display="block"), text)


class Page(HTMLExporter):
    """nbconvert's page without scripts, with formulas as MathML and links to the other pages."""

    @pass_context
    def markdown2html(self, context, source: str) -> str:
        return MarkdownWithMath(renderer=Renderer(escape=False, anchor_link_text="", exclude_anchor_links=True)).render(
            source
        )


def page(notebook: Path) -> str:
    """One notebook as a page of HTML."""
    exporter = Page(
        template_name="lab",
        raw_template=PAGE,
        filters={"mathml": mathml},
        config=Config({"HTMLExporter": {"embed_images": True}}),
    )
    content = nbformat.read(notebook, as_version=4)
    body, _ = exporter.from_notebook_node(content, {"metadata": {"name": escape(notebook.stem)}})
    return LINK.sub(lambda found: f'href="{found[1]}.html{found[2] or ""}"', body)


def write(notebooks: Path, folder: Path) -> list[Path]:
    """Every notebook as a page in the folder, and index.html, which is that of INDEX."""
    pages = []
    for notebook in sorted(notebooks.glob("*.ipynb")):
        text = page(notebook)
        for name in (notebook.stem, *["index"] * (notebook.stem == INDEX)):
            pages.append(folder / f"{name}.html")
            paths.write_text(pages[-1], text)
    return pages


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    root = paths.find_root(Path.cwd())
    parser = argparse.ArgumentParser(prog="python -m twinvae_collect.html_edition", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--to", type=Path, default=root / "report" / "html", help="the folder of the pages (report/html)"
    )
    folder = parser.parse_args(arguments).to
    try:
        pages = write(root / "notebooks", folder)
    except (ValueError, OSError) as error:
        sys.exit(f"site: {error}")
    print(f"wrote {len(pages)} pages; open {folder / 'index.html'}")


if __name__ == "__main__":
    main()
