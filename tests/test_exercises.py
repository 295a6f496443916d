"""The exercises of the notebooks: their answers run, and what they say of the outcome holds on something small."""

import ast
import json
import re
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit
from tiny import ROOT

from twinvae import backend, randomness, spec
from twinvae.metrics import baselines, inpainting, likelihood, samples
from twinvae.run.notebook import code_cells, declared_parameters
from twinvae.run.parameters import check_parameter
from twinvae_studies import mistakes

PATHS = {name: next((ROOT / "notebooks").glob(f"{name}_*.ipynb")) for name in ("01b", "03", "04", "05", "06", "07")}
EXERCISE = re.compile(
    r"\*\*(?P<number>\d)\. .+?\*\* (?P<question>.+?)<details><summary>Answer</summary>\n\n"
    r"```(?P<kind>python|sh)\n(?P<answer>.+?)\n```\n\n(?P<why>.+?)\n\n</details>",
    re.DOTALL,
)


@dataclass(frozen=True)
class Exercise:
    """One exercise: the line that is changed (none for a parameter), and its answer."""

    number: int
    kind: str
    line: str
    answer: str


def exercises(name: str) -> list[Exercise]:
    """The exercises of a notebook, in order."""
    cells = json.loads(PATHS[name].read_text(encoding="utf-8"))["cells"]
    (text,) = [text for cell in cells if (text := "".join(cell["source"])).startswith("## Exercises\n")]
    found = [match.groupdict() for match in EXERCISE.finditer(text)]
    assert len(found) == text.count("<details>") and all(len(one["why"]) > 80 for one in found)
    lines = [re.findall(r"```python\n(.+)\n```", one["question"]) for one in found]
    assert all(len(line) == (one["kind"] == "python") for line, one in zip(lines, found, strict=True))
    return [
        Exercise(int(one["number"]), one["kind"], *(line or [""]), one["answer"])
        for one, line in zip(found, lines, strict=True)
    ]


ALL = [pytest.param(name, one, id=f"{name}-{one.number}") for name in PATHS for one in exercises(name)]
LINES = [param for param in ALL if param.values[1].kind == "python"]
PARAMETERS = [param for param in ALL if param.values[1].kind == "sh"]


def changed(name: str, number: int) -> str:
    """The cell in which an exercise changes a line, after the change."""
    one = exercises(name)[number - 1]
    where = re.compile(rf"^( *){re.escape(one.line)}$", flags=re.MULTILINE)
    hits = [cell["source"] for cell in code_cells(PATHS[name]) if where.search(cell["source"])]
    assert len(hits) == 1 and len(where.findall(hits[0])) == 1, f"{one.line} is in {len(hits)} cells"
    return where.sub(lambda found: "\n".join(found[1] + line for line in one.answer.splitlines()), hits[0])


def ran(lines: str, **known) -> SimpleNamespace:
    """What the names in some lines stand for once these have run; `known` are names that they need."""
    names = {"np": np, "randomness": randomness, "samples": samples} | known
    exec(lines, names)
    return SimpleNamespace(**names)


def before(name: str, number: int, **known) -> SimpleNamespace:
    """What the names in the line of an exercise stand for."""
    return ran(exercises(name)[number - 1].line, **known)


def after(name: str, number: int, **known) -> SimpleNamespace:
    """What the names in its answer stand for."""
    return ran(exercises(name)[number - 1].answer, **known)


@pytest.mark.parametrize("name", PATHS)
def test_a_notebook_has_three_exercises(name):
    assert [one.number for one in exercises(name)] == [1, 2, 3]


@pytest.mark.parametrize(("name", "one"), PARAMETERS)
def test_a_parameter_is_the_notebooks_and_its_value_is_allowed(name, one):
    _, parameter, value = re.fullmatch(r"(-p) (\w+) (\S+)", one.answer).groups()
    assert parameter in declared_parameters(PATHS[name])
    check_parameter(parameter, ast.literal_eval(value))


@pytest.mark.parametrize(("name", "one"), LINES)
def test_a_line_is_in_one_cell_and_the_changed_cell_is_python(name, one):
    assert one.answer != one.line
    ast.parse(changed(name, one.number))


# --- 01b ---
def scratch(number: int | None):
    """The VAE and the CVAE of 01b in PyTorch, after the change of an exercise, and a batch of 8."""
    import torch

    names = {}
    (plain,) = [cell["source"] for cell in code_cells(PATHS["01b"]) if "class TorchVAE" in cell["source"]]
    exec(changed("01b", number) if number else plain, names)
    torch.manual_seed(0)
    x, y, eps = (torch.rand(8, 16) > 0.5).float(), torch.eye(3)[torch.arange(8) % 3], torch.randn(8, 2)
    return names["TorchVAE"](16, 2), names["TorchCVAE"](16, 2, 3), (x, y, eps)


def test_01b_1_without_the_kl_nothing_is_charged():
    for number, charged in ((None, True), (1, False)):
        vae, _, batch = scratch(number)
        assert bool(vae.loss_terms(*batch)[1].any()) == charged


