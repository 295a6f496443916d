"""The shell command: each does what it says, and wrong input gets a sentence and an exit code."""

import importlib
import io
import shlex
import subprocess
import sys
import tomllib

import cv2
import numpy as np
import pytest
from tiny import ROOT

import twinvae
from twinvae.checkpoints import NotFinite
from twinvae.training import spot_check
from twinvae_apps import shell

MODEL = "report004_cvae"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `twinvae ...` in this process; return its exit code, its output and its errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["twinvae", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            shell.main()
        said = capsys.readouterr()
        return stop.value.code or 0, said.out, said.err

    return run


def picture(path):
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)


@pytest.mark.parametrize("backend", ("torch", "tf"))
def test_samples_are_those_of_the_model(run, tmp_path, backend):
    code, said, _ = run(
        *f"sample {MODEL} --label 7 -n 4 --seed 3 --backend {backend} --out".split(), tmp_path / "x.png"
    )
    assert code == 0 and f"wrote {tmp_path / 'x.png'}" in said
    x = np.rint(255 * twinvae.load(MODEL).sample(7, n=4, seed=3)[..., 0])
    shown = picture(tmp_path / "x.png")
    assert shown.shape == (2 * 28 * 3 + 2,) * 2, "two by two, three times as large, a line between"
    np.testing.assert_allclose(shown[1:84:3, 1:84:3], x[0], atol=1)
    np.testing.assert_allclose(shown[87::3, 87::3], x[3], atol=1)


def test_a_row_a_label(run, tmp_path):
    run("sample", MODEL, "--label", "1", "--label", "2", "--label", "3", "-n", 2, "--out", tmp_path / "x.png")
    assert picture(tmp_path / "x.png").shape == (3 * 86 - 2, 2 * 86 - 2)


def test_reconstructions_stand_below_their_images(run, tmp_path):
    code, said, _ = run("reconstruct", MODEL, "-n", 3, "--dataset", "digits", "--out", tmp_path / "x.png")
    assert code == 2 and not (tmp_path / "x.png").exists(), "of another shape"
    code, said, _ = run("reconstruct", MODEL, "-n", 3, "--out", tmp_path / "x.png")
    assert code == 0 and "squared error an image: " in said
    model, shown = twinvae.load(MODEL), picture(tmp_path / "x.png")
    images = spot_check.named_images(model.trained.job).subset([0, 166, 333])
    again = model.reconstruct(images.x, images.y)
    np.testing.assert_array_equal(shown[:84:3, 86:170:3], images.x[1, ..., 0])
    np.testing.assert_allclose(shown[86::3, 86:170:3], 255 * again[1, ..., 0], atol=1)


def test_models_are_listed_and_one_is_shown(run):
    code, said, _ = run("models")
    assert code == 0 and set(twinvae.models().folder) <= set(said.split())
    assert f"# {MODEL}\n" in run("models", MODEL)[1]


