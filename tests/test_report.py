"""The report: the best profile of each run, refusals that name the run, macros, claims and their verdicts."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from jinja2 import UndefinedError
from tiny import CLAIM, ROOT, finished_run, write_notebook, write_project

from twinvae.run import Run, results
from twinvae_collect import claims_tables, provenance_tables, short_tables
from twinvae_collect.collect import main
from twinvae_collect.rendering import marked_number, model_in_words, render
from twinvae_studies import amounts, claims, errata

TEXT = r"""
A number \val{03/torch/a}, \val{03/tf/a}. % \val{03/torch/in_a_comment}
50\% of \val{01/none/c}; \val{claims/004/total}
\twinfigure[0.5]{03}{torch}{line} \twintable{03}{tf}{sizes} \twinworst{03}{torch}{sizes}{model_name}
\verdict{C-1}
\twinclaims{004}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a report that asks for something of everything, and one finished run of each kind."""
    folder = write_project(tmp_path_factory.mktemp("made"))
    (folder / "report" / "sections").mkdir(parents=True)
    (folder / "report" / "main.tex").write_text(r"\input{sections/one}")
    (folder / "report" / "sections" / "one.tex").write_text(TEXT)
    (folder / "report" / "claims.yaml").write_text(yaml.safe_dump([CLAIM]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        finished_run("03_tiny", "torch", "full", a=1.0, b=2.0)
        finished_run("03_tiny", "tf", "quick", kind="stand-in", a=3.0, b=2.0)
        finished_run("01_alone", None, c=-0.25)
    return folder


@pytest.fixture
def texts(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The report's folder in a copy of that project, which is the current folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "report"


@pytest.fixture
def runs(texts: Path) -> dict[str, Path]:
    """The folders of the finished runs."""
    found, _ = results.best(texts.parent / "results")
    return {"alone" if backend == "none" else backend: run.folder for (_, backend), run in found.items()}


def report(*words: str) -> None:
    main(list(words))


def refusal(*words: str) -> str:
    with pytest.raises(SystemExit) as stop:
        report(*words)
    assert str(stop.value).startswith("report: ") and "\n" not in str(stop.value)
    return str(stop.value)


def test_what_is_collected(texts, runs, capsys):
    report()
    assert capsys.readouterr().out.splitlines()[-1] == f"collected into {texts / 'generated'}"
    made = {path.relative_to(texts / "generated").as_posix() for path in (texts / "generated").rglob("*.*")}
    assert made == {
        "macros.tex",
        "provenance.tex",
        "provenance-long.tex",
        "claims-004.tex",
        "items.tex",
        "verdicts.tex",
        "verdicts.md",
        "twins.tex",
        "figures/03-torch-line.pdf",
        "tables/03-tf-sizes.tex",
        "tables/worst-03-torch-sizes.tex",
    }
    macros = (texts / "generated" / "macros.tex").read_text()
    assert r"\csname val@03/torch/a\endcsname{1.00\twinmark{f}{}}" in macros
    assert r"\csname val@03/tf/a\endcsname{3.00\twinmark{q}{*}}" in macros
    assert r"\csname val@01/none/c\endcsname{\ensuremath{-}0.25\twinmark{s}{}}" in macros
    assert r"\csname val@claims/004/total\endcsname{1}" in macros and "in_a_comment" not in macros
    assert r"\csname val@03/torch/b\endcsname{2.00\twinmark{f}{}}" in macros, "every number has a macro, called or not"
    assert r"A line, 100 \% straight \& short \twinwhere{f}{}{torch}{full, tiny files, torch}}" in macros
    assert r"\twinwhere{q}{*}{tf}{quick, stand-in: tiny files, tf}" in macros
    assert r"\csname verdict@C-1\endcsname{undecided}" in macros and r"val@claims/all/undecided\endcsname{1}" in macros
    assert "tiny" not in (texts / "generated" / "twins.tex").read_text(), "twins of two profiles are not compared"
    lines = (texts / "generated" / "verdicts.md").read_text().splitlines()
    assert "| report 004 | 1 | 0 | 0 | 1 | 0 |" in lines and "| C-1 | A is below 5 % of B. | undecided |" in lines
    provenance = (texts / "generated" / "provenance.tex").read_text()
    assert "PyTorch & full & tiny files & CPU & 1 &" in provenance and r"\dag" not in provenance
    long = (texts / "generated" / "provenance-long.tex").read_text()
    assert "ab" * 8 in long and r"\ref{fig:03-torch-line} \texttt{line}" in long and "not shown: \\texttt{line}" in long


def test_twins_of_one_profile_are_compared(texts, runs):
    finished_run("03_tiny", "tf", "full", a=3.0, b=2.0)
    report()
    assert r"tiny} & full & 2 & 1 & 1 & 33\,\%" in (texts / "generated" / "twins.tex").read_text()


def test_long_tables_are_cut_down(runs):
    """The largest of each number over rows of one kind, or both twins below each other, in the formats of the run."""
    rows = pd.DataFrame({"model": ["a_1", "a_2", "b_1"], "backend": ["torch", "tf", "torch"], "gap": [1e-7, 0.25, 3.0]})
    run = Run.start("03_tiny", profile="full", backend="torch", epochs=2)
    run.table("rows", rows, caption="Rows")
    run.table("twins", rows.assign(model="a").head(2).assign(same=1, none=""), caption="Twins")
    lacking = rows.assign(backend=["torch", "tf", "torch"], gap=[1e-7, 0.25, np.nan], unit="_")
    run.table("formats", lacking, caption="Formats", fmt={"gap": ".3f"})
    run.finish()
    found, _ = results.best(run.folder.parents[1])
    worst = short_tables.worst(found["03", "torch"], "rows", ["model"])
    assert r"model & rows & gap \\" in worst and r"a & 2 & 0.25 \\" in worst and r"b & 1 & 3 \\" in worst
    twins = short_tables.pairs(found["03", "torch"], "twins")
    assert "a & \\ensuremath{1\\times10^{-7}} & 1 &  \\\\\n\\quad TensorFlow & 0.25 &  &  \\\\" in twins
    formatted = short_tables.worst(found["03", "torch"], "formats", ["model"])
    assert r"\begin{tabular}{lrr}" in formatted and r"a & 2 & 0.250 \\" in formatted and r"b & 1 & -- \\" in formatted
    assert r"b 1 & -- & \_ \\" in short_tables.pairs(found["03", "torch"], "formats")
    with pytest.raises(ValueError, match="has no column kind; it has model, backend, gap"):
        short_tables.worst(found["03", "torch"], "rows", ["kind"])


def test_a_model_is_called_in_the_words_of_the_text():
    names = ("report002_vae_mnist", "shallow_vae_usps", "better_cifar_cgan", "report000_cvae_62")
    words = ["002 VAE MNIST", "one-layer VAE USPS", "ours CIFAR-10 CGAN", "000 CVAE 62"]
    assert [model_in_words(name) for name in names] == words


def test_per_cent_stand_a_little_apart():
    manifest = {"profile": "full", "data": [], "shown": {}, "formats": {"share": ".1%"}}
    assert marked_number(results.Result(Path(), manifest, {"share": 0.25}), "share") == r"25.0\,\%\twinmark{f}{}"


def test_the_provenance_says_how_models_were_trained(texts, runs):
    """In words of its own where a run took its profile's settings, whose parameters say nothing then."""
    path = runs["tf"] / "manifest.json"
    how = {"epochs": 12, "batch_size": 16, "learning_rate": 0.002, "optimizer": "adam", "beta": 2.0}
    manifest = json.loads(path.read_text())
    manifest |= {"parameters": {"epochs": None}, "specs": {"training_light": how, "training": how | {"beta": 1.0}}}
    path.write_text(json.dumps(manifest))
    report()
    long = (texts / "generated" / "provenance-long.tex").read_text()
    assert (
        "epochs by profile." in long and r"\texttt{light}: 12 epochs, batches of 16, adam at 0.002, KL weighted" in long
    )
    assert "Training: 12 epochs, batches of 16, adam at 0.002." in long


