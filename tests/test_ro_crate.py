"""The crate: RO-Crate 1.1 in its required parts, every run, every file by its checksum."""

import json
import shutil

import pytest
from tiny import ROOT, finished_run, write_notebook

from twinvae import paths
from twinvae_collect import ro_crate


@pytest.fixture
def root(project):
    """A project with two finished runs."""
    shutil.copy(ROOT / "CITATION.cff", project)
    for name in ("03_tiny", "01_alone"):
        write_notebook(project / "notebooks" / f"{name}.ipynb", backend=name == "03_tiny")
    finished_run("03_tiny", "torch", a=1.0)
    finished_run("01_alone", None, profile="quick", b=2.0)
    return project


@pytest.fixture
def graph(root):
    """What the crate says, by @id."""
    made = ro_crate.crate(root)
    assert made["@context"] == "https://w3id.org/ro/crate/1.1/context"
    found = {one["@id"]: one for one in made["@graph"]}
    assert len(found) == len(made["@graph"]), "each is described once"
    return found


def references(value) -> list[str]:
    """The entities that a description refers to."""
    if isinstance(value, list):
        return sum(map(references, value), [])
    if isinstance(value, dict):
        return [value["@id"]] if set(value) == {"@id"} else sum(map(references, value.values()), [])
    return []


def test_it_has_what_ro_crate_requires(graph):
    about = graph[ro_crate.NAME]
    assert about["@type"] == "CreativeWork" and about["about"] == {"@id": "./"}
    assert about["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert graph["./"]["@type"] == "Dataset"
    assert {"name", "description", "datePublished", "license", "author", "publisher", "hasPart"} < set(graph["./"])
    elsewhere = ("https://w3id.org/ro/crate/1.1", "http://schema.org/CompletedActionStatus")
    assert all(where in graph or where in elsewhere for one in graph.values() for where in references(one))
    files = {name for name, one in graph.items() if "File" in one["@type"]}
    assert set(references(graph["./"]["hasPart"])) == files


def test_each_run_names_its_notebook_its_data_and_its_files(graph, root):
    runs = {name: one for name, one in graph.items() if one["@type"] == "CreateAction"}
    assert set(references(graph["./"]["mentions"])) == set(runs) == {"#smoke/03_tiny-torch", "#quick/01_alone"}
    run = runs["#smoke/03_tiny-torch"]
    manifest = json.loads((root / "results/smoke/03_tiny-torch/manifest.json").read_text())
    assert run["instrument"] == {"@id": "notebooks/03_tiny.ipynb"}
    assert (run["startTime"], run["endTime"]) == (manifest["started"], manifest["ended"])
    assert (
        graph[run["object"]["@id"]]["name"] == "tiny files" and "ab" * 32 in graph[run["object"]["@id"]]["description"]
    )
    made = {f"results/smoke/03_tiny-torch/{name}" for name in ("manifest.json", *manifest["files"])}
    assert set(references(run["result"])) == made
    for name in made:
        assert graph[name]["identifier"] == f"sha256:{paths.sha256(root / name)}"


def test_a_figure_that_is_not_there_is_not_described(root):
    (figure,) = (root / "results" / "smoke").glob("*/figures/line.pdf")
    figure.unlink()
    described = {one["@id"] for one in ro_crate.crate(root)["@graph"]}
    assert figure.relative_to(root).as_posix() not in described
    assert "results/quick/01_alone/figures/line.pdf" in described


def test_the_command_writes_it_and_says_what_is_wrong(root, monkeypatch, capsys):
    ro_crate.main()
    assert json.loads((root / ro_crate.NAME).read_text()) == ro_crate.crate(root)
    shutil.rmtree(root / "results")
    with pytest.raises(SystemExit, match="crate: results/ holds no whole run to be described; make report makes some"):
        ro_crate.main()
