"""The parameters of a notebook: what papermill put in, and what they may be."""

import os
from functools import partial
from types import NoneType
from typing import Any

import numpy as np
from IPython import get_ipython

from twinvae.run.notebook import assigned_names
from twinvae.spec.checks import real, whole

PROFILES = ("smoke", "quick", "full")
BACKENDS = ("torch", "tf")
RULES = {  # the items of a list under the plural (`latent_dims`) keep the same rule
    **dict.fromkeys(("epochs", "batch_size", "latent_dim", "num_samples", "train_size", "seeds"), whole),
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


def check_names(given: set[str], declared: list[str]) -> None:
    """Raise ValueError for a parameter that the notebook does not declare, or does not hand over.

    What papermill put into this session counts, too: papermill itself takes any name.
    """
    cells = shell.user_ns.get("In", []) if (shell := get_ipython()) else []
    injected = [cell for cell in cells if cell.startswith("# Parameters\n")]
    if unknown := sorted((given | set(assigned_names(injected[-1]) if injected else ())) - set(declared)):
        raise ValueError(f"unknown parameter {', '.join(unknown)}; the valid ones are {', '.join(declared)}")
    if kept := [name for name in declared if name not in given]:
        raise ValueError(f"the notebook declares {', '.join(kept)} but does not pass it to Run.start")


def check_profile(profile: str) -> None:
    """Raise ValueError for a word that is no profile, and say of one that is gone what replaces it."""
    if profile == "overnight":
        raise ValueError(
            "the profile 'overnight' is gone; 'full' replaces it: the reports' own settings on all the data"
        )
    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}; the valid ones are {', '.join(PROFILES)}")


def choose_profile(profile: str) -> str:
    """Return the profile given, or the one in TWINVAE_PROFILE, said in one line; ValueError for an unknown one."""
    forced = os.environ.get("TWINVAE_PROFILE")
    if forced and forced != profile:
        print(f"TWINVAE_PROFILE={forced} overrides profile={profile}")
    check_profile(forced or profile)
    return forced or profile
