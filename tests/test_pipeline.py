"""The way from a command to results: Makefile, Snakefile, the lock, the notebooks updated with the outputs of a run."""

import ast
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from functools import partial
from importlib.metadata import packages_distributions
from pathlib import Path

import hashes
import nbformat
import pytest
import yaml
from tiny import ROOT, finished_run, write_notebook, write_project

from twinvae.run.notebook import code_cells
from twinvae_collect.update_notebooks import main as update_notebooks
from twinvae_collect.update_notebooks import without_papermill

FAILED = (
    "FAILED: {run} (smoke); look at results/smoke/{run}/failed.ipynb and results/smoke/{run}/papermill.log: {error}\n"
)
BEGUN = "[2/2] 01_alone (smoke), about 1 min left"
TABLE = 'NOTEBOOKS = {"01_alone": [None], "03_tiny": ["torch", "tf"]}\n'


def make(*words: str, **environment: str) -> subprocess.CompletedProcess:
    """Run make in the real project, only to see what it says."""
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, env=os.environ | environment)


def snakemake(python: str, folder: Path, *words: str) -> subprocess.CompletedProcess:
    """Run the notebooks of a tiny project, as `make runs` does: smoke, TensorFlow's name."""
    command = [python, "-m", "twinvae.run.pipeline", "--cores", "1", "--keep-going", "--rerun-incomplete"]
    command += ["--quiet", "all", "--config", "profile=smoke", "backend=tf", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny project whose notebooks the pipeline has run."""
    folder = write_project(tmp_path_factory.mktemp("ran"))
    text = (ROOT / "Snakefile").read_text()
    (folder / "Snakefile").write_text(re.sub(r"NOTEBOOKS = \{.*?\n\}\n", TABLE, text, flags=re.DOTALL))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OMP_NUM_THREADS", raising=False)
        done = snakemake(sys.executable, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def copy(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that project, times and all."""
    shutil.copytree(ran, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_what_the_pipeline_leaves(ran):
    folders = sorted(path.parent.relative_to(ran).as_posix() for path in ran.rglob("manifest.json"))
    assert folders == ["results/smoke/01_alone", "results/smoke/03_tiny-tf"]
    for folder in folders:
        names = {path.name for path in (ran / folder).iterdir()}
        assert names == {"manifest.json", "numbers.json", "figures", "tables", "executed.ipynb", "papermill.log"}
    manifest = json.loads((ran / folders[1] / "manifest.json").read_text())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert manifest["backend"] == "tf" and manifest["machine"]["threads"] == cores
    assert str(ran) not in (ran / folders[1] / "manifest.json").read_text()


@pytest.mark.slow
def test_what_is_done_is_not_done_again(copy, python):
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("manifest.json")}
    done = snakemake(python, copy)
    assert done.returncode == 0 and not done.stdout + done.stderr
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("manifest.json")} == before


@pytest.mark.slow
def test_a_failed_run_is_named_and_the_others_go_on(copy, python):
    write_notebook(copy / "notebooks" / "03_tiny.ipynb", work="1 / 0")
    (copy / "results" / "smoke" / "01_alone" / "executed.ipynb").unlink()
    done = snakemake(python, copy)
    assert done.returncode != 0
    assert done.stderr == FAILED.format(run="03_tiny-tf", error="ZeroDivisionError: division by zero")
    failed = copy / "results" / "smoke" / "03_tiny-tf"
    assert not (failed / "manifest.json").exists() and not (failed / "executed.ipynb").exists()
    assert "ZeroDivisionError" in (failed / "failed.ipynb").read_text()
    assert (copy / "results" / "smoke" / "01_alone" / "executed.ipynb").is_file()


@pytest.mark.slow
def test_a_notebook_that_is_none_is_named(copy, python):
    (copy / "notebooks" / "03_tiny.ipynb").write_text("{")
    (copy / "results" / "smoke" / "03_tiny-tf" / "executed.ipynb").unlink()
    done = snakemake(python, copy)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines(keepends=True)
    assert line == FAILED.format(
        run="03_tiny-tf", error=r"nbformat.reader.NotJSONError: Notebook does not appear to be JSON: '{'"
    )
    assert (copy / "results" / "smoke" / "03_tiny-tf" / "failed.ipynb").read_text() == "{"


