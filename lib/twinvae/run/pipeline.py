"""`python -m twinvae.run.pipeline ...` becomes snakemake; `... papermill ...` is papermill that ends with it."""

import fcntl
import os
import runpy
import shutil
import sys
import threading
import time
from pathlib import Path

FOLDER = Path(".snakemake")
PIPELINE = "TWINVAE_PIPELINE"  # the environment variable with the process of snakemake


def become_snakemake(arguments: list[str]) -> None:
    """Become snakemake in this folder; its locks are removed first where none is at work, as after a kill.

    All that are at work share a lock of the system's, which ends with them.
    """
    FOLDER.mkdir(exist_ok=True)
    held = os.open(FOLDER / "held", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(held, True)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(FOLDER / "locks", ignore_errors=True)
    except BlockingIOError:
        print("another make is at work here; this one stops if both would write the same files", file=sys.stderr)
    fcntl.flock(held, fcntl.LOCK_SH)
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", *arguments])


def end_with(process: int) -> None:
    """End this process as soon as another has ended; a kernel that it has started does the same by itself."""
    while True:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(0.5)


if __name__ == "__main__":
    if sys.argv[1:2] != ["papermill"]:
        become_snakemake(sys.argv[1:])
    threading.Thread(target=end_with, args=(int(os.environ[PIPELINE]),), daemon=True).start()
    del sys.argv[1]
    runpy.run_module("papermill", run_name="__main__", alter_sys=True)
