"""Small sets of pictures as people have them, for tests and to try notebook 11: `python tests/own_sets.py FOLDER`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from twinvae import data
from twinvae.pretrained import Found, all_found
from twinvae.spec import Flatten, ModelSpec, TrainSpec, mlp
from twinvae.training import Job, models_here, recipe_of, train_or_load

SHAPES = ("ellipse", "rectangle", "pieslice")
ORIENTATION = 0x0112


def drawn(kind: int, size: tuple[int, int], rng: np.random.Generator, mode: str = "RGB") -> Image.Image:
    """One shape in one colour on paper, (W, H); the kind is its shape and, from three on, its colour."""
    picture = Image.new(mode, size, {"RGBA": (0, 0, 0, 0), "RGB": (250, 245, 235), "L": 0}[mode])
    wide, high = size
    left, top = rng.integers(0, wide // 3), rng.integers(0, high // 3)
    box = [left, top, left + wide // 2 + 1, top + high // 2 + 1]
    colour = tuple(int(v) for v in np.roll([200, 60, 30], kind // 3)) if mode != "L" else int(rng.integers(120, 255))
    more = (0, 250) if SHAPES[kind % 3] == "pieslice" else ()
    getattr(ImageDraw.Draw(picture), SHAPES[kind % 3])(box, *more, fill=colour)
    return picture


def folder(root: Path, counts: dict[str, int], sizes: list[tuple[int, int]], mode: str = "RGB", turned: bool = False):
    """Write a folder a class with so many pictures, of these sizes in turn; photos are turned by their EXIF tag."""
    rng = np.random.default_rng(0)
    for kind, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for at in range(count):
            picture, exif = drawn(kind, sizes[at % len(sizes)], rng, mode), Image.Exif()
            if turned:
                exif[ORIENTATION] = 1 + at % 8
            picture.save(root / name / f"{at}.{'jpg' if turned else 'png'}", exif=exif)
    return root


def transparent(root: Path) -> tuple[str, dict]:
    """Colour, 20 x 30, on transparent paper."""
    return f"folder:{folder(root / 'transparent', {'disc': 60, 'box': 60}, [(30, 20)], 'RGBA')}", {}


def photos(root: Path) -> tuple[str, dict]:
    """Photos of several sizes, turned as a camera holds them."""
    sizes = [(160, 120), (120, 160), (200, 200), (90, 60)]
    return f"folder:{folder(root / 'photos', {'disc': 60, 'box': 60}, sizes, turned=True)}", {"size": 24}


def unlabelled(root: Path) -> tuple[str, dict]:
    """Grey pictures without sub-folders."""
    return f"folder:{folder(root / 'unlabelled', {'.': 120}, [(16, 16)], 'L')}", {}


def twelve(root: Path) -> tuple[str, dict]:
    """Twelve classes, numbered as people count."""
    return f"folder:{folder(root / 'twelve', {str(k): 20 for k in range(1, 13)}, [(16, 16)])}", {}


def uneven(root: Path) -> tuple[str, dict]:
    """Of one class two hundred pictures, of the other four."""
    return f"folder:{folder(root / 'uneven', {'common': 200, 'rare': 4}, [(16, 16)])}", {}


def numbers(root: Path) -> tuple[str, dict]:
    """A bar at any angle, told as (cos, sin)."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, 300)
    across, down = np.meshgrid(np.linspace(-1, 1, 16), np.linspace(-1, 1, 16))
    along, aside = (np.cos(angles)[:, None, None] * a + np.sin(angles)[:, None, None] * b for a, b in
                    ((across, down), (-down, across)))  # fmt: skip
    bars = (along > 0) & (np.abs(aside) < 0.3)
    y = np.stack([np.cos(angles), np.sin(angles)], 1)
    root.mkdir(parents=True, exist_ok=True)
    np.savez(root / "numbers.npz", x=(255 * bars).astype(np.uint8), y=y, class_names=["cos", "sin"])
    return f"npz:{root / 'numbers.npz'}", {}


def shades(root: Path) -> str:
    """Plain colour, 20 x 30, told its shade, an age of 20 to 70 and a number that never changes."""
    y = np.stack([np.linspace(0, 1, 60), np.linspace(20, 70, 60)[::-1], np.ones(60)], 1)
    x = np.full((60, 20, 30, 3), (0, 60, 200), np.uint8)
    x[..., 0] = np.rint(200 * y[:, :1, None] + 20 * (np.arange(60)[:, None, None] % 2))
    root.mkdir(parents=True, exist_ok=True)
    np.savez(root / "shades.npz", x=x, y=y, class_names=["shade", "age", "same"])
    return f"npz:{root / 'shades.npz'}"


def small_model(dataset: str, kind: str = "cvae", backend: str = "torch") -> Found:
    """A small model of these images, trained for two epochs and kept."""
    images = data.splits(dataset)
    told = dict(num_classes=images.train.num_classes, encoder_condition="concat", decoder_condition="concat")
    layers = dict(encoder=(Flatten(), *mlp(8)), decoder=mlp(8), latent_dim=3, likelihood="gaussian", init="keras")
    spec = ModelSpec(f"small_{kind}", kind, images.train.shape, **layers, **(told if kind == "cvae" else {}))
    job = Job(spec, (TrainSpec(2, 16, 1e-2),), recipe_of(images), backend)
    folder = train_or_load(job, images).folder
    return next(model for model in all_found(models_here()) if model.folder == folder.name)


SETS = {make.__name__: make for make in (transparent, photos, unlabelled, twelve, uneven, numbers)}

if __name__ == "__main__":
    for make in SETS.values():
        name, parameters = make(Path(sys.argv[1]))
        print(f"-p dataset {name}", *(f"-p {key} {value}" for key, value in parameters.items()))
