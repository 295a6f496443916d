"""All that a notebook trains, as jobs, known before it runs.

    python -m twinvae_studies.jobs 03 --profile full --backend torch > JOBS.json
    python -m twinvae.training JOBS.json

The second command trains them, on any machine; `make train` does the same through snakemake.  Without the name of a
notebook the file holds everything, judges included, what matters most first; `twinvae.training.bare` is for it.
"""

import argparse
import ast
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from twinvae import backend as backends
from twinvae import data, paths, spec
from twinvae.metrics import judge
from twinvae.run import notebook
from twinvae.training import Job, folder_of, stale
from twinvae_apps.handwriting import pen
from twinvae_studies import (
    ablations,
    burda2016,
    burda2016_bounds,
    burda2016_converged,
    digits_cvae,
    planning,
    report000,
    report001,
    report002,
    report002_tuning,
    report003,
    report004,
    sohn2015,
)

# notebook -> function(profile, backend, **parameters of the notebook) that returns jobs in dicts and lists
STUDIES: dict[str, Callable[..., Any]] = {
    "03_digits_ae_vae_cvae": report004.jobs,
    "04_digits_vae_vs_cvae": lambda profile, backend, **parameters: [
        report002_tuning.jobs(profile, backend),
        report002.jobs(profile, backend, **parameters),
        burda2016.jobs(profile, backend),
    ],
    "04b_likelihoods": burda2016_converged.jobs,
    "05_sign_language": report001.jobs,
    "06_cifar10_cvae_vs_cgan": report003.jobs,
    "07_nist_characters": report000.jobs,
    "09_scoreboard": lambda profile, backend: [
        study.jobs(profile, backend) for study in (ablations, burda2016_bounds, digits_cvae, sohn2015)
    ],
}


def of_notebook(name: str, profile: str, backend: str, **changed: Any) -> list[Job]:
    """Return the jobs that a notebook trains in a profile, each once; `changed` are other parameters than its own.

    Models that are kept at a mark of another job are left out: they come with it.
    """
    if name not in STUDIES:
        return []
    chosen = {"profile": profile, "backend": backend}
    parameters = _parameters(name) | changed | chosen
    found = {job.key: job for job in flat(STUDIES[name](**parameters))}
    marked = {job.at(mark).key for job in found.values() for mark in job.marks if mark < job.phases[-1].epochs}
    return [job for key, job in found.items() if key not in marked]


def _parameters(name: str) -> dict[str, Any]:
    """The parameters of a notebook with the values that it gives them; `train` says nothing about what is trained."""
    cells = notebook.code_cells(notebook.notebook_path(paths.find_root(Path.cwd()), name))
    (cell,) = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    found = {node.target.id: ast.literal_eval(node.value) for node in ast.parse(cell["source"]).body}
    return {key: value for key, value in found.items() if key != "train"}


def shared() -> list[Job]:
    """Return what all notebooks and apps use and none of them owns: the judges, and the pen."""
    return [*judge.jobs(), pen.job()]


def flat(jobs: Any) -> list[Job]:
    """Return all jobs of dicts and lists, in order."""
    if isinstance(jobs, Job):
        return [jobs]
    return [job for part in (jobs.values() if isinstance(jobs, dict) else jobs) for job in flat(part)]


def importance(job: Job) -> tuple[int, int, int]:
    """Return by what all jobs are sorted.

    Judges come first, then the reports' own models: 004, 002 and 000 by seed; 001 but for its large task 3; 003.
    """
    report = ("004", "002", "000", "001", "003", "").index(job.spec.report)
    stage = 5 if job.spec.name == "report001_task3" else 0 if job.spec.kind == "classifier" else max(report, 2)
    return stage, job.seed, report


def cards(jobs: Iterable[Job]) -> list[Path]:
    """Return where the card of each job's model is, or will be; the card of a stale model is taken away."""
    found = [folder_of(job, kind_of(job.data)) / "card.json" for job in jobs]
    for card in found:
        if card.exists() and stale(card.parent):
            card.unlink()
    return found


@cache
def kind_of(images: data.Recipe) -> str:
    """Return the kind of the images at hand for a recipe: 'official', 'variant', 'stand-in' or 'own'."""
    if images.dataset:  # a transform, which may take minutes, changes no kind
        images = replace(images, transform="", arguments=())
    return data.from_recipe(images).source.kind


def main(words: list[str]) -> None:
    """Print the jobs of notebooks as a JSON list."""
    parser = argparse.ArgumentParser(prog="python -m twinvae_studies.jobs", description=main.__doc__)
    parser.add_argument("notebooks", nargs="*", help="03 or its whole name; all by default")
    parser.add_argument("--profile", choices=planning.PROFILES, default="full")
    parser.add_argument("--backend", choices=list(backends.TWINS), default="torch")
    asked = parser.parse_args(words)
    called = {word: name for name in STUDIES for word in (name, name.partition("_")[0])}
    unknown = [word for word in asked.notebooks if word not in called]
    if unknown:
        parser.error(f"{unknown[0]!r} trains nothing or is no notebook; choose among {', '.join(STUDIES)}")
    names = [called[word] for word in asked.notebooks] or [*STUDIES]
    own = [job for name in names for job in of_notebook(name, asked.profile, asked.backend)]
    all_ = own if asked.notebooks else sorted([*shared(), *own], key=importance)
    print(json.dumps([spec.to_dict(job) for job in {job.key: job for job in all_}.values()]))


if __name__ == "__main__":
    main(sys.argv[1:])
