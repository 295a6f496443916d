"""Run: parameters are checked, what is kept is whole, and a run that did not finish shows it."""

import io
import json
import os
import runpy
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text
from PIL import Image
from tiny import ROOT

from twinvae import paths
from twinvae.data import Source
from twinvae.run import Run, latex, pictures, results
from twinvae_collect import short_tables

OFFICIAL = Source("mnist", "MNIST, official files", "official", (("train.gz", "0" * 64),))
STANDIN = Source("mnist", "stand-in: 5,000 digits", "stand-in", (("mnist.csv", "1" * 64),))


def start(**parameters) -> Run:
    return Run.start("03_tiny", **{"profile": "smoke", "backend": "torch", "epochs": 2, **parameters})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"profile": "fast"}, "unknown profile 'fast'; the valid ones are smoke, quick, full"),
        ({"backend": "jax"}, "unknown backend 'jax'; the valid ones are torch, tf"),
        ({"epoch": 3}, "unknown parameter epoch; the valid ones are profile, backend, epochs"),
        ({"epochs": 0}, "epochs is 0; it must be a whole number of at least 1"),
        ({"epochs": -1}, "epochs is -1"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"epochs": "three"}, "epochs is 'three'"),
        ({"epochs": True}, "epochs is True"),
    ],
)
def test_bad_parameters_are_named_and_nothing_is_touched(project, parameters, message):
    with pytest.raises(ValueError) as error:
        start(**parameters)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not (project / "results").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("latent_dim", 2.0),
        ("latent_dims", [2, 0]),
        ("latent_dims", []),
        ("seed", -1),
        ("seeds", 0),
        ("seeds", [0, -1]),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("beta", -0.5),
        ("train", 1),
    ],
)
def test_values_that_no_notebook_may_have(tmp_path, monkeypatch, name, value):
    monkeypatch.setenv("TWINVAE_RESULTS", str(tmp_path))
    with pytest.raises(ValueError, match=name.removesuffix("s")):
        Run.start("99_no_such_notebook", profile="smoke", **{name: value})
    assert not list(tmp_path.iterdir())


def test_values_that_are_fine(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINVAE_RESULTS", str(tmp_path))
    good = {
        "batch_size": np.int64(8),
        "latent_dims": (2, 5),
        "seeds": [0, 1],
        "beta": 0,
        "train": False,
        "epochs": None,
    }
    assert Run.start("99_no_such_notebook", profile="smoke", **good).parameters["beta"] == 0


def test_a_declared_parameter_that_is_not_passed_on_is_named(project):
    with pytest.raises(ValueError, match="declares epochs but does not pass it"):
        Run.start("03_tiny", profile="smoke", backend="torch")


def test_the_environment_overrides_the_profile_and_says_so(project, monkeypatch, capsys):
    monkeypatch.setenv("TWINVAE_PROFILE", "smoke")
    run = start(profile="full")
    assert run.profile == "smoke" and run.smoke
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "TWINVAE_PROFILE=smoke overrides profile=full"
    assert lines[1] == "03_tiny, profile smoke, backend torch, threads: 1, into results/smoke/03_tiny-torch"


def test_the_project_is_found_from_the_notebooks_folder(project, monkeypatch):
    monkeypatch.chdir(project / "notebooks")
    assert start().folder == project / "results" / "smoke" / "03_tiny-torch"


def test_no_other_project_gets_the_results(project, monkeypatch):
    inner = project / "notebooks" / "elsewhere"
    inner.mkdir()
    monkeypatch.chdir(inner)
    for text in ('[project]\nname = "another"\n', "[project\n", "project = 1\n", "[tool.ruff]\n"):
        (inner / "pyproject.toml").write_text(text)
        assert start().folder == project / "results" / "smoke" / "03_tiny-torch"
    (project / "pyproject.toml").write_text('[project]\nname = "another"\n')
    assert paths.find_root(inner) == Path(paths.__file__).parents[2], "the library's own project"


def test_files_are_written_under_names_that_nobody_can_foresee_and_with_the_usual_permissions(tmp_path):
    with paths.written_whole(tmp_path / "a.txt") as one, paths.written_whole(tmp_path / "a.txt") as other:
        assert one != other and one.parent == other.parent == tmp_path and one.suffix == ".txt"
        assert one.stat().st_mode & 0o077 == 0, "nobody else reads what is not finished"
    (tmp_path / "plain.txt").touch()
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "plain.txt").stat().st_mode
    with pytest.raises(RuntimeError), paths.written_whole(tmp_path / "b.txt"):
        raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "plain.txt"]


