"""Report 002, VAE against CVAE: what notebook 04 trains, and what it asks of codes.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N], codes z [N, Z].
"""

from dataclasses import replace

import numpy as np

from twinvae import randomness, zoo
from twinvae.metrics import latent
from twinvae.spec import TrainSpec
from twinvae.training import Job
from twinvae_studies import evaluation, planning
from twinvae_studies.evaluation import Trained
from twinvae_studies.latent_space import principal, sampled_codes
from twinvae_studies.planning import Count, sizes

AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    images=(sizes(400, 100, 100), sizes(10_000, 2_000, 2_000), sizes(None, None, None)),
    seeds=(1, 3, 3),
    epochs=(2, 10, 10),
)
MODELS = {"vae": "report002_vae", "cvae": "report002_cvae", "shallow": "shallow_vae"}  # the last of the CVAE's shape


# ---------------------------------------------------------------- what is trained
def jobs(
    profile: str, backend: str, epochs: Count, seeds: Count, batch_size: int, learning_rate: float, latent_dim: int
) -> dict:
    """Return the trainings of notebook 04 but its tuning.

    'models': (data set, model) -> seeds; 'first epoch': data set -> the CVAE; 'plane': (data set, model) with a code
    of two numbers -> seeds, of the CVAE several; 'ae': seeds of an autoencoder with the layers of the VAE for MNIST.
    """
    amounts = AMOUNTS[profile]
    settings = TrainSpec(epochs or amounts.epochs, batch_size, learning_rate, binarize="dynamic")
    plain, first = {}, {}
    for dataset in ("mnist", "usps"):
        images = planning.recipe(dataset, amounts.images)
        for kind, name in MODELS.items():
            model = replace(zoo.get(f"{name}_{dataset}"), latent_dim=latent_dim)
            plain[dataset, kind] = Job(model, (settings,), images, backend)
        first[dataset] = plain[dataset, "cvae"].at(1)
    models = {key: planning.over_seeds(job, seeds or amounts.seeds) for key, job in plain.items()}
    for dataset in first:
        models[dataset, "cvae"][0] = replace(plain[dataset, "cvae"], marks=(1,))
    two = {key: replace(job, spec=replace(job.spec, latent_dim=2)) for key, job in plain.items() if key[1] != "vae"}
    seeds_of = {"cvae": seeds or amounts.seeds, "shallow": 1}
    plane = {key: planning.over_seeds(job, seeds_of[key[1]]) for key, job in two.items()}
    same_layers = replace(plain["mnist", "vae"].spec, name="report002_ae_mnist", kind="ae")
    ae = planning.over_seeds(replace(plain["mnist", "vae"], spec=same_layers), seeds or amounts.seeds)
    return {"models": models, "first epoch": first, "plane": plane, "ae": ae}


# ---------------------------------------------------------------- latent space
def plane(z: np.ndarray) -> np.ndarray:
    """Return codes in their first two principal components; codes of two numbers as they are.  [N, Z] -> [N, 2]"""
    return z if z.shape[1] == 2 else principal(z)


def class_knowledge(trained: Trained, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return what codes say of the class: `between`, share of variance between classes; `probe`, accuracy from z."""
    mu, logvar = evaluation.codes(trained, x, y)
    return {
        "between": latent.between_class_share(sampled_codes(trained, x, y), y),
        "probe": latent.probe_accuracy(mu, logvar, y, randomness.rng(0, "eps")),
    }
