"""`make torture`: kills, two writers, full disks and hostile files, chosen by a seed; the table is kept in results/.

A killed work is started again until it comes to its end, and must then have made what an undisturbed one makes, bit for
bit, and left no other file.  `python tests/torture.py 0.1` does a tenth of the campaign.
"""

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from safetensors.numpy import load
from tiny import ROOT, write_project

SEED, HANG = 0, 240  # seconds after which a work hangs
FILE = np.random.default_rng(SEED).bytes(2_000_000)  # what is downloaded, and in two kinds what writers write
TEX = r"\documentclass{article}\begin{document}\tableofcontents%s\end{document}"
NOTEBOOKS = 'NOTEBOOKS = {"01_alone": [None]}\n'
TABLE = ROOT / "results" / "torture.csv"
NOTHING = {"trials": 0, "wrong": 0, "hangs": 0, "left": 0}  # of which each kind of the campaign counts


# ---------------------------------------------------------------- works: each in a process of its own, in a folder
def train(folder: Path, backend: str, full_at: int = 0) -> None:
    """Train a tiny model; with `full_at` the disk is full from that write on."""
    from pair import CVAE, splits

    from twinvae import training
    from twinvae.spec import TrainSpec

    images = splits()
    job = training.Job(CVAE, (TrainSpec(40, 4, 1e-2),), training.recipe_of(images), backend=backend)
    fsync, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) >= full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    os.fsync = full if full_at else fsync
    ready(folder)
    try:
        training.train_or_load(job, images)
    except OSError as error:
        sys.exit(str(error))


def convert(folder: Path) -> None:
    """Convert an archive in NIST's layout into arrays, which are kept in the cache."""
    import cv2

    from twinvae.data import by_class

    if not (archive := folder / "by_class.zip").exists():
        picture = cv2.imencode(".png", np.full((128, 128), 9, np.uint8))[1].tobytes()
        with zipfile.ZipFile(folder / "new.zip", "w") as file:
            for number in range(3_000):
                file.writestr(f"by_class/41/hsf_0/hsf_0_{number:05d}.png", picture)
        (folder / "new.zip").rename(archive)
    ready(folder)
    by_class.read((archive,), "all", size=28)


def receive(folder: Path, port: str) -> None:
    """Download a file from the server of the campaign."""
    from twinvae.data import download
    from twinvae.data.table import KnownFile

    file = KnownFile("file", f"sha256:{hashlib.sha256(FILE).hexdigest()}", len(FILE) / 1e6)
    ready(folder)
    download.download(f"http://127.0.0.1:{port}/file", file, folder / "cache" / "file")


def run_notebooks(folder: Path) -> None:
    """Run the notebook of a tiny project, as `make runs` does; become snakemake."""
    if not (folder / "Snakefile").exists():
        before, _, after = (ROOT / "Snakefile").read_text().partition("NOTEBOOKS = {")
        write_project(folder)
        (folder / "Snakefile").write_text(before + NOTEBOOKS + after.partition("\n}\n")[2])
    ready(folder)
    words = "--cores 1 --rerun-incomplete --quiet all --config profile=smoke backend=torch"
    os.chdir(folder)
    os.execv(sys.executable, [sys.executable, "-m", "twinvae.run.pipeline", *words.split()])


def typeset(folder: Path) -> None:
    """Make a PDF, as `make tex` does."""
    if not (folder / "Makefile").exists():
        (folder / "report").mkdir()
        (folder / "report" / "main.tex").write_text(TEX % (r"\section{One}\label{a}Page \pageref{a}\newpage" * 60))
        shutil.copy(ROOT / "Makefile", folder)
    ready(folder)
    os.execvp("make", ["make", "-s", "-C", str(folder), "tex"])


def write(folder: Path, letter: str) -> None:
    """Write one file 150 times."""
    from twinvae import paths

    ready(folder)
    for _ in range(150):
        paths.write_text(folder / "out" / "a.txt", letter * 300_000)


def ready(folder: Path) -> None:
    """Say that the imports are over and the work begins."""
    (folder / f"ready-{os.getpid()}").touch()


