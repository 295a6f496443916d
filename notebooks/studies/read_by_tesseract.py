"""Pages read by a stranger: Tesseract, a reader of print that has learned from none of our images.

Two controls are written on the same pages by the same rules: a printed font, which says what pages and type table cost,
and real characters of 62 classes, each by whoever wrote it, which say what single characters without a hand are worth.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from PIL import Image, ImageDraw, ImageFont

from twinvae import data
from twinvae.run import Run
from twinvae_apps.handwriting import Hand, Pen, write
from twinvae_apps.handwriting.hands import CLASSES
from twinvae_apps.handwriting.page import DPI

TEXT = """The quick brown fox jumps over the lazy dog
PACK MY BOX WITH FIVE DOZEN LIQUOR JUGS
how vexingly quick daft zebras jump
SPHINX OF BLACK QUARTZ JUDGE MY VOW
in 1905 and 2748 or 36 of 0123456789"""
ONE_SHAPE = {ord(c.upper()): c for c in "cosuvwxz"}  # both cases of these differ in size alone
MISSING = (
    "Tesseract is not installed, so no stranger reads the pages; install it (Debian, Ubuntu: apt-get install "
    "tesseract-ocr; macOS: brew install tesseract) and run this again"
)
WRITERS, PRINT, REAL = "writers", "printed font", "real characters"
KINDS = {WRITERS: "hand", REAL: "real", PRINT: "print"}  # of pages, and what their numbers are called
OF_WRITERS = {"error": ".3f", "error_one_case": ".3f"}
FORMATS = dict.fromkeys(("mean", "worst", "mean_one_case", "worst_one_case"), ".3f")
SECONDS = 120  # that a page may take


class NotInstalledError(RuntimeError):
    """There is no Tesseract on this machine; the words say how to install it."""


# ---------------------------------------------------------------- reading
def read(paper: np.ndarray) -> str:
    """Return what Tesseract reads on a page, dark on white, white space as single blanks.  uint8 [height, width]

    The page is one block of English text (--psm 6).  Raises NotInstalledError.
    """
    if not (program := shutil.which("tesseract")):
        raise NotInstalledError(MISSING)
    Image.fromarray(paper).save(png := io.BytesIO(), "png")
    command = [program, "-", "-", "-l", "eng", "--psm", "6", "--dpi", str(DPI)]
    one_thread = os.environ | {"OMP_THREAD_LIMIT": "1"}
    said = subprocess.run(
        command, input=png.getvalue(), capture_output=True, check=True, timeout=SECONDS, env=one_thread
    )
    return " ".join(said.stdout.decode().split())


@cache  # the error rate of a page asks for it, then the confusions
def aligned(text: str, seen: str) -> list[tuple[str, str]]:
    """Return pairs of characters, asked for and seen, with the fewest differences; '' where one has no partner.

    Levenshtein's distance, and the way back through its table.
    """
    cost = np.add.outer(np.arange(len(text) + 1), np.arange(len(seen) + 1))
    for i, j in np.ndindex(len(text), len(seen)):
        either = min(cost[i, j + 1], cost[i + 1, j]) + 1
        cost[i + 1, j + 1] = min(cost[i, j] + (text[i] != seen[j]), either)
    i, j, pairs = len(text), len(seen), []
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (text[i - 1] != seen[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((text[i], seen[j]))
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            pairs.append((text[i], ""))
        else:
            j -= 1
            pairs.append(("", seen[j]))
    return pairs[::-1]


def error_rate(text: str, seen: str) -> float:
    """Return the character error rate: characters to change, add or take away, over those of the text."""
    return sum(one != other for one, other in aligned(text, seen)) / len(text)


# ---------------------------------------------------------------- controls
@dataclass(frozen=True, eq=False)
class Copies:
    """A pen that has no style: it pastes images of the 62 classes, [N, H, W], drawn anew for each character."""

    x: np.ndarray
    y: np.ndarray
    rng: np.random.Generator
    classes = CLASSES[62]
    label = Pen.label

    def draw(self, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return an image of each label, whatever the style.  [N, Z], [N] -> [N, H, W]"""
        return np.stack([self.x[self.rng.choice(np.flatnonzero(self.y == k))] for k in labels])


