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
    """Return a file that is newer than the manifest in a run's folder if the run is stale, and older if it is not.

    That is what snakemake decides by. Where there is no manifest, the file's time says nothing.
    """
    relative = f".snakemake/stale/{folder.parent.name}/{folder.name}"
    file = root / relative
    if not (folder / "manifest.json").is_file():
        paths.write_text(file, "")
        return relative
    try:
        changed = results.read(folder).changed(root)
    except ValueError as half_written:
        changed = [str(half_written)]
    paths.write_text(file, f"{time.time_ns()}: {changed}")  # the time, since snakemake passes over what reads the same
    if not changed:
        os.utime(file, (1, 1))
    return relative


def stale(folder: Path, root: Path) -> dict[Path, list[str]]:
    """Return the folders of the runs that the report shows and that are stale, with what has changed."""
    runs = [run for _, run in sorted(results.best(folder)[0].items())]
    return {run.folder: changed for run in runs if (changed := run.changed(root))}


def main() -> None:
    """Run the command line; a run that reads others is run after them, when they have made it stale."""
    root = paths.find_root(Path.cwd())
    parser = argparse.ArgumentParser(prog="python -m twinvae.run.refresh", description=__doc__)
    parser.add_argument("--results", type=Path, default=paths.results_folder(root), help="the runs (results/)")
    parser.add_argument("--jobs", default="1", help="how many notebooks run at a time")
    given = parser.parse_args()
    done: set[Path] = set()
    while todo := {run: why for run, why in stale(given.results.resolve(), root).items() if run not in done}:
        for run, why in todo.items():
            print(f"{run.parent.name}/{run.name} is older than {', '.join(why)}", flush=True)
        for profile in sorted({run.parent for run in todo}):
            targets = [str(run / "manifest.json") for run in todo if run.parent == profile]
            command = [sys.executable, "-m", "snakemake", "--cores", given.jobs, "--keep-going", "--rerun-incomplete"]
            command += [
                "--nolock",
                "--quiet",
                "all",
                "--config",
                f"profile={profile.name}",
                f"results={profile.parent}",
            ]
            if subprocess.run([*command, "--", *targets], cwd=root).returncode:
                sys.exit(f"refresh: not all runs of profile {profile.name} came to their end; see above")
        done |= set(todo)
    print(f"refreshed: {len(done)} runs" if done else "nothing is stale")


if __name__ == "__main__":
    main()