def test_a_template_without_one_of_its_values_is_an_error():
    assert render("macros.tex", macros={}) == ""
    with pytest.raises(UndefinedError, match="'macros' is undefined"):
        render("macros.tex")


def test_a_verdict_of_no_claim_that_is_shown_is_named(runs, texts):
    (texts / "sections" / "two.tex").write_text(r"\verdict{C-9}")
    assert "the text asks for the verdict of C-9, no claim of a report that it shows" in refusal()


def test_a_figure_with_data_of_its_own_is_called_after_them():
    data = [{"label": f"set {kind}", "kind": kind} for kind in ("official", "official", "variant", "stand-in")]
    manifest = {"profile": "quick", "backend": "tf", "data": data, "shown": {"figures/f": [1], "tables/t": []}}
    result = results.Result(Path(), manifest, {})
    assert result.where("figures", "f") == "quick, set official, tf" and result.official("figures", "f")
    assert result.where("tables", "t") == "quick, tf"
    assert result.where("figures", "g") == "quick, 4 data sets (2 official, 1 variant, 1 stand-in), tf"
    assert not result.official("numbers", "n")


def test_the_best_profile_present_is_taken(runs):
    finished_run("03_tiny", "tf", "smoke", a=9.0)
    best = finished_run("03_tiny", "tf", "full", a=4.0)
    found, unfinished = results.best(best.parents[1])
    assert found["03", "tf"].folder == best and not unfinished
    assert found["03", "torch"].profile == "full" and found["01", "none"].profile == "smoke"


