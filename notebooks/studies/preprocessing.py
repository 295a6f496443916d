"""The steps of preprocessing that notebook 02 shows before and after, what they do to pixels, and its tables.

Arrays are NumPy: images x [N, H, W, C], bytes or floats in [0, 1]; labels y [N].
"""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from scipy import ndimage

from twinvae import data, spec
from twinvae.data import Images, Splits, by_class
from twinvae.figures import overview
from twinvae.metrics import baselines
from twinvae_studies import report000

RESIZING = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
CODE = 16  # numbers of the linear code by which steps are compared


# ---------------------------------------------------------------- what there is
def catalogue(sets: dict[str, Images]) -> dict[str, pd.DataFrame]:
    """Return three tables of data sets: `sets` as they are at hand, `origins` as published, `files` by checksum."""
    rows, origins, files = [], [], []
    for name, images in sets.items():
        entry, source, counts = data.SETS[name], images.source, np.bincount(images.y)
        row = {"set": name, "at hand": source.label, "kind": source.kind, "images": len(images)}
        row |= {"classes": len(counts), "size": "x".join(map(str, images.shape))}
        rows.append(row | {"fewest a class": counts.min(), "most": counts.max()})
        origin = {"set": name, "published images": sum(entry.sizes.values()), "licence": entry.licence}
        origins.append(origin | {"citation": entry.citation, "address": entry.url})
        files += [{"set": name, "file": file, "kind": source.kind, "SHA-256": digest} for file, digest in source.files]
    return {"sets": pd.DataFrame(rows), "origins": pd.DataFrame(origins), "files": pd.DataFrame(files)}


def split_row(name: str, parts: Splits) -> dict[str, Any]:
    """Return the row of a set's splits: their sizes, and how many test images equal a training image in every pixel."""
    every = {"train": parts.train, "valid": parts.valid, "test": parts.test}
    row = {"set": name, "kind": parts.source.kind} | {part: len(images) for part, images in every.items()}
    row["fewest classes in a part"] = min(len(np.unique(images.y)) for images in every.values())
    shared = len(np.unique(data.shared_images(parts.train, parts.test)[:, 1]))
    return row | {"test images also in train": shared}


def pixel_shares(x: np.ndarray) -> dict[str, float]:
    """Return the shares of pixels that are black, in between, and white.  Bytes, or floats in [0, 1]"""
    white = 255 if x.dtype == np.uint8 else 1
    shares = {"black": x == 0, "between": (x > 0) & (x < white), "white": x == white}
    return {name: float(where.mean()) for name, where in shares.items()}


def smeared(images: Images) -> np.ndarray:
    """Return which share of the ink of each class's mean image is grey: what no two images agree on.  -> [K]"""
    means = overview.class_means(images).reshape(images.num_classes, -1) / 255
    return (means * (1 - means)).sum(1) / means.sum(1)


# ---------------------------------------------------------------- steps
def resized(x: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Return grey images made smaller in each way of RESIZING.  uint8 [N, H, W, 1] -> name -> [N, size, size, 1]"""
    return {
        name: np.stack([cv2.resize(image, (size, size), interpolation=how) for image in x])[..., None]
        for name, how in RESIZING.items()
    }


def ink_off(before: np.ndarray, after: np.ndarray) -> float:
    """Return by what share of itself an image's mean ink changed, up or down, as a mean over images.

    Bytes of dark ink on white paper; the two need not have the same size.
    """
    was, now = (255 - x.reshape(len(x), -1).mean(1) for x in (before, after))
    return float(np.abs(now / was - 1).mean())


def centred(ink: np.ndarray) -> np.ndarray:
    """Move the centre of mass of bright ink into the middle of the image, to the pixel.  [N, H, W, 1] in [0, 1]"""
    middle = (np.array(ink.shape[1:3]) - 1) / 2
    away = [np.rint(middle - ndimage.center_of_mass(image[..., 0] + 1e-9)) for image in ink]
    return np.stack([ndimage.shift(image, (*by, 0), order=0) for image, by in zip(ink, away, strict=True)])


def shifted(ink: np.ndarray, pixels: int, rng: np.random.Generator) -> np.ndarray:
    """Shift each image by up to so many whole pixels each way; black comes in.  [N, H, W, 1]"""
    away = rng.integers(-pixels, pixels + 1, (len(ink), 2))
    return np.stack([ndimage.shift(image, (*by, 0), order=0) for image, by in zip(ink, away, strict=True)])


def turned(ink: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Turn each image around its middle by up to so many degrees each way; black comes in.  [N, H, W, 1]"""
    angles = rng.uniform(-degrees, degrees, len(ink))
    made = [ndimage.rotate(image, a, reshape=False, order=1) for image, a in zip(ink, angles, strict=True)]
    return np.stack(made).clip(0, 1)


def grey(x: np.ndarray) -> np.ndarray:
    """Return colour images as grey ones, weighted as the eye does (BT.601).  uint8 [N, H, W, 3] -> [N, H, W, 1]"""
    return np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in x])[..., None]


