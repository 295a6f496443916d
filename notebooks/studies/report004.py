"""Report 004 on handwritten digits: what notebook 03 trains."""

from dataclasses import replace

from twinvae import zoo
from twinvae.spec import TrainSpec
from twinvae.training import Job
from twinvae_studies import planning
from twinvae_studies.planning import sizes

AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    images=(sizes(600, 200, 300), sizes(12_000, 2_000, 10_000), sizes(None, 5_000, 10_000)),
    seeds=(1, 3, 3),
    epochs=(1, 15, 100),
    short_epochs=(1, 5, 6),  # of the sweep over code sizes and of the denoiser
    code_sizes=((2, 10), (2, 10, 50, 100), (2, 5, 10, 20, 50, 100)),
)
SEES_Y = {"init": "keras", "encoder_condition": "concat"}
REMEDIES = {  # what is changed in the report's CVAE
    "report: N(0, 0.01), lambda 1": {},
    "Glorot weights": {"init": "keras"},
    "Glorot, lambda 0.2": {"init": "keras", "variance": 0.1},
    "Glorot, lambda 0.2, encoder sees y": {"variance": 0.1, **SEES_Y},
    "Glorot, Bernoulli, encoder sees y": {"likelihood": "bernoulli", **SEES_Y},
}


def jobs(
    profile: str,
    backend: str,
    dataset: str,
    epochs: int | None,
    seeds: int | None,
    batch_size: int,
    learning_rate: float,
    latent_dim: int,
) -> dict:
    """Return the trainings of notebook 03; epochs and seeds that are None are the profile's.

    'models': kind -> seeds; 'code sizes': kind -> sizes; 'denoiser'; 'remedies': name -> training.
    """
    amounts = AMOUNTS[profile]
    images = planning.recipe(dataset, amounts.images)
    shape, classes = planning.shape(images)
    settings = TrainSpec(epochs or amounts.epochs, batch_size, learning_rate)
    short = replace(settings, epochs=amounts.short_epochs)
    models = {
        kind: replace(zoo.get(f"report004_{kind.lower()}").for_images(shape, classes), latent_dim=latent_dim)
        for kind in ("AE", "VAE", "CVAE")
    }
    plain = {kind: Job(model, (settings,), images, backend) for kind, model in models.items()}
    usual = {kind: Job(replace(models[kind], init="keras"), (short,), images, backend) for kind in ("AE", "VAE")}
    return {
        "models": {kind: planning.over_seeds(job, seeds or amounts.seeds) for kind, job in plain.items()},
        "code sizes": {
            kind: [replace(job, spec=replace(job.spec, latent_dim=z)) for z in amounts.code_sizes]
            for kind, job in usual.items()
        },
        "denoiser": replace(usual["AE"], phases=(replace(short, noise=0.4),)),
        "remedies": {
            name: replace(plain["CVAE"], spec=replace(models["CVAE"], **change)) for name, change in REMEDIES.items()
        },
    }
