"""VAE against CVAE: what notebook 04 asks of both, beyond what `study` asks of every model.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N], codes z [N, Z].
"""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from twinvae import checkpoints, data, randomness
from twinvae import spec as specs
from twinvae.metrics import latent
from twinvae.run import results
from twinvae_studies import evaluation
from twinvae_studies.evaluation import Trained


# ---------------------------------------------------------------- trained now, or taken from a file
def models(
    run,
    twin: ModuleType,
    spec: specs.ModelSpec,
    settings: specs.TrainSpec,
    images: data.Splits,
    seeds: int,
    train: bool,
    file: str = "",
) -> list[Trained]:
    """Trains the model with the seeds 0, 1, ...; without `train`, the kept model of seed 0 alone.

    PyTorch's runs keep seed 0 in float16 with its history, in `file` or one named by model and
    epochs; either twin loads it.
    """
    name = file or f"{spec.name}-z{spec.latent_dim}-e{settings.epochs}.safetensors"
    if not train:
        return [_kept(run, twin, name)]
    # a shorter run is another run
    place = SimpleNamespace(checkpoints=run.checkpoints / f"{settings.epochs}-epochs")
    trained = evaluation.train_seeds(place, twin, spec, settings, images, seeds)
    if run.backend == "torch":
        arrays = {key: a.astype("float16") for key, a in trained[0].model.get_arrays().items()}
        checkpoints.write(
            run.weights / name,
            arrays,
            spec=specs.to_dict(spec),
            settings=specs.to_dict(settings),
            history=trained[0].history.to_dict("records"),
        )
    return trained


def _kept(run, twin: ModuleType, name: str) -> Trained:
    """The model of that file of weights."""
    path = results.kept(run, name)
    metadata = checkpoints.read(path)[1]
    model = checkpoints.load_model(path, twin)
    return Trained(
        model.spec,
        specs.from_dict(specs.TrainSpec, metadata["settings"]),
        model,
        twin,
        pd.DataFrame(metadata["history"]),
    )


# ---------------------------------------------------------------- latent space
def sampled_codes(trained: Trained, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """One draw of z from q(z | x[, y]) for each image.  -> [N, Z]"""
    return randomness.codes(*evaluation.codes(trained, x, y))


def plane(z: np.ndarray) -> np.ndarray:
    """Codes in their first two principal components; codes of two numbers as they are.

    [N, Z] -> [N, 2]
    """
    return z if z.shape[1] == 2 else PCA(2, random_state=0).fit_transform(z)


def class_knowledge(trained: Trained, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """What the code says of the class: `between`, share of variance between the classes; `probe`,
    accuracy from z.
    """
    mu, logvar = evaluation.codes(trained, x, y)
    return {
        "between": latent.between_class_share(sampled_codes(trained, x, y), y),
        "probe": latent.probe_accuracy(mu, logvar, y, randomness.rng(0, "eps")),
    }


def straight_lines(trained: Trained, x: np.ndarray, y: np.ndarray, pairs: int, points: int = 11) -> np.ndarray:
    """Images along straight lines between the codes of two images of one class.

    -> [pairs, points, H, W, C]

    Pairs are drawn by seed 0, both of one class, so that a CVAE's label can stay as it is.
    """
    generator = randomness.rng(0, "prior", 1)
    first = generator.permutation(len(x))[:pairs]
    second = np.array([generator.choice(np.flatnonzero(y == label)) for label in y[first]])
    start, end = (
        evaluation.codes(trained, x[first], y[first])[0],
        evaluation.codes(trained, x[second], y[second])[0],
    )
    t = np.linspace(0, 1, points)[None, :, None]
    z = start[:, None] * (1 - t) + end[:, None] * t
    hot = evaluation.one_hot(trained, np.repeat(y[first], points))
    images = trained.predict("generate", z.reshape(pairs * points, -1), hot)
    return images.reshape(pairs, points, *x.shape[1:])