WRITE = """
import os, sys, time
from pathlib import Path
from twinvae import paths
with paths.written_whole(Path("a.txt")) as part:
    part.write_text("half")
    print("written", flush=True)
    time.sleep(float(sys.argv[1]))
    part.write_text(sys.argv[1])
"""


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path, python):
    def writer(seconds: str) -> subprocess.Popen:
        process = subprocess.Popen([python, "-c", WRITE, seconds], cwd=tmp_path, stdout=subprocess.PIPE)
        process.stdout.readline()
        return process

    killed, living = writer("60"), writer("1.5")
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 2
    writer("0").communicate()
    assert (tmp_path / "a.txt").read_text() == "0" and len(list(tmp_path.iterdir())) == 2
    assert not living.communicate()[0] and living.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_text() == "1.5"


def test_two_writers_never_leave_half_a_file(tmp_path):
    whole = {"1" * 5_000, "2" * 5_000}

    def write(text: str) -> None:
        for _ in range(150):
            paths.write_text(tmp_path / "a.txt", text)

    threads = [threading.Thread(target=write, args=(text,)) for text in whole]
    paths.write_text(tmp_path / "a.txt", min(whole))
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert (tmp_path / "a.txt").read_text() in whole
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


FULL = """
import resource
from matplotlib import pyplot as plt
import numpy as np, pandas as pd
from twinvae.data.files import kept
from twinvae.run import Run
run = Run.start("03_tiny", profile="smoke", backend="torch", epochs=2)
fig, ax = plt.subplots()
ax.imshow(np.random.default_rng(0).random((100, 100)))
table = pd.DataFrame({"a": np.arange(9000)})
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
for write in (lambda: run.figure("f", fig, "F"), lambda: run.table("t", table, "T")):
    try:
        write()
    except OSError as error:
        print(error)
print(kept("key", lambda: (np.arange(9000),))[0].sum())
"""


