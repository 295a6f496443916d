"""Report 001's three tasks on Sign Language MNIST: what notebook 05 asks beyond what `study` asks
of every model.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N].
"""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np

from twinvae import data, paths, zoo
from twinvae.data.sign_language import for_task
from twinvae.data.splitting import balanced
from twinvae.metrics import latent
from twinvae.metrics.judge import Judge
from twinvae.run import results
from twinvae.spec import BatchNorm, ModelSpec, TrainSpec, count_weights
from twinvae.zoo import signs
from twinvae_studies import evaluation

TASKS = {1: "vowel", 2: "letter", 3: "rotation"}
JUDGES = {1: "sign_vowel", 2: "sign_language", 3: "sign_rotation"}
LATENT_DIMS = (2, 8, 32, 128, 512)
WIDTHS = (8, 16, 64)  # filters of the wide convolutions, beside the 32 of the light models


def tasks(letters: data.Splits) -> dict[int, data.Splits]:
    """The images of the three tasks: the same photographs, and the same parts, in each."""
    parts = {
        task: {part: for_task(getattr(letters, part), name) for part in ("train", "valid", "test")}
        for task, name in TASKS.items()
    }
    return {task: replace(letters, **made) for task, made in parts.items()}


def upright(x: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Images turned back (clockwise) by the quarter turns that were asked for.

    [N, H, H, C], [N] -> [N, H, H, C]
    """
    return np.stack([np.rot90(image, -turn) for image, turn in zip(x, turns, strict=True)])


def complexity(x: np.ndarray) -> np.ndarray:
    """How much there is in a picture: bytes that zlib needs for it in 16 shades of grey.

    [N, H, W, C] -> [N]

    Cannot tell detail from noise; a crude stand-in for the shortest description (Kolmogorov 1965).
    """
    shades = np.clip(x * 16, 0, 15).astype(np.uint8)
    return np.array([len(zlib.compress(image.tobytes(), 9)) for image in shades])


def by_class(values: np.ndarray, y: np.ndarray, num_classes: int) -> np.ndarray:
    """The mean of each class.  [N], [N] -> [K]"""
    return np.bincount(y, values, num_classes) / np.bincount(y, minlength=num_classes)


def latent_sizes(model: ModelSpec) -> dict[str, ModelSpec]:
    """The model with other sizes of the code, by the names of their numbers: z2, z8, ..., z512."""
    return {f"z{z}": replace(model, name=f"{model.name}_z{z}", latent_dim=z) for z in LATENT_DIMS}


def widths(model: ModelSpec) -> dict[str, ModelSpec]:
    """The light model with other numbers of filters, from which its size was chosen: width8, ...,
    width64.
    """
    return {f"width{w}": replace(model, name=f"{model.name}_w{w}", **signs(w, w // 2, 2 * w)) for w in WIDTHS}


def architectures() -> dict[str, tuple[int, ModelSpec]]:
    """What the report explains its layers by, changed one at a time: name of the numbers -> (task,
    model).

    Widths are a quarter of the report's, so 32-16-32 stands for its 128-64-128; the two last are
    for task 3, whose images more filters, or one more convolution on each side, are said to
    improve.
    """
    letter, rotation = zoo.get("light_task2"), zoo.get("light_task3")
    plain = tuple(layer for layer in letter.encoder if not isinstance(layer, BatchNorm))
    filters = {"order_rising": (16, 32, 32), "order_flat": (32, 32, 32)}
    rows = {"order_report": (2, letter), "no_batchnorm": (2, replace(letter, encoder=plain))}
    rows |= {name: (2, replace(letter, encoder=convolutions(letter, *widths))) for name, widths in filters.items()}
    more = signs(wide=64, narrow=32, maps=128)
    rows |= {
        "task3_report": (3, rotation),
        "task3_filters": (3, replace(rotation, **more)),
        "task3_layers": (3, deeper(rotation)),
    }
    return {name: (task, replace(model, name=f"light_{name}")) for name, (task, model) in rows.items()}


def convolutions(model: ModelSpec, *filters: int) -> tuple:
    """The encoder of the model with these numbers of filters in its convolutions."""
    layers = []
    widths = iter(filters)
    for layer in model.encoder:
        layers.append(replace(layer, filters=next(widths)) if hasattr(layer, "filters") else layer)
    return tuple(layers)


def deeper(model: ModelSpec) -> ModelSpec:
    """One more convolution at full size before the encoder's others, and one after the decoder's
    first.
    """
    conv, relu, norm = model.encoder[:3]
    up, up_relu = model.decoder[2:4]
    return replace(
        model,
        encoder=(replace(conv, stride=1), relu, norm, *model.encoder),
        decoder=(*model.decoder[:4], replace(up, stride=1), up_relu, *model.decoder[4:]),
    )


# --------------------------------------------------------------- small trainings, measured and kept
def fewer(images: data.Splits, count: int) -> data.Splits:
    """The splits with `count` training images at most, as equal over the classes as they allow."""
    return replace(images, train=images.train.subset(balanced(images.train.y, count)))


def remedies(task: int, settings: TrainSpec) -> dict[str, tuple[int, ModelSpec, TrainSpec]]:
    """What might make samples of a task's CVAE obey or vary more: name of the numbers -> task,
    model, settings.
    """
    model = zoo.get(f"light_task{task}")
    named = {
        "beta": (model, replace(settings, beta=0.3)),
        "gaussian": (replace(model, likelihood="gaussian", variance=0.05), settings),
        "prior": (replace(model, prior="learned"), settings),
    }
    return {
        f"remedy{task}_{name}": (task, replace(spec, name=f"light_task{task}_{name}"), how)
        for name, (spec, how) in named.items()
    }


def measured(
    run,
    twin: ModuleType,
    model: ModelSpec,
    settings: TrainSpec,
    images: data.Splits,
    seeds: int,
    judge: Judge,
    y: np.ndarray,
) -> dict[str, list[float]]:
    """Trains a model and keeps only what is measured, a value a seed: `loss` on validation images
    in nats, its best and last epoch, units that vary with the image, and what the judge says of
    samples for y against the training images.
    """
    place = SimpleNamespace(checkpoints=run.checkpoints / f"small-{settings.epochs}-epochs")
    rows = []
    for trained in evaluation.train_seeds(place, twin, model, settings, images, seeds):
        mu, _ = evaluation.codes(trained, data.scale(images.train.x[:2_000]), images.train.y[:2_000])
        loss = trained.history.valid_loss
        active = int(latent.active_units(mu).sum())
        rows.append(
            {"loss": float(loss.min()), "last": float(loss.iloc[-1]), "active": active}
            | evaluation.judged(judge, evaluation.generate(trained, y), y, images.train)
        )
    return {name: [float(row[name]) for row in rows] for name in rows[0]} | {"weights": count_weights(model)}


def keep(run, name: str, table: dict) -> dict:
    """Keeps a table of measurements as a JSON file beside the run's weights, for runs that do not
    train.
    """
    paths.write_text(run.weights / f"{name}.json", json.dumps(table, indent=1) + "\n")
    return table


def kept(run, name: str) -> dict:
    """What `keep` kept, of this profile or the next better one that has it.

    FileNotFoundError if none has.
    """
    return json.loads(results.kept(run, f"{name}.json").read_text())
