"""Run the notebooks again whose results are stale, and no others: `make refresh`."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from twinvae import paths
from twinvae.run import results


def mark(folder: Path, root: Path) -> str:
    """Return a file, relative to the project, that is newer than the manifest of a run if that is stale, else older.

    That is what snakemake decides by. Where there is no manifest the file's time says nothing.
    """
    mark = f".snakemake/stale/{folder.parent.name}/{folder.name}"
    try:
        changed = results.read(folder).changed(root) if (folder / "manifest.json").is_file() else []
    except ValueError as half_written:
        changed = [str(half_written)]
    paths.write_text(root / mark, f"{time.time_ns()}: {changed}")  # with the time: snakemake passes over an equal file
    if not changed:
        os.utime(root / mark, (1, 1))
    return mark


def refresh(folder: Path, root: Path, jobs: str) -> int:
    """Run again what is stale of the runs that the report shows; return how many those were.

    A run that reads others comes after them, when they have made it stale.
    Raises ValueError for a run that is half-written, CalledProcessError when one does not come to its end.
    """
    done: set[Path] = set()
    while True:
        runs = [run for _, run in sorted(results.best(folder)[0].items()) if run.folder not in done]
        stale = {run.folder: changed for run in runs if (changed := run.changed(root))}
        if not stale:
            return len(done)
        for run, changed in stale.items():
            print(f"{run.parent.name}/{run.name} is older than {', '.join(changed)}", flush=True)
        for profile in sorted({run.parent for run in stale}):
            manifests = [run / "manifest.json" for run in stale if run.parent == profile]
            options = f"--cores {jobs} --keep-going --rerun-incomplete --quiet all --config profile={profile.name}"
            command = [sys.executable, "-m", "twinvae.run.pipeline", *options.split(), f"results={folder}", "--"]
            subprocess.run([*command, *manifests], cwd=root, check=True)
        done |= set(stale)


def main() -> None:
    """Run the command line; it ends with one sentence."""
    root = paths.find_root(Path.cwd())
    parser = argparse.ArgumentParser(prog="python -m twinvae.run.refresh", description=__doc__)
    parser.add_argument("--results", type=Path, default=paths.results_folder(root), help="the runs (results/)")
    parser.add_argument("--jobs", default="1", help="how many notebooks run at a time")
    given = parser.parse_args()
    try:
        count = refresh(given.results.resolve(), root, given.jobs)
    except subprocess.CalledProcessError:
        sys.exit("refresh: not all runs came to their end; snakemake says above which")
    except KeyboardInterrupt:
        sys.exit("refresh: interrupted; what came to its end is kept, and the same command runs the others again")
    except (ValueError, OSError) as error:
        sys.exit(f"refresh: {error}")
    print(f"refreshed: {count} runs" if count else "nothing is stale")


if __name__ == "__main__":
    main()
