"""Speed of the loaders against their goals: `python tests/data/bench_data.py`, with TWINVAE_DATA set."""

import sys
import time

from twinvae import data
from twinvae.data import by_class, cifar, finding


def seconds(call) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure():
    """Yields what was measured, its value, its unit, the goal, and whether it is met."""
    for name, goal in (("mnist", 1), ("emnist_letters", 3), ("usps", 5)):
        took = seconds(lambda name=name: (data.load(name, "train"), data.load(name, "test")))
        label = f"{name}, both halves ({data.load(name, 'test').source.label})"
        yield label, took, "s", f"< {goal}", took < goal
    found = finding.search(data.SETS["cifar10"], ("train",), "jpeg")
    if found:
        (path,) = found.paths["train"]
        took = seconds(lambda: (cifar.decode(path, "train"), cifar.decode(path, "test")))
        yield "cifar10, 60,000 JPEGs, first time", took, "s", "< 60", took < 60
        data.load("cifar10", "train", edition="jpeg")
        took = seconds(lambda: data.load("cifar10", "train", edition="jpeg"))
        yield "cifar10, training half from the cache", took, "s", "< 2", took < 2
    found = finding.search(data.SETS["nist"], ("train",))
    if found:
        (archive,) = found.paths["all"]
        start = time.perf_counter()
        x, _ = by_class.convert(archive, 28)
        rate = len(x) / (time.perf_counter() - start)
        yield f"by_class pipeline ({archive.name})", rate, "PNG/s", ">= 2,000", rate >= 2_000


if __name__ == "__main__":
    rows = list(measure())
    for what, value, unit, goal, met in rows:
        print(f"{what:60} {value:10,.2f} {unit:6} goal {goal:9} {'met' if met else 'MISSED'}")
    sys.exit(not all(row[-1] for row in rows))
