"""A notebook as it lies in the project: its code cells and the parameters that it declares."""

import ast
import json
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager


def notebook_path(root: Path, name: str) -> Path:
    """Return the notebook that a run of this name belongs to."""
    return root / "notebooks" / f"{name}.ipynb"


def code_cells(path: Path) -> list[dict[str, Any]]:
    """Return the code cells of a notebook, each source one string, without the parameters that papermill injects.

    The file is read as the JSON that it is: nbformat takes over a second to import, and longer to validate outputs.
    """
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells if "injected-parameters" not in tags(cell)]


def tags(cell: dict[str, Any]) -> list[str]:
    """Return the tags of a cell."""
    return cell["metadata"].get("tags", [])


def as_python(path: Path) -> list[str]:
    """Return the code cells as IPython keeps them in `In`, magics as calls; none where there is no notebook."""
    cells = code_cells(path) if path.is_file() else []
    return [TransformerManager().transform_cell(cell["source"]).rstrip("\n") for cell in cells]


def declared_parameters(path: Path) -> list[str]:
    """Return the names that the notebook's `parameters` cell assigns; none where there is no such cell."""
    cells = [cell for cell in code_cells(path) if "parameters" in tags(cell)]
    return [name for cell in cells for name in assigned_names(cell["source"])]


def assigned_names(source: str) -> list[str]:
    """Return the plain names assigned at the top of a piece of Python, in order."""
    nodes = [node for node in ast.parse(source).body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    targets = [target for node in nodes for target in getattr(node, "targets", None) or [node.target]]
    return [target.id for target in targets if isinstance(target, ast.Name)]
