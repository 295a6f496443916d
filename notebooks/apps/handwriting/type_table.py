"""The type table: how high a character stands and how deep it hangs, and the punctuation that no data set has.

All lengths are in x-heights, the height of an 'x'; heights count upwards from the baseline.  The data sets scale every
character into the same square, so that an 'o' is as large there as an 'O': these sizes are ours, not the data's.
"""

from __future__ import annotations

import math
import string
from typing import NamedTuple

PANGRAM = "The quick brown fox jumps over the lazy dog"
ASCENDER, CAPITAL, DESCENDER = 1.75, 1.65, -0.65


class Extent(NamedTuple):
    """Where the ink of a character begins and ends above the baseline."""

    bottom: float
    top: float


EXTENTS = (
    {c: Extent(0, 1) for c in string.ascii_lowercase}
    | {c: Extent(0, ASCENDER) for c in "bdfhkl"}
    | {c: Extent(DESCENDER, 1) for c in "gjpqy"}
    | {"t": Extent(0, 1.45)}
    | {c: Extent(0, CAPITAL) for c in string.ascii_uppercase + string.digits}
)

# Polylines of (x, height) for a pen that leans with the hand; a single point is a dot.
DOT, COMMA = ((0, 0),), ((0.05, 0.05), (-0.12, -0.28))
STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    ".": (DOT,),
    ",": (COMMA,),
    ":": (DOT, ((0, 0.8),)),
    ";": (COMMA, ((0.05, 0.8),)),
    "!": (DOT, ((0, 0.45), (0.02, CAPITAL))),
    "'": (((0, 1.3), (0.04, 1.7)),),
    '"': (((0, 1.3), (0.04, 1.7)), ((0.28, 1.3), (0.32, 1.7))),
    "-": (((0, 0.55), (0.55, 0.57)),),
    "+": (((0, 0.6), (0.8, 0.6)), ((0.4, 0.2), (0.4, 1.0))),
    "=": (((0, 0.45), (0.8, 0.45)), ((0, 0.8), (0.8, 0.8))),
    "/": (((0, -0.1), (0.6, CAPITAL)),),
}


def _arc(x: float, height: float, wide: float, high: float, start: float, end: float) -> tuple:
    """Return an elliptic arc from one angle to another, in degrees, 0 to the right and counted upwards."""
    angles = (math.radians(start + (end - start) * k / 12) for k in range(13))
    return tuple((x + wide * math.cos(a), height + high * math.sin(a)) for a in angles)


STROKES["?"] = (DOT, _arc(0.02, 1.25, 0.36, 0.4, 160, -60) + ((0, 0.72), (0, 0.45)))
STROKES["("] = (_arc(0.5, 0.65, 0.42, 1.1, 115, 245),)
STROKES[")"] = (_arc(0, 0.65, 0.42, 1.1, 65, -65),)

ALIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\t": " ", "\u00a0": " "})
SUPPORTED = string.digits + string.ascii_letters + "".join(STROKES)


def unsupported(text: str) -> list[str]:
    """Return the characters of a text that no hand can write, each once, in order."""
    return list(dict.fromkeys(c for c in text.translate(ALIKE) if c not in SUPPORTED and c not in " \n"))


def checked(text: str, placeholder: bool = False) -> str:
    """Return the text with typographic quotes and dashes made plain.

    ValueError that lists the characters which no hand can write, unless a placeholder may stand for each.
    """
    unknown = unsupported(text)
    if unknown and not placeholder:
        raise ValueError(
            f"the text holds {', '.join(map(repr, unknown))}, which no hand here can write; write A-Z, "
            f"a-z, 0-9 and {' '.join(STROKES)}, or ask for a placeholder"
        )
    return text.translate(ALIKE)
