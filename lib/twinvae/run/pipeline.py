"""`python -m twinvae.run.pipeline ...` is snakemake; `... papermill ...` is papermill that ends with it."""

import fcntl
import logging
import os
import re
import runpy
import shutil
import sys
import threading
import time
from pathlib import Path

FOLDER = Path(".snakemake")
PIPELINE = "TWINVAE_PIPELINE"  # the environment variable with the process of snakemake

# A rule's command that failed, and that one has: the Snakefile says it itself, in a line a run.
SAID = re.compile(
    "returned non-zero exit status|At least one job did not complete|Cancelling snakemake on user request"
)


def take_folder() -> None:
    """Share a lock of the system's with all that are at work in this folder; it ends with this process.

    Snakemake's own locks are removed where none is at work, as after a kill.
    """
    FOLDER.mkdir(exist_ok=True)
    held = os.open(FOLDER / "held", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(FOLDER / "locks", ignore_errors=True)
    except BlockingIOError:
        print("another make is at work here; this one stops if both would write the same files", file=sys.stderr)
    fcntl.flock(held, fcntl.LOCK_SH)


def show_errors() -> None:
    """Show the errors of snakemake that `--quiet all` hides with all else, such as a file that is missing."""
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: hasattr(record, "exception") and not SAID.search(record.getMessage()))
    logging.getLogger("snakemake").addHandler(handler)


def end_with(process: int) -> None:
    """End this process as soon as another has ended; a kernel that it has started does the same by itself."""
    while True:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(0.5)


if __name__ == "__main__":
    if sys.argv[1:2] == ["papermill"]:
        threading.Thread(target=end_with, args=(int(os.environ[PIPELINE]),), daemon=True).start()
        del sys.argv[1]
        runpy.run_module("papermill", run_name="__main__", alter_sys=True)
    else:
        take_folder()
        if "all" in sys.argv:  # as in `--quiet all`
            show_errors()
        runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
