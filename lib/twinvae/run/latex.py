"""Numbers, words and tables as LaTeX."""

import numbers
import re
from functools import partial
from itertools import cycle
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

NAMED = {"\\": "backslash", "~": "asciitilde", "^": "asciicircum", "<": "less", ">": "greater"}
SPECIAL = str.maketrans(
    {sign: rf"\{sign}" for sign in "&%#_{}"} | {sign: rf"\text{name}{{}}" for sign, name in NAMED.items()}
)

# What may stand between two `$`: no command but these, so that no name of a class or folder is run as one.
COMMANDS = "beta|delta|epsilon|lambda|mu|phi|pi|sigma|theta|cdot|le|pm|sim|simeq|times|exp|log|max|min|frac|int|sum"
COMMANDS += "|mathcal|mathrm|tilde"
MATHEMATICS = re.compile(rf"(?:[\w ()^.,:|/+=<>\[\]{{}}-]|\\[,|]|\\(?:{COMMANDS})(?![A-Za-z]))*")

# What captions and heads of columns write in plain letters, for the screen: in print it is set as mathematics.
FORMULAS = (
    (r"(?<!\w)(-?)log p\(x ?\| ?y\)", r"$\1\\log p(x \\mid y)$"),
    (r"(?<!\w)(-?)log p\(x\)", r"$\1\\log p(x)$"),
    (r"(?<!\w)-log p(?= )", r"$-\\log p$"),
    (r"(?<!\w)q\(z ?\| ?x\)", r"$q(z \\mid x)$"),
    (r"(?<!\w)q\(z\)", r"$q(z)$"),
    (r"(?<!\w)N\(0, (I|1)\)", r"$\\mathcal{N}(0, \1)$"),
    (r"(\d+) ln\(pi\)", r"$\1 \\ln\\pi$"),
    (r"(?<!\w)pi\^\(-1/2\)", r"$\\pi^{-1/2}$"),
    (r"(?<!\w)-ELBO", r"$-$ELBO"),
    (r"\+-", r"$\\pm$"),
)


def is_mathematics(text: str) -> bool:
    """Return whether a formula, without its dollars, is of letters, signs and COMMANDS alone; `^^` could spell any."""
    return bool(MATHEMATICS.fullmatch(text)) and "^^" not in text and text.count("{") == text.count("}")


def escape(text: str) -> str:
    """Return plain words as LaTeX; mathematics between two `$` stays as it is."""
    parts = str(text).split("$")
    if len(parts) % 2 == 0 or not all(map(is_mathematics, parts[1::2])):  # then a $ is a dollar
        return r"\$".join(map(_words, parts))
    return "$".join(part if odd else _words(part) for part, odd in zip(parts, cycle((False, True))))


def _words(text: str) -> str:
    """Return words without mathematics between dollars as LaTeX."""
    for plain_letters, formula in FORMULAS:
        text = re.sub(plain_letters, formula, text)
    parts = re.split(r"(\$[^$]*\$)", text)
    return "".join(part if part.startswith("$") else part.translate(SPECIAL) for part in parts)


def without_formulas(df: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose words no spreadsheet takes for a formula: one that begins as such gets a `'` in front."""

    def word(value: Any) -> Any:
        return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value

    df = df.rename(columns=word, index=word)
    words = [not is_numeric_dtype(kind) for kind in df.dtypes]
    df.loc[:, words] = df.loc[:, words].map(word)
    return df


def number(value: float, fmt: str) -> str:
    """Return a number as `fmt` says: with a minus sign for a hyphen, and a power of ten for an exponent."""
    text = format(value, fmt).replace("%", r"\%")
    mantissa, exponent, power = text.replace("e", "E").partition("E")
    if exponent:
        return rf"\ensuremath{{{mantissa}\times10^{{{int(power)}}}}}"
    return text.replace("-", r"\ensuremath{-}")


def cell(value: Any, fmt: str | None) -> str:
    """Return what stands in a table: a number as `fmt` says (else whole or '.3g'), words escaped."""
    return number(value, chosen(value, fmt)) if is_number(value) else escape(value)


def plain(value: Any, fmt: str | None) -> str:
    """Return what stands in a table on the screen: a number as `cell` prints it, words as they are."""
    return format(value, chosen(value, fmt)) if is_number(value) else str(value)


def is_number(value: Any) -> bool:
    """Return whether a value is printed as a number."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def chosen(value: float, fmt: str | None) -> str:
    """Return the format of a number in a table: the one that is asked for, else whole or '.3g'."""
    return fmt or ("d" if isinstance(value, numbers.Integral) else ".3g")


def head(column: Any) -> str:
    """Return a column's name for LaTeX."""
    return escape(in_words(column))


def in_words(column: Any) -> str:
    """Return a column's name without underscores; the distance that is Maurice Fréchet's as he wrote himself."""
    name = str(column).replace("frechet", "Fréchet")
    return name if "$" in name else name.replace("_", " ")


def without_index(df: pd.DataFrame, named: bool) -> pd.DataFrame:
    """Return a table whose rows' names, where it has any, are its first columns."""
    return df.set_axis(df.index.set_names([name or "" for name in df.index.names])).reset_index() if named else df


def table(df: pd.DataFrame, fmt: dict[str, str], index: bool) -> str:
    """Return a booktabs table; `fmt` is column -> format such as '.2f', `index`: the rows' names are shown."""
    df = without_index(df, index)
    form = {column: partial(cell, fmt=fmt.get(column)) for column in df.columns}
    heads = [head(column).replace("{", "{{").replace("}", "}}") for column in df]  # pandas takes them for formats
    return df.to_latex(index=False, header=heads, formatters=form, na_rep="--", escape=False)
