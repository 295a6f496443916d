"""The parts of `metrics` and `figures` are imported when they are first asked for, and no earlier."""

import subprocess
import sys

import pytest

from twinvae import metrics

HEAVY = "{'sklearn', 'scipy', 'pandas', 'matplotlib', 'seaborn', 'torch', 'tensorflow'}"


@pytest.mark.parametrize("package, part", [("metrics", "samples"), ("figures", "style")])
def test_a_package_loads_nothing_until_a_part_is_asked_for(package, part):
    code = (
        f"import sys; from twinvae import {package}; print(sorted({HEAVY} & sys.modules.keys())); "
        f"print({package}.{part}.__name__, bool({HEAVY} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.splitlines() == ["[]", f"twinvae.{package}.{part} True"]


def test_every_part_is_there_and_another_name_is_refused():
    assert all(getattr(metrics, name).__name__ == f"twinvae.metrics.{name}" for name in metrics.__all__)
    with pytest.raises(AttributeError, match="no part 'sample'; its parts are anomaly,"):
        metrics.sample  # noqa: B018 - the look-up itself is what fails
