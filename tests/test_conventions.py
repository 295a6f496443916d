"""What other people's tools read: workflows, hooks, containers, citations.  Each parses, and names what is there."""

import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import date

import datasets
import live
import needed
import pytest
import yaml
from tiny import ROOT

from twinvae import data

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = [line.rpartition(" ")[2] for line in PYPROJECT["project"]["classifiers"] if "Python :: 3." in line]


def read(name: str) -> dict:
    """A YAML file of the project."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_what_is_refused_is_at_most_three_checks_each_with_a_reason():
    reasons = (
        (ROOT / "CONTRIBUTING.md").read_text().partition("## Conventions that are refused")[2].partition("\n## ")[0]
    )
    refused = PYPROJECT["tool"]["repo-review"]["ignore"]
    assert len(refused) <= 3 and set(refused) == set(re.findall(r"\*\*(\w+)\*\*", reasons))


def test_hooks_are_of_the_locked_version_and_leave_results_alone():
    repos = {one["repo"].rpartition("/")[2]: one for one in read(".pre-commit-config.yaml")["repos"]}
    assert f"ruff=={repos['ruff-pre-commit']['rev'][1:]} " in (ROOT / "requirements.lock").read_text()
    changing = {hook["id"]: hook for one in repos.values() for hook in one["hooks"]}
    for name in ("end-of-file-fixer", "trailing-whitespace", "rumdl"):
        assert re.match(changing[name]["exclude"], "results/models/pen-47/card.md"), name


# --- workflows -----------------------------------------------------------------------------------


def test_everything_runs_on_linux_for_each_python_and_the_quick_tests_on_macos():
    jobs = read(".github/workflows/ci.yml")["jobs"]
    runs = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert jobs["everything"]["runs-on"].startswith("ubuntu") and runs["everything"][-1] == ".ci/run"
    assert jobs["everything"]["strategy"]["matrix"]["python"] == PYTHONS == ["3.11", "3.12", "3.13"]
    assert jobs["quick"]["runs-on"].startswith("macos") and runs["quick"] == ["make test"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_workflows_may_only_read_and_name_their_actions_by_checksum():
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        flow = read(path.relative_to(ROOT))
        assert flow["permissions"] == {"contents": "read"}
        for step in (step for job in flow["jobs"].values() for step in job["steps"] if "uses" in step):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
            assert "checkout" not in step["uses"] or step["with"]["persist-credentials"] is False
    assert read(".github/dependabot.yml")["updates"][0]["package-ecosystem"] == "github-actions"


# --- containers ----------------------------------------------------------------------------------

BINDER_NOTEBOOKS = ("00_start_here", "01b_from_scratch", "03_digits_ae_vae_cvae", "10_explorer")


def test_the_image_copies_what_is_there_and_is_made_by_make():
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", "").splitlines()
    steps = [line.partition(" ")[::2] for line in lines if line and not line.startswith("#")]
    assert {word for word, _ in steps} <= {"FROM", "ARG", "WORKDIR", "RUN", "USER", "COPY", "EXPOSE", "CMD"}
    assert steps[0] == ("FROM", "python:3.11-slim") and steps[-1][0] == "CMD"
    copied = [name for word, rest in steps if word == "COPY" for name in rest.split()[:-1] if not name.startswith("--")]
    assert all((ROOT / name).exists() for name in copied) and {"requirements.lock", "requirements.hashed"} < set(copied)
    runs = [rest for word, rest in steps if word == "RUN"]
    assert runs.index("make latex") < runs.index("make env")
    assert steps.index(("RUN", "make latex")) < steps.index(("USER", "twin")) < steps.index(("RUN", "make env"))
    before = steps[: steps.index(("RUN", "make env"))]
    for name in ("lib", "notebooks", "report"):  # where pyproject.toml says that the packages lie
        assert ("COPY", f"--chown=twin {name} {name}") in before
    assert json.loads(steps[-1][1])[:3] == [".venv/bin/python", "-m", "jupyter"]
    assert ".venv" in (ROOT / ".dockerignore").read_text().split()


def test_the_development_container_is_made_by_make():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert container["image"].endswith("python:3.11-bookworm")
    assert container["postCreateCommand"] == "sudo make latex && make env"
    targets = re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text())
    assert {"latex", "env"} <= set(targets)


@pytest.mark.skipif(sys.platform != "linux", reason="made with the packages of Linux")
def test_binder_has_the_versions_of_the_lock():
    assert needed.BINDER.read_text() == needed.binder(), "make it again: python tests/needed.py"
    assert (ROOT / "binder" / "runtime.txt").read_text() == "python-3.11\n"
    for name in ("postBuild", "start"):
        assert (ROOT / "binder" / name).stat().st_mode & 0o111
        subprocess.run(["bash", "-n", ROOT / "binder" / name], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", [BINDER_NOTEBOOKS[0], BINDER_NOTEBOOKS[-1]])  # the others import no more
def test_binder_runs_its_notebooks(name, tmp_path, monkeypatch):
    """In a kernel that finds no package but those of binder/requirements.txt, in the profile that binder/start sets."""
    there = set(re.findall(r"(?m)^([a-z0-9-]+)==", needed.BINDER.read_text()))
    own = {"twinvae", "twinvae_apps", "twinvae_collect", "twinvae_studies", "sitecustomize"}
    (tmp_path / "sitecustomize.py").write_text(needed.without_others(there, own) + "import papermill")
    environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run([sys.executable, "-c", ""], env=os.environ | environment, capture_output=True, text=True)
    assert "No module named 'papermill'" in done.stderr, "what Binder has not is not found"
    (tmp_path / "sitecustomize.py").write_text(needed.without_others(there, own))
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])
    live.numbers(ROOT / "notebooks" / f"{name}.ipynb", tmp_path / "results", times=1)


# --- who made it, of what ------------------------------------------------------------------------

TITLE = "AE, VAE, CVAE and CGAN as twins"
CODEMETA = {  # the terms of CodeMeta 3.0 that are used, with their types
    "@context": str,
    "@type": str,
    "name": str,
    "description": str,
    "version": str,
    "datePublished": str,
    "author": list,
    "license": str,
    "programmingLanguage": dict,
    "runtimePlatform": str,
    "operatingSystem": list,
    "softwareRequirements": str,
    "developmentStatus": str,
    "readme": str,
    "referencePublication": dict,
    "keywords": list,
}
ZENODO = {  # the fields of Zenodo's deposit metadata that are used, with their types
    "title": str,
    "upload_type": str,
    "version": str,
    "publication_date": str,
    "description": str,
    "creators": list,
    "license": str,
    "access_right": str,
    "language": str,
    "keywords": list,
}


def json_of(name: str, terms: dict[str, type]) -> dict:
    """A JSON file of the project, whose fields must be these, of these types."""
    read = json.loads((ROOT / name).read_text(encoding="utf-8"))
    assert {field: type(value) for field, value in read.items()} == terms
    return read


def test_the_citation_asks_for_the_report():
    citation = read("CITATION.cff")
    assert set(citation) >= {"cff-version", "message", "title", "authors"}, "what CFF 1.2.0 requires"
    assert citation["cff-version"] == "1.2.0" and citation["type"] in ("software", "dataset")
    assert isinstance(citation["date-released"], date)
    preferred = citation["preferred-citation"]
    assert set(preferred) == {"type", "title", "authors", "year", "notes"} and preferred["type"] == "report"
    assert preferred["title"].startswith(TITLE) and TITLE in (ROOT / "report" / "main.tex").read_text(encoding="utf-8")
    assert preferred["authors"] == citation["authors"] == [{"name": "The twinvae authors"}]
    assert (
        preferred["year"] == citation["date-released"].year and f"version {citation['version']}" in preferred["notes"]
    )


def test_codemeta_says_what_the_citation_says():
    citation, meta = read("CITATION.cff"), json_of("codemeta.json", CODEMETA)
    assert meta["@context"] == "https://w3id.org/codemeta/3.0" and meta["@type"] == "SoftwareSourceCode"
    assert (meta["version"], meta["keywords"]) == (citation["version"], citation["keywords"])
    assert meta["datePublished"] == str(citation["date-released"])
    assert meta["author"] == [{"@type": "Organization", "name": citation["authors"][0]["name"]}]
    assert meta["license"] == f"https://spdx.org/licenses/{citation['license']}"
    assert meta["referencePublication"]["name"] == citation["preferred-citation"]["title"]
    assert meta["description"] == PYPROJECT["project"]["description"]
    assert (ROOT / meta["readme"]).is_file() and (ROOT / meta["softwareRequirements"]).is_file()


def test_zenodo_says_what_the_citation_says():
    citation, deposit = read("CITATION.cff"), json_of(".zenodo.json", ZENODO)
    for field in ("title", "version", "license", "keywords"):
        assert deposit[field] == citation[field]
    assert deposit["publication_date"] == str(citation["date-released"])
    assert deposit["creators"] == citation["authors"]
    assert (deposit["upload_type"], deposit["access_right"]) == ("software", "open")


def test_what_is_known_of_the_data_sets_is_on_their_page():
    page = (ROOT / "Datasets.md").read_text(encoding="utf-8")
    assert page == datasets.page(), "make it again: python tests/datasets.py"
    assert set(datasets.KNOWN) == set(data.SETS)
    for one in data.SETS.values():
        assert f"`{one.name}`" in page and one.licence in page and all(file.checksum in page for file in one.files)


def test_the_security_page_names_files_that_are_there():
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert links and all((ROOT / link).is_file() for link in links)


@pytest.mark.slow
def test_line_endings_of_windows_leave_results_and_the_tree_as_they_are(tmp_path):
    clone = ["git", "clone", "-q", "--depth", "1", "-c", "core.autocrlf=true", ROOT.as_uri(), str(tmp_path / "clone")]
    subprocess.run(clone, check=True)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path / "clone", capture_output=True, check=True)
    assert status.stdout == b""
    texts = [path for path in (tmp_path / "clone" / "results").rglob("*") if path.suffix in (".json", ".csv", ".tex")]
    assert len(texts) > 100 and not any(b"\r" in path.read_bytes() for path in texts)
    assert b"\r" in (tmp_path / "clone" / "README.md").read_bytes(), "elsewhere they are those of the machine"
