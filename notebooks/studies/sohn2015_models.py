"""A part of an image told from the rest: the models, their training, and the estimators of -log
p(missing | observed).

The tasks and the nets are those of Pyro's example of Sohn et al. 2015; `quadrants` runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from scipy.special import logsumexp

from twinvae import checkpoints, data, paths, randomness
from twinvae import spec as specs
from twinvae_studies import burda2016

ESTIMATORS = ("baseline", "elbo", "monte_carlo", "importance")
SAMPLES = 100  # of z, for each estimator that takes some


def models(quadrants: int) -> dict[str, specs.CompletionSpec]:
    """The two models for one task: layers of 500, and a code of 200 for the CVAE."""
    relu = specs.Activation("relu")
    cvae = specs.CompletionSpec(
        f"completion_{quadrants}",
        "completion",
        (28, 28, 1),
        latent_dim=200,
        init="keras",
        encoder=(specs.Flatten(), *specs.mlp(500, 500)),
        decoder=specs.mlp(500, 500),
        quadrants=quadrants,
    )
    net = cvae.of_kind(
        "completer",
        name=f"completer_{quadrants}",
        latent_dim=500,
        code_activation=relu,
        encoder=(specs.Flatten(), *specs.mlp(500)),
        decoder=(),
    )
    return {"baseline": net, "completion": cvae}


def settings(phases: Sequence[tuple[int, float]]) -> list[specs.TrainSpec]:
    """The training runs that follow each other; grey pixels."""
    return [specs.TrainSpec(epochs, 128, rate, seed=number) for number, (epochs, rate) in enumerate(phases)]


def train(
    model, twin: ModuleType, images: data.Splits, runs: Sequence[specs.TrainSpec], folder: Path
) -> tuple[list[dict], list[dict]]:
    """Trains through all runs, each from the epoch of the one before that was best on validation
    images.

    -> (a row an epoch, a row a run with the loss of its best epoch on validation and on test
    images).  The model is left as it was in the best epoch of all.
    """
    epochs, marks = [], []
    for number, run in enumerate(runs):
        place = folder / f"{number}-rate-{run.learning_rate:g}"
        history = twin.train.fit(model, images, run, place)
        epochs += [
            {
                "epoch": len(epochs) + row.epoch,
                "learning_rate": run.learning_rate,
                "loss": row.loss,
                "valid_loss": row.valid_loss,
                "seconds": row.seconds,
            }
            for row in history.itertuples()
        ]
        if not marks or history.valid_loss.min() < min(mark["valid_loss"] for mark in marks):
            arrays = checkpoints.read(place / "best.safetensors")[0]
            best = {name: a for name, a in arrays.items() if not name.startswith("optimizer.")}
        model.set_arrays(best)
        marks.append(
            {
                "epoch": epochs[-1]["epoch"],
                "learning_rate": run.learning_rate,
                "valid_loss": min(row["valid_loss"] for row in epochs),
                "test": burda2016.interval(losses(model, twin, images.test, run)),
            }
        )
    return epochs, marks


def losses(model, twin: ModuleType, images: data.Images, run: specs.TrainSpec) -> np.ndarray:
    """The loss of each image: -ELBO with one sample of z, or the baseline's -log p(missing |
    observed).  -> [N]
    """
    batches = randomness.validation(images, run, model.spec.latent_dim, model.dtype)
    return np.concatenate([np.sum(twin.models.call(model, "loss_terms", *batch), axis=0) for batch in batches])


def estimates(model, twin: ModuleType, x: np.ndarray, samples: int, seed: int = 0) -> dict[str, np.ndarray]:
    """-log p(missing | observed), in nats, by each estimator of a CVAE.

    [N, H, W, C] -> name -> [N]

    elbo: samples from q(z | image), their mean (an upper bound);  importance: the same, weighted;
    monte_carlo: samples from p(z | observed) alone  (Sohn et al. 2015, section 4.3).
    """
    found = {name: np.empty(len(x)) for name in ESTIMATORS[1:]}
    for start in range(0, len(x), 40):
        part = x[start : start + 40]
        call = partial(twin.models.call, model)
        eps = randomness.rng(seed, "likelihood", start).standard_normal((2, samples, len(part), model.spec.latent_dim))
        log_w = call("log_weights", part, np.zeros((len(part), 1)), eps[0]).astype(np.float64)
        y = call("observed", part)
        mu, logvar = call("prior", y)
        log_p = call("log_likelihood", part, y, mu + np.exp(0.5 * logvar) * eps[1]).astype(np.float64)
        rows = slice(start, start + len(part))
        found["elbo"][rows] = -log_w.mean(0)
        found["importance"][rows] = np.log(samples) - logsumexp(log_w, 0)
        found["monte_carlo"][rows] = np.log(samples) - logsumexp(log_p, 0)
    return found


def measured(model, net, twin: ModuleType, x: np.ndarray, samples: int, folder: Path, block: int = 1_000) -> dict:
    """All estimators, the baseline's exact value first, kept in `folder` block by block.

    -> name -> [N]
    """
    parts = []
    for start in range(0, len(x), block):
        path = folder / f"{samples}-{start:05d}.npy"
        part = x[start : start + block]
        if not path.exists():
            nothing = np.zeros((len(part), 1)), np.zeros((len(part), net.spec.latent_dim))
            rows = {"baseline": twin.models.predict(net, "loss_terms", part, part, *nothing)[0]}
            rows |= estimates(model, twin, part, samples, seed=start)
            path.parent.mkdir(parents=True, exist_ok=True)
            with paths.written_whole(path) as temporary, open(temporary, "wb") as file:
                np.save(file, np.stack([rows[name] for name in ESTIMATORS]))
        parts.append(np.load(path))
    return dict(zip(ESTIMATORS, np.concatenate(parts, axis=1), strict=True))


def pictures(model, net, twin: ModuleType, x: np.ndarray, draws_each: int = 4) -> np.ndarray:
    """What is observed, the baseline's image, S of the CVAE's, the truth.

    [N, H, W, C] -> uint8 [N, 3 + S, H, W, C]
    """
    y = twin.models.call(model, "observed", x)
    mu, logvar = twin.models.call(model, "prior", y)
    eps = randomness.rng(0, "prior").standard_normal((draws_each, *mu.shape))
    made = [
        twin.models.call(net, "reconstruct", x, None),
        *(twin.models.call(model, "generate", mu + np.exp(0.5 * logvar) * e, None) for e in eps),
    ]
    missing = np.isin(np.arange(x[0].size), model.spec.missing()).reshape(x.shape[1:])
    rows = [np.where(missing, 0.5, x), *(np.where(missing, image, x) for image in made), x]
    return np.round(255 * np.stack(rows, 1)).astype(np.uint8)


def summary(values: dict[str, np.ndarray]) -> dict:
    """Means with 95 % intervals over images, and the baseline's value less each of the CVAE's,
    image by image.
    """
    gains = {f"gain_{name}": values["baseline"] - values[name] for name in ESTIMATORS[1:]}
    return {name: burda2016.interval(each) for name, each in (values | gains).items()}


def complete(
    quadrants: int,
    twin: ModuleType,
    images: data.Splits,
    phases: dict,
    folder: Path,
    samples: int = SAMPLES,
) -> tuple[dict, np.ndarray]:
    """Trains both models for one task and measures them on test images.  -> facts, pictures"""
    built, facts = {}, {}
    for name, spec in models(quadrants).items():
        built[name] = twin.models.build(spec)
        runs = settings(phases[name])
        epochs, marks = train(built[name], twin, images, runs, folder / name)
        facts[name] = {
            "spec": specs.to_dict(spec),
            "settings": [specs.to_dict(run) for run in runs],
            "epochs": epochs,
            "marks": marks,
        }
    x = data.scale(images.test.x)
    values = measured(built["completion"], built["baseline"], twin, x, samples, folder / "test")
    facts["test"] = {"images": len(x), **summary(values)}
    first = [np.flatnonzero(images.test.y == k)[0] for k in range(images.test.num_classes)]
    return facts, pictures(built["completion"], built["baseline"], twin, x[first])
