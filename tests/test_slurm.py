"""The profile for Slurm: a cluster of one node, this machine, trains what `make train` trains, to the same bits."""

import getpass
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from tiny import ROOT, write_trainings

from twinvae import checkpoints

PATH = f"{os.environ['PATH']}:/usr/sbin"  # daemons are not on everybody's path
MISSING = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name, path=PATH)]
if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
    MISSING += ["snakemake-executor-plugin-slurm"]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")]

CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000
PartitionName=all Nodes={host} Default=YES
"""


def free_ports() -> list[int]:
    """Two ports of this machine that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        for listener in (one, other):
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in (one, other)]


@pytest.fixture
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a user of a Slurm that has this machine as its only node."""
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir()
    configuration, key = folder / "slurm.conf", folder / "munge.key"
    host = socket.gethostname().partition(".")[0]
    configuration.write_text(CONFIGURATION.format(folder=folder, host=host, user=getpass.getuser(), ports=free_ports()))
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    (folder / "bin" / "srun").write_text(  # the plugin takes SLURM_CONF away from the srun of a job
        f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun")} "$@"\n'
    )
    (folder / "bin" / "srun").chmod(0o755)
    environment = os.environ | {"SLURM_CONF": str(configuration), "PATH": f"{folder / 'bin'}:{PATH}"}
    places = [
        ("socket", "socket"),
        ("key-file", "key"),
        ("pid-file", "pid"),
        ("log-file", "log"),
        ("seed-file", "seed"),
    ]
    munged = ["munged", "--foreground", "--force", *(f"--{name}={folder}/munge.{end}" for name, end in places)]
    daemons = []
    try:
        with open(folder / "daemons.log", "w") as log:
            for command in (munged, ["slurmctld", "-D", "-c"], ["slurmd", "-D"]):
                daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
                time.sleep(1)
        for _ in range(20):
            if "idle" in ask(environment, "sinfo", "--noheader"):
                break
            time.sleep(1)
        else:
            pytest.fail(f"Slurm did not start: {(folder / 'daemons.log').read_text()[-2000:]}")
        yield environment
        ask(environment, "scancel", f"--user={getpass.getuser()}")
    finally:
        for daemon in daemons[::-1]:
            daemon.terminate()
            daemon.wait(20)


def ask(environment: dict[str, str], *command: str) -> str:
    """What a command of Slurm's prints."""
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


def trained(folder: Path) -> dict[str, Path]:
    """The folders of the models in a project, by name; one of the two has diverged, which is a result, too."""
    found = {path.parent.name.partition("-")[0]: path.parent for path in folder.glob("results/models/*/card.json")}
    assert found.keys() == {"good", "bad"}
    return found


def test_jobs_of_slurm_train_the_same_models(slurm, tmp_path):
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    shutil.copytree(ROOT / "profiles", write_trainings(cluster) / "profiles")
    command = [sys.executable, "-m", "twinvae.run.pipeline", "--profile", "profiles/slurm", "--keep-going"]
    command += ["--ignore-incomplete", "--quiet", "all", "--slurm-init-seconds-before-status-checks", "5"]
    command += ["--config", "profile=smoke", "backend=torch", "--", "train"]
    done = subprocess.run(command, cwd=cluster, env=slurm, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    there = trained(cluster)
    ran = ask(slurm, "squeue", "--states=all", "--noheader", "--format=%T %k").splitlines()
    assert sorted(ran) == [f"COMPLETED rule_model_wildcards_{there[name].name}" for name in ("bad", "good")]

    lists = cluster.glob("results/models/unfinished/*.json")
    (tmp_path / "jobs.json").write_text(json.dumps([job for path in lists for job in json.loads(path.read_text())]))
    command = [sys.executable, "-m", "twinvae.training", tmp_path / "jobs.json"]
    subprocess.run(command, env=os.environ | {"TWINVAE_RESULTS": str(tmp_path / "results")}, capture_output=True)
    here = trained(tmp_path)
    one, other = (checkpoints.read(models["good"] / "weights.safetensors")[0] for models in (here, there))
    assert {name: array.tobytes() for name, array in one.items()} == {name: a.tobytes() for name, a in other.items()}
    one, other = (pd.read_csv(models["good"] / "history.csv").drop(columns="seconds") for models in (here, there))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    one, other = (json.loads((models["bad"] / "card.json").read_text())["failed"] for models in (here, there))
    assert one == other and one.startswith("the loss is ")
