"""A kept model's card in words, Markdown made from its card.json."""

from __future__ import annotations

from twinvae import data
from twinvae.spec import TrainSpec, count_weights
from twinvae.training.jobs import Job, from_plain

KINDS = {
    "ae": "Autoencoder",
    "vae": "Variational autoencoder",
    "cvae": "Conditional variational autoencoder",
    "iwae": "Importance-weighted autoencoder",
    "free_bits": "Variational autoencoder with free bits",
    "completer": "Net that completes images without chance",
    "completion": "Conditional variational autoencoder that completes images",
    "classifier": "Classifier",
    "cgan": "Conditional GAN",
}
BACKENDS = {"torch": "PyTorch", "tf": "TensorFlow"}
USES = {"classifier": "to say which class generated images show, and to compare their features"}
USE = "to generate, encode and compare images like those of its data, in teaching and in the report"
LIMITS = {
    "classifier": "It gives every image one of its classes, whatever the image shows.",
    "cgan": "It has no encoder and no likelihood: what it leaves out of the data does not show in its losses.",
    "ae": "Its codes have no known distribution, so it cannot be sampled.",
}
LIMIT = "Its images are expected values, smoother than the data, and its ELBO is a bound of the likelihood."


def in_words(card: dict, folder: str) -> str:
    """Return the card of the model in the folder of this name in words, Markdown."""
    job, check = from_plain(card["job"]), card["spot_check"]
    spec, (train, valid) = job.spec, [int(part.split()[0]) for part in card["data"]]
    report = f" of report {spec.report}" if spec.report else ""
    settings = ", then ".join(map(_settings, job.phases))
    part = " It was trained on a part of the data: no result of a report." if job.data.train_size else ""
    rows = [f"| {name} | {value:.6g} | {check['untrained'][name]:.6g} |\n" for name, value in check["values"].items()]
    return f"""\
# {spec.name}

{KINDS[spec.kind]}{report}: images of {"x".join(map(str, spec.image_shape))}, {spec.latent_dim} latent units, \
{count_weights(spec):,} weights; one file for PyTorch and TensorFlow.

    model = twinvae.load("{folder}", backend="torch")  # or "tf"

- **Data**: {card["source"]}; {train:,} images to train on, {valid:,} to validate. {_rights(job)}
- **Labels**: {", ".join(card["labels"]) or "none"}.
- **Use**: {USES.get(spec.kind, USE)}.
- **Settings**: seed {job.seed}, {BACKENDS[job.backend]}; {settings}; \
{card["seconds"]:,.0f} s on a machine that did other things, too.
- **Limits**: {LIMITS.get(spec.kind, LIMIT)}{part}
- **Again**: move this folder elsewhere, then `python -m twinvae.training ELSEWHERE/card.json`.

Measured from this file on {check["images"]}, \
beside the same model before training (nats an image; accuracy from 0 to 1):

| value | trained | untrained |
| --- | --- | --- |
{"".join(rows)}"""


def _rights(job: Job) -> str:
    """Say the licence of the data and who is to be cited, of each set that they are made of."""
    dataset = data.SETS.get(job.data.dataset)
    sets = [data.SETS[part] for part in dataset.parts] or [dataset] if dataset else []
    return " ".join(f"{one.title}: licence {one.licence}; cite {one.citation}." for one in sets)


def _settings(phase: TrainSpec) -> str:
    """Say what a phase of training was, where it is not as usual."""
    words = [f"{phase.epochs} epochs in batches of {phase.batch_size}, {phase.optimizer} at {phase.learning_rate:g}"]
    usual = TrainSpec(1)
    for field in ("beta", "binarize", "noise", "schedule", "warmup", "average"):
        if getattr(phase, field) != getattr(usual, field):
            words.append(f"{field} {getattr(phase, field)}")
    return ", ".join(words)
