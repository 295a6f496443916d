"""What other people's tools read: workflows, hooks, containers, citations.  Each parses, and names what is there."""

import re
import tomllib

import yaml
from tiny import ROOT

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
