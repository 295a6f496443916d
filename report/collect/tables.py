"""Long tables of a run cut down for the page: one row for what belongs together, its cells as the run printed them."""

import re

import pandas as pd
from twinvae.run import latex
from twinvae.run.results import Result

TWINS = ("torch", "tf")
NUMBER = re.compile(r"(\\ensuremath\{-?)?[\-}]*\d")


def read(result: Result, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of a run: its values, and the cells of LaTeX that the run made of them, with the same columns."""
    values = pd.read_csv(result.folder / "tables" / f"{name}.csv")
    text = (result.folder / "tables" / f"{name}.tex").read_text(encoding="utf-8")
    lines = text.partition("\\midrule\n")[2].partition("\\bottomrule")[0].splitlines()
    cells = [re.split(r"(?<!\\)&", line.removesuffix(r"\\")) for line in lines]
    return values, pd.DataFrame([[cell.strip() for cell in row] for row in cells], columns=values.columns)


def tabular(table: pd.DataFrame) -> str:
    """A booktabs table of cells that are LaTeX already; words to the left, all else to the right."""
    body = [" & ".join(row) + r" \\" for row in table.itertuples(index=False)]
    columns = "".join("r" if any(NUMBER.match(cell) for cell in table[name]) else "l" for name in table)
    head = " & ".join(latex.escape(name) for name in table) + r" \\"
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def worst(result: Result, name: str, columns: list[str]) -> str:
    """One row for all that agree in these columns, up to an underscore: how many they are, the largest of each number."""
    values, cells = read(result, name)
    lacking = [column for column in columns if column not in values]
    if lacking:
        raise ValueError(
            f"table {name} in {result.folder} has no column {', '.join(lacking)}; it has {', '.join(values)}"
        )
    kinds = [tuple(str(row[column]).split("_")[0] for column in columns) for _, row in values.iterrows()]
    numeric = [column for column in values.select_dtypes("number") if column not in columns]
    rows = []
    for kind in dict.fromkeys(kinds):
        here = values[[other == kind for other in kinds]]
        most = {c: cells.loc[here[c].idxmax(), c] if here[c].notna().any() else "--" for c in numeric}
        rows.append(dict(zip(columns, map(latex.escape, kind), strict=True)) | {"rows": str(len(here))} | most)
    return tabular(pd.DataFrame(rows))


def pairs(result: Result, name: str) -> str:
    """One row a model in place of one a twin: 'PyTorch/TensorFlow' in a cell where the two differ as printed."""
    values, cells = read(result, name)
    rows = []
    for model in dict.fromkeys(values["model"]):
        twins = [cells[(values["model"] == model) & (values["backend"] == twin)] for twin in TWINS]
        both = [[*dict.fromkeys(twin[c].iloc[0] for twin in twins if len(twin))] for c in cells if c != "backend"]
        rows.append(["/".join(cell) for cell in both])
    return tabular(pd.DataFrame(rows, columns=[c for c in cells if c != "backend"]))
