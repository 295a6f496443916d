"""A run's manifest: all that says how it was made, and whether what it used is still what it was."""

import dataclasses
import importlib
import json
import sys
import time
from collections.abc import Container
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twinvae import paths, provenance
from twinvae.provenance import definitions
from twinvae.run import notebook

WORD_FOR_WORD = ("name", "profile", "backend", "parameters", "specs", "splits", "shown", "checks")
WORD_FOR_WORD += ("captions", "formats", "table_formats")
runs_read: dict[str, str] = {}  # since the last `Run.start`: 'quick/03_digits-tf' -> a checksum of what that run holds


def manifest(run: Any) -> dict:
    """Return all that says how a run was made; `files` has the checksum of each file that it left."""
    return {
        "status": "complete",
        **{name: getattr(run, name) for name in WORD_FOR_WORD},
        "data": [dataclasses.asdict(source) for source in run.sources],
        "started": run.started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - run.clock, 1),
        "peak_memory_mib": provenance.peak_memory_mib(),
        "machine": provenance.machine(),
        "git": provenance.git_state(run.root),
        "versions": provenance.versions(run.backend),
        "used": used(run),
        "files": dict(sorted(run.files.items())),
    }


def drop_others(folder: Path, files: Container[str]) -> None:
    """Delete the figures, tables and scoreboard in a run's folder that are not among these files."""
    for pattern in ("figures/*", "tables/*", "scoreboard.csv"):
        for old in folder.glob(pattern):
            if old.relative_to(folder).as_posix() not in files and old.name[0] != ".":  # which another run is writing
                old.unlink()


def used(run: Any) -> dict:
    """Return what a run rests on: code and data files of the project, models, and the results of other runs."""
    cells = notebook.as_python(notebook.notebook_path(run.root, run.name))
    found_by = {
        "modules": definitions.imported(run.root),
        "drawn_in": {name: cells.index(cell) if cell in cells else None for name, cell in run.drawn_in.items()},
        "data": sorted({source.dataset for source in run.sources}),
        "number": run.name.partition("_")[0],
    }
    training = sys.modules.get("twinvae.training")
    return {
        "found_by": found_by,
        **definitions.used(run.root, cells, **found_by),
        "models": training.used() if training else [],
        "runs": {name: held for name, held in runs_read.items() if name.split("/")[1] != run.folder.name},
    }


def changed(manifest: dict, folder: Path, root: Path) -> list[str]:
    """Return in words what the run in a folder used and is no longer what it was."""
    then, file = manifest.get("used"), notebook.notebook_path(root, manifest["name"])
    if then is None:
        return ["manifests that say what a run uses"]
    now = definitions.used(root, notebook.as_python(file), **then["found_by"])
    same = then["cells"] == now["cells"]
    words = definitions.differences(then, now) if same else [file.relative_to(root).as_posix()]
    words += [run for run, held in then["runs"].items() if holds(folder.parents[1] / run) != held]
    return words + [why for model in then["models"] for why in model_changed(folder.parents[1], model)]


def model_changed(results: Path, model: dict) -> list[str]:
    """Return in words how a model that a run used has changed; one that is not at hand has not.

    `model` is as `twinvae.training.used` gave it.
    """
    folder = (results / model["card"]).parent
    if not (results / model["card"]).is_file():
        return []
    if (folder / "weights.safetensors").is_file() and paths.sha256(folder / "weights.safetensors") != model["weights"]:
        return [f"the model {model['name']}, which was trained again"]
    why = importlib.import_module("twinvae.training").stale(folder)
    return [f"the model {model['name']}, which {why}"] if why else []


def holds(folder: Path) -> str:
    """Return a checksum of the numbers and tables of a run; '' where it is not finished."""
    try:
        files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        return ""
    return definitions.digest(json.dumps({name: files[name] for name in sorted(files) if name[:8] != "figures/"}))