def test_a_disk_that_is_full_gets_one_sentence_from_everything_and_keeps_no_half_file(project, python):
    environment = os.environ | {"XDG_CACHE_HOME": str(project / "cache")}
    done = subprocess.run([python, "-c", FULL], cwd=project, capture_output=True, text=True, env=environment)
    figure, table, total = done.stdout.splitlines()[1:]
    for line, name in ((figure, "figures/f.pdf"), (table, "tables/t.csv")):
        assert line.startswith(f"cannot write {project / 'results/smoke/03_tiny-torch' / name}: File too large; make ")
    assert total == str(9000 * 8999 // 2), "a cache that is full is no error"
    assert not [path for path in project.rglob("*") if path.is_file() and path.parent.name in ("figures", "arrays")]
    assert not list(project.rglob(".*.tmp*"))


def test_overnight_says_what_replaces_it(project, monkeypatch):
    sentence = "the profile 'overnight' is gone; 'full' replaces it"
    with pytest.raises(ValueError, match=sentence):
        start(profile="overnight")
    with pytest.raises(ValueError, match=sentence):
        start().pick(smoke=1, overnight=2)
    monkeypatch.setenv("TWINVAE_PROFILE", "overnight")
    with pytest.raises(ValueError, match=sentence):
        start()


def test_a_picture_is_small_whatever_it_shows():
    fig, ax = plt.subplots(figsize=(4.77, 2))
    ax.imshow(np.random.default_rng(0).random((400, 400, 3)))
    picture = pictures.small_png(fig)
    assert picture.startswith(b"\x89PNG") and 1_000 < len(picture) < pictures.PNG_BYTES
    plt.close(fig)


@pytest.mark.parametrize(("colours", "mode"), [(3, "RGBA"), (1, "P")])
def test_a_picture_has_256_colours_where_that_is_hardly_seen(colours, mode):
    fig, ax = plt.subplots(figsize=(2, 2))
    x = np.random.default_rng(0).random((40, 40, colours))
    ax.imshow(x.repeat(3 // colours, axis=2), interpolation="nearest")
    picture = Image.open(io.BytesIO(pictures.small_png(fig)))
    plt.close(fig)
    assert picture.mode == mode


def plain_figures(count: int) -> list:
    """Figures of one size, each of a grey of its own."""
    figs = [plt.figure(figsize=(2, 1), facecolor=str(k / count)) for k in range(count)]
    for k, fig in enumerate(figs):
        fig.text(0.3, 0.5, f"epoch {k}")
    return figs


def test_several_figures_are_shown_in_turn():
    figs = plain_figures(5)
    picture = pictures.small_png(*figs)
    plt.close("all")
    shown = Image.open(io.BytesIO(picture))
    assert len(picture) < pictures.PNG_BYTES and shown.n_frames == 5 and shown.info["loop"] == 0, "for ever"
    times, corners = [], []
    for k in range(5):
        shown.seek(k)
        times.append(shown.info["duration"])
        corners.append(shown.convert("L").getpixel((0, 0)))
    assert times == [pictures.TURN] * 4 + [4 * pictures.TURN]
    assert np.abs(np.subtract(corners, [0, 51, 102, 153, 204])).max() <= 2


def test_figures_in_turn_are_stamped_and_the_last_is_kept(project, monkeypatch):
    run, figs, shown = start(), plain_figures(3), []
    monkeypatch.setattr("twinvae.run.notebook_run.get_ipython", lambda: SimpleNamespace(user_ns={"In": ["cell"]}))
    monkeypatch.setattr(pictures, "show", lambda caption, *given: shown.append((caption, *given)))
    run.figure("growing", figs[-1], "From epoch to epoch.", before=figs[:-1])
    assert shown == [("From epoch to epoch.", *figs)] and not plt.get_fignums()
    assert all("smoke · torch" in fig.texts[-1].get_text() for fig in figs)
    assert [path.name for path in (run.folder / "figures").iterdir()] == ["growing.pdf"]


def test_pick_takes_the_next_smaller_profile(project):
    assert start(profile="quick").pick(smoke=1, full=3) == 1
    assert start(profile="full").pick(smoke=1, quick=2) == 2
    assert start(profile="full").pick(smoke=1, quick=2, full=3) == 3
    with pytest.raises(ValueError, match="give one for smoke"):
        start().pick(quick=2)
    with pytest.raises(ValueError, match="unknown profile 'fast'"):
        start().pick(smoke=1, fast=2)


def test_what_a_finished_run_leaves(project, capsys):
    @dataclass(frozen=True)
    class Spec:
        latent_dim: int = 7

    run = start()
    run.use(OFFICIAL)
    run.use(OFFICIAL)
    run.spec("tiny", Spec())
    fig, ax = plt.subplots(figsize=(4.77, 1))
    ax.imshow(np.random.default_rng(0).random((40, 400)))
    run.figure("noise", fig, caption="Noise")
    table = pd.DataFrame({"a_b": [1 / 3, -2.0]})
    assert run.table("t", table, caption="T", fmt={"a_b": ".1f"}) is None
    assert run.number("third", np.float32(0.25), fmt=".3f") == 0.25
    assert run.scoreboard([{"model": "AE", "elbo": -1.0}]) is None
    board = pd.read_csv(run.folder / "scoreboard.csv")
    assert list(board.columns) == list(results.COLUMNS) and board.profile[0] == "smoke"
    run.check("one is one", np.bool_(True))
    run.finish()

    assert capsys.readouterr().out.splitlines()[-1] == "holds: one is one"
    manifest = json.loads((run.folder / "manifest.json").read_text())
    assert manifest["status"] == "complete" and manifest["parameters"] == {"epochs": 2}
    assert manifest["specs"] == {"tiny": {"latent_dim": 7}} and manifest["formats"] == {"third": ".3f"}
    assert [source["label"] for source in manifest["data"]] == ["MNIST, official files"]
    assert manifest["captions"] == {"figures": {"noise": "Noise"}, "tables": {"t": "T"}}
    assert set(manifest["files"]) == {
        "figures/noise.pdf",
        "tables/t.csv",
        "tables/t.tex",
        "numbers.json",
        "scoreboard.csv",
    }
    assert all(paths.sha256(run.folder / name) == digest for name, digest in manifest["files"].items())
    assert manifest["table_formats"] == {"t": {"a_b": ".1f"}}
    assert not results.read(run.folder).changed(project)
    assert {"python", "numpy", "torch"} <= set(manifest["versions"]) and "tensorflow" not in manifest["versions"]
    assert manifest["machine"]["threads"] == 1 and manifest["seconds"] >= 0 and manifest["peak_memory_mib"] > 1
    assert os.uname().nodename not in (run.folder / "manifest.json").read_text()
    assert json.loads((run.folder / "numbers.json").read_text()) == {"third": 0.25}
    assert pd.read_csv(run.folder / "tables" / "t.csv").equals(table)
    assert r"\ensuremath{-}2.0" in (run.folder / "tables" / "t.tex").read_text()
    assert b"CreationDate" not in (run.folder / "figures" / "noise.pdf").read_bytes()
    assert not list(run.folder.rglob("*.tmp*"))


def test_what_an_earlier_run_left_is_not_taken_for_this_one(project):
    run = start()
    run.table("old", pd.DataFrame({"a": [1]}), caption="Old")
    run.finish()
    run = start()
    assert (run.folder / "manifest.json").exists(), "it is finished as long as nothing is kept"
    run.table("new", pd.DataFrame({"a": [1]}), caption="New")
    assert not (run.folder / "manifest.json").exists() and (run.folder / "tables" / "old.csv").exists()
    run.finish()
    assert (run.folder / "manifest.json").exists() and not (run.folder / "tables" / "old.csv").exists()


def test_two_runs_in_one_folder_do_not_vouch_for_each_others_files(project):
    one, other = start(), start()
    one.table("t", pd.DataFrame({"a": [1]}), caption="One")
    other.table("t", pd.DataFrame({"a": [2]}), caption="Other")
    with other._writing("tables/u.csv") as part:
        part.write_text("half")
        one.finish()
        assert part.exists(), "what the other writes is not swept away"
    with pytest.raises(ValueError, match="did not write tables/t.* as it now is; run it again"):
        results.read(one.folder)
    other.finish()
    assert results.read(other.folder).manifest["files"].keys() >= {"tables/t.csv", "tables/u.csv"}


def test_figures_are_stamped_with_data_profile_and_backend(project):
    run = start()
    run.use(STANDIN)
    assert run.stamp() == "stand-in: 5,000 digits · smoke · torch"
    run = Run.start("01_alone", profile="smoke", epochs=1)
    run.use(OFFICIAL)
    assert run.stamp() == "MNIST, official files · smoke"


def test_what_has_its_own_data_is_stamped_with_them_and_the_manifest_says_which(project):
    run = start()
    run.use(OFFICIAL, {"seed": 0, "train": {"images": 2}})
    run.use(OFFICIAL, {"seed": 0, "train": {"images": 2}})
    assert run.stamp([STANDIN]) == "stand-in: 5,000 digits · smoke · torch" and run.stamp([]) == "smoke · torch"
    run.number("standin", 1, sources=[STANDIN])
    run.number("all", 1)
    run.table("t", pd.DataFrame({"a": [1]}), caption="T", sources=[])
    run.figure("f", plt.figure(), "F", sources=[STANDIN, OFFICIAL])
    run.finish()
    manifest = json.loads((run.folder / "manifest.json").read_text())
    assert [source["kind"] for source in manifest["data"]] == ["official", "stand-in"]
    assert manifest["splits"] == [{"data": "MNIST, official files", "seed": 0, "train": {"images": 2}}]
    assert manifest["shown"] == {"numbers/standin": [1], "tables/t": [], "figures/f": [1, 0]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None, True, np.ones(2), 1j])
def test_a_number_is_one_finite_number(project, value):
    with pytest.raises(ValueError, match="number score is .*; it must be one finite number"):
        start().number("score", value)


def test_names_are_taken_once_and_plain(project):
    run = start()
    run.number("score", 1)
    with pytest.raises(ValueError, match="score was kept before"):
        run.number("score", 1)
    with pytest.raises(ValueError, match="a name is made of a-z"):
        run.number("a/b", 1)
    run.table("t", pd.DataFrame({"a": [1]}), caption="")
    with pytest.raises(ValueError, match="table t was saved before"):
        run.table("t", pd.DataFrame({"a": [1]}), caption="")
    with pytest.raises(ValueError, match="which are not columns"):
        run.table("u", pd.DataFrame({"a": [1]}), caption="", fmt={"b": ".1f"})
    with pytest.raises(ValueError, match="format"):
        run.number("other", 1.0, fmt="no format")


def test_a_check_that_does_not_hold_stops_the_run(project):
    with pytest.raises(AssertionError, match="this should hold and does not: one is two"):
        start().check("one is two", False)


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder that not even root can write to")
def test_a_folder_that_cannot_be_written(project, monkeypatch):
    monkeypatch.setenv("TWINVAE_RESULTS", "/sys/kernel/results")
    with pytest.raises(OSError, match="cannot write /sys/kernel/results/.*; make room or give write access"):
        start()


def test_a_full_disk_leaves_the_old_file_and_no_half_one(project, monkeypatch):
    run = start()
    run.table("t", pd.DataFrame({"a": [1]}), caption="")
    before = (run.folder / "tables" / "t.csv").read_text()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="cannot write .*numbers.json: No space left on device; make room"):
        run.finish()
    assert (run.folder / "tables" / "t.csv").read_text() == before
    assert not (run.folder / "manifest.json").exists() and not list(run.folder.rglob("*.tmp*"))


def papermill(python: str, project: Path, *words: str) -> subprocess.CompletedProcess:
    command = [python, "-m", "papermill", "notebooks/03_tiny.ipynb", "out.ipynb", "-k", "python3", *words]
    return subprocess.run(command, cwd=project, capture_output=True, text=True)


def test_papermill_alone_runs_a_notebook_and_cannot_smuggle_a_parameter_in(project, python):
    done = papermill(python, project, "-p", "profile", "smoke", "-p", "backend", "tf")
    assert done.returncode == 0, done.stderr
    assert (project / "results" / "smoke" / "03_tiny-tf" / "manifest.json").is_file()
    done = papermill(python, project, "-p", "profile", "smoke", "-p", "epoch", "3")
    assert done.returncode != 0
    assert "unknown parameter epoch; the valid ones are profile, backend, epochs" in done.stderr


def test_numbers_and_words_in_latex():
    assert latex.escape("a_b & 50 % of $x_1$ <") == r"a\_b \& 50 \% of $x_1$ \textless{}"
    assert latex.escape("5 $") == r"5 \$"
    assert latex.escape("-log p(x), -log p(x|y)") == r"$-\log p(x)$, $-\log p(x \mid y)$"
    assert latex.escape("q(z|x) +- N(0, I) & 5 %") == r"$q(z \mid x)$ $\pm$ $\mathcal{N}(0, I)$ \& 5 \%"
    assert latex.escape("392 ln(pi), pi^(-1/2), log p") == r"$392 \ln\pi$, $\pi^{-1/2}$, log p"
    assert latex.head("frechet_floor") == "Fréchet floor" and latex.head("$s_x^2$") == "$s_x^2$"
    assert latex.number(-1.5, ".1f") == r"\ensuremath{-}1.5"
    assert latex.number(1.5e-5, ".1e") == r"\ensuremath{1.5\times10^{-5}}"
    assert latex.number(0.973, ".1%") == r"97.3\%"
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, None]}, index=pd.Index(["a", "b"], name="m_x"))
    assert r"m x & n & x \\" in latex.table(frame, {}, index=True) and "b & 2 & -- " in latex.table(
        frame, {}, index=True
    )
    assert frame.index.name == "m_x"
    against = pd.DataFrame({"q(z) against N(0, I)": [1.0]})
    assert r"$q(z)$ against $\mathcal{N}(0, I)$ \\" in latex.table(against, {}, index=False)


