"""The shell command `twinvae`: trained models, data sets, handwriting and the report, without a line of Python.

What is wrong with the input is said in one sentence, with exit code 2; what could not be done has exit code 1, and an
interrupted command 130.  A file that is there already is replaced, whole or not at all.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from twinvae_apps import arguments

settings = dict(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app = typer.Typer(pretty_exceptions_enable=False, help=__doc__, **settings)
datasets = typer.Typer(help="What data sets there are, and whether the files at hand are official.", **settings)
app.add_typer(datasets, name="data")

Name = Annotated[str, typer.Argument(help="A model's name, or that of its folder: see `twinvae models`.")]
Backend = Annotated[str, typer.Option(help="The twin that computes: torch or tf.")]
Seed = Annotated[int, typer.Option(help="What all random numbers are drawn from.")]
Dataset = Annotated[str, typer.Option(help="A data set, or your own images: folder:PATH, npz:PATH, csv:PATH.")]


@app.command()
def models(name: Annotated[str, typer.Argument(help="Show all that is known of this one.")] = "") -> None:
    """List the trained models that are at hand, or show the card of one."""
    from twinvae import pretrained

    if name:
        found = pretrained.find(name)
        card = found.path.with_name("card.md")
        print(card.read_text(encoding="utf-8") if card.is_file() else found.words)
        return
    shown = ["name", "kind", "seed", "latent_dim", "labels", "epochs", "train_images", "folder"]
    table = pretrained.models()
    print(table[shown].to_string(index=False) if len(table) else "no model is kept; make train trains some")


@app.command()
def sample(
    name: Name,
    label: Annotated[list[str] | None, typer.Option(help="A label; can be given again. Left out: all labels.")] = None,
    n: Annotated[int, typer.Option("-n", help="Images a label.")] = 8,
    seed: Seed = 0,
    backend: Backend = "torch",
    out: Annotated[Path, typer.Option(help="The picture, .png; its folder is made.")] = Path("sample.png"),
) -> None:
    """Draw images from a model and write them as one picture, a row a label."""
    import twinvae

    arguments.check_picture(n, out)
    x = twinvae.load(name, backend).sample(label or None, n, seed)
    _write_picture(x, n if len(x) > n else math.ceil(math.sqrt(n)), out)


@app.command()
def reconstruct(
    name: Name,
    dataset: Dataset = "",
    n: Annotated[int, typer.Option("-n", help="How many images.")] = 8,
    backend: Backend = "torch",
    out: Annotated[Path, typer.Option(help="The picture, .png; its folder is made.")] = Path("reconstruct.png"),
) -> None:
    """Write test images above what a model makes of them; left out, the data set is the one that it was trained on."""
    import numpy as np

    import twinvae
    from twinvae import data
    from twinvae.training.spot_check import named_images

    arguments.check_picture(n, out)
    model = twinvae.load(name, backend)
    *size, channels = model.spec.image_shape
    fit = {"size": tuple(size), "channels": channels} if dataset.startswith("folder:") else {}
    images = data.load(dataset, "test", **fit) if dataset else named_images(model.trained.job)
    images = images.subset(np.arange(n := min(n, len(images))) * len(images) // n)
    x = data.scale(images.x)
    again = model.reconstruct(x, images.y if model.spec.num_classes else None)
    _write_picture(np.concatenate([x, again]), n, out)
    print(f"squared error an image: {((x - again) ** 2).sum() / n:.2f}, on {images.source.label}")


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="A model of the zoo, such as report004_cvae.")],
    dataset: Dataset = "mnist",
    epochs: Annotated[int, typer.Option(help="Rounds through the training images.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 128,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 1e-3,
    seed: Seed = 0,
    backend: Backend = "torch",
    size: Annotated[str, typer.Option(help="Bring the pictures of folder:PATH to this height and width: 64x48.")] = "",
) -> None:
    """Train a model on a data set or on your own images, and keep it; a killed training goes on where it was."""
    from twinvae import data, training, zoo
    from twinvae.spec import TrainSpec, one_of
    from twinvae.training.spot_check import SAMPLED

    one_of("backend", backend, ("torch", "tf"))
    spec, phase = zoo.get(name), TrainSpec(epochs, batch_size, learning_rate, seed=seed)
    images = data.splits(dataset, **({"size": arguments.checked_size(size)} if size else {}))
    arguments.check_labels(spec, images.train)
    spec = spec.for_images(images.train.shape, images.train.num_classes)
    trained = training.train_or_load(training.Job(spec, (phase,), training.recipe_of(images), backend, seed), images)
    see = "sample" if spec.kind in SAMPLED else "models"
    print(f"kept in {trained.folder}; see it: twinvae {see} {trained.folder.name}")


@app.command()
def write(
    text: Annotated[str, typer.Argument(help="Letters, digits, plain punctuation; '-' reads the standard input.")],
    writer: Annotated[int, typer.Option(help="Number of the writer, from 0.")] = 0,
    backend: Backend = "torch",
    out: Annotated[Path, typer.Option(help="The file, .pdf or .png; its folder is made.")] = Path("page.pdf"),
    placeholder: Annotated[bool, typer.Option("--placeholder", help="A box for what no hand can write.")] = False,
) -> None:
    """Write a text in one writer's hand."""
    from twinvae import backend as backends
    from twinvae.spec import whole

    whole("writer", writer, least=0)
    arguments.check_output(out, ".pdf", ".png")
    text = arguments.checked_text(text)
    from twinvae_apps import handwriting  # takes seconds

    page = handwriting.write(text, handwriting.load(backends.get(backend)).hand(writer), placeholder)
    print(handwriting.save(page, out))


