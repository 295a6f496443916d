"""Where a result comes from: its sources, versions, commit and machine; and files written whole."""

import ast
import hashlib
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import nbformat

from twinvae.paths import sha256

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "sympy", "safetensors", "papermill")
BACKEND_PACKAGES = {"torch": ("torch",), "tf": ("tensorflow", "keras"), None: ()}
# What stores and collects: a change in these says nothing about what a run computed.
KEEPERS = ("lib/twinvae/__init__.py", "lib/twinvae/paths.py", "lib/twinvae/run/", "report/collect/")


def keeps(source: str) -> bool:
    """Return whether a file, relative to the project, only stores or collects."""
    return source.startswith(KEEPERS)


def notebook_path(root: Path, name: str) -> Path:
    """The notebook that a run of this name belongs to."""
    return root / "notebooks" / f"{name}.ipynb"


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook, without the cell of parameters that papermill injects."""
    notebook = nbformat.read(path, as_version=4)
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.get("tags", [])
    ]


def declared_parameters(path: Path) -> list[str]:
    """The names that the notebook's `parameters` cell assigns; none where there is no such cell."""
    cells = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    return [name for cell in cells for name in assigned_names(cell.source)]


def assigned_names(source: str) -> list[str]:
    """The plain names assigned at the top of a piece of Python, in order."""
    names = []
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names


def used_sources(root: Path, name: str) -> list[str]:
    """The notebook and the files of the library that this process has imported, relative to the project."""
    modules = [module for key, module in list(sys.modules.items()) if key.split(".")[0].startswith("twinvae")]
    files = {Path(module.__file__).resolve() for module in modules if getattr(module, "__file__", None)}
    inside = [file.relative_to(root).as_posix() for file in files if file.is_relative_to(root)]
    notebook = notebook_path(root, name)
    return [
        *([notebook.relative_to(root).as_posix()] if notebook.is_file() else []),
        *sorted(file for file in set(inside) if not keeps(file)),
    ]


def source_hash(root: Path, source: str) -> str | None:
    """SHA-256 of a file of the project, of a notebook only its code; None where the file is gone."""
    path = root / source
    if not path.is_file():
        return None
    if path.suffix == ".ipynb":
        code = "\n\n".join(cell.source for cell in code_cells(path))
        return hashlib.sha256(code.encode()).hexdigest()
    return sha256(path)


def git_state(root: Path) -> dict:
    """The commit of the project, and whether library or notebooks differ from it; 'unknown' without git."""

    def ask(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {
            "commit": ask("rev-parse", "HEAD"),
            "dirty": bool(ask("status", "--porcelain", "--", "lib", "notebooks")),
        }
    except (OSError, subprocess.CalledProcessError):
        return {"commit": "unknown", "dirty": False}


def versions(backend: str | None) -> dict[str, str]:
    """The versions of Python and of the packages that a run of this backend rests on."""
    found = {"python": platform.python_version()}
    for package in (*PACKAGES, *BACKEND_PACKAGES[backend]):
        names = (package, "tensorflow-cpu") if package == "tensorflow" else (package,)
        for name in names:
            try:
                found[package] = metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
    return found


def cores() -> int:
    """The CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """The threads that the frameworks are told to use: OMP_NUM_THREADS, or all cores."""
    value = os.environ.get("OMP_NUM_THREADS", "")
    return int(value) if value.isdigit() and int(value) > 0 else cores()


def machine() -> dict:
    """The machine, without its name: system, processor, cores, threads, memory in GiB, device."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu_model(),
        "cores": cores(),
        "threads": threads(),
        "memory_gib": memory_gib(),
        "device": device(),
    }


def cpu_model() -> str:
    """The processor's name, as the system gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(errors="replace").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def memory_gib() -> float | None:
    """The machine's memory in GiB; None where the system does not tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def device() -> str:
    """The GPU that the imported framework computes on, else 'CPU'; imports no framework."""
    torch, tensorflow = sys.modules.get("torch"), sys.modules.get("tensorflow")
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    gpus = tensorflow.config.list_physical_devices("GPU") if tensorflow is not None else []
    if gpus:
        return tensorflow.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return "CPU"


def peak_memory_mib() -> float | None:
    """The largest memory this process has had, in MiB; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