# ---------------------------------------------------------------- the campaign
class Kind(NamedTuple):
    """What is done, how often it is killed, and which files it makes."""

    words: tuple[str, ...]
    kills: int
    makes: str


KINDS = {
    "training, PyTorch": Kind(("train", "torch"), 50, "results/models/*/weights.safetensors"),
    "training, TensorFlow": Kind(("train", "tf"), 50, "results/models/*/weights.safetensors"),
    "notebooks by snakemake": Kind(("run_notebooks",), 20, "results/smoke/*/numbers.json"),
    "PDF": Kind(("typeset",), 30, "report/twinvae.pdf"),
    "conversion of NIST's archive": Kind(("convert",), 25, "cache/twinvae/arrays/*.npz"),
    "download": Kind(("receive", "PORT"), 25, "cache/file"),
}


class Server(BaseHTTPRequestHandler):
    """Serves the file in pieces, at a pace."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(FILE)))
        self.end_headers()
        with suppress(OSError):
            for at in range(0, len(FILE), 100_000):
                self.wfile.write(FILE[at : at + 100_000])
                time.sleep(0.02)

    def log_message(self, *_) -> None:
        pass


def start(folder: Path, *words: str) -> subprocess.Popen:
    """Start a work in its folder, in a process group of its own, and wait until it says that it is ready."""
    folder.mkdir(exist_ok=True)
    places = {"TWINVAE_RESULTS": folder / "results", "XDG_CACHE_HOME": folder / "cache", "HOME": folder}
    environment = os.environ | {name: str(place) for name, place in places.items()}
    environment |= {"OMP_NUM_THREADS": "1", "SOURCE_DATE_EPOCH": "0", "NO_PROXY": "127.0.0.1"}
    command, streams = [sys.executable, __file__, "do", str(folder), *words], {"stdout": -3, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, start_new_session=True, text=True, **streams)
    since = time.monotonic()
    while process.poll() is None and not (folder / f"ready-{process.pid}").exists():
        if time.monotonic() - since > HANG:
            raise TimeoutError(f"{words} does not begin")
        time.sleep(0.005)
    return process


def outcome(folder: Path, kind: Kind) -> list[str]:
    """Return the checksums of what a work has made: of weights without what is said of them, which has the seconds."""
    made = [path.read_bytes() for path in sorted(folder.glob(kind.makes))]
    if kind.makes.endswith(".safetensors"):
        made = [b"".join(name.encode() + array.tobytes() for name, array in sorted(load(raw).items())) for raw in made]
    return [hashlib.sha256(raw).hexdigest() for raw in made]


def left(folder: Path) -> int:
    """Return how many files and processes a work has left that are none of what it makes."""
    end = time.monotonic() + 10
    while (alive := [p for p in psutil.process_iter() if at(p).startswith(str(folder))]) and time.monotonic() < end:
        time.sleep(0.2)
    return len(list(folder.rglob(".*.tmp*"))) + len(list(folder.rglob("*.part"))) + len(alive)


def at(process: psutil.Process) -> str:
    """Return the current folder of a process; '' of one that is gone."""
    with suppress(psutil.Error):
        return process.cwd()
    return ""


def killed(kind: Kind, kills: int, work: Path, rng: np.random.Generator) -> dict[str, int]:
    """Kill a work at moments that are spread over its length; return what was wrong, by kind."""
    counts = dict(NOTHING)
    process, since = start(work / "whole", *kind.words), time.monotonic()
    said = process.communicate(timeout=HANG)[1]
    length, wanted, trial = time.monotonic() - since, outcome(work / "whole", kind), 0
    assert process.returncode == 0 and wanted, said
    while counts["trials"] < kills:
        folder, ended, trial = work / str(trial), False, trial + 1
        while not ended:
            process = start(folder, *kind.words)
            last = counts["trials"] >= kills or rng.random() < 0.3
            try:
                process.communicate(timeout=HANG if last else float(rng.uniform(0, length)))
                ended = True
            except subprocess.TimeoutExpired:
                counts["hangs" if last else "trials"] += 1
                ended = last
            with suppress(ProcessLookupError):  # the group, or what was started alone
                (os.killpg if last or rng.random() < 0.5 else os.kill)(process.pid, signal.SIGKILL)
            process.wait()
            left_now = left(folder) if ended else 0
        counts["wrong"] += outcome(folder, kind) != wanted
        counts["left"] += left_now
        shutil.rmtree(folder)
    return counts


def two_writers(pairs: int, work: Path) -> dict[str, int]:
    """Let two processes write one file 150 times each, and read it all the while."""
    counts = dict(NOTHING)
    for pair in range(pairs):
        both = [start(work / str(pair), "write", letter) for letter in "ab"]
        file = work / str(pair) / "out" / "a.txt"
        while any(process.poll() is None for process in both):
            if file.exists():
                counts["wrong"] += file.read_text() not in ("a" * 300_000, "b" * 300_000)
        counts["wrong"] += sum(process.returncode != 0 for process in both)
        counts["trials"] += 300
        counts["left"] += left(work / str(pair))
    return counts


def full_disks(step: int, work: Path) -> dict[str, int]:
    """Fill the disk at every `step`-th write of a training: one sentence, and with room it makes the same model."""
    kind, counts = KINDS["training, PyTorch"], dict(NOTHING)
    start(work / "whole", *kind.words).communicate(timeout=HANG)
    wanted, write = outcome(work / "whole", kind), 1
    while True:
        process = start(work / str(write), *kind.words, str(write))
        said = process.communicate(timeout=HANG)[1].strip()
        if process.returncode == 0:  # fewer writes than that
            return counts
        lines = [line for line in said.splitlines() if line.strip() and "%|" not in line]
        counts["wrong"] += not (len(lines) == 1 and lines[0].startswith("cannot write") and "make room" in lines[0])
        counts["left"] += left(work / str(write))
        start(work / str(write), *kind.words).communicate(timeout=HANG)
        counts["wrong"] += outcome(work / str(write), kind) != wanted
        counts["trials"] += 1
        write += step


def hostile_files(count: int) -> dict[str, int]:
    """Feed the readers of own data damaged files: the right array or a DataError."""
    from data_fuzz import TARGETS, fuzz

    counts = dict(NOTHING)
    for name in TARGETS:
        try:
            counts["trials"] += sum(fuzz(name, count // len(TARGETS), derandomize=True).values())
        except Exception as error:
            counts["wrong"] += 1
            print(f"{name}: {error!r}", file=sys.stderr)
    return counts


def campaign(share: float) -> int:
    """Do a share of the campaign, print its table and keep that of a whole one; return what was wrong."""
    import pandas as pd

    sys.path.append(str(ROOT / "tests" / "data"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    works: dict[str, Callable[[Path], dict[str, int]]] = {}
    for number, (name, kind) in enumerate(KINDS.items()):
        kind = kind._replace(words=tuple(str(server.server_port) if w == "PORT" else w for w in kind.words))
        rng = np.random.default_rng([SEED, number])
        works[f"kills: {name}"] = partial(
            lambda work, k, r: killed(k, max(1, round(share * k.kills)), work, r), k=kind, r=rng
        )
    works["two writers of one file"] = lambda work: two_writers(max(1, round(2 * share)), work)
    works["disk full at a write"] = lambda work: full_disks(max(1, round(3 / share)), work)
    works["damaged own files"] = lambda work: hostile_files(round(share * 10_000))
    rows = []
    for name, work in works.items():
        since = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="twinvae-torture-") as folder:
            rows.append({"what": name, **work(Path(folder)), "minutes": round((time.monotonic() - since) / 60, 1)})
        print(rows[-1], flush=True)
    if share >= 1:
        pd.DataFrame(rows).to_csv(TABLE, index=False)
    return sum(row["wrong"] + row["hangs"] + row["left"] for row in rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["do"]:
        folder, work, *given = Path(sys.argv[2]), *sys.argv[3:]
        globals()[work](folder, *(int(word) if work == "train" and word.isdigit() else word for word in given))
    else:
        sys.exit(campaign(float(sys.argv[1]) if sys.argv[1:] else 1.0))
