"""What pages are worth: a judge reads them back, and a probe tells the writers apart."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from twinvae.metrics.judge import Judge
from twinvae_apps.handwriting.hands import CLASSES, VARIATION, Pen
from twinvae_apps.handwriting.page import Page, ink_box, write
from twinvae_apps.handwriting.signs import EXTENTS, PANGRAM

SIDE = 24  # the longer side of a letter in EMNIST's images of 28 x 28


def like_emnist(ink: np.ndarray, least: float = 0.15) -> np.ndarray:
    """The ink cut out, its longer side SIDE, in the middle of 28 x 28, as in EMNIST.  [h, w] -> [28, 28, 1]"""
    box = ink_box(ink, least)
    if box is None:
        return np.zeros((28, 28, 1), np.float32)
    cut = ink[box].astype(np.float32)
    size = [max(1, round(n * SIDE / max(cut.shape))) for n in cut.shape]
    small = cv2.resize(cut, size[::-1], interpolation=cv2.INTER_AREA)
    top, left = ((28 - n) // 2 for n in size)
    return np.pad(small, ((top, 28 - top - size[0]), (left, 28 - left - size[1])))[..., None]


def cut_out(page: Page) -> tuple[np.ndarray, str]:
    """The letters and digits of a page, without their neighbours' ink, scaled and centred as EMNIST's letters are.

    -> [N, 28, 28, 1], N characters
    """
    seen = [
        (one.character, ink)
        for one, ink in zip(page.placed, page.inks, strict=True)
        if one.character in EXTENTS
    ]
    return np.stack([like_emnist(ink) for _, ink in seen]), "".join(
        character for character, _ in seen
    )


def legibility(
    pen: Pen, judge: Judge, writers: int = 20, text: str = PANGRAM, variation: float = VARIATION
) -> pd.DataFrame:
    """What the judge of 36 classes reads on a page by each of the writers 0, 1, ..., unselected; case does not count.

    -> a row a character: writer, character, read, right.  The judge's accuracy on real characters belongs beside it.
    """
    rows = []
    for writer in range(writers):
        x, characters = cut_out(write(text, pen.hand(writer, variation=variation)))
        read = [CLASSES[36][k] for k in judge.probabilities(x).argmax(1)]
        rows += [
            {"writer": writer, "character": c.upper(), "read": r, "right": c.upper() == r}
            for c, r in zip(characters, read, strict=True)
        ]
    return pd.DataFrame(rows)


def told_apart(
    pen: Pen, judge: Judge, writers: int = 20, copies: int = 10, variation: float = VARIATION
) -> dict[str, float]:
    """Shares of n to z for which a probe trained on a to m names the writer; chance is 1 / writers.

    'features': a linear probe on the judge's features; 'pixels': on the pixels.  Each letter is written `copies` times.
    """
    halves = []
    for letters in ("abcdefghijklm", "nopqrstuvwxyz"):
        x = np.concatenate(
            [pen.hand(w, variation=variation).characters(letters, copies) for w in range(writers)]
        )
        halves.append((x, np.arange(writers).repeat(copies * len(letters))))
    (x, who), (x_other, who_other) = halves
    views, score = (
        {
            "features": lambda x: judge.features(x[..., None]),
            "pixels": lambda x: x.reshape(len(x), -1),
        },
        {},
    )
    for name, seen in views.items():
        probe = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        score[name] = float(probe.fit(seen(x), who).score(seen(x_other), who_other))
    return score
