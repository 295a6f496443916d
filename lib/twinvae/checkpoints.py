"""What a training leaves on disk: weights files that load into either twin, and the log that goes on where it stopped.

Arrays keep PyTorch's layout and the names of `ModelSpec.weights()`; a file's metadata holds the spec and whatever else
belongs to it, as JSON.  Every file is whole or absent.  Knows no framework.
"""

from __future__ import annotations

import json
import time
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from tqdm.auto import tqdm

from twinvae import data
from twinvae import spec as specs
from twinvae.paths import written_whole
from twinvae.spec import TrainSpec, check_images, from_dict, model_from_dict, to_dict

COLUMNS = ("epoch", "loss", "recon", "kl", "valid_loss", "valid_recon", "valid_kl", "seconds")
CHECKSUM = "checksum"  # its name in a file's metadata
GAN_LOSSES = ("d_loss", "g_loss", "d_real", "d_fake")  # d_real, d_fake: mean logits of real and of generated images
GAN_COLUMNS = ("epoch", *GAN_LOSSES, *(f"valid_{name}" for name in GAN_LOSSES), "seconds")


def write(path: Path, arrays: dict[str, np.ndarray], **metadata) -> None:
    """Writes arrays and metadata (anything JSON can hold) to `path`, all or nothing, with a checksum of both."""
    arrays = {name: np.ascontiguousarray(a).reshape(np.shape(a)) for name, a in arrays.items()}
    words = {key: json.dumps(value) for key, value in metadata.items()}
    payload = save(arrays, words | {CHECKSUM: _checksum_of_file(arrays, words)})
    with written_whole(Path(path)) as part:
        part.write_bytes(payload)