@pytest.mark.parametrize("run", ["torch", "alone"])
def test_a_missing_run_is_named(runs, texts, run):
    shutil.rmtree(runs[run])
    assert f"needs runs that are not there: {'03 with torch' if run == 'torch' else '01'} (missing)" in refusal()
    assert not (texts / "generated").exists()


def test_a_failed_or_half_written_run_is_named(runs):
    (runs["tf"] / "manifest.json").unlink()
    assert f"03 with tf (failed or half-written: {runs['tf']})" in refusal()


def test_an_unfinished_better_run_is_passed_over_and_said(runs, capsys):
    (runs["tf"].parents[1] / "full" / "03_tiny-tf" / "checkpoints").mkdir(parents=True)
    report()
    assert "unfinished, passed over:" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"status": "running", "files": {}}'])
def test_a_manifest_that_is_not_whole_is_named(runs, damage):
    (runs["tf"] / "manifest.json").write_text(damage)
    assert f"the run in {runs['tf']} is half-written: its manifest.json is not whole" in refusal()


@pytest.mark.parametrize(
    ("doctor", "what"),
    [
        (lambda m: m["files"].pop("numbers.json"), "vouch for numbers.json"),
        (lambda m: m["files"].pop("figures/line.pdf"), "vouch for figures/line.pdf"),
        (lambda m: m["files"].pop("tables/sizes.csv"), "vouch for tables/sizes.csv"),
        (lambda m: m["formats"].pop("a"), "vouch for number a"),
        (lambda m: m.update(data=[]), "vouch for its data"),
        (lambda m: m["shown"].update({"numbers/a": [3]}), "vouch for numbers/a"),
        (lambda m: m.update(name="04_other"), "vouch for a run called 03_tiny-torch"),
        (lambda m: m.pop("captions"), "is half-written: its manifest.json is not whole"),
        (lambda m: m.update(captions=[]), "is half-written: its manifest.json is not whole"),
    ],
)
def test_a_manifest_that_does_not_vouch_for_all_that_is_shown_is_refused(runs, doctor, what):
    path = runs["torch"] / "manifest.json"
    manifest = json.loads(path.read_text())
    doctor(manifest)
    path.write_text(json.dumps(manifest))
    assert f"the run in {runs['torch']}" in refusal() and what in refusal()


