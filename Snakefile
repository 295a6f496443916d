# Which notebook runs when, with which parameters. `make report` calls it; by itself:
#   snakemake --cores 1 --config profile=quick backend=both
import json
import os
import re
import sys
from functools import cache
from pathlib import Path

from twinvae import paths, provenance
from twinvae.run.parameters import PROFILES, check_profile
from twinvae.run.pipeline import PIPELINE
from twinvae.run.refresh import mark
from twinvae.spec import to_dict

# A new experiment is one line: the notebook, and the backends it takes (None: it computes with neither).
NOTEBOOKS = {
    "00_start_here": [None],
    "01_theory": [None],
    "01b_from_scratch": [None],
    "02_data": ["torch", "tf"],
    "03_digits_ae_vae_cvae": ["torch", "tf"],
    "04_digits_vae_vs_cvae": ["torch", "tf"],
    "04b_likelihoods": ["torch", "tf"],
    "05_sign_language": ["torch", "tf"],
    "06_cifar10_cvae_vs_cgan": ["torch", "tf"],
    "07_nist_characters": ["torch", "tf"],
    "08_twins": [None],
    "09_scoreboard": [None],
    "10_explorer": [None],
    "11_your_images": ["torch", "tf"],
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

# Jobs that share the machine share its cores: frameworks whose threads fight for them are ten times slower. A job that
# a cluster runs has the cores that it was given; who sends it there, without --cores, says nothing of its own.
sharing = 1 if workflow.remote_exec else workflow.resource_settings.cores
THREADS = " ".join(  # set for each process by itself, since snakemake gives a rule of one thread OMP_NUM_THREADS=1
    f"{variable}={os.environ.get(variable) or max(1, provenance.cores() // sharing)}"
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    if sharing
)
os.environ["TWINVAE_RESULTS"] = str(Path(RESULTS).resolve())
os.environ[PIPELINE] = str(os.getpid())
os.environ.pop("TWINVAE_PROFILE", None)  # the profile asked for here is the one that runs


# Snakemake lists a folder once: a mark that is written while it builds its graph would be missing to it.
for run in RUNS:
    Path(".snakemake/stale", PROFILE).mkdir(parents=True, exist_ok=True)
    Path(".snakemake/stale", PROFILE, run).touch()


def minutes(name):
    """What a notebook says of its minutes in this profile; 1 where it says less, or nothing."""
    file = Path("notebooks", f"{name}.ipynb")
    said = rf"\*\*Minutes\*\*.*?(?:{PROFILE} (\d+)|(\d+) in `{PROFILE}`)"
    found = re.search(said, file.read_text(encoding="utf-8")) if file.is_file() else None
    return int(found[1] or found[2]) if found else 1


# Said as a run begins: how many of all have, and how long it takes by the minutes of those that have not ended.
EXPECTED = " ".join(f"{run}:{minutes(name)}" for run, (name, _) in RUNS.items())
LEFT = "" if PROFILE == "full" else f", about $(((left + {sharing or 1} - 1) / {sharing or 1})) min left"


def manifest(run):
    return f"{RESULTS}/{PROFILE}/{run}/manifest.json"


def shown(run):
    """The manifest of the run that stands for this one: of a better profile where there is one."""
    better = PROFILES[PROFILES.index(PROFILE) + 1 :] if PROFILE != "smoke" else ()
    found = [file for name in better if Path(file := f"{RESULTS}/{name}/{run}/manifest.json").is_file()]
    return found[-1] if found else manifest(run)


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
        others=lambda w: [shown(run) for run in RUNS if RUNS[w.run][0] in LAST and RUNS[run][0] not in LAST],
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
        rm -f {params.folder:q}/failed.ipynb {params.folder:q}/running.ipynb
        started=1 left=0 total=0
        for each in {EXPECTED}; do
            total=$((total + 1))
            folder={RESULTS:q}/{PROFILE}/${{each%:*}}
            if [ -e $folder/executed.ipynb ]; then started=$((started + 1)); else left=$((left + ${{each#*:}})); fi
            if [ -e $folder/running.ipynb ]; then started=$((started + 1)); fi
        done
        echo "[$started/$total] {wildcards.run} ({PROFILE}){LEFT}"
        env {THREADS} {params.python:q} -m twinvae.run.pipeline papermill {input.notebook:q} {params.folder:q}/running.ipynb -k python3 \
            -p profile {PROFILE} {params.backend} --no-progress-bar > {log:q} 2>&1 &
        stopped=
        trap "stopped=1; disown $!; kill -KILL $!" INT TERM  # disowned, so that the shell does not tell of its end
        wait $! || {{
            rm -f {output.manifest:q}
            test -z "$stopped" || {{
                rm -f {params.folder:q}/running.ipynb
                echo "interrupted: {wildcards.run} ({PROFILE}); the same command runs it again, and keeps what is finished" >&2
                exit 1
            }}
            # one that papermill could not read has not begun to run
            mv -f {params.folder:q}/running.ipynb {params.folder:q}/failed.ipynb 2> /dev/null \
                || cp {input.notebook:q} {params.folder:q}/failed.ipynb
            tail -n 12 {log:q}
            exit 1
        }}
        mv -f {params.folder:q}/running.ipynb {output.executed:q}
        """


# The models: `make train` trains what is missing or stale of all that the notebooks train, a job each; with
# CLUSTER=slurm it sends the jobs to Slurm, as profiles/slurm/config.yaml says.
@cache
def trainings():
    """The jobs of all notebooks, by key."""
    from twinvae_studies import jobs as training_jobs  # seconds of imports that the notebooks' rules do not need

    own = [
        job
        for name in training_jobs.STUDIES
        for backend in (("torch", "tf") if BACKEND == "both" else [BACKEND])
        for job in training_jobs.of_notebook(name, PROFILE, backend)
    ]
    return {job.key: job for job in [*training_jobs.shared(), *own]}


def cards(wildcards):
    from twinvae_studies import jobs as training_jobs

    return [f"{RESULTS}/models/{card.parent.name}/card.json" for card in training_jobs.cards(trainings().values())]


rule train:
    input:
        cards,


rule model:
    output:
        # The last file of a model's folder, and the only one declared: snakemake deletes outputs before a restart.
        f"{RESULTS}/models/{{model}}/card.json",
    log:
        f"{RESULTS}/models/unfinished/{{model}}.log",
    wildcard_constraints:
        model=r"[\w-]+-[0-9a-f]{16}",
    params:
        python=sys.executable,
        job=lambda w: json.dumps([to_dict(trainings()[w.model[-16:]])]),
        list=f"{RESULTS}/models/unfinished/{{model}}.json",
    shell:
        # A training whose loss is not finite has a card that says so; it fails, but it is done.
        """
        echo "training {wildcards.model}"
        printf '%s' {params.job:q} > {params.list:q}
        env {THREADS} {params.python:q} -m twinvae.training {params.list:q} > {log:q} 2>&1 || test -s {output:q} || {{ tail -n 5 {log:q}; exit 1; }}
        """


def last_line(log):
    """What a log says at last: the error."""
    lines = log.read_text(errors="replace").split("\n") if log.is_file() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it is empty")


onerror:
    targets = set(workflow.dag_settings.targets)
    for key, job in trainings().items() if "train" in targets else ():
        if not [*Path(RESULTS, "models").glob(f"*-{key}/card.json")]:
            log = f"{RESULTS}/models/unfinished/*-{key}.log"
            print(f"FAILED: {job.spec.name}, {job.backend} ({PROFILE}); look at {log}", file=sys.stderr)
    failed = [run for run in RUNS if "train" not in targets and Path(manifest(run)).with_name("failed.ipynb").is_file()]
    for run in failed:
        folder = Path(manifest(run)).parent
        seen = f"look at {folder}/failed.ipynb and {folder}/papermill.log: {last_line(folder / 'papermill.log')}"
        print(f"FAILED: {run} ({PROFILE}); {seen}", file=sys.stderr)
