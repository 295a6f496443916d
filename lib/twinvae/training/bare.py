"""Jobs on a bare machine: one with this library, numpy, safetensors, tqdm and torch, and no data sets.

    python -m twinvae.training pack JOBS.json FOLDER        here: the images of the jobs, a file a recipe
    python -m twinvae.training run JOBS.json --data FOLDER --out FOLDER --minutes N        there, as often as it takes
    python -m twinvae.training time JOBS.json --data FOLDER        minutes of each job on this device, into the file

`OUT/models` is a folder of models as any other, unfinished ones with their last whole epoch: `run` goes on from it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from twinvae import backend, data, paths, provenance, randomness
from twinvae.spec import from_dict, to_dict
from twinvae.training.jobs import Job, fingerprints, read
from twinvae.training.kept import Trained, folder_of, train_or_load
from twinvae.training.measures import measured
from twinvae.training.parts import LEFT, write_parts
from twinvae.training.probe import core_checksum

COMMANDS = ("pack", "run", "time")
SHOWN, STEPS = 400, 4  # images that are kept of a model that may not come back; steps that are timed


def packed(folder: Path, recipe: data.Recipe) -> Path:
    """Return the file of a recipe's images in a folder."""
    return folder / f"{hashlib.sha256(json.dumps(to_dict(recipe)).encode()).hexdigest()[:16]}.npz"


def pack(jobs: Sequence[Job], folder: Path) -> int:
    """Write the images of the jobs, each recipe once, transformed; return how many cannot be had, and say why."""
    missing, git = 0, provenance.git_state(paths.find_root(Path.cwd()))
    known = {"TWINVAE_COMMIT": git["commit"]} | ({"TWINVAE_DIRTY": "1"} if git["dirty"] else {})
    for path, recipe in {packed(folder, job.data): job.data for job in jobs}.items():
        try:
            images = data.from_recipe(recipe)
        except Exception as error:  # whatever a data set or a transform lacks here, the others are packed
            missing += 1
            print(f"left out: {recipe.dataset} {recipe.transform}: {error}")
            continue
        about = {"classes": images.train.class_names, "source": to_dict(images.source), "git": known}
        about |= {"fingerprints": fingerprints(images), "core": {name: core_checksum(name) for name in backend.TWINS}}
        arrays = {f"{part}_{a}": getattr(getattr(images, part), a) for part in ("train", "valid", "test") for a in "xy"}
        with paths.written_whole(path) as file:
            np.savez_compressed(file, about=json.dumps(about), **arrays)
    return missing


@lru_cache(maxsize=2)
def unpacked(path: Path) -> tuple[data.Splits, dict]:
    """Return the images of a packed recipe and what is known of them.  ValueError if they are not those packed."""
    with np.load(path) as file:
        arrays, about = dict(file), json.loads(str(file["about"]))
    names, source = tuple(about["classes"]), from_dict(data.Source, about["source"])
    parts = (data.Images(arrays[f"{p}_x"], arrays[f"{p}_y"], names, source) for p in ("train", "valid", "test"))
    if fingerprints(images := data.Splits(*parts)) != about["fingerprints"]:
        raise ValueError(f"the images in {path} are not those that were packed; pack them again")
    return images, about


def run(jobs: Sequence[Job], images: Path, out: Path, minutes: float, at_once: int = 1, parts: bool = False) -> int:
    """Train the jobs in their order, `at_once` at a time; return how many failed or were not begun or ended in time.

    At the end of the minutes whoever trains stops, and its last whole epoch is kept.  Jobs that start from one another
    or go on with one another's epochs follow each other in one process.  `parts`: see `parts.write_parts`.
    """
    out.mkdir(parents=True, exist_ok=True)
    os.environ["TWINVAE_RESULTS"] = str(out.resolve())
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, provenance.cores() // at_once)))
    chains: dict[str, list[Job]] = {}
    for job in jobs:
        chains.setdefault(_first(job).trajectory, []).append(job)
    end, left = time.monotonic() + 60 * minutes, len(jobs)
    context = multiprocessing.get_context("spawn")
    with context.Pool(at_once, _begin, (out,)) as pool:  # whoever still trains ends with it
        done = pool.imap_unordered(_train, [(chain, images, parts) for chain in chains.values()])
        try:
            for _ in chains:
                left -= done.next(max(0.0, end - time.monotonic()))
        except multiprocessing.TimeoutError:
            print(f"stopped after {minutes:g} minutes; the same command goes on, wherever {out} is taken", flush=True)
    if parts and (missing := write_parts(out, jobs)):
        print("no room in the parts for", *missing)
    return left


def _first(job: Job) -> Job:
    return _first(job.start) if job.start else job


