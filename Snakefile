# Which notebook runs when, with which parameters. `make report` calls it; by itself:
#   snakemake --cores 1 --config profile=quick backend=both
import os
import sys
from pathlib import Path

from twinvae import paths, zoo
from twinvae_studies import report002_tuning
from twinvae.metrics import judge as judges
from twinvae.run.parameters import check_profile
from twinvae.run.refresh import mark

# A new experiment is one line: the notebook, and the backends it takes (None: it computes with neither).
NOTEBOOKS = {
    "00_start_here": [None],
    "01_theory": [None],
    "02_data": ["torch", "tf"],
    "03_digits_ae_vae_cvae": ["torch", "tf"],
    "04_digits_vae_vs_cvae": ["torch", "tf"],
    "05_sign_language": ["torch", "tf"],
    "06_cifar10_cvae_vs_cgan": ["torch", "tf"],
    "07_nist_characters": ["torch", "tf"],
    "08_twins": [None],
    "09_scoreboard": [None],
    "10_explorer": [None],
}

LAST = {"09_scoreboard"}  # reads what the other runs leave

PROFILE = config.get("profile", "quick")
BACKEND = config.get("backend", "both")
RESULTS = str(config.get("results", "results"))
check_profile(PROFILE)

RUNS = {
    f"{name}-{backend}" if backend else name: (name, backend)
    for name, backends in NOTEBOOKS.items()
    for backend in backends
    if backend is None or BACKEND in ("both", backend)
}

# Jobs that share the machine share its cores: frameworks whose threads fight for them are ten times slower.
cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
threads = str(max(1, cores // (workflow.cores or 1)))
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(variable, threads)
os.environ["TWINVAE_RESULTS"] = str(Path(RESULTS).resolve())
os.environ.pop("TWINVAE_PROFILE", None)  # the profile asked for here is the one that runs


def manifest(run):
    return f"{RESULTS}/{PROFILE}/{run}/manifest.json"


rule all:
    # Manifests are committed, executed notebooks are not: with both, a fresh clone runs everything once.
    input:
        [manifest(run) for run in RUNS],
        [manifest(run).replace("manifest.json", "executed.ipynb") for run in RUNS],


rule notebook:
    input:
        # Not the time of a file makes a run again, but a change in what its manifest says that it used.
        notebook=ancient(lambda w: f"notebooks/{RUNS[w.run][0]}.ipynb"),
        stale=lambda w: mark(Path(manifest(w.run)).parent, paths.find_root(Path.cwd())),
        others=lambda w: [manifest(run) for run in RUNS if RUNS[w.run][0] in LAST and RUNS[run][0] not in LAST],
    output:
        manifest=f"{RESULTS}/{PROFILE}/{{run}}/manifest.json",
        executed=f"{RESULTS}/{PROFILE}/{{run}}/executed.ipynb",
    log:
        f"{RESULTS}/{PROFILE}/{{run}}/papermill.log",
    wildcard_constraints:
        run="|".join(RUNS),
    params:
        python=sys.executable,
        folder=lambda w, output: os.path.dirname(output.manifest),
        backend=lambda w: f"-p backend {RUNS[w.run][1]}" if RUNS[w.run][1] else "",
    shell:
        # papermill writes while it runs: only a run that came to its end gets the name that counts.
        """
        echo "running {wildcards.run} ({PROFILE})"
        rm -f {params.folder:q}/failed.ipynb
        {params.python:q} -m papermill {input.notebook:q} {params.folder:q}/running.ipynb -k python3 \
            -p profile {PROFILE} {params.backend} --no-progress-bar > {log:q} 2>&1 || {{
            mv -f {params.folder:q}/running.ipynb {params.folder:q}/failed.ipynb
            rm -f {output.manifest:q}
            tail -n 12 {log:q}
            exit 1
        }}
        mv -f {params.folder:q}/running.ipynb {output.executed:q}
        """


# The tuning study of notebook 04: one job a point, `make grid`; the notebook itself trains what is missing. With
# --executor slurm (snakemake-executor-plugin-slurm) or another plugin the same rules run on a cluster.
GRID = f"{RESULTS}/grid/{PROFILE}"
POINTS = [
    f"{GRID}/{backend}/{point.name}.json"
    for backend in (("torch", "tf") if BACKEND == "both" else [BACKEND])
    for point in report002_tuning.everything(PROFILE, backend)
]


rule grid:
    input:
        POINTS,


rule point:
    input:
        notebook=ancient("notebooks/grid/point.ipynb"),  # a point once kept stays: no newer file makes it run again
    output:
        f"{GRID}/{{backend}}/{{point}}.json",
    log:
        f"{GRID}/{{backend}}/{{point}}.log",
    wildcard_constraints:
        backend="torch|tf",
    params:
        python=sys.executable,
    shell:
        """
        echo "training {wildcards.point} ({PROFILE}, {wildcards.backend})"
        {params.python:q} -m papermill {input.notebook:q} - -k python3 -p profile {PROFILE} \
            -p point {wildcards.point} -p backend {wildcards.backend} --no-progress-bar > {log:q} 2>&1 || {{ tail -n 5 {log:q}; exit 1; }}
        """


# The judges, kept in git: one that is missing is trained, and again when its recipe or its architecture changes.
rule judges:
    input:
        [f"results/judges/{name}.safetensors" for name in judges.RECIPES],


rule judge:
    output:
        "results/judges/{judge}.safetensors",
    wildcard_constraints:
        judge="|".join(judges.RECIPES),
    params:
        python=sys.executable,
        recipe=lambda w: str(judges.RECIPES[w.judge]),
        architecture=lambda w: str(zoo.get(judges.RECIPES[w.judge].architecture)),
    shell:
        """
        echo "training the judge of {wildcards.judge}"
        {params.python:q} -m twinvae.metrics.judge {wildcards.judge}
        """


onerror:
    grid = {"grid", "judges"} & set(workflow.dag_settings.targets)
    for path in [path for path in POINTS if grid and not Path(path).is_file()]:
        print(f"FAILED: {path}; look at the .log beside it", file=sys.stderr)
    failed = [run for run in RUNS if not grid and not Path(manifest(run)).is_file()]
    for run in failed:
        folder = Path(manifest(run)).parent
        seen = f"look at {folder}/failed.ipynb and {folder}/papermill.log"
        print(f"FAILED: {run} ({PROFILE}); {seen}", file=sys.stderr)