def test_files_that_are_gone_or_were_edited_are_named(runs):
    numbers = runs["torch"] / "numbers.json"
    numbers.write_text(json.dumps({"a": 0.5, "b": 2.0}))
    assert f"the run in {runs['torch']} did not write numbers.json as it now is" in refusal()
    numbers.unlink()
    assert f"the run in {runs['torch']} is half-written: numbers.json is missing" in refusal()


def test_one_backend_is_enough_when_one_was_asked_for(runs, texts):
    shutil.rmtree(runs["torch"])
    report("--backend", "tf")
    macros = (texts / "generated" / "macros.tex").read_text()
    assert r"\csname val@03/torch/a\endcsname{n/a}" in macros and "caption@figures/03/torch" not in macros
    assert "PyTorch" not in (texts / "generated" / "claims-004.tex").read_text()
    shutil.rmtree(runs["tf"])
    assert "03 with tf (missing)" in refusal("--backend", "tf")


def test_notebooks_without_a_number_are_nobodys_business(runs, texts):
    for name in ("Untitled", "my own"):
        write_notebook(texts.parent / "notebooks" / f"{name}.ipynb")
    report()


def test_every_notebook_has_to_have_run(runs, texts):
    write_notebook(texts.parent / "notebooks" / "02_data.ipynb")
    assert "02 with tf (missing), 02 with torch (missing)" in refusal()
    assert "02 with torch" not in refusal("--backend", "tf")


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (r"\val{03/torch/none}", "number 03/torch/none"),
        (r"\twinfigure{03}{tf}{none}", "figure 03/tf/none"),
        (r"\twintable{03}{tf}{none}", "table 03/tf/none"),
    ],
)
def test_what_no_run_wrote_is_named(runs, texts, asked, named):
    (texts / "sections" / "two.tex").write_text(asked)
    assert f"the text asks for what no run wrote: {named} (not in" in refusal()


@pytest.mark.parametrize("asked", [r"\val{03/torch}", r"\val{a/b/c/d}", r"\twinfigure{03}{torch}"])
def test_a_request_that_is_not_well_formed_is_named(runs, texts, asked):
    (texts / "sections" / "two.tex").write_text(asked)
    assert f"two.tex: {asked} is not well formed" in refusal()


def test_a_stale_run_is_said(runs, texts, capsys):
    write_notebook(texts.parent / "notebooks" / "01_alone.ipynb", backend=False, work="print(1)")
    report()
    out = capsys.readouterr().out
    assert "stale: 01 (smoke) is older than notebooks/01_alone.ipynb\n" in out and "make refresh runs again" in out
    assert r"\dag" in (texts / "generated" / "provenance.tex").read_text()


def test_outputs_alone_make_no_run_stale(texts, runs, capsys):
    path = texts.parent / "notebooks" / "01_alone.ipynb"
    path.write_text(
        path.read_text().replace(
            '"outputs": []', '"outputs": [{"name": "stdout", "output_type": "stream", "text": "1"}]'
        )
    )
    report()
    assert "stale" not in capsys.readouterr().out


def test_the_claims_table(runs, texts):
    report()
    table = (texts / "generated" / "claims-004.tex").read_text()
    assert (
        r"C-1 & A is below 5 \% of B. (2.4) & A: 1.00\twinmark{f}{} / 3.00\twinmark{q}{*}; B: 2.00\twinmark{f}{} / "
        in table
    )
    assert r"\textbf{undecided}" in table and "PyTorch: holds" in table and "TensorFlow: does not hold" in table
    assert "To decide it: a larger B." in table and r"\def\twinusual{f}\def\twinstar{}" in table
    assert r"Rule: holds if \emph{A} $<$ \emph{B} $-$ 0.5; does not hold if \emph{A} $>$ \emph{B} $+$ 0.5." in table
    assert "Half of one is more than noise. It must not pass: B itself." in table