def test_own_pictures_train_a_model_that_is_sampled_by_its_classes(run, results, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(30):
            cv2.imwrite(str(tmp_path / "own" / name / f"{i}.png"), rng.integers(0, 256, (9, 8), dtype=np.uint8))
    words = ("train", MODEL, "--dataset", f"folder:{tmp_path / 'own'}", "--epochs", 1, "--batch-size", 8)
    code, said, _ = run(*words)
    assert code == 0
    folder = said.split()[-1]
    assert folder.startswith(f"{MODEL}-own-") and str(results) in said
    assert f"see it: twinvae sample {folder}" in said
    assert run("sample", folder, "--label", "cat", "-n", 1, "--out", tmp_path / "x.png")[0] == 0
    assert picture(tmp_path / "x.png").shape == (10 * 9, 10 * 8)
    code, _, err = run("sample", folder, "--label", "cow")
    assert code == 2 and "has no label 'cow'; it has cat, dog" in err


def test_pictures_of_several_sizes_are_brought_to_one(run, results, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(30):
            cv2.imwrite(str(tmp_path / "own" / name / f"{i}.png"), np.full((9 + i, 20, 3), (8 * i, 0, i), np.uint8))
    own = f"folder:{tmp_path / 'own'}"
    words = ("train", "report004_vae", "--dataset", own, "--epochs", 1, "--batch-size", 8)
    assert run(*words)[0] == 2
    code, said, _ = run(*words, "--size", "12x10")
    assert code == 0
    code, said, _ = run("reconstruct", said.split()[-1], "--dataset", own, "-n", 2, "--out", tmp_path / "x.png")
    assert code == 0 and picture(tmp_path / "x.png").shape == (2 * 98 - 2, 2 * (10 * 8 + 2) - 2)
    code, *_ = run("reconstruct", "report004_vae", "--dataset", own, "-n", 2, "--out", tmp_path / "y.png")
    assert code == 0 and picture(tmp_path / "y.png").shape == (2 * 86 - 2, 2 * 86 - 2), "a model of other images"


def test_a_model_that_is_not_sampled_is_shown_by_its_card(run, results):
    code, said, _ = run("train", "judge_mnist", "--dataset", "digits", "--epochs", 1)
    assert code == 0 and "see it: twinvae models judge_mnist-" in said


@pytest.mark.parametrize("backend", ("torch", "tf"))
def test_pictures_without_labels_train_a_vae_and_a_cvae_says_what_it_lacks(run, results, tmp_path, backend):
    (tmp_path / "flat").mkdir()
    for i in range(30):
        cv2.imwrite(str(tmp_path / "flat" / f"{i}.png"), np.full((9, 8), 8 * i, np.uint8))
    words = ("--dataset", f"folder:{tmp_path / 'flat'}", "--epochs", 1, "--batch-size", 8, "--backend", backend)
    code, said, _ = run("train", "report004_vae", *words)
    assert code == 0 and "report004_vae-own-" in said
    for name in (MODEL, "better_cifar_cgan"):
        code, _, err = run("train", name, *words)
        assert code == 2 and f"{name} is told a label, and these images have one class, 'unlabelled'; take a VAE" in err


def test_text_is_written_in_a_hand(run, tmp_path):
    code, said, _ = run("write", "Seven", "--writer", 7, "--out", tmp_path / "page.png")
    assert code == 0 and said.strip() == str(tmp_path / "page.png") and picture(tmp_path / "page.png").min() < 100
    code, *_ = run("write", "Семь 7", "--placeholder", "--out", tmp_path / "new" / "page.pdf")
    assert code == 0 and (tmp_path / "new" / "page.pdf").read_bytes().startswith(b"%PDF-")


def test_data_sets_are_listed(run):
    code, said, _ = run("data", "list")
    assert code == 0 and said.startswith("mnist ")
    assert run("data", "fetch", "digits")[:2] == (0, "digits: nothing to fetch, it is shipped with sklearn.\n")


def test_the_report_is_made_by_make(run, monkeypatch):
    called = []
    monkeypatch.setattr(
        shell.subprocess, "run", lambda command: called.append(command) or subprocess.CompletedProcess([], 7)
    )
    assert run("report", "--profile", "smoke", "--jobs", 2)[0] == 7
    assert called == [["make", "-C", str(ROOT), "report", "PROFILE=smoke", "BACKEND=both", "JOBS=2"]]


@pytest.mark.parametrize(
    "words, says",
    [
        ("sample nothing", "model 'nothing' is unknown; those that are kept: "),
        (f"sample {MODEL} --label x", f"{MODEL} has no label 'x'; it has 0, 1"),
        (f"sample {MODEL} -n 0", "n is 0; it must be a whole number from 1 to 1,000"),
        (f"sample {MODEL} -n 1000000000000", "n is 1000000000000; it must be a whole number from 1 to 1,000"),
        (f"sample {MODEL} -n many", "Invalid value for '-n'"),
        (f"sample {MODEL} --seed -1", "seed is -1; it must be a whole number of at least 0"),
        (f"sample {MODEL} --out", "Option '--out' requires an argument; see twinvae"),
        (f"sample {MODEL} --out {__file__}/x.png", "name another file with --out"),
        ("sample report004_vae --label 3", "report004_vae has no labels; leave them out"),
        (f"sample {MODEL} --out x.gif", "its name must end in .png"),
        (f"sample {MODEL} --backend jax", "backend is 'jax'; allowed are 'torch', 'tf'"),
        ("sample judge_mnist", "which is not sampled"),
        ("sample", "Missing argument 'name'; see twinvae sample --help"),
        ("models nothing", "model 'nothing' is unknown"),
        (f"reconstruct {MODEL} --dataset nothing", "Data set 'nothing' is unknown"),
        ("reconstruct better_cifar_cgan", "which does not reconstruct"),
        ("train nothing", "model is 'nothing'"),
        (f"train {MODEL} --epochs 0", "epochs is 0"),
        (f"train {MODEL} --learning-rate nan", "learning_rate is nan; it must be a finite number greater than 0"),
        (
            f"train {MODEL} --dataset folder:x --size 64",
            "size is '64'; give a height and a width in pixels, such as 64x",
        ),
        (f"train {MODEL} --dataset folder:/nowhere", "folder:/nowhere: there is no such folder"),
        ("write Hello --writer -1", "writer is -1"),
        ("write Hello --out page.gif", "cannot write 'page.gif'; its name must end in .pdf or .png"),
        (f"write Hello --out {__file__}/page.pdf", "name another file with --out"),
        ("write ж", "the text holds 'ж', which no hand here can write"),
        ("data fetch nothing", "data set is 'nothing'"),
        ("report --profile overnight", "profile is 'overnight'; allowed are 'smoke', 'quick', 'full'"),
        ("draw", "No such command 'draw'"),
    ],
)
def test_wrong_input_gets_a_sentence_and_exit_code_2(run, words, says):
    code, out, err = run(*words.split())
    assert code == 2 and says in err and "Traceback" not in err
    assert len(err.strip().splitlines()) == 1 and err.startswith("twinvae: ")


@pytest.mark.parametrize(
    "given, says",
    [
        (None, "the standard input is closed"),
        (" \n", "the text is empty"),
        ("\udc89PNG", "the text is not UTF-8"),
        (10_001 * "a", "the text has more than 10,000 characters"),
    ],
)
@pytest.mark.parametrize("main", ["shell", "handwriting.__main__"])
def test_a_text_that_cannot_be_read_from_the_standard_input(main, given, says, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None if given is None else io.StringIO(given))
    monkeypatch.setattr(sys, "argv", ["twinvae", *(["write"] if main == "shell" else []), "-"])
    with pytest.raises(SystemExit) as stop:
        importlib.import_module(f"twinvae_apps.{main}").main()
    assert stop.value.code == 2 and says in capsys.readouterr().err


@pytest.mark.parametrize(
    "raised, code, says",
    [
        (KeyboardInterrupt(), 130, "twinvae: interrupted; what is whole is kept, and the same command goes on"),
        (MemoryError(), 1, "twinvae: there is not memory enough; take fewer or smaller images, or a smaller batch"),
        (NotFinite("the loss is nan"), 1, "twinvae: the loss is nan"),
        (
            ModuleNotFoundError("No module named 'keras'", name="keras"),
            2,
            "twinvae: keras is not installed; pip install ",
        ),
        (PermissionError(13, "Permission denied", "/x"), 2, "twinvae: cannot read or write /x (Permission denied); "),
    ],
)
def test_what_ends_a_command_early_is_said_in_a_sentence(run, monkeypatch, raised, code, says):
    def fail(*_):
        raise raised

    monkeypatch.setattr(twinvae, "load", fail)
    ended, _, err = run("sample", MODEL)
    assert ended == code and err.startswith(says) and len(err.splitlines()) == 1


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    monkeypatch.setattr(twinvae, "load", lambda *_: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["twinvae", "sample", MODEL])
    with pytest.raises(ZeroDivisionError):
        shell.main()


def test_a_reader_that_has_seen_enough_hears_nothing():
    command = [sys.executable, "-m", "twinvae_apps.shell", "models"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() == 1


def test_help_explains_every_command_without_a_framework():
    code = (
        "import sys; sys.argv = ['twinvae', '--help']\nfrom twinvae_apps import shell\n"
        "try: shell.main()\nfinally: print(sorted({'torch', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.endswith("[]\n")
    for command in ("sample", "reconstruct", "models", "train", "write", "report", "data"):
        assert f"\n  {command} " in said


def test_the_command_is_installed_by_its_name():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"twinvae": "twinvae_apps.shell:main"}


# --- README --------------------------------------------------------------------------------------

_, _, AFTER = (ROOT / "README.md").read_text(encoding="utf-8").partition("## A model in one line\n")
SECTION = AFTER.partition("\n## ")[0]


def blocks(language: str) -> list[str]:
    """The blocks of code in this language of README's section on trained models."""
    return [part.partition("```")[0] for part in SECTION.split(f"```{language}\n")[1:]]


def test_readmes_lines_of_python_run(tmp_path, monkeypatch):
    pytest.importorskip("onnx", reason="pip install -e '.[onnx]'")
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    found = {}
    exec(code, found)
    assert found["x"].shape == (16, 28, 28, 1) and found["bound"].shape == (16,)
    assert (tmp_path / "report004_cvae.onnx").stat().st_size > 100_000


@pytest.mark.parametrize("line", [line for block in blocks("sh") for line in block.splitlines()])
def test_readmes_commands_run(run, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said, _ = run(*shlex.split(line)[1:])
    assert code == 0 and said
    if "--out" in line:
        assert (tmp_path / line.split()[-1]).stat().st_size > 500