@pytest.mark.slow
def test_what_hinders_snakemake_itself_is_said(copy, python):
    (copy / "results" / "smoke" / "01_alone" / "executed.ipynb").unlink()
    (copy / "notebooks" / "01_alone.ipynb").rename(copy / "elsewhere.ipynb")
    done = snakemake(python, copy)
    assert done.returncode != 0 and not done.stdout
    assert "Missing input files" in done.stderr and done.stderr.endswith("    notebooks/01_alone.ipynb\n")
    (copy / "elsewhere.ipynb").rename(copy / "notebooks" / "01_alone.ipynb")
    text = (copy / "notebooks" / "01_alone.ipynb").read_text()
    (copy / "notebooks" / "01_alone.ipynb").write_text(text.replace("run.finish()", "None"))
    done = snakemake(python, copy)
    assert done.returncode != 0 and done.stdout == f"{BEGUN}\n"
    assert "results/smoke/01_alone/manifest.json" in done.stderr and "FAILED" not in done.stderr


@pytest.mark.slow
def test_a_killed_pipeline_leaves_no_manifest_no_kernel_and_no_lock_and_starts_again(copy, python):
    flag = copy / "working"
    wait = f"import time, os, pathlib\npathlib.Path({str(flag)!r}).write_text(str(os.getpid()))\ntime.sleep(300)"
    write_notebook(copy / "notebooks" / "01_alone.ipynb", backend=False, work=wait)
    command = [python, "-m", "twinvae.run.pipeline", "--cores", "1", "--quiet", "all", "--config", "profile=smoke"]
    process = subprocess.Popen([*command, "backend=tf"], cwd=copy)
    while not (flag.exists() and flag.read_text()) and process.poll() is None:
        time.sleep(0.1)
    second = snakemake(python, copy)
    assert second.returncode != 0 and second.stderr.startswith("another make is at work here; this one stops")
    process.kill()  # snakemake alone, as by the system when memory runs out
    process.wait()
    kernel, since = int(flag.read_text()), time.monotonic()
    while Path(f"/proc/{kernel}").exists() and "Z" not in Path(f"/proc/{kernel}/stat").read_text().split()[2]:
        assert time.monotonic() - since < 10, "the kernel lives on"
        time.sleep(0.1)
    assert not (copy / "results" / "smoke" / "01_alone" / "manifest.json").exists()
    write_notebook(copy / "notebooks" / "01_alone.ipynb", backend=False, work="1 + 1")
    done = snakemake(python, copy)
    assert done.returncode == 0, done.stderr
    assert (copy / "results" / "smoke" / "01_alone" / "manifest.json").is_file()


