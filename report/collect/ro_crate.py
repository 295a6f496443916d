"""Writes ro-crate-metadata.json: which notebook ran when, on which data, and what came of it, as RO-Crate 1.1 says it.

    python -m twinvae_collect.ro_crate

The crate is the project's folder; it describes the runs of `results/` that the report shows.
"""

from __future__ import annotations

import json
import mimetypes
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twinvae import data, paths
from twinvae.data.strict_yaml import read_yaml
from twinvae.run import results

NAME = "ro-crate-metadata.json"
TYPES = {".ipynb": "application/x-ipynb+json", ".tex": "text/x-tex", ".csv": "text/csv", ".json": "application/json"}


def crate(root: Path) -> dict:
    """Return the crate of a project as JSON-LD.  Raises ValueError where no run is whole."""
    found, _ = results.best(root / "results")
    if not found:
        raise ValueError("results/ holds no whole run to be described; make report makes some")
    citation = read_yaml(root / "CITATION.cff")
    runs = [found[key] for key in sorted(found)]
    graph = {one["@id"]: one for run in runs for one in of_run(run, root)}
    files = [name for name, one in graph.items() if "File" in one["@type"]]
    licence = f"https://spdx.org/licenses/{citation['license']}"
    crate_itself = {
        "name": citation["title"],
        "description": "Notebooks, what they left when they ran, and the report that is made of it.",
        "datePublished": str(citation["date-released"]),
        "version": citation["version"],
        "keywords": ", ".join(citation["keywords"]),
        "license": refer([licence]),
        "author": refer(["#authors"]),
        "publisher": refer(["#authors"]),
        "hasPart": refer(files),
        "mentions": refer(name for name, one in graph.items() if one["@type"] == "CreateAction"),
    }
    described = [
        entity(NAME, "CreativeWork", conformsTo=refer(["https://w3id.org/ro/crate/1.1"]), about=refer(["./"])),
        entity("./", "Dataset", **crate_itself),
        entity(licence, "CreativeWork", name=citation["license"]),
        entity("#authors", "Organization", name=citation["authors"][0]["name"]),
        entity("#python", "ComputerLanguage", name="Python", url="https://www.python.org/"),
    ]
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [*described, *graph.values()]}


def of_run(run: results.Result, root: Path) -> list[dict]:
    """Return what the crate says of a run: the action, its notebook, its data and its files."""
    manifest, name = run.manifest, f"{run.profile}/{run.folder.name}"
    notebook = f"notebooks/{manifest['name']}.ipynb"
    places = [run.folder / file for file in ("manifest.json", *manifest["files"])]
    made = [of_file(place, root) for place in places if place.is_file()]
    sources = [of_source(source) for source in manifest["data"]]
    action = entity(
        f"#{name}",
        "CreateAction",
        name=f"Run of {notebook}, {name}",
        description=f"At commit {manifest['git']['commit']}, parameters {json.dumps(manifest['parameters'])}",
        instrument=refer([notebook]),
        agent=refer(["#authors"]),
        startTime=manifest["started"],
        endTime=manifest["ended"],
        actionStatus=refer(["http://schema.org/CompletedActionStatus"]),
        result=refer(one["@id"] for one in made),
    )
    if sources:
        action["object"] = refer(one["@id"] for one in sources)
    program = {"@type": ["File", "SoftwareSourceCode"], "programmingLanguage": refer(["#python"])}
    return [action, of_file(root / notebook, root) | program, *sources, *made]


def of_source(source: dict) -> dict:
    """Return what the crate says of data that are not in it: name, checksums, licence, where they are from."""
    known = data.SETS.get(source["dataset"])
    of_set = {"license": known.licence, "citation": known.citation, "url": known.url} if known else {}
    sums = "; ".join(f"{name} sha256:{checksum}" for name, checksum in source["files"])
    where = "#" + "-".join(source["label"].replace("/", " ").split())
    return entity(where, "Dataset", name=source["label"], description=sums or "made by the library", **of_set)


def of_file(path: Path, root: Path) -> dict:
    """Return what the crate says of one of its files."""
    where = path.relative_to(root).as_posix()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    size = str(path.stat().st_size)
    checksum = f"sha256:{paths.sha256(path)}"
    return entity(where, "File", name=where, encodingFormat=kind, contentSize=size, identifier=checksum)


def entity(where: str, kind: str, /, **said: Any) -> dict:
    """Return an entity of the crate: where it is, its type, and what else is said of it."""
    return {"@id": where, "@type": kind} | said


def refer(names: Iterable[str]) -> dict | list[dict]:
    """Return references to entities, each once; a single one stands alone."""
    found = [{"@id": name} for name in dict.fromkeys(names)]
    return found[0] if len(found) == 1 else found


def main() -> None:
    """Run the command line; it ends with one sentence."""
    root = paths.find_root(Path.cwd())
    try:
        paths.write_text(root / NAME, json.dumps(crate(root), indent=1, ensure_ascii=False) + "\n")
    except (ValueError, OSError) as error:
        sys.exit(f"crate: {error}")
    print(f"wrote {root / NAME}")


if __name__ == "__main__":
    main()
