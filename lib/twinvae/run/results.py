"""The finished runs in `results/`: found, checked against their manifests, the best profile of each."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from twinvae import paths
from twinvae.run import manifests
from twinvae.run.parameters import BACKENDS, PROFILES

NO_BACKEND = "none"
COLUMNS = (  # of a scoreboard; likelihoods in nats per image, shares and accuracies 0..1
    *("model", "report", "backend", "dataset", "data_source", "profile", "device", "seed"),
    *("parameters", "epochs", "seconds_per_epoch", "gemm_fraction"),
    *("elbo", "recon", "kl", "nll_is", "nll_marginal", "active_units"),
    *("conditional_accuracy", "judge_accuracy", "diversity", "cas", "frechet", "frechet_floor"),
    *("precision", "recall", "sharpness", "commit"),
)
Key = tuple[str, str]  # notebook number and backend ('none' for a notebook without one): ("03", "torch")


@dataclass(frozen=True, eq=False)
class Result:
    """One finished run: its folder, manifest and numbers."""

    folder: Path
    manifest: dict
    numbers: dict[str, float]

    @property
    def key(self) -> Key:
        """Notebook number and backend."""
        return self.manifest["name"].split("_")[0], self.manifest["backend"] or NO_BACKEND

    @property
    def profile(self) -> str:
        """The profile it ran in."""
        return self.manifest["profile"]

    @property
    def data(self) -> str:
        """The data in words, as their source is called; 'no data' for a run that used none."""
        return in_words(self.manifest["data"]) or "no data"

    def sources(self, kind: str, name: str) -> list[dict]:
        """Return the data of one of the run's 'figures', 'tables' or 'numbers': its own, or all of the run's."""
        own = self.manifest.get("shown", {}).get(f"{kind}/{name}")
        return self.manifest["data"] if own is None else [self.manifest["data"][at] for at in own]

    def official(self, kind: str, name: str) -> bool:
        """Return whether all that a figure, table or number comes from are official files."""
        return all(source["kind"] == "official" for source in self.sources(kind, name))

    def where(self, kind: str, name: str) -> str:
        """Return profile, data and backend, as they stand beside a figure or table."""
        data = in_words(self.sources(kind, name)) if self.manifest["data"] else self.data
        return ", ".join(word for word in (self.profile, data, self.manifest["backend"]) if word)

    def changed(self, root: Path) -> list[str]:
        """Return in words what this run used and is no longer what it was; empty where the run is not stale.

        What only figures use is named with them: 'twinvae.figures.plots:plot_bars (only in figures: speed, work)'.
        """
        return manifests.changed(self.manifest, self.folder, root)


def in_words(sources: list[dict]) -> str:
    """Return data as they are called; of more than three, how many of each kind."""
    if len(sources) <= 3:
        return "; ".join(source["label"] for source in sources)
    kinds = [source["kind"] for source in sources]
    return f"{len(kinds)} data sets ({', '.join(f'{kinds.count(kind)} {kind}' for kind in dict.fromkeys(kinds))})"


def words(key: Key) -> str:
    """Return a key as it is said in a message: '03 with torch', '01'."""
    return key[0] if key[1] == NO_BACKEND else f"{key[0]} with {key[1]}"


def key_of(run: str) -> Key:
    """Return the key of a run's folder name: '03_digits-tf' -> ('03', 'tf')."""
    name, _, backend = run.rpartition("-")
    return (name.split("_")[0], backend) if backend in BACKENDS and name else (run.split("_")[0], NO_BACKEND)


def read(folder: Path) -> Result:
    """Read a finished run; ValueError that names it when a file is missing or is not what the run wrote."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        complete = manifest["status"] == "complete" and isinstance(manifest["files"], dict)
        unvouched = _unvouched(folder, manifest) if complete else []
    except (ValueError, KeyError, TypeError):
        complete = False
    if not complete:
        raise ValueError(f"the run in {folder} is half-written: its manifest.json is not whole; run it again")
    if unvouched:
        raise ValueError(f"the manifest of the run in {folder} does not vouch for {unvouched[0]}; run it again")
    for name, digest in manifest["files"].items():
        if not (folder / name).is_file():
            if name.startswith("figures/"):
                continue  # a figure that the report does not show is not committed; collecting it says what is missing
            raise ValueError(f"the run in {folder} is half-written: {name} is missing; run it again")
        if paths.sha256(folder / name) != digest:
            raise ValueError(f"the run in {folder} did not write {name} as it now is; run it again")
    numbers = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    if bare := sorted(set(numbers) ^ set(manifest["formats"])):
        raise ValueError(f"the manifest of the run in {folder} does not vouch for number {bare[0]}; run it again")
    return Result(folder, manifest, numbers)


def _unvouched(folder: Path, manifest: dict) -> list[str]:
    """Return what a manifest does not vouch for of all that may be shown of its run; empty for an honest one.

    Raises KeyError or TypeError for one that lacks a part.
    """
    wanted = ["numbers.json", *(f"figures/{name}.pdf" for name in manifest["captions"]["figures"])]
    wanted += [f"tables/{name}.{kind}" for name in manifest["captions"]["tables"] for kind in ("csv", "tex")]
    lacking = [name for name in wanted if name not in manifest["files"]]
    if "-".join(filter(None, (manifest["name"], manifest["backend"]))) != folder.name:
        lacking.append(f"a run called {folder.name}")
    known = manifest.get("used", {}).get("found_by", {}).get("data")  # None: of before it was kept
    if known not in (None, sorted({source["dataset"] for source in manifest["data"]})):
        lacking.append("its data")
    return lacking + [name for name, own in manifest["shown"].items() if own and max(own) >= len(manifest["data"])]


def best(results: Path) -> tuple[dict[Key, Result], dict[Key, list[Path]]]:
    """Return for each notebook and backend the finished run of the best profile; and the folders of unfinished ones."""
    found: dict[Key, Result] = {}
    unfinished: dict[Key, list[Path]] = {}
    for profile in reversed(PROFILES):
        for folder in sorted(path for path in (results / profile).glob("*") if path.is_dir()):
            key = key_of(folder.name)
            if not (folder / "manifest.json").is_file():
                unfinished.setdefault(key, []).append(folder)
            elif key not in found:
                found[key] = read(folder)
    return found, unfinished


def resting_on(run: Result) -> Result:
    """Return a run, and note that the one which is made in this process uses it: it is stale when this one changes."""
    manifests.runs_read[f"{run.folder.parent.name}/{run.folder.name}"] = manifests.holds(run.folder)
    return run


def board(rows: list[dict] | pd.DataFrame, known: dict) -> pd.DataFrame:
    """Return rows of trained models under `COLUMNS`; `known` are the columns in which they agree.

    Raises ValueError for a column that no scoreboard has.
    """
    table = pd.DataFrame(rows).assign(**known)
    if unknown := [name for name in table.columns if name not in COLUMNS]:
        what = f"the scoreboard has no column {', '.join(unknown)}; its columns are {', '.join(COLUMNS)}"
        raise ValueError(f"{what}: keep other numbers in a table of the run")
    return table.reindex(columns=list(COLUMNS))


def scoreboards(found: dict[Key, Result]) -> pd.DataFrame:
    """Return the scoreboard rows of all these runs, one a trained model."""
    runs = [found[key] for key in sorted(found) if "scoreboard.csv" in found[key].manifest["files"]]
    boards = [pd.read_csv(resting_on(run).folder / "scoreboard.csv", dtype={"report": str}) for run in runs]
    return pd.concat(boards, ignore_index=True) if boards else pd.DataFrame({"model": []})
