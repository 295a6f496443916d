"""Long tables of a run shortened for the page: one row for what belongs together, in the formats of the run."""

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from twinvae.run import latex
from twinvae.run.parameters import BACKENDS
from twinvae.run.results import Result
from twinvae_collect.rendering import model_in_words, render


def read_table(result: Result, name: str) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """Return a table of a run, the formats of its columns, and which of them hold numbers."""
    values = pd.read_csv(result.folder / "tables" / f"{name}.csv")
    values.columns = values.columns.str.removeprefix("'")  # as they were: `latex.without_formulas` wrote them
    formats = result.manifest.get("table_formats", {}).get(name, {})
    numeric = [
        column
        for column, cells in values.items()
        if column in formats or (is_numeric_dtype(cells) and not is_bool_dtype(cells) and cells.notna().any())
    ]
    return values, formats, numeric


def worst(result: Result, name: str, columns: list[str]) -> str:
    """Return one row for all that agree in these columns up to an underscore: how many, the largest of each number.

    Raises ValueError for a column that the table does not have.
    """
    values, formats, numeric = read_table(result, name)
    if lacking := ", ".join(column for column in columns if column not in values):
        raise ValueError(f"table {name} in {result.folder} has no column {lacking}; it has {', '.join(values)}")
    kinds = [values[column].astype(str).str.partition("_")[0].rename(column) for column in columns]
    groups = values.groupby(kinds, sort=False)
    most = groups[[column for column in numeric if column not in columns]].max()
    most.insert(0, "rows", groups.size())
    return latex.table(most.reset_index(), formats, index=False)


def pairs(result: Result, name: str) -> str:
    """Return a row for each model, and below PyTorch's one for what its TensorFlow twin has otherwise, as printed.

    A number that is missing is '--', a word that is missing nothing.
    """
    values, formats, numeric = read_table(result, name)

    def printed(column: str) -> list[str]:
        fmt, missing = formats.get(column), "--" if column in numeric else ""
        return [latex.cell(value, fmt) if pd.notna(value) else missing for value in values[column]]

    cells = pd.DataFrame({column: printed(column) for column in values if column not in ("model", "backend")})
    rows = []
    for model, own in cells.groupby(values["model"], sort=False):
        order = values["backend"][own.index].map(BACKENDS.index).sort_values(kind="stable").index
        first, *others = own.loc[order].to_numpy()
        rows.append([latex.escape(model_in_words(model)), *first])
        rows += [[r"\quad TensorFlow", *np.where(row == first, "", row)] for row in others if (row != first).any()]
    alignment = "l" + "".join("r" if column in numeric else "l" for column in cells)
    return render("table.tex", alignment=alignment, head=map(latex.head, ["model", *cells]), rows=rows)