@pytest.mark.parametrize("name", [r"$\input{/etc/passwd}$", r"$^^5cinput{x}$", r"$\frac{$", r"$a & b$", "$1%$"])
def test_no_name_reaches_latex_or_a_figure_as_code(project, name):
    assert latex.escape(name).startswith(r"\$") and latex.escape(name).endswith(r"\$")
    assert not {"\\i", "\\f", "^^", " & ", "{$"} & {latex.escape(name)[at : at + 2] for at in range(40)}
    assert latex.escape(name) == r"\$".join(latex.escape(part) for part in name.split("$"))
    run = start()
    run.use(Source("folder:x", f"own data: {name}", "own"))
    fig, ax = plt.subplots(figsize=(2, 2))
    ax.bar(["a", name], [1, 2], label="$x$")
    ax.set_title(name)
    run.figure("names", fig, caption="Names")
    assert (run.folder / "figures" / "names.pdf").is_file()


@pytest.mark.parametrize(
    "name", ["\u6f22\u5b57", "\u0915", "\U0001f408", "na\u00efve_\u03b1 < \u0416", "$5 and \u6f22"]
)
def test_no_name_is_drawn_as_boxes_or_other_signs(name):
    fig, ax = plt.subplots(figsize=(2, 2))
    ax.bar(["a_b", name], [1, 2], label=name)
    ax.set(title=name, ylabel="$x_1$ < 2")
    ax.legend()
    pictures.stamp(fig, f"own data: {name}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # 'Glyph missing from font'
        fig.canvas.draw()
    shown = [ax.title, ax.xaxis.get_ticklabels()[1], ax.get_legend().get_texts()[0]]
    said = name.replace("\u6f22\u5b57", "U+6F22U+5B57").replace("\U0001f408", "U+1F408").replace("\u6f22", "U+6F22")
    assert {text.get_text() for text in shown} == {said.replace("\u0915", "U+0915")}
    assert ax.xaxis.get_ticklabels()[0].get_fontfamily() == [pictures.EVERYTHING], "cmr10 has another sign for _"
    usual = [text.get_fontfamily() for text in fig.findobj(Text) if text.get_text() in ("$x_1$ < 2", "0.5")]
    assert usual and all(family != [pictures.EVERYTHING] for family in usual)
    plt.close(fig)


def test_what_we_write_as_mathematics_stays_mathematics():
    """Every formula of the errata and the claims, which become tables of the report."""
    texts = [(ROOT / "report" / name).read_text() for name in ("errata.yaml", "claims.yaml")]
    formulas = [formula for text in texts for formula in text.replace("\\\\", "\\").split("$")[1::2]]
    assert len(formulas) > 50
    for formula in formulas:
        assert latex.escape(f"${formula}$".replace("\n", " ")).startswith("$"), formula


def test_no_cell_is_a_formula_to_a_spreadsheet(project):
    evil = "=cmd|' /C calc'!A0"
    frame = pd.DataFrame({evil: [1.5, -2.0], "class": ["@SUM(1)", "plain"], "n": [-1, 2]}, index=["+1", "b"])
    run = start()
    run.table("t", frame, caption="T")
    lines = (run.folder / "tables" / "t.csv").read_text().splitlines()
    assert lines == [f",'{evil},class,n", "'+1,1.5,'@SUM(1),-1", "b,-2.0,plain,2"]
    run.finish()
    values, _, numeric = short_tables.read_table(results.read(run.folder), "t")
    assert evil in values and evil in numeric


@pytest.mark.parametrize(
    ("module", "words", "inside"),
    [
        ("twinvae.training", ["jobs.json"], "twinvae.training.jobs.read"),
        ("twinvae.data", ["fetch", "mnist"], "twinvae.data.finding.fetch"),
        ("twinvae.run.refresh", [], "twinvae.run.results.best"),
    ],
)
def test_a_command_that_is_interrupted_ends_with_one_line(project, monkeypatch, module, words, inside):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(inside, interrupted)
    monkeypatch.setattr(sys, "argv", [module, *words])
    monkeypatch.delitem(sys.modules, "twinvae.run.refresh", raising=False)
    with pytest.raises(SystemExit, match="interrupted; .* kept, and the same command "):
        runpy.run_module(module, run_name="__main__")
