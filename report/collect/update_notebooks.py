"""Updates the notebooks in `notebooks/` with the outputs of a run, as they are committed.

    python -m twinvae_collect.update_notebooks --profile quick [--results DIR]

What papermill adds (its metadata, the cell of injected parameters) is taken out, and widgets, which live no longer than
their kernel; a file of the project is named from the project's folder, wherever that lies. Other outputs stay, and the
checksum of all is kept beside the run, so that none is changed by hand.
"""

import argparse
import hashlib
import json
import os
import re
import sys
from pathlib import Path

import nbformat

from twinvae import paths
from twinvae.run.notebook import code_cells
from twinvae.run.parameters import PROFILES

CHECKSUM = "outputs.sha256"
VIEW = "application/vnd.jupyter.widget-view+json"
BAR = re.compile(r"\d+%\|")  # of tqdm, where it began


def without_papermill(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Take out papermill's metadata, its cell, the times of execution and dead widgets; count the cells from 1."""
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    for holder in (notebook, *notebook.cells):
        for key in ("papermill", "execution", "widgets", *["tags"] * (holder.metadata.get("tags") == [])):
            holder.metadata.pop(key, None)
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
        for output in list(cell.outputs):
            if "execution_count" in output:
                output.execution_count = count
            data = output.get("data", {})
            data.pop(VIEW, None)  # a bar that has ended has none any more
            if output.output_type == "display_data" and BAR.search(data.get("text/plain", "")):
                cell.outputs.remove(output)
    return notebook


def without_folder(outputs: list[nbformat.NotebookNode], root: Path) -> list[nbformat.NotebookNode]:
    """Return the outputs with each file under the folder `root` named from there."""
    folder = json.dumps(f"{root}{os.sep}")[1:-1]
    return nbformat.from_dict(json.loads(json.dumps(outputs).replace(folder, "")))


def update(executed: Path, notebook: Path) -> None:
    """Give a notebook the outputs of its executed version; ValueError when the code of the two differs.

    The file keeps its time, since its code is what it was: nothing that depends on it has to run again.
    """
    if [c["source"] for c in code_cells(executed)] != [c["source"] for c in code_cells(notebook)]:
        raise ValueError(f"{notebook.name} has changed since {executed} ran; run it again")
    before, root = notebook.stat(), notebook.resolve().parents[1]
    with paths.written_whole(notebook) as part:
        page, ran = nbformat.read(notebook, as_version=4), without_papermill(nbformat.read(executed, as_version=4))
        pairs = zip(*([c for c in one.cells if c.cell_type == "code"] for one in (page, ran)), strict=True)
        for cell, of_run in pairs:  # the words of the notebook stay, which may be newer
            cell.outputs, cell.execution_count = without_folder(of_run.outputs, root), of_run.execution_count
        if "language_info" in ran.metadata:  # without it JupyterLab calls the notebook modified
            page.metadata.language_info = ran.metadata.language_info
        nbformat.write(page, part)
    os.utime(notebook, ns=(before.st_atime_ns, before.st_mtime_ns))
    paths.write_text(executed.parent / CHECKSUM, checksum_of_outputs(notebook))


def checksum_of_outputs(notebook: Path) -> str:
    """Return a checksum of all that the cells of a notebook show."""
    cells = nbformat.v4.reads(notebook.read_text(encoding="utf-8")).cells  # not validated, which takes seconds
    shown = [cell.outputs for cell in cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: every notebook that was executed in this profile, the PyTorch run of two."""
    root = paths.find_root(Path.cwd())
    parser = argparse.ArgumentParser("python -m twinvae_collect.update_notebooks", description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=paths.results_folder(root), help="the runs (results/)")
    parser.add_argument("--profile", choices=PROFILES, default="quick", help="the profile that was run")
    given = parser.parse_args(arguments)
    try:
        for notebook in sorted((root / "notebooks").glob("[0-9]*.ipynb")):
            for run in (notebook.stem, f"{notebook.stem}-torch"):
                executed = given.results / given.profile / run / "executed.ipynb"
                if executed.is_file():
                    update(executed, notebook)
                    print(f"{notebook.relative_to(root)} shows the {given.profile} run")
    except (ValueError, OSError) as error:
        sys.exit(f"notebooks: {error}")


if __name__ == "__main__":
    main()
