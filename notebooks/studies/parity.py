"""How far the twins are apart: the same weights, images, labels, noise and batches through both.

The goals are the project's promise; `measure` gives the worst deviation seen, in the units of the goal.
`python -m twinvae_studies.parity` measures every model of the zoo, and small ones that have every layer, likelihood,
way of conditioning and prior, with every optimiser in both precisions, and writes results/parity/parity.csv;
`python -m twinvae_studies.parity MODEL ...` measures these anew.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from twinvae import backend, randomness, zoo
from twinvae.metrics.cost import multiply_adds
from twinvae.paths import find_root, written_whole
from twinvae.spec import OPTIMIZERS, GanSpec, ModelSpec, TrainSpec, one_of
from twinvae_studies.parity_models import random_weights, small_models

RESULTS = Path("results") / "parity" / "parity.csv"

# what is compared -> goal in float64, in float32 (None: shown, not promised)
GOALS = {
    "loss terms": (1e-12, 1e-5),  # per image, deviation over max(1, |elbo|)
    "gradients": (1e-10, 1e-4),  # per tensor, (largest deviation - absolute) over largest entry
    # of every step, deviation over max(1, |loss|): a density's may pass through 0
    "training loss": (1e-10, 1e-4),
    "weights": (1e-9, None),  # after the last step, per tensor, over the largest entry
    "handover": (1e-8, None),  # the same, where the framework changes half way, in either direction
}
HEAVY = 10_000_000  # multiply-adds of an image, above which a model is measured with few images a step
ABSOLUTE = {"float64": 1e-12, "float32": 1e-6}


def random_batches(spec: ModelSpec | GanSpec, size: int, steps: int, dtype: str) -> list[randomness.Batch]:
    """Return batches of random images, labels and noise in the shapes of a model."""
    generator, hot = np.random.default_rng(0), np.eye(max(spec.num_classes, 1), dtype=dtype)
    batches = []
    for x in (generator.random((steps, size, *spec.image_shape)) ** 3).astype(dtype):
        y = hot[generator.integers(len(hot), size=size)]
        batches.append(randomness.Batch(x, x, y, generator.standard_normal((size, spec.noise_dim)).astype(dtype)))
    return batches


def over_largest(a: dict[str, np.ndarray], b: dict[str, np.ndarray], absolute: float = 0.0) -> float:
    """Return, of the worst tensor, the largest deviation beyond `absolute` over the largest entry."""
    return max(max(np.abs(a[name] - b[name]).max() - absolute, 0) / max(np.abs(a[name]).max(), 1e-300) for name in a)


def goal(name: str, spec: ModelSpec | GanSpec, dtype: str) -> float:
    """Return the largest deviation that is allowed; infinite where it is shown, not promised."""
    if (name, dtype) == ("loss terms", "float32") and spec.kind != "cgan" and spec.likelihood == "discretized_logistic":
        return 1e-4  # a log of a difference of two sigmoids
    value = GOALS[name][dtype == "float32"]
    return float("inf") if value is None else value


def measure(
    spec: ModelSpec | GanSpec, settings: TrainSpec, dtype: str = "float64", size: int = 32, steps: int = 100
) -> dict[str, float]:
    """Return the worst deviation between the twins for each row of GOALS but the handover."""
    batches = random_batches(spec, size, steps, dtype)
    torch, tf = (_run(name, spec, settings, dtype, batches) for name in ("torch", "tf"))
    return {
        "loss terms": _over_own(torch["terms"], tf["terms"], torch["terms"].sum(0)),
        "gradients": float(over_largest(torch["gradients"], tf["gradients"], ABSOLUTE[dtype])),
        "training loss": _over_own(torch["losses"], tf["losses"], torch["losses"]),
        "weights": float(over_largest(torch["weights"], tf["weights"])),
    }


def _over_own(a: np.ndarray, b: np.ndarray, size: np.ndarray) -> float:
    """Return the largest deviation over max(1, |size|)."""
    return float((np.abs(a - b) / np.maximum(1, np.abs(size))).max())


def _run(
    name: str, spec: ModelSpec | GanSpec, settings: TrainSpec, dtype: str, batches: list[randomness.Batch]
) -> dict:
    """Return loss terms and gradients at the first batch, then the losses of all steps and the last weights."""
    twin = backend.get(name)
    model = twin.models.build(spec, seed=settings.seed, dtype=dtype)
    optimizer, step = _training(twin, model, settings)
    terms = np.stack(twin.models.call(model, "loss_terms", *batches[0]))
    before = model.get_arrays()
    gradients = _gradients(twin, model, optimizer, settings, batches[0])
    model.set_arrays(before)  # a gradient in training moves BatchNorm's statistics
    # losses that are trained by, the first that a step returns
    trained = 2 if spec.kind == "cgan" else 1
    losses = np.array([[float(v) for v in step(*twin.train.tensors(batch))[:trained]] for batch in batches])
    return {"terms": terms, "losses": losses, "weights": model.get_arrays(), "gradients": gradients}


def _training(twin, model, settings: TrainSpec) -> tuple:
    """Return the optimiser and the step of a model of this kind."""
    is_gan = model.spec.kind == "cgan"
    optimizer = (twin.gan.Optimizers if is_gan else twin.train.Optimizer)(model, settings)
    return optimizer, (twin.gan if is_gan else twin.train).make_step(model, optimizer, settings)


def _gradients(twin, model, optimizer, settings: TrainSpec, batch: randomness.Batch) -> dict[str, np.ndarray]:
    """Return the gradient of each weight at a batch; a GAN's by the loss that trains the weight."""
    x_in, x, y, eps = twin.train.tensors(batch)
    if model.spec.kind == "cgan":
        d, g, z = optimizer.discriminator, optimizer.generator, model.spec.latent_dim
        _, found = twin.gan.discriminator_gradients(model, d.weights, x, y, eps[:, :z])
        _, more = twin.gan.generator_gradients(model, g.weights, y, eps[:, z:])
        names, found = [*d.names, *g.names], [*found, *more]
    else:
        _, found = twin.train.loss_and_gradients(model, optimizer.weights, settings.beta, x_in, x, y, eps)
        names = optimizer.names
    layout = getattr(twin.layers, "to_pytorch", lambda a: a)
    return {n: layout(np.asarray(g)) for n, g in zip(names, found, strict=True)}


