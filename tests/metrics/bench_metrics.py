"""Time of all metrics on 10,000 MNIST images: `python tests/metrics/bench_metrics.py`, with TWINVAE_DATA set."""

import sys
import time

import numpy as np

from twinvae import backend, data
from twinvae.metrics import judge, latent, samples

GOAL = 60  # seconds, all together
UNITS = 20


def metrics(rng: np.random.Generator):
    """Yields each metric's name and its call on 10,000 images against as many; the judge's features are one of them."""
    images, kept = data.splits("mnist"), judge.load("mnist", backend.get("torch"))
    half = images.train.subset(np.arange(10_000))
    x, y, real_x, real_y = data.scale(half.x), half.y, data.scale(images.test.x), images.test.y
    yield f"features of both sets ({images.source.label})", lambda: (kept.features(x), kept.features(real_x))
    p, a, b = kept.probabilities(x), kept.features(x), kept.features(real_x)
    yield (
        "the judge's four",
        lambda: (
            samples.conditional_accuracy(p, y),
            samples.confusion(p, y),
            samples.confidence(p),
            samples.class_entropy(p),
        ),
    )
    yield "within-class diversity", lambda: samples.within_class_diversity(x, y, real_x, real_y)
    yield "nearest neighbour", lambda: samples.nearest(x, real_x)
    yield "Frechet distance", lambda: samples.frechet_distance(a, b)
    yield "Frechet floor", lambda: samples.floor(samples.frechet_distance, b, len(b) // 2, rng)
    yield "kernel distance", lambda: samples.kernel_distance(a, b)
    yield "precision, recall, density, coverage", lambda: samples.prdc(b, a)
    yield "classification accuracy score", lambda: samples.classification_accuracy_score(x, y, real_x, real_y)
    yield (
        "sharpness, spectrum, checkerboard",
        lambda: (samples.sharpness(x), samples.power_spectrum(x), samples.checkerboard_peak(x)),
    )
    mu, logvar = a[:, :UNITS].astype(np.float64), np.full((len(a), UNITS), -1.0)  # a code's size, not its meaning
    yield (
        "active units, KL, marginals, shares",
        lambda: (
            latent.active_units(mu),
            latent.kl_per_dimension(mu, logvar),
            latent.marginal_distance(mu),
            latent.between_class_share(mu, y),
        ),
    )
    yield "KL in its parts", lambda: latent.kl_parts(mu, logvar, rng)
    yield "probe", lambda: latent.probe_accuracy(mu, logvar, y, rng)
    yield "largest step", lambda: latent.largest_step(x.reshape(1000, 10, -1))


def seconds(call) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    took = {name: seconds(call) for name, call in metrics(np.random.default_rng(0))}
    for name, value in took.items():
        print(f"{name:60} {value:10,.2f} s")
    total = sum(took.values())
    print(f"{'all together':60} {total:10,.2f} s      goal < {GOAL:7} {'met' if total < GOAL else 'MISSED'}")
    sys.exit(total >= GOAL)
