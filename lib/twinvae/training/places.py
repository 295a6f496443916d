"""Where kept models lie, and which of them are published with the project."""

from __future__ import annotations

from pathlib import Path

from twinvae import paths
from twinvae.training.jobs import Job


def models_here() -> Path:
    """Return the folder in which models are kept: that of `results/`, or of TWINVAE_RESULTS."""
    return paths.results_folder(paths.find_root(Path.cwd())) / "models"


def models_in_git() -> Path:
    """Return the project's own folder of models, wherever results go."""
    return paths.find_root(Path.cwd()) / "results" / "models"


def folder_of(job: Job, kind: str) -> Path:
    """Return the folder of a job's model: `kind`, that of its images, keeps other data apart from official ones."""
    return models_here() / "-".join([job.spec.name, *([] if kind in ("official", "variant") else [kind]), job.key])


def published() -> set[str]:
    """Return the folders of the models that are published: their weights are rounded when they are kept."""
    file = models_in_git() / "PUBLISHED"
    return set(file.read_text(encoding="utf-8").split()) if file.is_file() else set()
