"""The shell command `twinvae`: trained models, data sets, handwriting and the report, without a line of Python.

What is wrong with the input is said in one sentence, with exit code 2; what could not be done has exit code 1.
"""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

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
    out: Annotated[Path, typer.Option(help="The picture, .png.")] = Path("sample.png"),
) -> None:
    """Draw images from a model and write them as one picture, a row a label."""
    import twinvae

    _check_png(out)
    x = twinvae.load(name, backend).sample(label or None, n, seed)
    _write_picture(x, n if len(x) > n else math.ceil(math.sqrt(n)), out)


@app.command()
def reconstruct(
    name: Name,
    dataset: Dataset = "",
    n: Annotated[int, typer.Option("-n", help="How many images.")] = 8,
    backend: Backend = "torch",
    out: Annotated[Path, typer.Option(help="The picture, .png.")] = Path("reconstruct.png"),
) -> None:
    """Write test images above what a model makes of them; left out, the data set is the one that it was trained on."""
    import numpy as np

    import twinvae
    from twinvae import data
    from twinvae.spec import whole
    from twinvae.training.spot_check import named_images

    _check_png(out)
    whole("n", n)
    model = twinvae.load(name, backend)
    images = data.load(dataset, "test") if dataset else named_images(model.trained.job)
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
) -> None:
    """Train a model on a data set or on your own images, and keep it; a killed training goes on where it was."""
    from twinvae import data, training, zoo
    from twinvae.spec import TrainSpec, one_of

    one_of("backend", backend, ("torch", "tf"))
    spec, phase = zoo.get(name), TrainSpec(epochs, batch_size, learning_rate, seed=seed)
    images = data.splits(dataset)
    spec = spec.for_images(images.train.shape, images.train.num_classes)
    trained = training.train_or_load(training.Job(spec, (phase,), training.recipe_of(images), backend, seed), images)
    print(f"kept in {trained.folder}; see it: twinvae sample {trained.folder.name}")


@app.command()
def write(
    text: Annotated[str, typer.Argument(help="Letters, digits, plain punctuation; '-' reads the standard input.")],
    writer: Annotated[int, typer.Option(help="Number of the writer, from 0.")] = 0,
    backend: Backend = "torch",
    out: Annotated[Path, typer.Option(help="The file, .pdf or .png.")] = Path("page.pdf"),
) -> None:
    """Write a text in one writer's hand."""
    from twinvae import backend as backends
    from twinvae.spec import whole
    from twinvae_apps import handwriting

    whole("writer", writer, least=0)
    hand = handwriting.load(backends.get(backend)).hand(writer)
    print(handwriting.save(handwriting.write(sys.stdin.read() if text == "-" else text, hand), out))


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


def _check_png(path: Path) -> None:
    """Raise ValueError unless a picture can have this name."""
    if path.suffix != ".png":
        raise ValueError(f"cannot write the picture as {str(path)!r}; its name must end in .png")


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
        app(prog_name="twinvae")
    except Exception as error:
        from twinvae.checkpoints import NotFinite
        from twinvae.training import NotTrained

        if not isinstance(error, (NotTrained, NotFinite, ValueError, OSError, ImportError)):
            raise
        print(f"twinvae: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, NotFinite) else 2)


if __name__ == "__main__":
    main()
