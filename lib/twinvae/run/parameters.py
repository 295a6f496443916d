"""The parameters of a notebook: what papermill put in, and what they may be."""

import hashlib
import math
import os
import re
from collections.abc import Collection
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np

from twinvae import data
from twinvae.run.notebook import assigned, default, history
from twinvae.spec.checks import real, whole

PROFILES = ("smoke", "quick", "full")
BACKENDS = ("torch", "tf")
RULES = {  # the items of a list under the plural (`latent_dims`) keep the same rule
    **dict.fromkeys(("epochs", "batch_size", "latent_dim", "num_samples", "train_size", "seeds", "size"), whole),
    "seed": partial(whole, least=0),
    "learning_rate": partial(real, above=0),
    "beta": partial(real, least=0),
}


def check_parameter(name: str, value: Any) -> None:
    """Raise ValueError unless `value` is allowed for the parameter; None leaves the choice to the profile."""
    if isinstance(value, (list, tuple)):
        if not value:
            raise ValueError(f"{name} is empty; give at least one value")
        for item in value:
            check_parameter(name.removesuffix("s"), item)
    elif name == "backend" and value not in (None, *BACKENDS):
        raise ValueError(f"unknown backend {value!r}; the valid ones are {', '.join(BACKENDS)}")
    elif name == "train" and not isinstance(value, (bool, NoneType)):
        raise ValueError(f"train is {value!r}; it must be true or false")
    elif value is not None and name in RULES:
        RULES[name](name, value.item() if isinstance(value, np.generic) else value)


def check_parameters(given: dict[str, Any]) -> None:
    """Raise ValueError unless every value is allowed, own data can be read and a `size` fits them."""
    for name, value in given.items():
        check_parameter(name, value)
    dataset, size = given.get("dataset"), given.get("size")
    if dataset is not None and (dataset not in data.SETS or size is not None):
        data.load(str(dataset), "all", **({} if size is None else {"size": size}))


def check_names(given: set[str], declared: Collection[str]) -> None:
    """Raise ValueError for a parameter that the notebook does not declare, or does not hand over.

    What papermill put into this session counts, too: papermill itself takes any name.
    """
    injected = [cell for cell in history() if cell.startswith("# Parameters\n")]
    if unknown := sorted((given | set(assigned(injected[-1]) if injected else ())) - set(declared)):
        raise ValueError(f"unknown parameter {', '.join(unknown)}; the valid ones are {', '.join(declared)}")
    if kept := [name for name in declared if name not in given]:
        raise ValueError(f"the notebook declares {', '.join(kept)} but does not pass it to Run.start")


def check_profile(profile: str) -> None:
    """Raise ValueError for a word that is no profile, and say of one that is gone what replaces it."""
    if profile == "overnight":
        what = "the profile 'overnight' is gone; 'full' replaces it"
        raise ValueError(f"{what}: the reports' own settings on all the data")
    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}; the valid ones are {', '.join(PROFILES)}")


def choose_profile(profile: str) -> str:
    """Return the profile given, or the one in TWINVAE_PROFILE, said in one line; ValueError for an unknown one."""
    forced = os.environ.get("TWINVAE_PROFILE")
    if forced and forced != profile:
        print(f"TWINVAE_PROFILE={forced} overrides profile={profile}")
    check_profile(forced or profile)
    return forced or profile


def value_for(profile: str, by_profile: dict[str, Any]) -> Any:
    """Return the value for a profile, or for the next smaller one that is given; ValueError where there is none."""
    for name in by_profile:
        check_profile(name)
    for name in reversed(PROFILES[: PROFILES.index(profile) + 1]):
        if name in by_profile:
            return by_profile[name]
    raise ValueError(f"no value for profile {profile} or a smaller one; give one for smoke")


def finite(name: str, value: Any) -> float:
    """Return a number as Python's own; ValueError for anything but one finite number."""
    value = value.item() if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0 else value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"number {name} is {value!r}; it must be one finite number")
    return value


def own_folder(file: Path, dataset: str | None) -> str:
    """Return where in `results/` a run on other data than those of its notebook lies, and '' for one on these.

    The name is that of the data, safe for any file system; own data have a checksum of their path in it.
    """
    if dataset is None or not file.is_file() or dataset == default(file, "dataset"):
        return ""
    kind, _, path = dataset.partition(":")
    place = Path(path).expanduser().resolve()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", place.stem if path else kind).strip("-")[:40] or kind
    return f"own/{name}-{hashlib.sha256(os.fsencode(f'{kind}:{place}')).hexdigest()[:8]}" if path else f"own/{name}"
