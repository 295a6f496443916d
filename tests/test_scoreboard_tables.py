"""The scoreboards of finished runs as tables: what does not apply is empty, and the floor is measured as a model is."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pair import splits
from test_scoreboard import Pixels

from twinvae import data
from twinvae.metrics import judge
from twinvae.run import results
from twinvae_collect import short_tables
from twinvae_studies import scoreboard_tables as tables


def board() -> pd.DataFrame:
    """Two seeds of a CVAE and one of a VAE on MNIST, and a CVAE of signs, whose test images vary little."""
    same = {"backend": "torch", "profile": "quick", "parameters": 7, "report": "004", "seed": 0}
    of_mnist = same | {"dataset": "mnist", "precision": 0.5}
    cvae = of_mnist | {"model": "cvae", "conditional_accuracy": 0.7, "diversity": 0.5, "cas": 0.8, "nll_is": 90.0}
    rows = [
        cvae | {"nll_marginal": 91.0, "frechet": 20.0},
        cvae | {"nll_marginal": 93.0, "frechet": 40.0, "conditional_accuracy": 0.9, "seed": 1},
        of_mnist | {"model": "vae", "nll_is": 95.0, "frechet": 10.0},
        of_mnist | {"model": "own", "report": None, "nll_is": 96.0, "frechet": 30.0},
        same | {"dataset": "sign_language", "model": "light_task3", "conditional_accuracy": 0.9, "diversity": 27.5}
        | {"cas": 0.4, "frechet": 9.0, "frechet_floor": 323.6, "precision": 0.0, "recall": 0.2},
    ]  # fmt: skip
    return results.board(rows, {})


def test_a_row_is_the_mean_over_seeds_and_a_likelihood_without_the_label():
    found = tables.means(board()).set_index("model")
    assert found.accuracy["cvae"] == pytest.approx(0.8) and found.seeds.tolist() == [2, 1, 1, 1]
    assert found["-log p(x)"].tolist()[:3] == [92, 95, 96], "the CVAE's is its marginal"
    assert np.isnan(found["-log p(x)"]["light_task3"]) and found.weights["vae"] == 7
    without = tables.means(board().assign(nll_marginal=np.nan)).set_index("model")
    assert np.isnan(without["-log p(x)"]["cvae"]), "-log p(x | y) stands in no column of -log p(x)"


def test_what_near_duplicates_cannot_measure_is_empty():
    found = tables.means(board()).set_index("model")
    spread = ["diversity", "Fréchet", "frechet_floor", "precision", "recall"]
    assert found.loc["light_task3", spread].isna().all() and found.accuracy["light_task3"] == 0.9
    assert found.loc["cvae", ["diversity", "Fréchet", "precision"]].notna().all()
    assert [name for name in data.SETS if tables.near_duplicates(name)] == ["sign_language"]
    assert not tables.near_duplicates("folder:photographs"), "one's own data are in no table"


def test_every_judge_that_a_row_can_have_has_a_floor():
    assert tables.judge_of("report001_task1", "sign_language") == "sign_vowel"
    assert tables.judge_of("light_task3", "sign_language") == "sign_rotation"
    assert tables.judge_of("light_vae", "sign_language") == "sign_language"
    assert set(tables.EACH) == set(judge.RECIPES) - {"emnist_letters"}


def test_marks_name_what_lies_below_the_floor_of_the_same_judge():
    floors = {"mnist": {"accuracy": 0.9, "diversity": 0.6, "CAS": 0.7}}
    marked = tables.with_marks(tables.means(board()), floors).set_index("model")[tables.BELOW]
    assert marked["cvae"] == "accuracy, diversity" and marked[["vae", "own", "light_task3"]].isna().all()
    floors |= {"sign_rotation": {"accuracy": 0.8, "diversity": np.nan, "CAS": 0.3}}
    assert tables.with_marks(tables.means(board()), floors).set_index("model")[tables.BELOW]["light_task3"] == "nothing"


def test_a_floor_is_measured_against_test_images_by_the_same_judge():
    images = splits()
    found = tables.floor(Pixels(), images, 3)
    assert (found["samples"], found["classes"], found["images"]) == (9, 3, len(images.train))
    assert found["accuracy"] == 1 / 3 and found["diversity"] > 0 and 0 <= found["CAS"] <= 1


def test_ranks_are_shares_of_the_others_that_are_beaten():
    ranks = tables.ranks(tables.means(board()))
    assert list(ranks.index) == ["cvae, torch, quick", "vae, torch, quick", "own, torch, quick"], (
        "one of signs ranks none"
    )
    assert ranks["Fréchet"].tolist() == [0.25, 1, 0.25] and ranks["-log p(x)"].tolist() == [1, 0.5, 0]
    assert ranks["precision"].tolist() == [0.5] * 3 and ranks["accuracy"].isna().all(), "one alone beats nobody"


def test_the_report_can_pair_the_twins_of_a_board(tmp_path):
    board_ = pd.concat([board(), board().assign(backend="tf")])
    shown = tables.means(board_)[["model", "backend", *tables.OF_SAMPLES]]
    (tmp_path / "tables").mkdir()
    shown.to_csv(tmp_path / "tables" / "board.csv", index=False)
    result = SimpleNamespace(folder=tmp_path, manifest={"table_formats": {"board": tables.OF_SAMPLES}})
    assert "0.800 & 0.50" in short_tables.pairs(result, "board")
