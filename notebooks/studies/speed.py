"""Training speed of report 004's models over the matrix-multiply limit of the same framework, and the likelihood's.

    python -m twinvae_studies.speed [torch|tf]

Each twin runs in a process of its own, for two that use all cores slow each other down.  The limit is measured beside
every training; 6 * multiply-adds * images / seconds is held against it.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pandas as pd

from twinvae import backend, data, zoo
from twinvae.metrics import cost, likelihood
from twinvae.spec import ModelSpec, TrainSpec

MODELS = ("report004_ae", "report004_vae", "report004_cvae")
BATCH_SIZES = (128, 256, 512)
IMAGES, EPOCHS = 8_192, 4


def made_up(n: int, spec: ModelSpec) -> data.Images:
    """Return n images of random pixels and labels."""
    rng, names = np.random.default_rng(0), tuple(map(str, range(max(spec.num_classes, 2))))
    x = rng.integers(0, 256, (n, *spec.image_shape), dtype=np.uint8)
    return data.Images(x, rng.integers(0, len(names), n), names, data.Source("made_up", "random pixels", "stand-in"))


def measure(twin: ModuleType, spec: ModelSpec, batch_size: int, images: int = IMAGES) -> dict:
    """Return one row of the table: `train.fit` as the notebooks call it, without the first epoch, which compiles."""
    train, few = made_up(images, spec), made_up(100, spec)
    model = twin.models.build(spec)
    settings = TrainSpec(epochs=EPOCHS, batch_size=batch_size)
    before = cost.machine_limit(twin)
    rows = twin.train.fit(model, data.Splits(train, few, few), settings)
    best = max(before, cost.machine_limit(twin))
    seconds, _ = cost.epoch_seconds([row["seconds"] for row in rows])
    trained = images // batch_size * batch_size
    work = cost.multiply_adds(spec)
    return {
        "model": spec.name,
        "batch": batch_size,
        "images/s": round(trained / seconds),
        "GFLOP/s": cost.training_flops(work, trained) / seconds / 1e9,
        "limit GFLOP/s": best / 1e9,
        "share": cost.gemm_fraction(work, trained, seconds, best),
    }


def likelihood_seconds(name: str, images: int = 10_000, samples: int = 500) -> float:
    """Return wall seconds for the importance-sampled likelihood of `images` under Burda's VAE of 200-200 units."""
    twin, spec = backend.get(name), zoo.ZOO["vae_200_200"]
    model = twin.models.build(spec)
    x, y = data.scale(made_up(images, spec).x), np.zeros((images, 1))
    likelihood.importance_sampled(model, twin, x[:100], y[:100], samples)  # compiles
    start = time.perf_counter()
    likelihood.importance_sampled(model, twin, x, y, samples)
    return time.perf_counter() - start


def seconds_in_turns(actions: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of actions, name -> one a round, without a first round, which may compile.

    They take turns, so that whatever else a machine does hits all alike.
    """
    found = {name: [] for name in actions}
    for _ in range(1 + rounds):
        for name, act in actions.items():
            start = time.perf_counter()
            act()
            found[name].append(time.perf_counter() - start)
    return {name: seconds[1:] for name, seconds in found.items()}


def each_alone(module: str, names: list[str]) -> None:
    """Run a module's command once for each twin named, or for both, in a process of its own."""
    for name in names or backend.TWINS:
        subprocess.run([sys.executable, "-m", module, name], check=True)


def main(names: list[str]) -> None:
    """Print the table of the twins named, or of both."""
    if len(names) != 1:
        return each_alone("twinvae_studies.speed", names)
    twin = backend.get(names[0])
    rows = [{"backend": names[0]} | measure(twin, zoo.ZOO[model], size) for model in MODELS for size in BATCH_SIZES]
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.2f"))
    seconds = likelihood_seconds(names[0])
    print(f"{names[0]}: log p(x) of 10,000 images with 500 samples each took {seconds:.1f} s (goal 60)")


if __name__ == "__main__":
    main(sys.argv[1:])
