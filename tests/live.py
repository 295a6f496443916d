"""A notebook in a live kernel, each code cell run twice, beside one in which each is run once.

    python tests/live.py 03_digits_ae_vae_cvae [torch]

runs a notebook both ways in the smoke profile and prints the numbers that differ.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

import nbformat
from nbclient import NotebookClient


def numbers(path: Path, results: Path, times: int, backend: str = "torch") -> dict[str, float]:
    """Run each code cell of a notebook so many times, in smoke, its results in a folder; return the numbers kept."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code" for _ in range(times)]
    for cell in notebook.cells:
        cell.source = cell.source.replace('backend: str = "torch"', f'backend: str = "{backend}"')
    client = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}})
    with mock.patch.dict(os.environ, TWINVAE_PROFILE="smoke", TWINVAE_RESULTS=str(results), OMP_NUM_THREADS="1"):
        client.execute()
    (folder,) = [file.parent for file in results.glob(f"smoke/{path.stem}*/manifest.json")]
    return json.loads((folder / "numbers.json").read_text())


if __name__ == "__main__":
    file = Path(__file__).parents[1] / "notebooks" / f"{sys.argv[1]}.ipynb"
    with tempfile.TemporaryDirectory() as folder:
        twice, once = (numbers(file, Path(folder), times, *sys.argv[2:]) for times in (2, 1))
    print({name: (once.get(name), twice.get(name)) for name in {*once, *twice} if once.get(name) != twice.get(name)})
