"""Where a result comes from: commit, versions and machine; and, in `definitions`, the code that it rests on."""

import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "sympy", "safetensors", "papermill")
BACKEND_PACKAGES = {"torch": ("torch",), "tf": ("tensorflow", "tensorflow-cpu", "keras"), None: ()}


def git_state(root: Path) -> dict:
    """Return the commit, and whether library or notebooks differ; without git TWINVAE_COMMIT, else 'unknown'."""
    commands = ("rev-parse", "HEAD"), ("status", "--porcelain", "--", "lib", "notebooks")
    try:
        commit, changes = (
            subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
            for words in commands
        )
    except (OSError, subprocess.CalledProcessError):
        return {"commit": os.environ.get("TWINVAE_COMMIT", "unknown"), "dirty": "TWINVAE_DIRTY" in os.environ}
    return {"commit": commit, "dirty": bool(changes)}


def versions(backend: str | None) -> dict[str, str]:
    """Return the versions of Python and of the packages that a run of this backend rests on."""
    found = {"python": platform.python_version()}
    for package in (*PACKAGES, *BACKEND_PACKAGES[backend]):
        with suppress(metadata.PackageNotFoundError):
            found[package.removesuffix("-cpu")] = metadata.version(package)
    return found


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """Return the number of threads that the frameworks are told to use: OMP_NUM_THREADS, or all cores."""
    value = os.environ.get("OMP_NUM_THREADS", "")
    return int(value) if value.isdigit() and int(value) > 0 else cores()


def machine() -> dict:
    """Return the machine, without its name: system, processor, cores, threads, memory in GiB, device."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu_model(),
        "cores": cores(),
        "threads": threads(),
        "memory_gib": memory_gib(),
        "device": device(),
    }


def cpu_model() -> str:
    """Return the processor's name, as the system gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(errors="replace").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def memory_gib() -> float | None:
    """Return the machine's memory in GiB; None where the system does not tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def device() -> str:
    """Return the GPU that the imported framework computes on, else 'CPU'; imports no framework."""
    torch, tensorflow = sys.modules.get("torch"), sys.modules.get("tensorflow")
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    gpus = tensorflow.config.list_physical_devices("GPU") if tensorflow is not None else []
    if gpus:
        return tensorflow.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return "CPU"


def peak_memory_mib() -> float | None:
    """Return the largest memory this process has had, in MiB; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
