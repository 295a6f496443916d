"""Fills in the templates in `templates/`: `<<value>>`, and lines of `%%` that LaTeX would skip."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from twinvae.run import latex


def code(text: str) -> str:
    """Return text in typewriter type that may break after an underscore, a hyphen and a point that is in no number."""
    text = re.sub(r"(\\_|-|\.(?!\d))", r"\1\\allowbreak{}", latex.escape(text))
    return rf"\texttt{{{text}}}"


ENVIRONMENT = Environment(
    loader=PackageLoader("twinvae_collect"),
    variable_start_string="<<",
    variable_end_string=">>",
    block_start_string="<%",
    block_end_string="%>",
    comment_start_string="<#",
    comment_end_string="#>",
    line_statement_prefix="%%",
    trim_blocks=True,
    keep_trailing_newline=True,
    undefined=StrictUndefined,
)
ENVIRONMENT.filters |= {"tex": latex.escape, "code": code}


def render(template: str, **values: Any) -> str:
    """Return a template of `templates/` with its values filled in; jinja2.UndefinedError for one that is missing."""
    return ENVIRONMENT.get_template(f"{template}.j2").render(values)
