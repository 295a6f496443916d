"""`python -m twinvae.training JOBS.json`"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from twinvae import checkpoints
from twinvae.training import bare, train_or_load
from twinvae.training.jobs import read


def main(words: list[str]) -> int:
    """Train what is missing of the jobs in a file; say what is done.  Return the number of trainings that failed."""
    if words[:1] and words[0] in bare.COMMANDS:
        return bare.main(words)
    parser = argparse.ArgumentParser(prog="python -m twinvae.training", description=main.__doc__, epilog=bare.__doc__)
    parser.add_argument("jobs", type=Path, help="a JSON list of jobs, or the card.json of a model")
    jobs, failed = read(parser.parse_args(words).jobs), 0
    for number, job in enumerate(jobs, 1):
        try:
            trained = train_or_load(job)
            words = f"{trained.card['seconds']:,.0f} s of training, in {trained.folder.name}"
        except checkpoints.NotFinite as error:
            failed, words = failed + 1, f"failed: {error}"
        print(f"{number} of {len(jobs)}: {job.spec.name}, {job.backend}, {words}", flush=True)
    return failed


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("interrupted; every whole epoch is kept, and the same command goes on")
