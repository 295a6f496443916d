"""Likelihoods of MNIST beside those that others published: paper, independent code, both twins.  Notebook 09.

A row says its protocol, since a value without one compares with nothing.  In nats per image, less is better.
"""

from collections.abc import Mapping

import pandas as pd

from twinvae.run.results import Result, resting_on
from twinvae_studies import burda2016_bounds, sohn2015
from twinvae_studies.burda2016_bounds import INDEPENDENT, INDEPENDENT_GIVEN_Y, PAPER, WORDS

TWINS = {"torch": "ours, PyTorch", "tf": "ours, TensorFlow"}
VALUES = ["paper", "independent code", *TWINS.values()]
THEIRS = "theirs 3,280 epochs, 5,000 z"


def table(bounds: dict[str, dict], quadrants: dict[str, dict], runs: Mapping[tuple[str, str], Result]) -> pd.DataFrame:
    """Return a row a model and quantity: of notebook 04b's finished runs, and of the two studies, by twin."""
    rows = [*of_notebook_04b(runs), *of_bounds(bounds), *of_quadrants(quadrants)]
    return pd.DataFrame(rows, columns=["model", "quantity", *VALUES, "protocol"]).astype(dict.fromkeys(VALUES, float))


def row(
    model: str, quantity: str, known: dict[str, float | None], ours: dict[str, tuple[float, str]], theirs: str = THEIRS
) -> dict:
    """Return a row of the table; `ours` are value and protocol by twin, which is named where the twins' differ."""
    words = {name: said for name, (_, said) in ours.items()}
    own = [f"ours {said}" for said in set(words.values())]
    if len(own) > 1:
        own = [f"{TWINS[name]}: {said}" for name, said in words.items()]
    protocol = "; ".join([theirs] * any(known.values()) + own)
    values = known | {TWINS[name]: value for name, (value, _) in ours.items()}
    return {"model": model, "quantity": quantity, "protocol": protocol} | values


def of_notebook_04b(runs: Mapping[tuple[str, str], Result]) -> list[dict]:
    """Return the models that notebook 04b trains for hours, of the twin that it trained longest; nothing of no run."""
    found = {key[1]: resting_on(run).numbers for key, run in runs.items() if key[0] == "04b"}
    most = max((n["vae_epochs"] for n in found.values()), default=0)
    rows, theirs = [], INDEPENDENT | INDEPENDENT_GIVEN_Y
    for kind, key in {"vae": "vae", "iwae": "iwae_5", "cvae": "cvae_learned"}.items() if found else ():
        ours = {
            name: (n[f"{kind}_nll"], f"{n[f'{kind}_epochs']:,.0f} epochs, {n['samples']:,.0f} z")
            for name, n in found.items()
            if n["vae_epochs"] == most
        }
        known = {"paper": PAPER.get(key), "independent code": theirs.get(key)}
        rows.append(row(f"{WORDS[key]}, notebook 04b", "-log p(x | y)" if kind == "cvae" else "-log p(x)", known, ours))
    return rows


def of_bounds(bounds: dict[str, dict]) -> list[dict]:
    """Return the models of the study of bounds; a CVAE's -log p(x | y) in a row of its own."""
    tables = {name: burda2016_bounds.table(facts).set_index("model") for name, facts in bounds.items()}
    rows = []
    for key, words in WORDS.items():
        each = {name: found.loc[key] for name, found in tables.items() if key in found.index}
        protocol = {
            name: f"{one.epochs:.0f} epochs, {bounds[name]['samples']:,} z, {one.images:,.0f} images"
            for name, one in each.items()
        }
        known = {"paper": PAPER.get(key), "independent code": INDEPENDENT.get(key)}
        if each:
            rows.append(row(words, "-log p(x)", known, {name: (one.nll, protocol[name]) for name, one in each.items()}))
        if given := {name: (one.given_y, protocol[name]) for name, one in each.items() if pd.notna(one.given_y)}:
            rows.append(row(words, "-log p(x | y)", {"independent code": INDEPENDENT_GIVEN_Y.get(key)}, given))
    return rows


def of_quadrants(quadrants: dict[str, dict]) -> list[dict]:
    """Return baseline and CVAE of each task as Pyro's example measures them; it has no paper of its own."""
    words = {"baseline": "net without chance", "elbo": "CVAE, -ELBO"}
    rows = []
    for observed, published in sohn2015.PYRO.items() if quadrants else ():
        task = f"{observed} of 4 quadrants given"
        for key, value in published.items():
            ours = {
                name: (facts["tasks"][observed][key]["nll"], f"{facts['images']:,} images")
                for name, facts in quadrants.items()
            }
            rows.append(row(words[key], task, {"independent code": value}, ours, "grey pixels; theirs all images"))
    return rows
