"""Published likelihoods beside ours: each in its column, with the protocol in its row."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from twinvae_studies import burda2016_bounds, published, sohn2015


def bounds(*models: str) -> dict:
    """Facts of a study of these models: -log p(x) of 100, 101, ..."""
    rows = [
        {"model": name, "seed": 0, "epochs": 4, "minutes": 1.0, "images": 300, "nll": 100.0 + n, "gain": 0.0}
        | {"low": 0.0, "high": 0.0, "given_y": 98.0 if name == "cvae_learned" else np.nan}
        for n, name in enumerate(models)
    ]  # fmt: skip
    return {"samples": 50, "points": pd.DataFrame(rows)}


QUADRANTS = {"tasks": {n: {"baseline": {"nll": 90.0 + n}, "elbo": {"nll": 70.0 + n}} for n in (1, 2, 3)}, "images": 20}


def test_every_value_stands_in_its_column_with_its_protocol():
    numbers = {f"{kind}_nll": nll for kind, nll in {"vae": 87.5, "iwae": 86.5, "cvae": 82.5}.items()}
    numbers |= {"vae_epochs": 3_280.0, "iwae_epochs": 1_000.0, "cvae_epochs": 1_000.0, "samples": 70.0}
    runs = {(name, "torch"): SimpleNamespace(folder=Path("full", name), numbers=numbers) for name in ("04b", "03")}
    short = numbers | {"vae_epochs": 81.0}
    runs["04b", "tf"] = SimpleNamespace(folder=Path("quick", "04b"), numbers=short)  # is left out
    studies = {"torch": bounds("vae", "cvae_learned"), "tf": bounds("vae")}
    table = published.table(studies, {"torch": QUADRANTS}, runs)
    assert table.protocol.str.len().all() and table[published.VALUES].notna().any(axis=1).all()
    long, iwae, told, vae, marginal, given, net, elbo = table.head(8).to_dict("records")
    assert long["ours, PyTorch"] == 87.5 and np.isnan(long["ours, TensorFlow"])
    assert long["protocol"] == "theirs 3,280 epochs, 5,000 z; ours 3,280 epochs, 70 z"
    assert [iwae[name] for name in published.VALUES[:3]] == [85.54, 85.18, 86.5]
    assert (told["quantity"], told["independent code"], told["ours, PyTorch"]) == ("-log p(x | y)", 82.32, 82.5)
    assert [vae[name] for name in published.VALUES] == [86.76, 86.35, 100, 100]
    assert vae["protocol"] == "theirs 3,280 epochs, 5,000 z; ours 4 epochs, 50 z, 300 images", "both twins', said once"
    assert marginal["quantity"] == "-log p(x)" and np.isnan(marginal["independent code"]), "published is -log p(x | y)"
    assert (given["quantity"], given["independent code"], given["ours, PyTorch"]) == ("-log p(x | y)", 82.32, 98)
    assert (net["independent code"], net["ours, PyTorch"]) == (100.4, 91) and np.isnan(net["paper"])
    assert "theirs 3,280" not in net["protocol"] and net["protocol"].endswith("theirs all images; ours 20 images")
    assert elbo["independent code"] == 71.8 and len(table) == 6 + 2 * len(sohn2015.PYRO)


def test_twins_that_differ_are_named_and_what_nobody_published_has_no_theirs():
    studies = {"torch": bounds("cvae_standard"), "tf": bounds("cvae_standard") | {"samples": 500}}
    (row,) = published.table(studies, {}, {}).to_dict("records")
    torch, tf = "4 epochs, 50 z, 300 images", "4 epochs, 500 z, 300 images"
    assert row["protocol"] == f"ours, PyTorch: {torch}; ours, TensorFlow: {tf}"


def test_without_a_study_there_are_no_rows():
    assert published.table({}, {}, {}).empty


@pytest.mark.parametrize("known", [burda2016_bounds.PAPER, burda2016_bounds.INDEPENDENT])
def test_what_others_published_falls_with_more_samples(known):
    assert known["vae"] > known["vae_5"] > known["vae_50"] > known["iwae_5"] > known["iwae_50"]
    assert set(burda2016_bounds.INDEPENDENT_GIVEN_Y) < set(burda2016_bounds.WORDS)
