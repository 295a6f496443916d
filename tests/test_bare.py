"""Jobs on a bare machine: nothing but numpy, safetensors, tqdm and torch; killed, gone on with, brought back."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pair import CVAE, same_arrays
from tiny import ROOT

from twinvae import backend, checkpoints, data, provenance, training
from twinvae.spec import Conv, Dense, Flatten, GanSpec, Reshape, TrainSpec, to_dict
from twinvae.training import Job, bare, folder_of, parts
from twinvae.training.__main__ import main
from twinvae.training.jobs import read
from twinvae.training.probe import probe, same

RECIPE = data.Recipe("digits", train_size=60, valid_size=20, test_size=20, transform="test_bare:inverted")
SETTINGS = TrainSpec(epochs=60, batch_size=8, learning_rate=0.01, binarize="dynamic")
GAN = GanSpec("tiny_cgan", "cgan", (8, 8, 1), 4, 10, (Dense(64), Reshape((8, 8, 1))), (Conv(2), Flatten()))
JOBS = [
    Job(CVAE.for_images((8, 8, 1), 10), (SETTINGS,), RECIPE, marks=(7,)),
    Job(GAN, (replace(SETTINGS, binarize="none"),), RECIPE),
]
ENDLESS = replace(JOBS[0], phases=(replace(SETTINGS, epochs=10**6),), marks=(), seed=1)

# What Python reads before anything else: of the packages installed here only those of a bare machine can be imported.
BARE = """
import sys
KNOWN = {"numpy", "safetensors", "tqdm", "torch", "twinvae"} | set(sys.stdlib_module_names)
KNOWN |= {"torchgen", "typing_extensions", "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "fsspec"}  # of torch

class Only:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        known = name.split(".")[0] in KNOWN or name.startswith("_")
        return self.finder.find_spec(name, path, target) if known else None

sys.meta_path[:] = [Only(finder) for finder in sys.meta_path]
"""


def inverted(images: data.Splits) -> data.Splits:
    """The transform of the recipe: only where the images are packed can it be imported."""
    return data.Splits(*(replace(part, x=16 - part.x) for part in (images.train, images.valid, images.test)))


@pytest.fixture
def packed(tmp_path) -> Path:
    """The jobs and their packed images in a folder."""
    (tmp_path / "jobs.json").write_text(json.dumps([to_dict(job) for job in JOBS]))
    assert main(["pack", str(tmp_path / "jobs.json"), str(tmp_path / "data")]) == 0
    return tmp_path


def start(folder: Path, *words: str, jobs: str = "jobs.json") -> subprocess.Popen:
    """A run in a folder, on a bare machine without git, in a group of processes of its own."""
    (folder / "bare").mkdir(exist_ok=True)
    (folder / "bare" / "sitecustomize.py").write_text(BARE)
    environment = {"PYTHONPATH": f"{folder / 'bare'}:{ROOT / 'lib'}", "PATH": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "twinvae.training", "run", jobs, "--data", "data", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **pipes)


@pytest.mark.slow
def test_killed_and_gone_on_with_elsewhere_it_is_the_same_model_bit_for_bit(packed, results, monkeypatch):
    first = start(packed, "--out", "here", "--minutes", "5", "--at-once", "2")
    place = packed / "here" / "models"
    until = time.monotonic() + 120
    begun = ("unfinished/{0.trajectory}-*/phase-0/last.*", "*{0.key}/card.json")  # one may end before the other begins
    while not all(any(any(place.glob(file.format(job))) for file in begun) for job in JOBS):
        assert first.poll() is None and time.monotonic() < until, first.communicate()
        time.sleep(0.005)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=60)  # ends when nobody holds its pipes: the processes that trained have ended, too
    assert not any(place.glob(f"*{JOBS[0].key}/card.json")) or not any(place.glob(f"*{JOBS[1].key}/card.json"))

    (packed / "here").rename(packed / "elsewhere")
    on = start(packed, "--out", "elsewhere", "--minutes", "5", "--parts")
    said, errors = on.communicate(timeout=240)
    assert on.returncode == 0, said + errors
    assert [line.partition(" ")[0] for line in said.splitlines()] == ["tiny_cvae", "tiny_cgan"]

    for part in (packed / "elsewhere").glob("part-*.tar"):
        with tarfile.open(part) as tar:
            tar.extractall(results, filter="data")
    images = data.from_recipe(RECIPE)
    back = [training.train_or_load(job, images, may_train=False) for job in (*JOBS, JOBS[0].at(7))]
    monkeypatch.setenv("TWINVAE_RESULTS", str(packed / "uninterrupted"))
    for trained in back:
        whole = training.train_or_load(trained.job, images)
        assert same_arrays(trained.model.get_arrays(), whole.model.get_arrays())
        assert trained.history.drop(columns="seconds").equals(whole.history.drop(columns="seconds"))
        assert trained.card.keys() == whole.card.keys() and same(trained.card["probe"], probe(trained.job))
        assert trained.card["git"] == provenance.git_state(ROOT) and not training.stale(trained.folder)
    assert any(trained.card["resumed"] for trained in back)


@pytest.mark.slow
def test_it_stops_in_time_keeps_what_is_done_and_one_failure_stops_nothing_else(packed):
    unpackable = replace(JOBS[0], data=replace(RECIPE, seed=5))
    (packed / "long.json").write_text(json.dumps([to_dict(job) for job in (unpackable, ENDLESS)]))
    began = time.monotonic()
    stopped = start(packed, "--out", "out", "--minutes", "0.3", "--parts", jobs="long.json")
    said, errors = stopped.communicate(timeout=120)
    assert stopped.returncode == 2 and 18 < time.monotonic() - began < 60, said + errors
    assert f"{unpackable.key}: failed: " in said and "stopped after 0.3 minutes; the same command goes on" in said
    assert not list((packed / "out").rglob(".*.tmp*"))
    with tarfile.open(packed / "out" / "part-01.tar") as tar:
        (last,) = [name for name in tar.getnames() if name.endswith("phase-0/last.safetensors")]
    assert last.startswith(f"models/unfinished/{ENDLESS.trajectory}-")


def test_what_cannot_be_packed_is_said_and_other_images_are_refused(packed, capsys):
    unknown = replace(JOBS[0], data=data.Recipe("", transform="nowhere:nothing"))
    assert bare.pack([unknown, *JOBS], packed / "more") == 1
    assert "left out:  nowhere:nothing: No module named 'nowhere'" in capsys.readouterr().out
    (file,) = (packed / "more").glob("*.npz")
    assert np.array_equal(bare.unpacked(file)[0].test.x, data.from_recipe(RECIPE).test.x)
    with np.load(file) as packed_images:
        arrays = dict(packed_images)
    np.savez_compressed(file, **arrays | {"train_x": 255 - arrays["train_x"]})
    bare.unpacked.cache_clear()
    with pytest.raises(ValueError, match="are not those that were packed; pack them again"):
        bare.unpacked(file)


def test_minutes_are_timed_and_no_part_of_a_job(packed):
    jobs = packed / "jobs.json"
    for device in ("cpu", "cpu"):  # the second writes over the first
        assert main(["time", str(jobs), "--data", str(packed / "data")]) == 0
        assert [list(job["minutes"]) for job in json.loads(jobs.read_text())] == [[device]] * 2
    assert all(0 <= job["minutes"]["cpu"] < 5 for job in json.loads(jobs.read_text()))
    assert read(jobs) == [training.from_plain(json.loads(json.dumps(to_dict(job)))) for job in JOBS]


# --- parts ---------------------------------------------------------------------------------------


def fill(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.random.default_rng(size).bytes(size))


@pytest.mark.parametrize("count", [3, 12])
def test_parts_are_few_and_small_and_no_weights_are_missed_in_silence(tmp_path, monkeypatch, count):
    """Of models of which two fill a part, nine fit beside card and measures of the others and of a large one."""
    monkeypatch.setattr(parts, "LARGEST", 10 * tarfile.RECORDSIZE)
    monkeypatch.setattr(parts, "PARTS", 5)
    out, back = tmp_path / "out", tmp_path / "back"
    sizes = {f"model-{number:02}": 40_000 for number in range(count)} | {"large": 150_000}
    for name, size in sizes.items():
        fill(out / "models" / name / "weights.safetensors", size)
        for file in ("card.json", "history.csv", "measures/elsewhere-1.safetensors"):
            fill(out / "models" / name / file, 600)
    going = out / "models" / "unfinished" / f"{ENDLESS.trajectory}-data" / "phase-0"
    fill(going / "last.safetensors", 2_000)
    fill(going / "best.safetensors", 2_000)
    fill(out / "part-05.tar", 10)
    assert parts.write_parts(out, [*JOBS, ENDLESS]) == []
    written = sorted(out.glob("part-*.tar"))
    assert written[-1].name <= "part-05.tar" and all(file.stat().st_size <= parts.LARGEST for file in written)
    for file in written:
        with tarfile.open(file) as tar:
            tar.extractall(back, filter="data")
    whole = {path.name for path in (back / "models").glob("*") if (path / "weights.safetensors").exists()}
    short = {path.name for path in (back / parts.LEFT).glob("*")}
    assert whole | short == set(sizes) and not whole & short and "large" in short
    assert len(whole) == min(count, 9)
    for path in [path for path in back.rglob("*") if path.is_file()]:
        at = out / "models" / path.relative_to(back / (parts.LEFT if parts.LEFT in path.parts else "models"))
        assert path.read_bytes() == at.read_bytes()
    assert all(len(list((back / parts.LEFT / name).rglob("*.*"))) == 3 for name in short)
    assert [path.name for path in (back / "models" / "unfinished").rglob("*.safetensors")] == ["last.safetensors"]


@pytest.mark.slow
def test_a_model_whose_weights_stay_is_measured_and_not_trained_again(packed, results, capsys):
    made = [bare._train(([job], packed / "data", True)) for job in JOBS]
    folders = [folder_of(job, data.from_recipe(RECIPE).source.kind) for job in JOBS]
    assert made == [1, 1]
    for job, folder in zip(JOBS, folders, strict=True):
        (file,) = folder.glob("measures/elsewhere-*.safetensors")
        found = checkpoints.read(file)[0]
        assert found["samples"].shape == (bare.SHOWN, 8, 8, 1) and found["samples"].std() > 0
        assert np.bincount(found["labels"]).tolist() == [bare.SHOWN // 10] * 10
        assert found["test_losses"].shape == ((4,) if job.spec.kind == "cgan" else (3,))
        (results / parts.LEFT).mkdir(exist_ok=True)
        shutil.move(folder, results / parts.LEFT / folder.name)
    capsys.readouterr()
    assert [bare._train(([job], packed / "data", True)) for job in JOBS] == [1, 1]
    assert capsys.readouterr().out.count("was trained before; its weights stayed elsewhere") == 2


# --- the device ----------------------------------------------------------------------------------


def test_the_environment_names_the_device(monkeypatch):
    models = backend.get("torch").models
    monkeypatch.setenv("TWINVAE_DEVICE", "cpu")
    assert str(models.device()) == "cpu"
    monkeypatch.setenv("TWINVAE_DEVICE", "tpu")
    with pytest.raises(ValueError, match="TWINVAE_DEVICE is 'tpu'; allowed are 'cpu', 'cuda', 'mps'"):
        models.device()
