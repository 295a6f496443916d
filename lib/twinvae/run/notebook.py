"""A notebook's code cells and parameters, and which cells a kernel has run.

Notebooks are read as JSON: nbformat takes a second to import and one to validate.
"""

import ast
import json
from pathlib import Path
from typing import Any

from IPython import get_ipython
from IPython.core.inputtransformer2 import TransformerManager


def notebook_path(root: Path, name: str) -> Path:
    """Return the notebook that a run of this name belongs to."""
    return root / "notebooks" / f"{name}.ipynb"


def code_cells(path: Path) -> list[dict]:
    """Return the code cells of a notebook, each source one string, without the parameters that papermill injects."""
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    own = [cell for cell in cells if "injected-parameters" not in cell["metadata"].get("tags", [])]
    return [cell | {"source": "".join(cell["source"])} for cell in own]


def as_python(path: Path) -> list[str]:
    """Return the code cells as IPython keeps them in `In`, magics as calls; none where there is no notebook."""
    cells = code_cells(path) if path.is_file() else []
    return [TransformerManager().transform_cell(cell["source"]).rstrip("\n") for cell in cells]


def declared_parameters(path: Path) -> dict[str, ast.expr]:
    """Return the names that the notebook's `parameters` cell assigns, and what; none where there is no such cell."""
    cells = [cell["source"] for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    return assigned("\n".join(cells))


def assigned(source: str) -> dict[str, ast.expr]:
    """Return the plain names assigned at the top of a piece of Python, in order, and what is assigned to each."""
    nodes = [node for node in ast.parse(source).body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    pairs = [(target, node.value) for node in nodes for target in getattr(node, "targets", None) or [node.target]]
    return {target.id: value for target, value in pairs if isinstance(target, ast.Name)}


def default(path: Path, name: str) -> Any:
    """Return the value that the notebook itself gives a parameter; None where it declares none."""
    declared = declared_parameters(path)
    return ast.literal_eval(declared[name]) if name in declared else None


def history() -> list[str]:
    """Return the cells that this kernel has run, the one that runs now the last; none outside of a notebook."""
    return shell.user_ns.get("In", []) if (shell := get_ipython()) else []


def execution() -> int | None:
    """Return the number of the execution of a cell that goes on now; None outside of a notebook."""
    return shell.execution_count if (shell := get_ipython()) else None


def not_run(path: Path, begun: int) -> str:
    """Return in words which cells, from the one with `Run.start` on, are not in the history from `begun` on; '' if all.

    A cell edited and not saved is not the one in the file.  For nbval a kernel keeps no history, even of `Run.start`.
    """
    ran, cells = history()[begun:], as_python(path)
    first = next((at for at, cell in enumerate(cells) if "Run.start(" in cell), len(cells))
    known = first < len(cells) and cells[first] in ran
    missing = [f"code cell {at + 1}" for at in range(first, len(cells)) if cells[at] not in ran] if known else []
    return ", ".join(missing[:9]) + (f" and {len(missing) - 9} more" if len(missing) > 9 else "")
