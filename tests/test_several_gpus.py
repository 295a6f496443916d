"""The recipe of docs/ for several GPUs: two processes, here without GPUs, train as one does."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from tiny import ROOT

RECIPE = ROOT / "docs" / "several_gpus.py"


def losses(processes: int, program=RECIPE) -> np.ndarray:
    """The mean loss of each epoch, as the recipe prints it."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", program]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([*command, "digits"], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.array([float(value) for value in re.findall(r"epoch \d+, mean loss (\S+)", done.stdout)])


@pytest.fixture(scope="module")
def alone() -> np.ndarray:
    """The losses of one process that has every batch whole."""
    found = losses(1)
    assert len(found) == 3 and found[2] < found[0]
    return found


def test_two_processes_have_the_losses_of_one_with_the_joined_batch(alone):
    np.testing.assert_allclose(losses(2), alone, rtol=1e-5)


def test_gradients_that_are_not_averaged_would_be_seen(alone, tmp_path):
    text = RECIPE.read_text()
    apart = text.replace("torch.nn.parallel.DistributedDataParallel(Loss(model))", "Loss(model)")
    assert apart != text
    (tmp_path / "apart.py").write_text(apart)
    assert not np.allclose(losses(2, tmp_path / "apart.py"), alone, rtol=1e-5)
