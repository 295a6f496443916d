"""A run that kills itself at a chosen moment; `test_train.py` starts it again and compares."""

import os
import signal
from dataclasses import replace
from pathlib import Path

from pair import VAE, splits

from twinvae import backend, randomness
from twinvae.run import Run
from twinvae.spec import Flatten, TrainSpec

MOMENTS = (
    "first batch",
    "mid epoch",
    "half a checkpoint is written",
    "between best and last",
    "between epochs",
    "results are written",
)
MODEL = replace(VAE, encoder=(Flatten(),), decoder=())  # small: most of the time is TensorFlow's compiler
SETTINGS = TrainSpec(epochs=3, batch_size=8, learning_rate=0.01, noise=0.1, binarize="dynamic")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(moment: str) -> None:
    """Replaces one function so that the process dies at the moment, with what came before done as ever."""
    chunks, fsync, replace = randomness.chunks, os.fsync, os.replace

    def deadly_chunks(images, settings, latent_dim, epoch, dtype):
        for count, chunk in enumerate(chunks(images, settings, latent_dim, epoch, dtype), 1):
            yield chunk  # of one step, which begins when the next chunk is asked for
            if (epoch, count) == {"first batch": (1, 1), "mid epoch": (2, 2)}[moment]:
                die()

    def deadly_fsync(descriptor):
        os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        fsync(descriptor)
        die()

    def deadly_replace(old, new):
        name = Path(new).name
        after = {"between best and last": "best.safetensors", "between epochs": "last.safetensors"}.get(moment)
        if moment == "results are written" and name == "manifest.json":
            die()
        replace(old, new)
        if name == after:
            die()

    match moment:
        case "first batch" | "mid epoch":
            randomness.CHUNK, randomness.chunks = 1, deadly_chunks
        case "half a checkpoint is written":
            os.fsync = deadly_fsync
        case _:
            os.replace = deadly_replace


def run(folder: str, name: str, moment: str | None) -> None:
    """Trains in the folder, as a notebook would, and dies at the moment if one is given."""
    os.chdir(folder)
    run = Run.start("03_killed", profile="smoke", backend=name, epochs=SETTINGS.epochs)
    twin = backend.get(name)
    images = splits()
    if moment:
        arm(moment)
    run.use(images.source)
    model = twin.models.build(MODEL)
    history = twin.train.fit(model, images, SETTINGS, run.checkpoints)
    run.number("loss", history[-1]["loss"], ".6f")
    run.finish()
