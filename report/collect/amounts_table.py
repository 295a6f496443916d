"""What each report trained beside what we trained, as LaTeX."""

import pandas as pd

from twinvae.run import latex
from twinvae.run.results import Key, Result
from twinvae_collect.rendering import model_in_words
from twinvae_studies.amounts import Amount, trained

COLUMNS = {"images": "images", "epochs": "epochs", "batch": "batch_size", "rate": "learning_rate"}


def amounts_table(theirs: dict[str, Amount], found: dict[Key, Result]) -> str:
    """Return, for each of the reports' own models, what we trained / what the report trained, as LaTeX.

    Ours is that of the run that trained it most; a dash stands for what a report does not state, or we did not train.
    """
    rows = []
    for amount in theirs.values():
        runs = [ours for result in found.values() if (ours := trained(result, amount.model))]
        ours = max(runs, key=lambda run: run.presented, default=Amount(amount.model, 0, 0))
        row = {"report": amount.report, "model": model_in_words(amount.model.removeprefix(f"report{amount.report}_"))}
        for word, name in COLUMNS.items():
            both = (getattr(one, name) for one in (ours, amount))
            row[word] = " / ".join(f"{value:,g}" if value else "--" for value in both)
        rows.append(row | {"share": f"{min(1, ours.presented / amount.presented):.1%}"})
    return latex.table(pd.DataFrame(rows), {}, index=False)
