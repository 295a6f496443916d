"""Likelihoods of MNIST beside those that others published: paper, independent code, both twins.  Notebook 09.

A row says its protocol, since a value without one compares with nothing.  In nats per image, less is better.
"""

from collections.abc import Mapping

import pandas as pd

from twinvae.run.results import Result
from twinvae_studies import burda2016, burda2016_bounds, sohn2015

TWINS = {"torch": "ours, PyTorch", "tf": "ours, TensorFlow"}
VALUES = ["paper", "independent code", *TWINS.values()]
THEIRS = "theirs 3,280 epochs, 5,000 z; ours "


def table(bounds: dict[str, dict], quadrants: dict[str, dict], runs: Mapping[tuple[str, str], Result]) -> pd.DataFrame:
    """Return a row a model and quantity: of the two studies, by twin, and of notebook 04's finished runs."""
    rows = [*of_notebook_04(runs), *of_bounds(bounds), *of_quadrants(quadrants)]
    return pd.DataFrame(rows, columns=["model", "quantity", *VALUES, "protocol"]).astype(dict.fromkeys(VALUES, float))


def row(model: str, quantity: str, values: dict[str, float], ours: dict[str, float], protocol: list[str]) -> dict:
    """Return a row of the table; `ours` by twin, what the twins' protocols share said once."""
    said = "; ".join(dict.fromkeys(protocol))
    by_twin = {TWINS[name]: value for name, value in ours.items()}
    return {"model": model, "quantity": quantity, "protocol": said} | values | by_twin


def of_notebook_04(runs: Mapping[tuple[str, str], Result]) -> list[dict]:
    """Return the plain VAE that notebook 04 trains for about an hour; nothing where no run has it."""
    with_it = {key[1]: run for key, run in runs.items() if key[0] == "04" and "published_nll" in run.numbers}
    ours = {name: run.numbers["published_nll"] for name, run in with_it.items()}
    amounts = [(run.numbers["published_epochs"], run.numbers["published_samples"]) for run in with_it.values()]
    protocol = [f"{THEIRS}{epochs} epochs, {samples:,} z" for epochs, samples in amounts]
    known = {"paper": burda2016.PAPER, "independent code": burda2016_bounds.INDEPENDENT["vae"]}
    return [row("VAE of notebook 04", "-log p(x)", known, ours, protocol)] if ours else []


def of_bounds(bounds: dict[str, dict]) -> list[dict]:
    """Return the models of the study of bounds; a CVAE's -log p(x | y) in a row of its own."""
    tables = {name: burda2016_bounds.table(facts).set_index("model") for name, facts in bounds.items()}
    rows = []
    for key, words in burda2016_bounds.WORDS.items():
        each = {name: found.loc[key] for name, found in tables.items() if key in found.index}
        protocol = [
            f"{THEIRS}{one.epochs:.0f} epochs, {bounds[name]['samples']:,} z, {one.images:,.0f} images"
            for name, one in each.items()
        ]
        known = {"paper": burda2016_bounds.PAPER.get(key), "independent code": burda2016_bounds.INDEPENDENT.get(key)}
        if each:
            rows.append(row(words, "-log p(x)", known, {name: one.nll for name, one in each.items()}, protocol))
        if given := {name: one.given_y for name, one in each.items() if pd.notna(one.given_y)}:
            known = {"independent code": burda2016_bounds.INDEPENDENT_GIVEN_Y.get(key)}
            rows.append(row(words, "-log p(x | y)", known, given, protocol))
    return rows


def of_quadrants(quadrants: dict[str, dict]) -> list[dict]:
    """Return baseline and CVAE of each task as Pyro's example measures them; it has no paper of its own."""
    words = {"baseline": "net without chance", "elbo": "CVAE, -ELBO"}
    rows = []
    for observed, published in sohn2015.PYRO.items() if quadrants else ():
        for key, value in published.items():
            ours = {name: facts["tasks"][observed][key]["nll"] for name, facts in quadrants.items()}
            images = [f"grey pixels, {facts['images']:,} images; theirs: all" for facts in quadrants.values()]
            rows.append(row(words[key], f"{observed} of 4 quadrants given", {"independent code": value}, ours, images))
    return rows
