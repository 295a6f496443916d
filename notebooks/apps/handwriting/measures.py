"""What pages are worth: a judge reads them back, and a probe tells the writers apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from twinvae.metrics.judge import Judge
from twinvae_apps.handwriting.hands import CLASSES, Pen
from twinvae_apps.handwriting.page import write
from twinvae_apps.handwriting.type_table import EXTENTS, PANGRAM
from twinvae_apps.ink import centre_box


def legibility(pen: Pen, judge: Judge, writers: int = 20) -> pd.DataFrame:
    """Let the judge of 36 classes read the pangram by each of the writers 0, 1, ..., unselected; cases are one.

    Returns a row a character: writer, character, read, right. The judge's accuracy on real ones belongs beside it.
    """
    rows = []
    for writer in range(writers):
        seen = [one for one in write(PANGRAM, pen.hand(writer)).placed if one.character in EXTENTS]
        x = np.stack([centre_box(one.ink) for one in seen])  # without the ink of its neighbours
        for one, k in zip(seen, judge.probabilities(x).argmax(1), strict=True):
            rows.append({"writer": writer, "character": one.character.upper(), "read": CLASSES[36][k]})
    return pd.DataFrame(rows).assign(right=lambda table: table.character == table["read"])


def writer_recognition(pen: Pen, judge: Judge, writers: int = 20, copies: int = 10) -> dict[str, float]:
    """Return the shares of n to z for which a probe trained on a to m names the writer; chance is 1 / writers.

    'features': a linear probe on the judge's features; 'pixels': on the pixels.  Each letter is written `copies` times.
    """
    hands = [pen.hand(writer) for writer in range(writers)]
    x, x_other = (
        np.concatenate([hand.characters(letters, copies) for hand in hands])
        for letters in ("abcdefghijklm", "nopqrstuvwxyz")
    )
    who = np.arange(writers).repeat(len(x) // writers)
    views = {"features": lambda x: judge.features(x[..., None]), "pixels": lambda x: x.reshape(len(x), -1)}
    probe = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    return {name: float(probe.fit(seen(x), who).score(seen(x_other), who)) for name, seen in views.items()}