def handover(
    spec: ModelSpec | GanSpec, settings: TrainSpec, dtype: str = "float64", size: int = 32, steps: int = 100
) -> float:
    """Return how far the weights after half the steps in each twin are from those of one; the worse direction's."""
    batches = random_batches(spec, size, steps, dtype)

    def train(names: tuple[str, str]) -> dict[str, np.ndarray]:
        weights, state = randomness.initial_weights(spec, settings.seed), None
        for name, half in zip(names, (batches[: steps // 2], batches[steps // 2 :]), strict=True):
            twin = backend.get(name)
            model = twin.models.build(spec, dtype=dtype)
            model.set_arrays(weights)
            optimizer, step = _training(twin, model, settings)
            if state:
                optimizer.set_arrays(state)
            for batch in half:
                step(*twin.train.tensors(batch))
            weights, state = model.get_arrays(), optimizer.get_arrays()
        return weights

    whole = train(("torch", "torch"))
    return float(max(over_largest(whole, train(names)) for names in (("torch", "tf"), ("tf", "torch"))))


def rounding(spec: ModelSpec | GanSpec, settings: TrainSpec, dtype: str = "float32", steps: int = 100) -> float:
    """Return the deviation of PyTorch's training loss from its own when every weight starts half a unit in its last
    place higher or lower: what no other program with the same formulas can be expected to stay below.
    """
    twin, sign, losses = backend.get("torch"), np.random.default_rng(0), []
    batches = random_batches(spec, images_a_step(spec), steps, dtype)
    weights = randomness.initial_weights(spec, settings.seed)
    for unit in (0.0, np.finfo(dtype).eps / 2):
        model = twin.models.build(spec, dtype=dtype)
        moved = {n: (a * (1 + unit * sign.choice([-1, 1], a.shape))).astype(dtype) for n, a in weights.items()}
        model.set_arrays(moved)
        _, step = _training(twin, model, settings)
        losses.append(np.array([float(step(*twin.train.tensors(batch))[0]) for batch in batches]))
    return _over_own(*losses, losses[0])


def table(specs: list[ModelSpec], settings: TrainSpec, **kwargs) -> pd.DataFrame:
    """Return a row a model and precision: the worst deviations, and whether all goals are met."""
    rows = []
    for spec in specs:
        for dtype in ABSOLUTE:
            seen = measure(spec, settings, dtype, **kwargs) | {"handover": handover(spec, settings, dtype, **kwargs)}
            met = all(deviation <= goal(name, spec, dtype) for name, deviation in seen.items())
            rows.append({"model": spec.name, "dtype": dtype, "optimizer": settings.optimizer} | seen | {"met": met})
    return pd.DataFrame(rows)


def images_a_step(spec: ModelSpec | GanSpec) -> int:
    """Return how many images a step of `make parity` takes: fewer of a heavy model."""
    return 4 if multiply_adds(spec) > HEAVY else 32


def of_command(spec: ModelSpec | GanSpec) -> pd.DataFrame:
    """Return the rows of a model by every optimiser, with what `rounding` alone does where a goal is missed."""
    parts = []
    for optimizer in OPTIMIZERS:
        settings = TrainSpec(epochs=1, optimizer=optimizer, learning_rate=1e-4)
        rows = table([spec], settings, size=images_a_step(spec))
        alone = [np.nan if row.met else rounding(spec, settings, row.dtype) for row in rows.itertuples()]
        parts.append(rows.assign(rounding=alone))
    return pd.concat(parts)


def main(names: list[str]) -> None:
    """Measure the named models, or all, each kept at once in the table; exit code 1 if a goal is not met."""
    specs = {spec.name: random_weights(spec) for spec in [*zoo.ZOO.values(), *small_models()]}
    for name in names:
        one_of("model", name, tuple(specs))
    path = find_root(Path.cwd()) / RESULTS
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in names or specs:
        rows = of_command(specs[name])
        print(rows.to_string(index=False, float_format="%.1e"), flush=True)
        old = kept() if path.is_file() else rows
        whole = pd.concat([old[(old.model != name) & old.model.isin(list(specs))], rows])  # without what is gone
        with written_whole(path) as part:
            whole.to_csv(part, index=False, float_format="%.2e")
    print("worst of each model:")
    print(worst(whole).to_string(float_format="%.1e"))
    print(f"wrote {RESULTS}; {(~whole.met).sum()} of {len(whole)} rows miss a goal")
    sys.exit(int(not whole.met.all()))


def kept() -> pd.DataFrame:
    """Return the rows that `make parity` measured: every model, precision and optimiser."""
    return pd.read_csv(find_root(Path.cwd()) / RESULTS)


def worst(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the worst deviations of each model over its optimisers, and whether all its goals are met."""
    groups = rows.groupby(["model", "dtype"], sort=False)
    return groups[[*GOALS]].max().assign(met=groups.met.all()).reset_index()


if __name__ == "__main__":
    main(sys.argv[1:])
