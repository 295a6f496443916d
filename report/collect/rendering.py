"""Fills in the templates in `templates/`: `<<value>>`, and lines of `%%` that LaTeX would skip; numbers with marks."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from twinvae.run import latex
from twinvae.run.parameters import PROFILES
from twinvae.run.results import NO_BACKEND, Result

FRAMEWORK = {"torch": "PyTorch", "tf": "TensorFlow", NO_BACKEND: "--"}
LETTERS = {profile: "" if profile == "full" else profile[0] for profile in PROFILES}  # raised, beside a number


def code(text: str) -> str:
    """Return text in typewriter type that may break after an underscore, a hyphen and a point that is in no number."""
    text = re.sub(r"(\\_|-|\.(?!\d))", r"\1\\allowbreak{}", latex.escape(text))
    return rf"\texttt{{{text}}}"


def mark(result: Result, kind: str, name: str) -> str:
    """Return the raised letter of the profile, and a star where not all is official data; nothing where neither is."""
    letters = LETTERS[result.profile] + ("" if result.official(kind, name) else r"$\ast$")
    return rf"\textsuperscript{{{letters}}}" if letters else ""


def marked_number(result: Result, name: str) -> str:
    """Return a number as the run's format says, with its mark."""
    text, letters = latex.number(result.numbers[name], result.manifest["formats"][name]), mark(result, "numbers", name)
    return text + (r"\," if r"\times" in text and letters else "") + letters  # beside an exponent, not in it


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
ENVIRONMENT.globals |= {"FRAMEWORK": FRAMEWORK}


def render(template: str, **values: Any) -> str:
    """Return a template of `templates/` with its values filled in; jinja2.UndefinedError for one that is missing."""
    return ENVIRONMENT.get_template(f"{template}.j2").render(values)
