"""Fills in the templates in `templates/`: `<<value>>`, and lines of `%%` that LaTeX would skip; numbers with marks."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from twinvae.run import latex
from twinvae.run.parameters import PROFILES
from twinvae.run.results import NO_BACKEND, Result

FRAMEWORK = {"torch": "PyTorch", "tf": "TensorFlow", NO_BACKEND: "--"}
WORDS = {"better": "ours", "shallow": "one-layer", "cifar": "CIFAR-10"}  # of the names of models, as the text has them
WORDS |= {word: word.upper() for word in ("ae", "vae", "cvae", "cgan", "mnist", "usps")}
LETTERS = {profile: profile[0] for profile in PROFILES}  # raised, beside a number of another run than its section's


def code(text: str) -> str:
    """Return text in typewriter type that may break after an underscore, a hyphen and a point that is in no number."""
    text = re.sub(r"(\\_|-|\.(?!\d))", r"\1\\allowbreak{}", latex.escape(text))
    return rf"\texttt{{{text}}}"


def model_in_words(name: str) -> str:
    """Return the name of a model as a table has it: 'report002_vae_mnist' -> '002 VAE MNIST'."""
    return " ".join(WORDS.get(part, part) for part in name.removeprefix("report").split("_"))


def mark(result: Result, kind: str, name: str) -> tuple[str, str]:
    """Return the letter of the profile, and a star where not all is official data."""
    return LETTERS[result.profile], "" if result.official(kind, name) else "*"


def usual(result: Result) -> tuple[str, str]:
    """Return the mark that a section about a run leaves out: its line names the profile and all of the run's data."""
    return max((mark(result, "numbers", name) for name in result.numbers), default=(LETTERS[result.profile], ""))


def marked_number(result: Result, name: str) -> str:
    """Return a number as the run's format says, with its mark, which LaTeX raises where it is not the usual one."""
    text = latex.number(result.numbers[name], result.manifest["formats"][name]).replace(r"\%", r"\,\%")
    beside = r"[\,]" if r"\times" in text else ""  # an exponent, not in it
    letter, star = mark(result, "numbers", name)
    return rf"{text}\twinmark{beside}{{{letter}}}{{{star}}}"


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