def test_01b_2_without_noise_only_the_kl_looks_at_logvar():
    for number, noisy in ((None, True), (2, False)):
        vae, _, (x, y, eps) = scratch(number)
        recon, kl = vae.loss_terms(x, y, eps)
        assert bool((recon != vae.loss_terms(x, y, eps + 1)[0]).any()) == noisy
        recon.sum().backward(retain_graph=True)
        assert bool(vae.encoder[-1].bias.grad[2:].any()) == noisy  # of logvar
        kl.sum().backward()
        assert vae.encoder[-1].bias.grad[2:].any()


def test_01b_3_the_encoder_sees_no_label_and_the_decoder_does():
    for number, told in ((None, True), (3, False)):
        _, cvae, (x, y, eps) = scratch(number)
        other = y.roll(1, dims=1)
        assert bool((cvae.encode(x, y)[0] != cvae.encode(x, other)[0]).any()) == told
        assert (cvae.decode(eps, y) != cvae.decode(eps, other)).any()


# --- 03 ---
@pytest.mark.parametrize("name", ["torch", "tf"])
def test_03_2_equal_codes_give_equal_rows(name):
    twin, classes = backend.get(name), 3
    told = dict(num_classes=classes, decoder_condition="concat")
    layers = dict(encoder=(spec.Flatten(), *spec.mlp(8)), decoder=spec.mlp(8))
    model = twin.models.build(spec.ModelSpec("tiny", "cvae", (4, 4, 1), 2, **layers, **told), seed=0)
    y = np.tile(np.eye(classes), (5, 1))
    apart = []
    for codes in (before, after):
        rows = twin.models.predict(model, "generate", codes("03", 2, K=classes, latent_dim=2).z, y).reshape(
            5, classes, -1
        )
        apart.append(np.ptp(rows, axis=0).max())
        assert np.ptp(rows, axis=1).max() > 1e-4, "the label has a say"
    assert apart[1] < 1e-6 < 1e-4 < apart[0]


def test_03_3_one_component_has_less_diversity():
    rng, y = np.random.default_rng(0), np.arange(400) % 2
    x = (0.5 + 0.1 * rng.standard_normal((400, 4, 4, 1))).clip(0, 1)
    spread = [
        samples.within_class_diversity(baselines.ClassPCA.fit(x, y, q).sample(y, rng), y, x, y)
        for q in (after("03", 3).components, 16)
    ]
    assert spread[0] < 0.3 < 0.8 < spread[1]


# --- 04 ---
def test_04_2_with_nothing_missing_every_filling_is_the_image():
    x, train = np.random.default_rng(0).random((2, 5, 4, 4, 1))
    missing = after("04", 2, missing=np.zeros((4, 4, 1), bool)).missing
    filled = (np.where(missing, train.mean(0), x), inpainting.nearest_filling(train, x, missing))
    assert all(np.array_equal(image, x) for image in filled)


def test_04_3_the_label_is_worth_ten_classes_at_most():
    log_p = np.random.default_rng(0).normal(-100, 5, (50, 10))  # log p(x | y), y the columns
    gain = log_p - likelihood.marginal(log_p, np.full(10, -np.log(10)))[:, None]
    assert gain.max() <= np.log(10) + 1e-12 and gain.max() > np.log(10) - 0.1
    assert after("04", 3).name == "nll_is"


# --- 05 ---
def test_05_2_a_stricter_frame_is_seldom_green_and_as_often_orange():
    p = np.linspace(0, 1, 1_001)
    plain, strict = before("05", 2), after("05", 2)
    assert sum(p >= strict.GOOD) < sum(p >= plain.GOOD) and sum(p < strict.BAD) == sum(p < plain.BAD)


def test_05_3_images_find_themselves():
    x_train = np.random.default_rng(0).random((20, 4, 4, 1))
    one = exercises("05")[2]
    for line, far in ((one.line, True), (one.answer, False)):
        (distances,) = ran(f"found = {{{line}}}", x_train=x_train, count=5).found.values()
        assert distances.all() if far else not distances.any()


# --- 06 ---
def test_06_2_noise_is_sharper_than_a_photograph():
    smooth = SimpleNamespace(sample=lambda y, rng: np.full((len(y), 32, 32, 3), 0.5))
    noisy = after("06", 2, fitted=smooth, y=np.arange(10)).pca
    run = json.loads((ROOT / "results" / "quick" / "06_cifar10_cvae_vs_cgan-torch" / "numbers.json").read_text())
    assert samples.sharpness(noisy).min() > 2 * run["real_sharpness"] and 0 <= noisy.min() <= noisy.max() <= 1


def test_06_3_fewer_classes_agree_less():
    for one in (before("06", 3).one, after("06", 3).one):
        agree = mistakes.right_planes(one, 32, 32) == mistakes.scrambled_planes(one, 32, 32)
        assert agree.mean() == pytest.approx(1 - 2 * (len(one) - 1) / len(one) ** 2)


# --- 07 ---
def test_07_2_in_double_precision_a_small_clip_is_not_rounded_away():
    small, single, double = np.float32(1e-12), before("07", 2).one, after("07", 2).one
    assert single - small == single and double - small != double
    assert 1 - expit(np.float64(40.0)) == 0, "a larger logit is rounded all the same"


def test_07_3_rounding_is_contrast_without_end():
    logits = np.random.default_rng(0).normal(size=(1, 4, 28, 28, 1))
    assert np.array_equal(after("07", 3, made=expit(logits)).pixels, expit(1e9 * logits[0]).round())