def test_a_number_that_one_twin_alone_has_written_is_shown(runs, texts):
    """Else the number that decides could be missing where the claim is judged."""
    finished_run("03_tiny", "torch", "full", a=1.0, b=2.0, c=0.96)
    (texts / "claims.yaml").write_text(yaml.safe_dump([CLAIM | {"shown": {"C": "c", "D": "d"}, "awaits": ["c", "d"]}]))
    report()
    table = (texts / "generated" / "claims-004.tex").read_text()
    assert r"C: 0.96\twinmark{f}{} / --\newline" in table and "D: " not in table


def test_a_rule_is_read_in_the_words_of_its_table():
    rule = "lower(a) >= 2 * real_accuracy and not a == 1"
    claim = claims.Claim(**CLAIM | {"shown": {"A, of all": "a"}, "holds_if": rule})
    words = claims_tables.rule_in_words(claim, claim.holds_if)
    right = r"\emph{accuracy on real images}"
    assert words == rf"lower(\emph{{A, of all}}) $\ge$ 2 $\times$ {right} and not \emph{{A, of all}} $=$ 1"


def test_the_answer_of_a_section_names_the_claims_of_each_verdict(runs, texts):
    report()
    answer = r"\csname answer@004\endcsname{Of the 1 claims 1 is undecided (C-1)}"
    assert answer in (texts / "generated" / "macros.tex").read_text()
    assert claims_tables.short_ids(["C-001-2", "C-001-1", "C-001-3", "C-001-5"]) == "C-001-1 to 3, 5"


