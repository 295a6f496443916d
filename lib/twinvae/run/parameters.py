"""The parameters of a notebook: what papermill put in, and what they may be."""

import math
import numbers
import os
from collections.abc import Callable
from typing import Any

from IPython import get_ipython

from twinvae.run import provenance

PROFILES = ("smoke", "quick", "overnight", "full")
BACKENDS = ("torch", "tf")


def whole(least: int) -> tuple[Callable[[Any], bool], str]:
    """A rule for whole numbers from `least` on, and how to say it."""
    return (
        lambda value: isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= least,
        f"a whole number of at least {least}",
    )


def real(least: float, open_: bool) -> tuple[Callable[[Any], bool], str]:
    """A rule for finite numbers from `least` on (`open_`: above it), and how to say it."""

    def holds(value: Any) -> bool:
        number = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
        return number and (value > least if open_ else value >= least)

    return holds, f"a finite number {'above' if open_ else 'of at least'} {least}"


# What a parameter may be. The items of a list under the plural (`latent_dims`) keep the same rule.
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "epochs": whole(1),
    "batch_size": whole(1),
    "latent_dim": whole(1),
    "num_samples": whole(1),
    "train_size": whole(1),
    "seeds": whole(1),
    "seed": whole(0),
    "learning_rate": real(0, open_=True),
    "beta": real(0, open_=False),
    "train": (lambda value: isinstance(value, bool), "true or false"),
}


def check_parameter(name: str, value: Any) -> None:
    """Raise ValueError unless `value` is allowed for the parameter; None leaves the choice to the profile."""
    if value is None:
        return
    if isinstance(value, (list, tuple)):
        if not value:
            raise ValueError(f"{name} is empty; give at least one value")
        for item in value:
            check_parameter(name.removesuffix("s"), item)
    elif name in RULES and not RULES[name][0](value):
        raise ValueError(f"{name} is {value!r}; it must be {RULES[name][1]}")


def check_names(given: set[str], declared: list[str]) -> None:
    """Raise ValueError for a parameter that the notebook does not declare, or does not hand over."""
    unknown = sorted(given - set(declared))
    if unknown:
        raise ValueError(f"unknown parameter {', '.join(unknown)}; the valid ones are {', '.join(declared)}")
    kept = [name for name in declared if name not in given]
    if kept:
        raise ValueError(f"the notebook declares {', '.join(kept)} but does not pass it to Run.start")


def injected_parameters() -> set[str]:
    """The names in the cell that papermill put into this session (papermill itself takes any name)."""
    shell = get_ipython()
    cells = shell.user_ns.get("In", []) if shell else []
    injected = [cell for cell in cells if cell.startswith("# Parameters\n")]
    return set(provenance.assigned_names(injected[-1])) if injected else set()


def choose_profile(profile: str) -> str:
    """The profile given, or the one in TWINVAE_PROFILE, said in one line; ValueError for an unknown one."""
    forced = os.environ.get("TWINVAE_PROFILE")
    if forced and forced != profile:
        print(f"TWINVAE_PROFILE={forced} overrides profile={profile}")
    chosen = forced or profile
    if chosen not in PROFILES:
        raise ValueError(f"unknown profile {chosen!r}; the valid ones are {', '.join(PROFILES)}")
    return chosen
