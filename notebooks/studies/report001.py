"""Report 001's three tasks on Sign Language MNIST: what notebook 05 trains, and what it asks of pictures.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N].
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from twinvae import data, zoo
from twinvae.metrics import latent
from twinvae.metrics.judge import Judge
from twinvae.spec import BatchNorm, ModelSpec, TrainSpec, count_weights
from twinvae.training import Job
from twinvae.zoo import signs
from twinvae_studies import evaluation, planning, report001_anomalies
from twinvae_studies.evaluation import Trained
from twinvae_studies.planning import Count, sizes

TASKS = {1: "vowel", 2: "letter", 3: "rotation"}
JUDGES = {1: "sign_vowel", 2: "sign_language", 3: "sign_rotation"}
AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    images=(sizes(480, 96, 96), sizes(None, None, None), sizes(None, None, None)),
    seeds=(1, 1, 3),  # in PyTorch; TensorFlow trains one
    epochs=(1, 15, 440),  # 440 show as many images as the report's 100, which has 4.5 times the photographs
    turned=(1, 4, 1),  # task 3, which has each picture four times, gets the epochs divided by this
    small_images=(96, 1_200, 1_200),
    small_epochs=(1, 6, 8),
    models=("light", "light", "report001"),  # in 'full' the report's own, else light ones with the same layers
)
LATENT_DIMS = (2, 8, 32, 128, 512)
REMEDIES = {  # what might make samples of a task's CVAE obey or vary more
    "beta": {"beta": 0.3},
    "gaussian": {"likelihood": "gaussian", "variance": 0.05},
    "prior": {"prior": "learned"},
}
WIDTHS = (8, 16, 64)  # filters of the wide convolutions, beside the 32 of the light models


# ---------------------------------------------------------------- what is trained
def jobs(profile: str, backend: str, epochs: Count, seeds: Count, batch_size: int, learning_rate: float) -> dict:
    """Return the trainings of notebook 05.

    'tasks': task (0: a VAE of the letters) -> seeds; 'small': task -> name -> seeds; 'remedies': task -> name -> one;
    'detectors': what is normal -> kind.
    """
    amounts = AMOUNTS[profile]
    epochs, seeds = epochs or amounts.epochs, seeds or (amounts.seeds if backend == "torch" else 1)
    images = {t: planning.recipe("sign_language", amounts.images, task=task) for t, task in TASKS.items()}
    few = {t: replace(recipe, train_size=few_images(profile, t)) for t, recipe in images.items()}
    settings = TrainSpec(epochs, batch_size, learning_rate)
    how = {t: replace(settings, epochs=max(1, epochs // amounts.turned)) if t == 3 else settings for t in TASKS}
    small = replace(settings, epochs=amounts.small_epochs)
    tasks = {t: Job(zoo.get(f"{amounts.models}_task{t}"), (how[t],), images[t], backend) for t in TASKS}
    tasks[0] = replace(tasks[2], spec=evaluation.unlabelled(tasks[2].spec, f"{amounts.models}_vae"))
    little = {t: Job(zoo.get(f"light_task{t}"), (small,), few[t], backend) for t in TASKS}
    return {
        "tasks": {t: planning.over_seeds(job, seeds) for t, job in tasks.items()},
        "small": {
            t: {name: planning.over_seeds(replace(little[t], spec=model), seeds) for name, model in variants(t).items()}
            for t in (2, 3)
        },
        "remedies": {
            t: {f"remedy{t}_{name}": [job] for name, job in planning.changed(little[t], REMEDIES).items()}
            for t in TASKS
        },
        "detectors": report001_anomalies.jobs(profile, backend, images[2], settings),
    }


def few_images(profile: str, task: int) -> int:
    """Return how many photographs the small trainings of a task get; task 3 has each four times."""
    return AMOUNTS[profile].small_images // (4 if task == 3 else 1)


def variants(task: int) -> dict[str, ModelSpec]:
    """Return the models of a task's small trainings, by the names of their numbers, for tasks 2 and 3.

    What the report explains its layers by is changed one at a time; widths are a quarter of the report's, so 32-16-32
    stands for its 128-64-128.  More filters, or one more convolution on each side, are said to improve the images of
    task 3.  Task 2 has other sizes of the code, too, and the widths from which that of the light models was chosen.
    """
    model = zoo.get(f"light_task{task}")
    if task == 3:
        more = replace(model, **signs(wide=64, narrow=32, maps=128))
        found = {"task3_report": model, "task3_filters": more, "task3_layers": deeper(model)}
        return {name: replace(changed, name=f"light_{name}") for name, changed in found.items()}
    encoders = {"order_report": model.encoder}
    encoders["no_batchnorm"] = tuple(layer for layer in model.encoder if not isinstance(layer, BatchNorm))
    encoders |= {"order_rising": convolutions(model, 16, 32, 32), "order_flat": convolutions(model, 32, 32, 32)}
    found = {name: replace(model, name=f"light_{name}", encoder=encoder) for name, encoder in encoders.items()}
    wide = {f"width{w}": replace(model, name=f"{model.name}_w{w}", **signs(w, w // 2, 2 * w)) for w in WIDTHS}
    return found | planning.code_sizes(model, LATENT_DIMS) | wide


def convolutions(model: ModelSpec, *filters: int) -> tuple:
    """Return the encoder of the model with these numbers of filters in its convolutions."""
    widths = iter(filters)
    return tuple(replace(h, filters=next(widths)) if hasattr(h, "filters") else h for h in model.encoder)


def deeper(model: ModelSpec) -> ModelSpec:
    """Return the model with one more convolution at full size, before the encoder's and after the decoder's first."""
    (conv, relu, norm), (up, up_relu) = model.encoder[:3], model.decoder[2:4]
    decoder = (*model.decoder[:4], replace(up, stride=1), up_relu, *model.decoder[4:])
    return replace(model, encoder=(replace(conv, stride=1), relu, norm, *model.encoder), decoder=decoder)


# ---------------------------------------------------------------- what came out
def measured(models: list[Trained], judge: Judge, y: np.ndarray, train: data.Images) -> dict[str, list[float]]:
    """Return what small trainings came to, a value a seed: `loss` on validation images in nats, its best and last
    epoch, units that vary with the image, and what the judge says of samples for y against the training images.
    """
    rows = []
    for trained in models:
        mu, _ = evaluation.codes(trained, data.scale(train.x[:2_000]), train.y[:2_000])
        loss = trained.history.valid_loss
        row = {"loss": loss.min(), "last": loss.iloc[-1], "active": latent.active_units(mu).sum()}
        rows.append(row | evaluation.judged(judge, evaluation.generate(trained, y), y, train))
    return pd.DataFrame(rows).astype(float).to_dict("list") | {"weights": count_weights(models[0].spec)}


# ---------------------------------------------------------------- pictures
def upright(x: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Return images turned back (clockwise) by the quarter turns asked for.  [N, H, H, C], [N] -> [N, H, H, C]"""
    return np.stack([np.rot90(image, -turn) for image, turn in zip(x, turns, strict=True)])


def complexity(x: np.ndarray) -> np.ndarray:
    """Return how much there is in a picture: the bytes that it takes in 16 shades of grey.  [N, H, W, C] -> [N]

    Cannot tell detail from noise; a crude stand-in for the shortest description (Kolmogorov 1965).
    """
    return evaluation.packed_bytes(np.clip(x * 16, 0, 15).astype(np.uint8))


def by_class(values: np.ndarray, y: np.ndarray, num_classes: int) -> np.ndarray:
    """Return the mean of each class.  [N], [N] -> [K]"""
    return np.bincount(y, values, num_classes) / np.bincount(y, minlength=num_classes)