@pytest.mark.slow
def test_an_interrupt_ends_with_one_line_that_says_how_to_go_on(copy, python):
    flag = copy / "working"
    wait = f"import time, pathlib\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(300)"
    write_notebook(copy / "notebooks" / "01_alone.ipynb", backend=False, work=wait)
    command = [python, "-m", "twinvae.run.pipeline", "--cores", "1", "--quiet", "all", "--config", "profile=smoke"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    streams["preexec_fn"] = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's '&' has it ignored
    process = subprocess.Popen([*command, "backend=tf"], cwd=copy, start_new_session=True, **streams)
    while not flag.exists() and process.poll() is None:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    said = process.communicate(timeout=60)[0].splitlines()
    sentence = "interrupted: 01_alone (smoke); the same command runs it again, and keeps what is finished"
    assert said == [BEGUN, sentence] and process.returncode != 0
    left = {path.name for path in (copy / "results" / "smoke" / "01_alone").iterdir()}
    assert not left & {"manifest.json", "running.ipynb", "failed.ipynb"}


@pytest.mark.slow
def test_notebooks_are_updated_without_a_trace_of_papermill(copy, capsys):
    notebook = copy / "notebooks" / "03_tiny.ipynb"
    shutil.copytree(copy / "results" / "smoke" / "03_tiny-tf", copy / "results" / "smoke" / "03_tiny-torch")
    before, time_ = code_cells(notebook), notebook.stat().st_mtime_ns
    update_notebooks(["--profile", "smoke"])
    assert "notebooks/03_tiny.ipynb shows the smoke run" in capsys.readouterr().out
    after = code_cells(notebook)
    assert [cell["source"] for cell in after] == [cell["source"] for cell in before]
    assert notebook.stat().st_mtime_ns == time_
    assert [cell["execution_count"] for cell in after] == [1, 2, 3, 4, 5]
    last = after[2]["outputs"][-1]
    assert last["data"]["text/plain"] == ["4"] and last["execution_count"] == 3
    text = notebook.read_text()
    assert "papermill" not in text and "injected" not in text and "iopub" not in text and str(copy) not in text
    assert 'profile: str = \\"quick\\"' in text, "the default profile stays as written"
    nbformat.validate(nbformat.read(notebook, as_version=4))
    version = nbformat.read(notebook, as_version=4).metadata.language_info.version
    assert version == platform.python_version(), "JupyterLab calls a notebook modified that names no or another one"


def test_a_widget_leaves_its_picture_and_a_progress_bar_nothing():
    view = "application/vnd.jupyter.widget-view+json"
    picture = {"text/plain": "a slider"}
    shown = [
        {view: {"model_id": "1"}} | picture,
        {view: {"model_id": "2"}, "text/plain": "tiny:   0%|   | 0/4 [00:00]"},
        {"text/plain": "ended:   0%|   | 0/4 [00:00]"},
    ]
    cell = nbformat.v4.new_code_cell("slider", outputs=[nbformat.v4.new_output("display_data", data) for data in shown])
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    after = without_papermill(notebook)
    assert [output.data for output in after.cells[0].outputs] == [picture] and "widgets" not in after.metadata


def test_a_notebook_that_changed_since_it_ran_is_not_overwritten(copy):
    notebook = write_notebook(copy / "notebooks" / "01_alone.ipynb", backend=False, work="1 + 1")
    text = notebook.read_text()
    with pytest.raises(SystemExit, match="01_alone.ipynb has changed since .* ran; run it again"):
        update_notebooks(["--profile", "smoke"])
    assert notebook.read_text() == text


def test_a_failed_notebook_updates_nothing(project):
    finished_run("01_alone", None)
    before = (project / "notebooks" / "01_alone.ipynb").read_text()
    update_notebooks(["--profile", "smoke"])
    assert (project / "notebooks" / "01_alone.ipynb").read_text() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("PROFILE=fast", "PROFILE is 'fast'; the valid ones are smoke quick full"),
        ("PROFILE=smoke quick", "PROFILE is 'smoke quick'"),
        ("PROFILE=overnight", "PROFILE=overnight is gone; PROFILE=full replaces it"),
        ("BACKEND=jax", "BACKEND is 'jax'; the valid ones are torch tf both"),
        ("BACKEND=", "BACKEND is ''"),
        ("JOBS=0", "JOBS is '0'; the valid ones are whole numbers of at least 1"),
        ("JOBS=1.5", "JOBS is '1.5'"),
        ("JOBS=-1", "JOBS is '-1'"),
        ("CLUSTER=lsf", "CLUSTER is 'lsf'; the valid ones are slurm"),
    ],
)
def test_make_refuses_what_it_does_not_know(words, message):
    done = make("report", words)
    assert done.returncode != 0 and message in done.stderr and not done.stdout