def read(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays and the metadata of a file; one of before there were checksums has none.  ValueError if not whole."""
    if Path(path).is_dir():
        raise ValueError(f"{path} is a folder, not a weights file")
    try:
        with safe_open(path, framework="np") as file:
            words = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        if words.pop(CHECKSUM, None) not in (None, _checksum_of_file(arrays, words)):
            raise ValueError("its bytes are not those that were written")
        return arrays, {key: json.loads(value) for key, value in words.items()}
    except (SafetensorError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is not a whole weights file ({error}); delete it and train or fetch it again"
        ) from None


def _checksum_of_file(arrays: dict[str, np.ndarray], words: dict[str, str]) -> str:
    crc = zlib.crc32(json.dumps(words, sort_keys=True).encode())
    for name, a in sorted(arrays.items()):
        crc = zlib.crc32(np.ascontiguousarray(a), zlib.crc32(f"{name} {a.dtype} {a.shape}".encode(), crc))
    return f"{crc:08x}"


def save_model(path: Path, model, dtype: str = "float32") -> None:
    """Saves the weights of a model of either twin with its spec."""
    arrays = {name: a.astype(dtype) for name, a in model.get_arrays().items()}
    write(path, arrays, spec=specs.to_dict(model.spec))


def load_model(path: Path, twin, dtype: str = "float32"):
    """The model in the file, built by `twin`, which `backend.get` returned.  ValueError for another weights file."""
    arrays, metadata = read(path)
    try:
        spec = specs.model_from_dict(metadata["spec"])
    except (LookupError, TypeError, AttributeError, RecursionError, ArithmeticError) as error:
        raise ValueError(f"{path} holds no model of this library ({type(error).__name__}: {error})") from None
    check(arrays, spec)
    model = twin.models.build(spec, dtype=dtype)
    model.set_arrays(arrays)
    return model


def check(arrays: dict[str, np.ndarray], spec: specs.ModelSpec | specs.GanSpec) -> None:
    """ValueError, naming the first difference, unless names and shapes are those of the spec, and all is finite."""
    wanted = {weight.name: weight.shape for weight in spec.weights()}
    if missing := sorted(set(wanted) - set(arrays)):
        raise ValueError(f"weight {missing[0]!r} of model {spec.name!r} is missing; give all {len(wanted)}")
    if unknown := sorted(set(arrays) - set(wanted)):
        raise ValueError(f"model {spec.name!r} has no weight {unknown[0]!r}")
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ValueError(f"weight {name!r} has shape {arrays[name].shape}; model {spec.name!r} needs {shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"weight {name!r} of model {spec.name!r} holds values that are not finite")


class NotFinite(ArithmeticError):
    """The loss became infinite or NaN; the last good checkpoint is kept."""


class Log:
    """The record of one training run, in memory and, where a folder is given, on disk after every epoch.

    `last.safetensors` holds weights, optimiser state and history after the newest whole epoch, `best.safetensors` the
    same at the lowest validation loss.  Both are replaced in one move, so a killed run always leaves a whole file.
    A run is known by its spec, settings, images and starting weights; one of fewer epochs has a sub-folder of its own.
    """

    columns, shown, best_by = COLUMNS, ("loss", "valid_loss"), "valid_loss"

    def __init__(self, model, settings: TrainSpec, images: data.Splits, folder: Path | None, threads: int):
        for part in (images.train, images.valid):
            check_images(model.spec, part.shape, part.num_classes)
        self.folder = Path(folder) if folder else None
        self.epochs, self.rows, self.state, self.threads = settings.epochs, [], None, threads
        if not self.folder:
            return
        self.whole = model.get_arrays()  # the weights after the newest whole epoch
        self.identity = {"spec": to_dict(model.spec), "settings": to_dict(settings)}
        self.identity |= {"data": images.train.fingerprint, "validation": images.valid.fingerprint}
        self.identity["starting weights"] = checksum(self.whole)
        self.state = self._resume()

    def _resume(self) -> dict[str, np.ndarray] | None:
        """Return all arrays of the newest checkpoint, None where there is none.  ValueError if it is another run's."""
        path = self.folder / "last.safetensors"
        if not path.exists():
            return None
        arrays, metadata = read(path)
        kept = {name: a for name, a in arrays.items() if not name.startswith("optimizer.")}
        lacking = sorted({*self.identity, "history"} - set(metadata)) + ["optimiser"] * (len(kept) == len(arrays))
        if lacking:
            raise ValueError(f"{path} is no checkpoint: it holds no {lacking[0]}; delete it to start again")
        for part, now in self.identity.items():
            then = metadata[part]
            if part == "settings":  # those that a version did not know yet had their defaults
                then = to_dict(from_dict(TrainSpec, then))
                if now["schedule"] != "cosine":  # training longer continues the run, where no rate looks at its end
                    now, then = now | {"epochs": 0}, then | {"epochs": 0}
            if part == "spec":  # a model that has been renamed is the same model
                then = to_dict(model_from_dict(then))
                now, then = (one | {"name": "", "report": ""} for one in (now, then))
            if part == "starting weights" and now == checksum(kept):
                continue  # the model is already where the checkpoint left it
            if now != then:
                raise ValueError(
                    f"{path} belongs to another run: its {difference(part, then, now)}; "
                    "use another folder, or delete this one to start again"
                )
        self.identity["starting weights"] = metadata["starting weights"]
        if metadata.get("threads", self.threads) != self.threads:
            warnings.warn(
                f"{path} was trained with {metadata['threads']} threads and goes on with {self.threads}: "
                "the same training, but not bit for bit",
                stacklevel=5,
            )
        if len(metadata["history"]) > self.epochs:
            self.folder = self.folder / f"to-{self.epochs}"
            return self._resume()
        self.rows, self.whole = metadata["history"], kept
        return arrays

    def remaining(self, label: str) -> Iterator[int]:
        """The epochs still to do, counted from 1, under a progress bar that shows the loss."""
        self.started = time.perf_counter()
        done, finished = len(self.rows), len(self.rows) == self.epochs
        with tqdm(total=self.epochs, initial=done, desc=label, unit="epoch", leave=False, disable=finished) as bar:
            for epoch in range(done + 1, self.epochs + 1):
                self.started = time.perf_counter()
                yield epoch
                bar.update()
                bar.set_postfix({name: f"{self.rows[-1][name]:.2f}" for name in self.shown})

    def lap(self) -> float:
        """Seconds of training since the epoch began: validation and writing are not counted."""
        return time.perf_counter() - self.started

    def record(self, epoch: int, seconds: float, train: np.ndarray, valid: np.ndarray, state) -> None:
        """Add an epoch: `train` and `valid` are losses in the columns' order; `state()` gives all arrays to keep."""
        row = dict(zip(self.columns, [epoch, *map(float, train), *map(float, valid), seconds], strict=True))
        best = self.best_by is not None and all(row[self.best_by] < earlier[self.best_by] for earlier in self.rows)
        self.rows.append(row)
        if not self.folder:
            return
        arrays = state()
        self.whole = {name: a for name, a in arrays.items() if not name.startswith("optimizer.")}
        for name in ["best"] * best + ["last"]:  # 'best' first: a run killed in between redoes this epoch
            write(self.folder / f"{name}.safetensors", arrays, history=self.rows, threads=self.threads, **self.identity)

    def not_finite(self, epoch: int, losses: list[np.ndarray], x: np.ndarray) -> NotFinite:
        """Return the error for a loss that is not finite, with the cause that its batch shows.

        `losses` are those of the epoch so far, x [T, B, ...] the images of the last T steps.
        """
        batch = next(number for number, values in enumerate(losses, 1) if not np.isfinite(values).all())
        loss = next(value for value in losses[batch - 1] if not np.isfinite(value))
        x = x[batch - 1 - len(losses) + len(x)]
        if not np.isfinite(x).all():
            cause = "the batch itself holds values that are not finite: check the data"
        elif x.min() < 0 or x.max() > 1:
            cause = f"the pixels run from {x.min():.3g} to {x.max():.3g}: scale them to [0, 1]"
        else:
            cause = "the learning rate is probably too high: lower it"
        kept = f"; the checkpoint of epoch {epoch - 1} is kept in {self.folder}" if self.folder and epoch > 1 else ""
        return NotFinite(f"the loss is {loss} at epoch {epoch}, batch {batch}: {cause}{kept}")


class GanLog(Log):
    """The record of a GAN's training.  Neither of its losses says which epoch was the best: only `last` is kept."""

    columns, shown, best_by = GAN_COLUMNS, ("d_loss", "g_loss"), None

    def __init__(self, model, settings: TrainSpec, images: data.Splits, folder: Path | None, threads: int):
        if (settings.beta, settings.noise) != (1, 0):
            raise ValueError(
                f"beta is {settings.beta} and noise is {settings.noise}; a GAN has neither: leave them out"
            )
        super().__init__(model, settings, images, folder, threads)


def checksum(arrays: dict[str, np.ndarray]) -> str:
    """A checksum of weights by name, in the order of their names."""
    crc = 0
    for name in sorted(arrays):
        crc = zlib.crc32(arrays[name].tobytes(), zlib.crc32(name.encode(), crc))
    return f"crc {crc:08x}"


def difference(part: str, then, now) -> str:
    """Words for the first field in which two specs differ."""
    if not isinstance(then, dict):
        return f"{part} is {then!r}, now {now!r}"
    field = next(name for name in sorted(now.keys() | then.keys()) if now.get(name) != then.get(name))
    return f"{part} has {field} {then.get(field)!r}, now {now.get(field)!r}"
