"""The raised marks beside a number or caption that is not from a full run on official data."""

from twinvae.run import latex
from twinvae.run.parameters import PROFILES
from twinvae.run.results import Result

LETTERS = {profile: "" if profile == "full" else profile[0] for profile in PROFILES}


def mark(result: Result, kind: str, name: str) -> str:
    """Return the raised letter of the profile, and a star where not all is official data; nothing where neither is."""
    letters = LETTERS[result.profile] + ("" if result.official(kind, name) else r"$\ast$")
    return rf"\textsuperscript{{{letters}}}" if letters else ""


def marked_number(result: Result, name: str) -> str:
    """Return a number as the run's format says, with its mark."""
    text, letters = latex.number(result.numbers[name], result.manifest["formats"][name]), mark(result, "numbers", name)
    return text + (r"\," if r"\times" in text and letters else "") + letters  # beside an exponent, not in it
