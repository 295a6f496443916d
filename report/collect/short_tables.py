"""Long tables of a run shortened for the page: one row for what belongs together, in the formats of the run."""

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from twinvae.run import latex
from twinvae.run.parameters import BACKENDS
from twinvae.run.results import Result
from twinvae_collect.rendering import render


def read_table(result: Result, name: str) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return a table of a run: its values, its cells as LaTeX, and which of its columns hold numbers.

    A number that is missing is '--', a word that is missing nothing.
    """
    values = pd.read_csv(result.folder / "tables" / f"{name}.csv")
    formats = result.manifest.get("table_formats", {}).get(name, {})
    numeric = [
        column
        for column, cells in values.items()
        if column in formats or (is_numeric_dtype(cells) and not is_bool_dtype(cells) and cells.notna().any())
    ]
    shown = {
        column: [
            latex.cell(value, formats.get(column)) if pd.notna(value) else "--" if column in numeric else ""
            for value in cells
        ]
        for column, cells in values.items()
    }
    return values, pd.DataFrame(shown), numeric


def tabular(table: pd.DataFrame, numeric: list[str]) -> str:
    """Return a booktabs table of cells that are LaTeX already, numbers to the right and words to the left."""
    alignment = "".join("r" if column in numeric else "l" for column in table)
    return render("table.tex", alignment=alignment, head=map(latex.head, table), rows=table.to_numpy())


def worst(result: Result, name: str, columns: list[str]) -> str:
    """Return one row for all that agree in these columns up to an underscore: how many, the largest of each number.

    Raises ValueError for a column that the table does not have.
    """
    values, cells, numeric = read_table(result, name)
    lacking = [column for column in columns if column not in values]
    if lacking:
        raise ValueError(
            f"table {name} in {result.folder} has no column {', '.join(lacking)}; it has {', '.join(values)}"
        )
    kinds = [tuple(str(row[column]).split("_")[0] for column in columns) for _, row in values.iterrows()]
    numeric = [column for column in numeric if column not in columns]
    rows = []
    for kind in dict.fromkeys(kinds):
        here = values[[other == kind for other in kinds]]
        most = {c: cells.loc[here[c].idxmax(), c] if here[c].notna().any() else "--" for c in numeric}
        rows.append(dict(zip(columns, map(latex.escape, kind), strict=True)) | {"rows": str(len(here))} | most)
    return tabular(pd.DataFrame(rows), ["rows", *numeric])


def pairs(result: Result, name: str) -> str:
    """Return one row a model in place of one a twin: 'PyTorch/TensorFlow' in a cell where they differ as printed."""
    values, cells, numeric = read_table(result, name)
    rows = []
    for model in dict.fromkeys(values["model"]):
        twins = [cells[(values["model"] == model) & (values["backend"] == twin)] for twin in BACKENDS]
        both = [[*dict.fromkeys(twin[c].iloc[0] for twin in twins if len(twin))] for c in cells if c != "backend"]
        rows.append(["/".join(cell).removeprefix("report") for cell in both])  # less wide
    return tabular(pd.DataFrame(rows, columns=[c for c in cells if c != "backend"]), numeric)