def test_every_item_is_in_one_list(runs, texts):
    item = {"id": "E-004-1", "report": "004", "where": "(1)", "stands": "$a$ & b", "right": "c"}
    item |= {"verdict": "wrong", "proof": "stated"}
    others = [{"verdict": "incomplete"}, {"id": "E-004-2", "proof": "as shown"}]
    items = [item, item | {"id": "E-004-3"} | others[0], item | others[1]]
    (texts / "errata.yaml").write_text(yaml.safe_dump(items, sort_keys=False))
    report()
    lines = (texts / "generated" / "items.tex").read_text().splitlines()
    assert r"E-004-1 & $a$ \& b (1) & \textbf{wrong, stated} \\" in lines
    assert any(line.startswith("E-004-3") and "incomplete, stated" in line for line in lines)
    assert any(line.startswith("E-004-2") and "wrong, by proof" in line for line in lines)
    assert r"C-1 & A is below 5 \% of B. (2.4) & \textbf{undecided} \\" in lines


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"holds_if": "a < zz"}, "claim C-1 asks for numbers that no run wrote: zz (not in"),
        ({"holds_if": "a <"}, "claim C-1: 'a <' is not an expression"),
        ({"holds_if": "a + b"}, "claim C-1: the rule 'a + b' gives 3.0, neither true nor false"),
        ({"holds_if": "open(a) == 1"}, "claim C-1: the rule 'open(a) == 1' cannot be judged"),
        ({"holds_if": "a.real > 0"}, "claim C-1: the rule 'a.real > 0' cannot be judged: 'a.real' is not allowed"),
        ({"holds_if": "a / 0 > 1"}, "claim C-1: the rule 'a / 0 > 1' cannot be judged: float division by zero"),
        ({"holds_if": "a > 0", "fails_if": "b > 0"}, "claim C-1: holds_if and fails_if are both true"),
        ({"shown": ["a"]}, "claim C-1: shown is ['a']; it must map words to names"),
        ({"shown": {"A": None, "b": "b"}}, "claim C-1: shown maps 'A' to None, not to the name of a number; put words"),
        ({"control": {}}, "claim C-1: each control must change a number that holds_if has, and one must be given"),
        ({"control": {"C": {"c": 1}}}, "claim C-1: each control must change a number that holds_if has"),
        ({"awaits": ["c"]}, "claim C-1: it awaits c, which neither a rule nor the table has"),
        ({"models": ["none"]}, "claim C-1: amounts.yaml has no model 'none'; it has "),
        ({"holds_if": "lower(a + b) > 0"}, "claim C-1: lower(a + b) is not of one or two names of numbers"),
        ({"holds_if": "lower(a) > 0"}, "claim C-1 asks for numbers that no run wrote: a_sd (not in"),
        ({"report": 4}, "claim C-1: report is 4; put it in quotes"),
        ({"extra": 1}, "claim C-1 in claims.yaml: got an unexpected keyword argument 'extra'"),
        ({"report": "005"}, "the text shows the claims of report 004, and claims.yaml has none"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_named(runs, texts, change, message):
    (texts / "claims.yaml").write_text(yaml.safe_dump([CLAIM | change]))
    assert message in refusal()


@pytest.mark.parametrize(
    "text", ["- id: [", "- !!python/object/apply:os.system [id]", "- {a: b", "- {a: 1, a: 2}", "\t- a", "- 'open"]
)
@pytest.mark.parametrize("name", ["claims.yaml", "amounts.yaml", "errata.yaml"])
def test_a_list_that_is_no_yaml_is_refused_in_one_line_and_executes_nothing(runs, texts, name, text):
    (texts / name).write_text(text)
    assert name in refusal() and "\n" not in refusal()


@pytest.mark.parametrize("read", [claims.load, amounts.load, errata.load])
def test_a_key_that_stands_twice_is_no_slip_that_nobody_sees(read, tmp_path):
    (tmp_path / "list.yaml").write_text("- {id: a, id: b}")
    with pytest.raises(ValueError, match="list.yaml .* the key 'id' stands twice"):
        read(tmp_path / "list.yaml")


def test_claims_have_ids_of_their_own(runs, texts):
    (texts / "claims.yaml").write_text(yaml.safe_dump([CLAIM, CLAIM]))
    assert "claim C-1 stands more than once in claims.yaml" in refusal()


@pytest.mark.parametrize(
    ("a", "b", "expected"), [(1, 2, "holds"), (2, 1, "does not hold"), (1, 1.2, "undecided"), (1, 1.5, "undecided")]
)
def test_verdicts(a, b, expected):
    assert claims.verdict(claims.Claim(**CLAIM), {"a": a, "b": b}) == expected


def test_rules_know_the_arithmetic_they_need():
    claim = claims.Claim(**CLAIM)
    for rule in (
        "abs(-a) == 1 and not b < a",
        "0 <= a < b <= 2",
        "min(a, b) == a or a / b > 2",
        "max(a, b) * 2 - 1 != a",
    ):
        assert claims.evaluate(claim, rule, {"a": 1, "b": 2}) is True


def test_verdicts_together():
    assert claims.together(["holds", "holds"]) == "holds"
    assert claims.together(["holds", "does not hold"]) == "undecided"
    assert claims.together(["does not hold"]) == "does not hold"
    assert claims.together(["not tested", "holds"]) == "holds", "one twin may train where the other does not"
    assert claims.together(["not tested"] * 2) == "not tested"


def test_the_campaign_has_a_row_an_attack_and_their_sums(tmp_path):
    (tmp_path / "torture.csv").write_text(
        "what,trials,wrong,hangs,left,minutes\nkills,1200,1,0,2,3.5\ndamaged,30,0,4,0,0.1\n"
    )
    lines = provenance_tables.campaign_table(tmp_path / "torture.csv").splitlines()
    assert r"kills & 1,200 & 1 & 0 & 2 \\" in lines and r"all & 1,230 & 1 & 4 & 2 \\" in lines


def test_the_campaign_that_is_shown_was_a_whole_one_and_found_nothing():
    table = pd.read_csv(ROOT / "results" / "torture.csv")
    kills = table[table.what.str.startswith("kills")]
    assert kills.trials.sum() == 200 and table[["wrong", "hangs", "left"]].to_numpy().sum() == 0


def test_every_number_of_a_rule_has_words():
    for claim in claims.load(ROOT / "report" / "claims.yaml"):
        for expression in (claim.holds_if, claim.fails_if):
            assert "_" not in claims_tables.rule_in_words(claim, expression), claim.id
    assert claims_tables.name_in_words("nobody_knows") == "nobody_knows"  # and would be noticed
