"""Every macro of the report followed back to a file in results/, every verdict to its rule, by other means."""

import csv
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
import yaml
from tiny import ROOT

from twinvae_collect import update_notebooks
from twinvae_collect.collect import main as collect

PROFILE = {"s": "smoke", "q": "quick", "f": "full"}
DEFINED = re.compile(r"\\expandafter\\def\\csname ([^\\]+)\\endcsname\{(.*)\}\n")
VERDICTS = ("holds", "does not hold", "undecided", "not tested")
MEANS = re.compile(r"(lower|upper)\(([\w, ]*)\)")
TYPED = re.compile(
    r"\bC-\w+-\d+|\\textbf\{(?:holds|does not hold|undecided|not tested)|\b(?:claim|finding|verdict|sentence)s? "
    r"(?:holds?|fails?|do(?:es)? not hold|is (?:true|right|wrong|false))\b(?! for)"
)


def sources(texts: Path) -> str:
    """All that LaTeX reads, without comments and without the definitions of `main.tex`."""
    body = (texts / "main.tex").read_text().partition(r"\begin{document}")[2]
    text = "\n".join([body, *(path.read_text() for path in sorted((texts / "sections").glob("*.tex")))])
    return re.sub(r"(?<!\\)%.*", "", text)


def plain(tex: str) -> str:
    """A number of LaTeX as Python prints it."""
    tex = re.sub(r"\\ensuremath\{(-?[0-9.]+)\\times10\^\{(-?\d+)\}\}", r"\1e\2", tex)
    return tex.replace(r"\ensuremath{-}", "-").replace(r"\,\%", "%").replace(r"\%", "%").removesuffix(r"\,")


def same(printed: str, number: float, form: str) -> bool:
    """Whether a number, in its format, is what is printed."""
    text = format(number, form)
    return float(text) == float(printed) if "e" in printed else text == printed


def run_of(results: Path, profile: str, number: str, backend: str) -> Path:
    """The one folder of a run."""
    ending = "" if backend == "none" else f"-{backend}"
    (folder,) = [path for path in (results / profile).glob(f"{number}_*{ending}") if ending or path.name[-3:] != "-tf"]
    return folder


def untraced_numbers(texts: Path, results: Path) -> list[str]:
    """The macros of the text whose printed value is in no numbers.json of a run of the profile it is marked with."""
    known = dict(DEFINED.findall((texts / "generated" / "macros.tex").read_text()))
    found = []
    for name in sorted(set(re.findall(r"\\val\{([^}]*)\}", sources(texts))) - {n[4:] for n in known if "claims/" in n}):
        value, _, raised = known.get(f"val@{name}", "").partition(r"\twinmark")
        number, backend, key = name.split("/")
        folder = run_of(results, PROFILE[raised.rpartition("}{")[0][-1:]], number, backend)
        kept = json.loads((folder / "numbers.json").read_text())
        manifest = json.loads((folder / "manifest.json").read_text())
        if (
            manifest["status"] != "complete"
            or key not in kept
            or not same(plain(value), kept[key], manifest["formats"][key])
        ):
            found.append(f"{name} is printed as {value or 'nothing'}")
    return found


def end(sign: int):
    """The end of an interval over three seeds: quantiles of Student's t at 0.5/59, of 2 and 4 degrees of freedom."""
    quantiles = {1: 7.583157225, 2: 3.940746788}

    def at(*numbers: float) -> float:
        means, deviations = numbers[::2], numbers[1::2]
        width = quantiles[len(means)] * sum(sd * sd for sd in deviations) ** 0.5 / 3**0.5
        return means[0] - sum(means[1:]) + sign * width

    return at


def enough(claim: dict, folder: Path, numbers: dict, amounts: list[dict]) -> bool:
    """Whether a run has all numbers of a claim, large enough, and gave each of its models what the report did."""
    if not set(claim.get("awaits", ())) <= set(numbers):
        return False
    if any(numbers[name] < 0.95 * least for name, least in claim.get("least", {}).items()):
        return False
    board = (folder / "scoreboard.csv").read_text() if claim.get("models") else ""
    rows = list(csv.DictReader(board.splitlines()))
    manifest = json.loads((folder / "manifest.json").read_text())
    for theirs in (row for row in amounts if row["model"] in claim.get("models", ())):
        ours = [row for row in rows if row["model"] == theirs["model"]]
        images = {split["data"]: split["train"]["images"] for split in reversed(manifest["splits"])}
        presented = min((int(row["epochs"]) * images[row["data_source"]] for row in ours), default=0)
        settings = manifest["specs"].get(f"training_{theirs['model']}") or manifest["specs"]["training"]
        same = all(theirs.get(name, settings[name]) == settings[name] for name in ("batch_size", "learning_rate"))
        if presented < 0.95 * theirs["images"] * theirs["epochs"] or not same:
            return False
    return True