def _begin(out: Path) -> None:
    """Make a process stop between two operations when it is told to, and with its parent; its bars go to a log."""
    os.dup2(os.open(out / f"process-{os.getpid()}.log", os.O_WRONLY | os.O_CREAT, 0o666), 2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def _train(asked: tuple[list[Job], Path, bool]) -> int:
    """Train jobs one after the other, say what became of each, and return how many are done."""
    jobs, folder, parts = asked
    done = 0
    for job in jobs:
        try:
            words = _made(job, *unpacked(packed(folder, job.data)), parts)
            done += 1
        except Exception as error:  # whatever is wrong with one job, the others are trained
            words = f"failed: {error}"
        print(f"{job.spec.name} {job.key}: {words}", flush=True)
    return done


def _made(job: Job, images: data.Splits, about: dict, parts: bool) -> str:
    """Train a job on its images, measure the model if only `parts` of it come back, and return words for it."""
    folder = folder_of(job, images.source.kind)
    if (folder.parents[1] / LEFT / folder.name / "card.json").exists():
        return "was trained before; its weights stayed elsewhere"
    if about["core"][job.backend] == core_checksum(job.backend):  # the code of the commit that packed
        os.environ |= about["git"]
    trained = train_or_load(job, images)
    if parts and trained.folder == folder:  # not one that is published with the project
        measured(trained, "elsewhere", lambda: _shown(trained, images))
    return f"{trained.card['seconds']:,.0f} s of training, in {trained.folder.name}"


def _shown(trained: Trained, images: data.Splits) -> dict[str, np.ndarray]:
    """Return what can be said of a model whose weights may stay behind: losses on test images, samples, as uint8."""
    spec, module = trained.spec, trained.twin.gan if trained.spec.kind == "cgan" else trained.twin.train
    found = {"test_losses": np.array(module.evaluate(trained.model, images.test, trained.settings))}
    if hasattr(trained.model, "generate") and spec.kind not in ("completer", "completion"):
        y = np.sort(np.arange(SHOWN) % max(spec.num_classes, 1))
        z = randomness.rng(0, "prior").standard_normal((SHOWN, spec.latent_dim))
        x = trained.predict("generate", z, data.one_hot(y, max(spec.num_classes, 1)))
        found |= {"labels": y, "samples": np.rint(255 * x.clip(0, 1)).astype(np.uint8)}
    return found


def add_minutes(path: Path, images: Path) -> None:
    """Write beside each job of a file how many minutes it trains on this machine's device, from a few steps of it.

    Validation and writing are not counted.
    """
    jobs, plain, known = read(path), json.loads(path.read_text(encoding="utf-8")), {}
    for number, job in enumerate(jobs):
        if not (file := packed(images, job.data)).exists():
            continue  # `pack` has said why
        twin, seconds, splits = backend.get(job.backend), 0.0, unpacked(file)[0]
        for phase in job.phases:
            size = min(phase.batch_size, len(splits.train))
            few = replace(splits, train=splits.train.subset(np.arange(size * STEPS) % len(splits.train)))
            few = replace(few, valid=few.valid.subset(slice(1)))
            what = str((replace(job.spec, name=""), size, phase.optimizer, phase.average))
            if what not in known:  # the first epoch warms up
                *_, row = twin.train.fit(twin.models.build(job.spec), few, replace(phase, epochs=2))
                known[what] = row["seconds"] / STEPS
            seconds += known[what] * (len(splits.train) // size) * phase.epochs
        device = str(twin.models.device()) if job.backend == "torch" else provenance.device()
        plain[number]["minutes"] = plain[number].get("minutes", {}) | {device: round(seconds / 60, 2)}
        paths.write_text(path, json.dumps(plain))


def main(words: list[str]) -> int:
    """Pack images, train jobs on a bare machine, or time them; return the number of those that are not done."""
    parser = argparse.ArgumentParser(prog="python -m twinvae.training", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    pack_, run_, time_ = (commands.add_parser(name) for name in COMMANDS)
    for command in (pack_, run_, time_):
        command.add_argument("jobs", type=Path, help="a JSON list of jobs")
    pack_.add_argument("folder", type=Path, help="for the packed images")
    for command in (run_, time_):
        command.add_argument("--data", type=Path, required=True, help="the packed images")
    run_.add_argument("--out", type=Path, required=True, help="results; `models` in it are gone on with")
    run_.add_argument("--minutes", type=float, required=True, help="when to stop, whatever is done")
    run_.add_argument("--at-once", type=int, default=1, help="jobs at a time, on the one device")
    run_.add_argument("--parts", action="store_true", help="what comes back, in few small files: OUT/part-NN.tar")
    asked = parser.parse_args(words)
    if asked.command == "pack":
        return pack(read(asked.jobs), asked.folder)
    if asked.command == "time":
        return add_minutes(asked.jobs, asked.data) or 0
    return min(255, run(read(asked.jobs), asked.data, asked.out, asked.minutes, asked.at_once, asked.parts))
