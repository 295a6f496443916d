"""The wheel: all four packages can be imported from it, and it holds the files that they read."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from needed import needed, of_extras, without_others
from tiny import ROOT

FOLDERS = {
    "twinvae": "lib/twinvae",
    "twinvae_apps": "notebooks/apps",
    "twinvae_collect": "report/collect",
    "twinvae_studies": "notebooks/studies",
}
NOT_SHIPPED = ("__pycache__", "ruff.toml", ".*")  # what tools leave, and what is for whoever edits the code


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel of a copy of this project; building in place would leave files here."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for place in FOLDERS.values():
        shutil.copytree(ROOT / place, folder / place, ignore=shutil.ignore_patterns(*NOT_SHIPPED))
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "built", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = (folder / "built").glob("*.whl")
    zipfile.ZipFile(built).extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_wheel_holds_every_file_of_the_packages(wheel):
    copy = wheel.parent
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert set(FOLDERS) == {name.split(".")[0] for name in packages}
    for package, place in FOLDERS.items():
        files = [path.relative_to(copy / place) for path in (copy / place).rglob("*") if path.is_file()]
        assert not [path.as_posix() for path in files if not (wheel / package / path).is_file()], package
        assert any(path.suffix == ".py" for path in files)


def test_all_packages_are_imported_from_the_wheel_and_find_their_templates(wheel, tmp_path):
    code = (
        "import twinvae, twinvae_apps.explorer, twinvae_apps.handwriting, twinvae_studies.evaluation\n"
        "import twinvae_collect.collect, twinvae_collect.html_edition as html\n"
        "from twinvae_collect.rendering import render\n"
        "print(html.TEMPLATE.is_file(), repr(render('macros.tex', macros={})))\n"
        "print(*(module.__file__ for module in (twinvae, twinvae_apps.explorer, twinvae_studies, twinvae_collect)))"
    )
    environment = os.environ | {"PYTHONPATH": str(wheel)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found, files = done.stdout.splitlines()
    assert found == "True ''"
    assert all(Path(file).is_relative_to(wheel) for file in files.split())


@pytest.mark.parametrize("backend", ["torch", "tf"])
def test_one_framework_is_enough_to_train_and_to_sample(wheel, backend, tmp_path):
    """With no package but those that the wheel and its extra ask for, and what those need."""
    there = needed(of_extras(backend))
    assert not there & {"snakemake", "ipython", "keras" if backend == "torch" else "torch"}
    program = without_others(there, own=set(FOLDERS))
    run_shell = "from twinvae_apps import shell\nsys.argv = ['twinvae', *sys.argv[1:]]\nshell.main()"
    environment = os.environ | {"PYTHONPATH": str(wheel), "TWINVAE_RESULTS": str(tmp_path / "results")}

    def run(*words: str) -> str:
        command = [sys.executable, "-c", program + run_shell, *words, "--backend", backend]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = run("train", "report004_cvae", "--dataset", "digits", "--epochs", "1")
    run("sample", said.split()[-1], "-n", "2", "--out", "x.png")
    assert (tmp_path / "x.png").stat().st_size > 500