def hand_of(x: np.ndarray, y: np.ndarray, seed: int) -> Hand:
    """Return the hand that pastes these images."""
    return Hand(Copies(x, y, np.random.default_rng([seed, 4])), np.zeros(1), seed)


def printed() -> tuple[np.ndarray, np.ndarray]:
    """Return the 62 characters in the font of which stand-ins are drawn.  -> [62, 64, 64], [62]"""
    glyphs = [Image.new("L", (64, 64)) for _ in CLASSES[62]]
    for glyph, character in zip(glyphs, CLASSES[62], strict=True):
        ImageDraw.Draw(glyph).text((32, 32), character, 255, ImageFont.load_default(44), anchor="mm")
    return np.stack(glyphs) / 255, np.arange(62)


# ---------------------------------------------------------------- the table
def pages_read(pen: Pen, real: data.Images, writers: int) -> pd.DataFrame:
    """Let Tesseract read the text by the writers 0, 1, ..., unselected; half as many pages of real characters; print.

    Returns a row a page: kind, writer, read, error, error_one_case, in which the cases of one shape are the same.
    Raises NotInstalledError.
    """
    ink = 1 - data.scale(real.x)[..., 0]  # dark on white as they are
    hands = [(WRITERS, k, pen.hand(k)) for k in range(writers)]
    hands += [(REAL, k, hand_of(ink, real.y, k)) for k in range((writers + 1) // 2)]
    hands += [(PRINT, 0, hand_of(*printed(), 0))]
    with ThreadPoolExecutor(os.cpu_count()) as readers:
        seen = list(readers.map(read, [write(TEXT, hand).paper() for _, _, hand in hands]))
    rows, text = [], " ".join(TEXT.split())
    for (kind, writer, _), words in zip(hands, seen, strict=True):
        merged = error_rate(text.translate(ONE_SHAPE), words.translate(ONE_SHAPE))
        errors = {"error": error_rate(text, words), "error_one_case": merged}
        rows.append({"kind": kind, "writer": writer, "read": words} | errors)
    return pd.DataFrame(rows)


def worst_tenth(errors: pd.Series) -> float:
    """Return the mean of the largest tenth, of at least one."""
    return float(errors.nlargest(max(1, round(len(errors) / 10))).mean())


def by_kind(run: Run, pages: pd.DataFrame) -> pd.DataFrame:
    """Keep and return mean errors of the pages of each kind, a row each, and of the worst tenth of them."""
    rows = []
    for kind, part in pages.groupby("kind", sort=False):
        row = {"written by": kind, "pages": len(part)}
        for case in ("", "_one_case"):
            errors = part[f"error{case}"]
            for name, value in (("mean", errors.mean()), ("worst", worst_tenth(errors))):
                row[name + case] = run.number(f"tesseract_{KINDS[kind]}_{name}{case}", value, ".3f")
        rows.append(row)
    return pd.DataFrame(rows)


def confusions(pages: pd.DataFrame, count: int = 10) -> pd.DataFrame:
    """Return what is read for what on the writers' pages most often: character, read, times; '' is nothing."""
    text = " ".join(TEXT.split())
    pairs = [pair for words in pages["read"][pages.kind == WRITERS] for pair in aligned(text, words)]
    table = pd.DataFrame(pairs, columns=["character", "read"]).query("character != read").replace(" ", "space")
    return table.value_counts().head(count).rename("times").reset_index()


def draw_errors(ax: Axes, pages: pd.DataFrame) -> None:
    """Draw the error of each page, sorted within its kind."""
    rank = pages.assign(page=pages.groupby("kind").error.rank(method="first") - 1)
    sns.lineplot(rank[rank.kind != PRINT], x="page", y="error", hue="kind", style="kind", markers=True, ax=ax)
    ax.axhline(pages.error[pages.kind == PRINT].mean(), color="black", lw=0.8, ls=":", label=PRINT)
    ax.set(xlabel="page, from the best read to the worst", ylabel="character error rate", ylim=(-0.01, None))
    ax.legend(title=None)