def judged(claim: dict, amounts: list[dict], known: dict[str, Path]) -> str:
    """The verdict of a claim by Python's own arithmetic."""
    verdicts = set()
    allowed = {"abs": abs, "min": min, "max": max, "lower": end(-1), "upper": end(1), "__builtins__": {}}
    for backend in ("none", "torch", "tf"):
        if (folder := known.get(f"{claim['notebook']}/{backend}")) is not None:
            numbers = json.loads((folder / "numbers.json").read_text())
            if enough(claim, folder, numbers, amounts):
                rules = [MEANS.sub(with_deviations, claim[rule]) for rule in ("holds_if", "fails_if")]
                holds, fails = (eval(rule, allowed, numbers) for rule in rules)
                verdicts.add(VERDICTS[0 if holds else 1 if fails else 2])
    return verdicts.pop() if len(verdicts) == 1 else VERDICTS[2 if verdicts else 3]


def with_deviations(interval: re.Match) -> str:
    """An interval with the deviation of each mean behind it."""
    means = [f"{name}, {name}_sd" for name in re.findall(r"\w+", interval[2])]
    return f"{interval[1]}({', '.join(means)})"


def best_runs(results: Path) -> dict[str, Path]:
    """The finished run of the best profile, by notebook and backend."""
    found = {}
    for profile in ("smoke", "quick", "full"):
        for path in sorted((results / profile).glob("[0-9]*/manifest.json")):
            manifest = json.loads(path.read_text())
            if manifest["status"] == "complete":
                found[f"{manifest['name'].split('_')[0]}/{manifest['backend'] or 'none'}"] = path.parent
    return found


def untraced_verdicts(texts: Path, results: Path) -> list[str]:
    """The verdicts in tables, macros and counts that are not those of the rules, and those that someone typed."""
    text, known = sources(texts), dict(DEFINED.findall((texts / "generated" / "macros.tex").read_text()))
    runs, counts, found = best_runs(results), {}, []
    amounts = yaml.safe_load((texts / "amounts.yaml").read_text())
    for claim in yaml.safe_load((texts / "claims.yaml").read_text()):
        if rf"\twinclaims{{{claim['report']}}}" not in text:
            continue
        right = judged(claim, amounts, runs)
        counts[right] = counts.get(right, 0) + claim["report"].isdigit()
        table = (texts / "generated" / f"claims-{claim['report']}.tex").read_text()
        (row,) = [line for line in table.splitlines() if line.startswith(f"{claim['id']} & ")]
        shown = re.findall(r"\\textbf\{([^}]*)\}", row)
        if shown != [right] or known[f"verdict@{claim['id']}"] != right:
            found.append(f"{claim['id']} is printed as {shown}, its rule says {right}")
    for word, name in zip(VERDICTS, ("hold", "fail", "undecided", "untested"), strict=True):
        if known[f"val@claims/all/{name}"] != str(counts.get(word, 0)):
            found.append(f"claims/all/{name} is not {counts.get(word, 0)}")
    return found + [f"typed: {words}" for words in TYPED.findall(re.sub(r"\\verdict\{[^}]*\}", "", text))]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report's sources, and what is collected for them from the committed results."""
    if not (ROOT / "results" / "quick").is_dir():
        pytest.skip("no committed results")
    texts = tmp_path_factory.mktemp("report") / "report"
    shutil.copytree(ROOT / "report", texts, ignore=shutil.ignore_patterns("generated", "build", "*.pdf"))
    collect(["--results", str(ROOT / "results"), "--texts", str(texts)])
    return texts


