"""Pages read by Tesseract: error rates of known strings, a printed page that is read, a missing program is said."""

import shutil
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.text import CharErrorRate

from twinvae import backend, training
from twinvae_apps import handwriting as hw
from twinvae_studies import read_by_tesseract as study

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="no Tesseract here: apt-get install tesseract-ocr"
)
PLAIN = " ".join(study.TEXT.split())


@pytest.mark.parametrize(
    ("text", "seen", "rate"), [("abcd", "abcd", 0), ("abcd", "abxd", 0.25), ("abcd", "acd", 0.25), ("ab", "", 1)]
)
def test_the_error_rate_counts_changes_losses_and_additions(text, seen, rate):
    assert study.error_rate(text, seen) == rate
    assert study.error_rate(text, f"{seen}ef") == pytest.approx(rate + 2 / len(text), abs=1e-12) or not seen


@given(text=st.text("abO 0", min_size=1, max_size=12), seen=st.text("abO 0", max_size=12))
def test_the_error_rate_is_that_of_torchmetrics_and_pairs_spell_both(text, seen):
    assert study.error_rate(text, seen) == pytest.approx(CharErrorRate()(seen, text).item(), abs=1e-6)
    one, other = ("".join(side) for side in zip(*study.aligned(text, seen), strict=True))
    assert (one, other) == (text, seen)


def test_confusions_are_counted_on_the_writers_pages_alone():
    rows = [(study.WRITERS, PLAIN.replace("j", "J")), (study.WRITERS, PLAIN[1:]), (study.REAL, "nothing")]
    table = study.confusions(pd.DataFrame(rows, columns=["kind", "read"]))
    assert table.to_dict("records") == [
        {"character": "j", "read": "J", "times": PLAIN.count("j")},
        {"character": "T", "read": "", "times": 1},
    ]


def test_the_worst_tenth_is_a_mean_and_never_of_nothing():
    assert study.worst_tenth(pd.Series(np.arange(20.0))) == 18.5
    assert study.worst_tenth(pd.Series([0.1, 0.3])) == 0.3


def test_a_missing_tesseract_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setattr(study.shutil, "which", lambda _: None)
    with pytest.raises(study.NotInstalledError, match="not installed.*apt-get install tesseract-ocr"):
        study.read(np.full((40, 40), 255, np.uint8))


def test_a_pasting_hand_writes_images_of_the_characters_asked_for():
    x, y = np.zeros((124, 28, 28)), np.tile(np.arange(62), 2)
    x[np.arange(124), 0, y % 28] = 1 + y
    drawn = study.hand_of(x, y, 0).characters("0Zz")
    assert drawn.max((1, 2)).tolist() == [1, 36, 62]


@needs_tesseract
def test_a_printed_page_is_read():
    page = hw.write(study.TEXT, study.hand_of(*study.printed(), 0))
    assert study.error_rate(PLAIN, study.read(page.paper())) < 0.02


@needs_tesseract
def test_pages_of_writers_stand_beside_both_controls():
    try:
        pen = hw.load(backend.get("torch"))
    except training.NotTrained as error:
        pytest.skip(str(error))
    x, y = study.printed()
    shrunk = np.stack([255 - np.uint8(255 * one[::2, ::2]) for one in x])[..., None]
    pages = study.pages_read(pen, SimpleNamespace(x=shrunk, y=y), writers=4)
    assert pages.kind.tolist() == [study.WRITERS] * 4 + [study.REAL] * 2 + [study.PRINT]
    assert len(set(pages.error[:4])) > 1 and (pages.error_one_case <= pages.error).all()
    mean = pages.groupby("kind").error.mean()
    assert mean[study.PRINT] < 0.02 and mean[study.WRITERS] < 0.2
    _, ax = plt.subplots()
    study.draw_errors(ax, pages)
    assert {line.get_text() for line in ax.get_legend().get_texts()} == {study.WRITERS, study.REAL, study.PRINT}
    plt.close()