@app.command()
def report(
    profile: Annotated[str, typer.Option(help="smoke, quick or full.")] = "quick",
    backend: Annotated[str, typer.Option(help="torch, tf or both.")] = "both",
    jobs: Annotated[int, typer.Option(help="Notebooks that run at a time.")] = 1,
) -> None:
    """Run the notebooks and make the PDF, as `make report` does."""
    from twinvae import paths
    from twinvae.spec import one_of, whole

    one_of("profile", profile, ("smoke", "quick", "full"))
    one_of("backend", backend, ("torch", "tf", "both"))
    whole("jobs", jobs)
    root = paths.find_root(Path.cwd())
    if not (root / "Makefile").is_file():
        raise FileNotFoundError(f"there is no Makefile in {root}; call this from the project's folder")
    command = ["make", "-C", str(root), "report", f"PROFILE={profile}", f"BACKEND={backend}", f"JOBS={jobs}"]
    raise typer.Exit(subprocess.run(command).returncode)


@datasets.command("list")
def list_data() -> None:
    """Print a line a data set: its size, and what of it is at hand."""
    _data("list")


@datasets.command("check")
def check_data(name: Annotated[str, typer.Argument(help="Only this one.")] = "") -> None:
    """Say of each file what it is, by its checksum, and what is missing; exit code 1 if a file is unknown."""
    _data("check", name)


@datasets.command("fetch")
def fetch_data(name: Annotated[str, typer.Argument(help="The data set.")]) -> None:
    """Download a data set from its official address; exit code 1 if it did not come."""
    _data("fetch", name)


def _data(command: str, name: str = "") -> None:
    """Run a command of `python -m twinvae.data`."""
    from twinvae import data
    from twinvae.data.__main__ import main
    from twinvae.spec import one_of

    if name:
        one_of("data set", name, tuple(data.SETS))
    raise typer.Exit(main([command, name] if name else [command]))


def _write_picture(x, columns: int, out: Path) -> None:
    """Write images [N, H, W, C] as one PNG, enlarged to be seen, so many beside each other; say where."""
    import numpy as np

    from twinvae.paths import written_whole
    from twinvae_apps.explorer import enlarged, png

    x = np.concatenate([x, np.ones((-len(x) % columns, *x.shape[1:]), x.dtype)])  # white where a last row is short
    picture = enlarged(x.reshape(-1, columns, *x.shape[1:]), max(1, 96 // x.shape[1]))
    with written_whole(out) as part:
        part.write_bytes(png(picture))
    print(f"wrote {out}")


def main() -> None:
    """Run the command; exit with 2, and one sentence, for input that cannot be, with 1 where a training fails."""
    try:
        status = app(prog_name="twinvae", standalone_mode=False)
        print(end="", flush=True)
    except BrokenPipeError:  # whoever reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except Exception as error:
        status, sentence = _explained(error)
        print(sentence, file=sys.stderr)
    if status == 130:
        print("twinvae: interrupted; what is whole is kept, and the same command goes on", file=sys.stderr)
    sys.exit(status)


def _explained(error: Exception) -> tuple[int, str]:
    """Return the exit code and the sentence of an error in the input; raise it if it is one of the program."""
    from twinvae.checkpoints import NotFinite
    from twinvae.training import NotTrained

    code, sentence = 2, str(error)
    if isinstance(error, TyperException):
        sentence = error.format_message().rstrip(".")
        if sentence.startswith("Usage: "):
            return code, sentence  # a command without arguments: its help
        context = getattr(error, "ctx", None)
        sentence += f"; see {context.command_path if context else 'twinvae'} --help"
    elif isinstance(error, MemoryError):
        code, sentence = 1, "there is not memory enough; take fewer or smaller images, or a smaller batch"
    elif isinstance(error, NotFinite):
        code = 1
    elif isinstance(error, OSError) and error.errno:
        place = error.filename or "the output"
        sentence = f"cannot read or write {place} ({error.strerror}); make room or give access, or name another place"
    elif isinstance(error, ModuleNotFoundError) and error.name in ("torch", "keras", "tensorflow"):
        how = f"pip install 'twinvae[{'torch' if error.name == 'torch' else 'tf'}]' brings it"
        sentence = f"{error.name} is not installed; {how}, or take the other --backend"
    elif not isinstance(error, NotTrained | ValueError | OSError | ImportError):
        raise error
    return code, f"twinvae: {sentence}"


if __name__ == "__main__":
    main()