@pytest.fixture
def texts(made: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return shutil.copytree(made, tmp_path / "report")


def test_every_number_is_one_that_a_run_wrote(made):
    assert not untraced_numbers(made, ROOT / "results")


def test_every_verdict_is_that_of_its_rule_and_none_is_typed(made):
    assert not untraced_verdicts(made, ROOT / "results")


def untraced_readme(readme: str, texts: Path) -> list[str]:
    """The lines of README's tables of verdicts that the report has not; all of them if there are none."""
    right = (texts / "generated" / "verdicts.md").read_text().splitlines()
    lines = [
        line
        for line in readme.splitlines()
        if re.match(r"\| (?:C-\w+-\d+|report \d{3}|all reports|ours|\w+ et al\.) \|", line)
    ]
    return [line for line in lines if line not in right] or ([] if lines else ["no verdicts"])


def test_readme_says_what_holds_as_the_report_does(made):
    readme = (ROOT / "README.md").read_text()
    assert not untraced_readme(readme, made), "take these lines from report/generated/verdicts.md"
    line = next(line for line in readme.splitlines() if line.startswith("| C-"))
    wrong = line.rpartition(" | ")[0] + " | surely |"
    assert untraced_readme(readme.replace(line, wrong), made) == [wrong]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_number_that_no_run_wrote_is_noticed(texts):
    macros = texts / "generated" / "macros.tex"
    (value,) = re.findall(r"val@01/none/ppca_elbo_2\\endcsname\{(.*)\}\n", macros.read_text())
    change(macros, f"ppca_elbo_2\\endcsname{{{value}}}", f"ppca_elbo_2\\endcsname{{{value.replace('6.', '7.')}}}")
    (found,) = untraced_numbers(texts, ROOT / "results")
    assert found.startswith("01/none/ppca_elbo_2 is printed as")


def test_a_verdict_that_no_rule_gives_is_noticed(texts):
    table = texts / "generated" / "claims-002.tex"
    (old,) = re.findall(r"^C-002-1 .*\\textbf\{([^}]*)\}", table.read_text(), re.MULTILINE)
    change(table, rf"\textbf{{{old}}}", r"\textbf{holds}" if old != "holds" else r"\textbf{undecided}")
    (found,) = untraced_verdicts(texts, ROOT / "results")
    assert found.startswith("C-002-1 is printed as")


@pytest.mark.parametrize("typed", ["C-001-1 is right.", "The finding holds.", r"\textbf{undecided}"])
def test_a_verdict_that_is_typed_is_noticed(texts, typed):
    path = texts / "sections" / "data.tex"
    path.write_text(path.read_text() + typed)
    assert [line for line in untraced_verdicts(texts, ROOT / "results") if line.startswith("typed: ")]


# --- outputs of notebooks ------------------------------------------------------------------------


def not_of_a_run(notebook: Path, results: Path) -> bool:
    """Return whether a notebook shows what none of the runs did that it was updated from; no if there is none."""
    kept = [
        *results.glob(f"*/{notebook.stem}/{update_notebooks.CHECKSUM}"),
        *results.glob(f"*/{notebook.stem}-torch/{update_notebooks.CHECKSUM}"),
    ]
    return bool(kept) and update_notebooks.checksum_of_outputs(notebook) not in [path.read_text() for path in kept]


def test_an_output_that_was_changed_by_hand_is_noticed(project):
    notebook = project / "notebooks" / "01_alone.ipynb"
    content = nbformat.read(notebook, as_version=4)
    said = f"the judge is right on 99.17 % ({project}/results/judge.csv)"
    content.cells[3].outputs = [nbformat.v4.new_output("stream", name="stdout", text=said)]
    executed = project / "results" / "smoke" / "01_alone" / "executed.ipynb"
    executed.parent.mkdir(parents=True)
    nbformat.write(content, executed)
    assert not not_of_a_run(notebook, project / "results"), "it was updated from none"
    update_notebooks.main(["--profile", "smoke"])
    assert "99.17 % (results/judge.csv)" in notebook.read_text(), "a file is named from the project's folder"
    assert not not_of_a_run(notebook, project / "results")
    notebook.write_text(notebook.read_text().replace("99.17", "12.34"))
    assert not_of_a_run(notebook, project / "results")


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_outputs_of_a_notebook_are_those_of_a_run(notebook):
    assert not not_of_a_run(notebook, ROOT / "results")