def steps(cases: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return a row a step: shares of pixels, and what a code of CODE numbers leaves of images it was not fitted to.

    name -> [N, ...] in [0, 1]. `variance` and `left by the code` are squared errors summed over an image's pixels: from
    the mean image, and from PCA, the best linear autoencoder (notebook 01), both fitted to three images of four.
    """
    rows = []
    for name, x in cases.items():
        flat = x.reshape(len(x), -1).astype(np.float64)
        known, new = flat[len(x) // 4 :], flat[: len(x) // 4]
        variance = ((new - known.mean(0)) ** 2).sum(1).mean()
        left = baselines.pca_error(known, new, [min(CODE, len(known))])[0].mean()
        row = {"step": name} | pixel_shares(x)
        rows.append(row | {"variance": variance, "left by the code": left, "share left": left / variance})
    return pd.DataFrame(rows)


# ---------------------------------------------------------------- order and batches
def buffer_shuffle(count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return the order in which a buffer of so many places gives back 0, 1, ..., count - 1, as `tf.data` shuffles.

    Each time a place is drawn, given out and filled with the next that comes.  -> [count]
    """
    size = min(size, count)
    places, order = list(range(size)), []
    for coming in range(size, count + size):
        at = rng.integers(len(places))
        order.append(places[at])
        if coming < count:
            places[at] = coming
        else:
            places.pop(at)
    return np.array(order)


def classes_a_batch(y: np.ndarray, size: int) -> float:
    """Return how many classes a batch of this size holds, as a mean over batches.  [N]"""
    whole = y[: len(y) // size * size].reshape(-1, size)
    return float(np.mean([len(np.unique(batch)) for batch in whole]))


def data_loader(x: np.ndarray, y: np.ndarray, order: np.ndarray, size: int) -> Any:
    """Return PyTorch's loader of batches (x, y) in a given order."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    pairs = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    return DataLoader(pairs, batch_size=size, sampler=order.tolist(), drop_last=True)


def tf_dataset(x: np.ndarray, y: np.ndarray, order: np.ndarray, size: int) -> Any:
    """Return TensorFlow's dataset of batches (x, y) in a given order."""
    import tensorflow as tf

    pairs = tf.data.Dataset.from_tensor_slices((x[order], y[order]))
    return pairs.batch(size, drop_remainder=True).prefetch(1)


LOADERS = {"torch": data_loader, "tf": tf_dataset}


# ---------------------------------------------------------------- report 000's pipeline
def pipeline(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what report 000's pipeline makes of the archive at hand: images and labels, shuffled, and labels as filed.

    -> uint8 [N, size, size], [N], [M]; M is more than N where pictures could not be read
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = report000.archive(Path(folder))
        x, y = by_class.convert(archive, size)
        with zipfile.ZipFile(archive) as zipped:
            filed = by_class.list_pictures(zipped.namelist(), archive.name)
    return x, y, np.array([label for _, label in filed])


# ---------------------------------------------------------------- copies, and what section 8 trains
def nearest(x: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the highest correlation of each image with one of the others.  [N, ...], [M, ...] -> [N]"""
    flat = [a.reshape(len(a), -1).astype(np.float32) for a in (x, others)]
    flat = [a - a.mean(1, keepdims=True) for a in flat]
    unit = [a / np.linalg.norm(a, axis=1, keepdims=True) for a in flat]
    return (unit[0] @ unit[1].T).max(1)


def small_cvae(images: Images, init: str = "keras") -> spec.ModelSpec:
    """Return the CVAE with one hidden layer that section 8 trains, for images of this shape and these classes."""
    layers = dict(encoder=(spec.Flatten(), *spec.mlp(128)), decoder=spec.mlp(128), init=init)
    label = dict(num_classes=images.num_classes, encoder_condition="concat", decoder_condition="concat")
    return spec.ModelSpec("small_cvae", "cvae", images.shape, 16, **layers, **label, report="000")


def scale_table(curves: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """Return a row a factor of the encoder's input, from the curves of `mistakes.curve`: losses, and when they end."""
    rows = []
    for factor, curve in curves.items():
        lost = curve.epoch[~np.isfinite(curve.loss)].min()
        first, last = curve.loss.iloc[0], curve.valid_loss.iloc[-1]
        row = {"pixels from 0 to": factor, "loss, first look": first, "validation loss, end": last}
        rows.append(row | {"not finite from epoch": lost})
    return pd.DataFrame(rows)
