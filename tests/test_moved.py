"""What users called before says in one sentence what replaces it; and importing twinvae costs next to nothing."""

import importlib
import subprocess
import sys
from importlib.util import find_spec

import pytest
from tiny import ROOT

from twinvae import MovedFinder
from twinvae.provenance.moved import MOVED


@pytest.mark.parametrize("old", MOVED)
def test_an_old_module_names_its_new_place(old):
    assert find_spec(MOVED[old]) is not None, "what replaces it is there"
    with pytest.raises(ModuleNotFoundError) as refused:
        importlib.import_module(old)
    package = ".".join(old.split(".")[:2])
    sentence = str(refused.value)
    assert sentence.startswith((f"{old} is now {MOVED[old]}", f"{package} is now {MOVED.get(package)}"))
    assert MOVED[old].rpartition(".")[2] in sentence and "\n" not in sentence


def test_every_way_to_import_says_it():
    for statement in ("import twinvae.plots", "from twinvae import plots", "from twinvae.plots import image_grid"):
        with pytest.raises(ModuleNotFoundError, match="^twinvae.plots is now twinvae.figures.plots$"):
            exec(statement)
    with pytest.raises(ModuleNotFoundError, match="twinvae_studies, where .*sweep is report002_tuning"):
        exec("from twinvae.studies import sweep")
    with pytest.raises(ModuleNotFoundError, match="No module named 'twinvae.never_there'"):
        importlib.import_module("twinvae.never_there")
    assert MovedFinder.find_spec("plots") is None, "only modules of this project have moved"


@pytest.mark.parametrize("old", ["twinvae.handwriting", "twinvae.report", "twinvae.committed", "twinvae.studies.bench"])
def test_an_old_command_names_its_new_place(old, python):
    done = subprocess.run([python, "-m", old], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert MOVED[old].rpartition(".")[2] in done.stderr.splitlines()[-1]


def test_importing_twinvae_is_quick_and_imports_nothing_heavy(python):
    code = (
        "import sys, time; before = set(sys.modules); start = time.perf_counter(); import twinvae; "
        "print(time.perf_counter() - start, *{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run([python, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, *imported = done.stdout.split()
    assert float(seconds) < 0.3
    assert {name for name in imported if name not in sys.stdlib_module_names} == {"twinvae"}
