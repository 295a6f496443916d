"""`python -m twinvae.training.publish` adds to git the models that results/models/PUBLISHED names, a folder a line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from twinvae import checkpoints, data, paths
from twinvae.training.kept import Trained, opened
from twinvae.training.model_card import in_words
from twinvae.training.places import models_in_git, published
from twinvae.training.spot_check import as_published, measure, named_images

FILES = ("card.json", "card.md", "history.csv", "weights.safetensors", "measures/*.safetensors")
LARGEST = 5_000_000  # bytes of a file in git


def main() -> int:
    """Add every published model to git, without files over 5 MB; return how many cannot be added, and say why.

    Its card gets the labels, what the file comes to on its named images, and what it came to before training; `card.md`
    says the same in words.
    """
    failed = 0
    for folder in (models_in_git() / name for name in sorted(published())):
        if why := _checked(folder):
            failed += 1
            print(f"{folder.name} {why}")
        else:
            files = [path for pattern in FILES for path in folder.glob(pattern) if path.stat().st_size <= LARGEST]
            subprocess.run(["git", "-C", str(folder), "add", "-f", *map(str, files)], check=True)
    return failed


def _checked(folder: Path) -> str:
    """Complete a model's card and write it in words; return why it cannot be published, '' if it can."""
    if not (folder / "card.json").is_file():
        return "has not been trained; train it: make train"
    trained = opened(folder)
    if "spot_check" not in trained.card:
        images = named_images(trained.job)
        if images.source.kind == "stand-in":
            return f"cannot be measured on {images.source.label}; set TWINVAE_DATA to the folder of the real images"
        wanted = as_published(trained.model, trained.twin, images, trained.settings)
        kept = checkpoints.read(folder / "weights.safetensors")[0]
        if any(a.dtype != kept[name].dtype for name, a in wanted.items()):
            return f"was kept before it was named; delete {folder} and make train: its checkpoints are there"
        trained.card.setdefault("labels", _labels(trained, images))
        trained.card["spot_check"] = _spot_check(trained, images)
        paths.write_text(folder / "card.json", json.dumps(trained.card, indent=1) + "\n")
    paths.write_text(folder / "card.md", in_words(trained.card, folder.name))
    return ""


def _spot_check(trained: Trained, images: data.Images) -> dict:
    """Return which images a model is measured on, and what it comes to on them trained and untrained."""
    untrained = trained.twin.models.build(trained.spec, seed=trained.job.seed)
    return {
        "images": f"{images.fingerprint}: test images of {images.source.label}, evenly spaced",
        "values": measure(trained.model, trained.twin, images, trained.settings),
        "untrained": measure(untrained, trained.twin, images, trained.settings),
    }


def _labels(trained: Trained, images: data.Images) -> list[str]:
    """Return the names of the labels that a model takes; where a transform made them, it is asked."""
    if not trained.spec.num_classes:
        return []
    transform = trained.job.data.transform
    return list((data.from_recipe(trained.job.data).train if transform else images).class_names)


if __name__ == "__main__":
    sys.exit(main())