def test_make_names_the_package_that_a_cluster_needs(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/false")  # no plugin is there, nor anything else
    (tmp_path / "ready").touch()
    done = make("train", "CLUSTER=slurm", f"VENV={tmp_path}", "UV=")
    assert done.returncode != 0 and not done.stdout
    wanted = f"CLUSTER=slurm needs a package more: {tmp_path}/bin/python -m pip install snakemake-executor-plugin-slurm"
    assert done.stderr.startswith(wanted)


def test_make_refuses_a_python_that_is_too_old(tmp_path):
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make("env", f"PYTHON={old}", f"VENV={tmp_path}/venv")
    assert done.returncode != 0 and "Python 3.11, 3.12 or 3.13 is needed (3.11 from 3.11.5 on)" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("user, asked", [("0", True), ("1000", False)])
def test_jupyterlab_starts_for_root_too(tmp_path, user, asked):
    (tmp_path / "bin").mkdir()
    for path, prints in (("bin/python", '"$@"'), ("bin/id", user)):
        (tmp_path / path).write_text(f"#!/bin/sh\necho {prints}\n")
        (tmp_path / path).chmod(0o755)
    (tmp_path / "ready").touch()
    done = make("-s", "lab", f"VENV={tmp_path}", PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert done.stdout.split() == ["-m", "jupyter", "lab", "notebooks", *["--allow-root"] * asked], done.stderr


def test_without_latex_make_says_what_to_install(tmp_path):
    for name in ("sh", "make"):
        (tmp_path / name).symlink_to(shutil.which(name))
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    (tmp_path / "grep").symlink_to(shutil.which("grep"))
    done = make("latex", PATH=str(tmp_path))
    assert done.returncode != 0
    assert "the PDF needs LaTeX" in done.stderr and "texlive-latex-extra" in done.stderr


def lock() -> dict[str, str]:
    """The lines of the lock, without comments: name -> the whole requirement."""
    lines = [line.split("  #")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()]
    return {line.split("==")[0]: line for line in lines if line and not line.startswith("#")}


def test_the_lock_pins_everything_and_names_no_place():
    for name, line in lock().items():
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; sys_platform [!=]= ['\"]\w+['\"])?", line), line
        assert not name.startswith(("nvidia-", "triton"))
    assert lock()["torch"] == "torch==2.13.0"
    assert lock()["tensorflow-cpu"] == 'tensorflow-cpu==2.21.0 ; sys_platform != "darwin"'
    assert lock()["tensorflow"] == 'tensorflow==2.21.0 ; sys_platform == "darwin"'


def test_every_locked_package_has_the_checksums_that_pip_asks_for():
    entries = [entry.replace("\\\n", "").split() for entry in hashes.entries()]
    assert [" ".join(word for word in entry if "sha256" not in word) for entry in entries] == list(lock().values())
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", entry[-1]) for entry in entries)
    assert "--require-hashes --no-deps -r requirements.hashed" in (ROOT / "Makefile").read_text()


def test_the_standard_lock_says_the_same():
    """pylock.toml has the packages of requirements.lock, and the files of PyPI that requirements.hashed allows."""
    packages = tomllib.loads((ROOT / "pylock.toml").read_text())["packages"]
    quoted = {name: line.replace("'", '"').split(" ; ") for name, line in lock().items()}
    lines = {one["name"]: [f"{one['name']}=={one['version']}", one.get("marker")] for one in packages}
    assert {name: [line, *marker, None][:2] for name, (line, *marker) in quoted.items()} == {
        name: [line, marker and marker.replace("'", '"')] for name, (line, marker) in lines.items()
    }
    allowed = {entry.split("==")[0]: set(re.findall(r"sha256:([0-9a-f]{64})", entry)) for entry in hashes.entries()}
    for one in packages:
        files = one.get("wheels") or [one["sdist"]]
        assert all(file["url"].startswith("https://files.pythonhosted.org/packages/") for file in files)
        ours = {file["hashes"]["sha256"] for file in files}
        # PyTorch without CUDA is not on PyPI; a package for one system has there the files of that system alone.
        some = one["name"] == "torch" or "marker" in one
        assert ours == allowed[one["name"]] or some and ours < allowed[one["name"]], one["name"]


def test_the_standard_lock_leaves_out_what_does_not_suit():
    def file(name):
        return {"url": f"https://files.pythonhosted.org/packages/{name}", "size": 1, "hashes": {"sha256": 64 * "0"}}

    wheels = [file(f"a-1-{tags}.whl") for tags in ("py3-none-any", "cp39-cp39-manylinux_2_28_x86_64", "py3-none-win32")]
    found = [{"name": "a", "version": "1", "wheels": wheels, "sdist": file("a-1.tar.gz")}]
    found += [{"name": "b", "version": "2", "marker": "os_name == 'nt'", "sdist": file("b-2.tar.gz")}]
    one, other = tomllib.loads(hashes.pylock({"packages": found}))["packages"]
    assert [file["url"].rpartition("/")[2] for file in one["wheels"]] == ["a-1-py3-none-any.whl"] and "sdist" not in one
    assert other["marker"] == "os_name == 'nt'" and other["sdist"]["hashes"] == {"sha256": 64 * "0"}


def pyproject() -> dict:
    """The project's table of pyproject.toml, with its groups of tools."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return read["project"] | {"groups": read["dependency-groups"]}


def names(lines: list) -> set[str]:
    """The packages that requirements name; a group that includes another names none by that."""
    return {re.match(r"[a-z0-9-]+", line)[0] for line in lines if isinstance(line, str)}


def test_the_lock_says_who_needs_what_and_is_what_the_project_asks_for():
    asked, _, _ = (ROOT / "requirements.lock").read_text().partition("# needed by those")
    assert all("  # " in line for line in asked.splitlines() if "==" in line)
    extras, groups = pyproject()["optional-dependencies"], pyproject()["groups"]
    wanted = names(pyproject()["dependencies"]).union(*map(names, (*extras.values(), *groups.values())))
    assert (
        set(re.findall(r"^[a-z0-9-]+(?===)", asked, flags=re.MULTILINE)) <= wanted <= {*lock(), *names(extras["onnx"])}
    )
    assert pyproject()["requires-python"] == ">=3.11"


def test_no_framework_is_asked_for_but_by_an_extra():
    base, extras = names(pyproject()["dependencies"]), pyproject()["optional-dependencies"]
    assert not base & {"torch", "keras", "tensorflow", "tensorflow-cpu"}
    assert names(extras["torch"]) == names(extras["gpu-torch"]) == {"torch"}
    assert {"keras", "tensorflow"} == names(extras["gpu-tf"]) == names(extras["tf"]) - {"tensorflow-cpu"}


@pytest.mark.parametrize("uv", ["", "uv"])
def test_make_installs_by_uv_where_it_is_there_and_checks_the_files_either_way(uv, tmp_path):
    done = make("--dry-run", "env", f"UV={uv}", f"VENV={tmp_path / 'venv'}")
    torch, *others = [line for line in done.stdout.splitlines() if " install " in line]
    by_pip = f"{tmp_path / 'venv'}/bin/python -m pip install"
    assert torch.startswith(f"{by_pip} -q --require-hashes --no-deps --no-index ")
    first = f"uv pip install --python {tmp_path / 'venv'}/bin/python" if uv else by_pip
    assert others == [
        f"{first} -q {rest}"
        for rest in ("--require-hashes --no-deps -r requirements.hashed", "-r requirements.lock -e .")
    ]


def imported(folder: str) -> set[str]:
    """The packages, as they are installed, that the files of a folder import."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / folder).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    installed = packages_distributions()
    return {installed[name][0].lower().replace("_", "-") for name in names if name in installed} - {"twinvae"}


def test_what_is_imported_is_asked_for():
    dependencies = names(pyproject()["dependencies"]).union(*map(names, pyproject()["optional-dependencies"].values()))
    for folder in ("lib", "notebooks/apps", "notebooks/studies", "report/collect"):
        assert imported(folder) <= dependencies, folder
    asked, _, _ = (ROOT / "requirements.lock").read_text().partition("# needed by those")
    assert imported("tests") <= set(re.findall(r"^[a-z0-9-]+(?===)", asked, flags=re.MULTILINE))


def test_conda_gets_the_same_environment():
    wanted = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert [item for item in wanted if isinstance(item, str)] == ["python=3.11", "pip"]
    assert wanted[-1] == {"pip": ["-r requirements.lock", "-e ."]}


def test_the_version_is_the_same_everywhere():
    import twinvae

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert twinvae.__version__ == pyproject()["version"] == citation["version"]


def test_importing_twinvae_imports_neither_framework(python):
    code = (
        "import sys, twinvae.run, twinvae_collect.collect; sys.exit(bool({'torch', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([python, "-c", code], cwd=ROOT).returncode == 0
