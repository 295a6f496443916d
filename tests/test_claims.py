"""The rules of the claims: each can hold, what must not pass does not, and what is too small is not tested."""

import ast
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from scipy import stats
from tiny import CLAIM, ROOT

from twinvae import backend, randomness, zoo
from twinvae.metrics import anomaly, baselines, judge, latent, samples
from twinvae.provenance import definitions
from twinvae.run.results import Result
from twinvae_collect import claims_tables
from twinvae_studies import amounts, claims, verdicts

CLAIMS = claims.load(ROOT / "report" / "claims.yaml")
BY_ID = {claim.id: claim for claim in CLAIMS}
RNG = np.random.default_rng(0)
SIGNED = re.compile(r"correlation|logp|low|high|gain")  # numbers that may be negative


def drawn(claim: claims.Claim, scale: float, rng: np.random.Generator) -> dict[str, float]:
    """Numbers for a claim, as a run might write them: deviations are small, and no class is worse than the worst."""
    numbers = {name: float(scale * rng.exponential() ** 2) for name in sorted(claim.names)}
    numbers |= {name: numbers[name] / 100 for name in numbers if name.endswith("_sd")}
    if "cvae_worst_class" in numbers:
        numbers["cvae_worst_class"] = min(numbers["cvae_worst_class"], numbers["cvae_accuracy"])
    return numbers


def parts(rule: str) -> list[str]:
    """The conditions that a rule joins by 'and'."""
    tree = ast.parse(rule, mode="eval").body
    joined = isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)
    return [ast.unparse(part) for part in tree.values] if joined else [rule]


def held(claim: claims.Claim, rule: str, rng: np.random.Generator) -> dict[str, float]:
    """Numbers for which a rule is true: each condition that is false has its numbers drawn again."""
    numbers = drawn(claim, 1.0, rng)
    conditions = parts(rule)
    for _ in range(20_000):
        wrong = [part for part in conditions if not claims.evaluate(claim, part, numbers)]
        if not wrong:
            return numbers
        fresh = drawn(claim, float(rng.choice([0.01, 0.1, 1, 10, 1000])), rng)
        fresh |= {name: float(rng.integers(0, 20)) for name in fresh if rng.random() < 0.3}
        some = [name for name in sorted(claims.names_in(claim, rng.choice(wrong))) if rng.random() < 0.5]
        fresh |= {name: rng.uniform(0.97, 1.03) * numbers[rng.choice(some)] for name in some if rng.random() < 0.2}
        trial = numbers | {
            name: -fresh[name] if SIGNED.search(name) and rng.random() < 0.3 else fresh[name] for name in some
        }
        trial |= {name: abs(value) for name, value in trial.items() if name.endswith("_sd")}
        right = sum(claims.evaluate(claim, part, trial) for part in conditions)
        numbers = trial if right >= len(conditions) - len(wrong) else numbers
    raise AssertionError(f"{claim.id}: no numbers were found for which {rule!r} is true")


def under(claim: claims.Claim, control: dict, numbers: dict[str, float]) -> dict[str, float]:
    """Numbers in which those of a control stand instead."""

    def value(wanted: float | str) -> float:
        return wanted if not isinstance(wanted, str) else eval(wanted, {"__builtins__": {}}, numbers)

    return numbers | {name: float(value(wanted)) for name, wanted in control.items()}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_rule_can_hold_and_can_fail_and_no_control_passes_it(claim):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert claims.verdict(claim, held(claim, claim.fails_if, rng)) == "does not hold"
        numbers = held(claim, claim.holds_if, rng)
        assert claims.verdict(claim, numbers) == "holds"
        for words, control in claim.control.items():
            assert not claims.evaluate(claim, claim.holds_if, under(claim, control, numbers)), words


def test_no_numbers_make_a_claim_both_hold_and_fail():
    """Not even those of a run too small to mean anything: one such pair of rules stops the whole report."""
    rng = np.random.default_rng(0)
    for claim in CLAIMS:
        for _ in range(100):
            claims.verdict(claim, drawn(claim, float(rng.choice([0.01, 1, 100, 1e4])), rng))


# --- controls that are measured ------------------------------------------------------------------


def passes(name: str, numbers: dict[str, float]) -> bool:
    """Whether a claim holds for numbers that make it hold but for those given, of which none varies between seeds."""
    claim = BY_ID[name]
    numbers = {key: float(value) for key, value in numbers.items()}
    still = {f"{key}_sd": 0.0 for key in numbers if f"{key}_sd" in claim.names}
    return claims.evaluate(claim, claim.holds_if, held(claim, claim.holds_if, RNG) | numbers | still)


def test_class_means_obey_and_pass_no_claim_that_a_model_does():
    y = np.repeat(np.arange(10), 20)
    x = (np.eye(10)[y][:, :, None, None] + RNG.random((200, 10, 4, 1))).reshape(200, 40).reshape(200, 5, 8, 1)
    means = baselines.ClassMeans.fit(x, y).sample(y)
    diversity = samples.within_class_diversity(means, y, x, y)
    assert diversity < 1e-9
    assert not passes("C-004-8", {"cvae_accuracy": 1.0, "real_accuracy": 1.0, "cvae_diversity": diversity})
    assert not passes("C-002-8", {"mnist_cvae_accuracy": 1.0, "mnist_cvae_diversity": diversity})
    assert not passes("C-000-8", {"digits_alone": 1.0, "letters_alone": 1.0, "diversity": diversity})
    seen = samples.prdc(x.reshape(200, -1), means.reshape(200, -1))
    assert not passes("C-002-6", {"mnist_vae_recall": seen["recall"], "mnist_real_recall": 0.9})


def test_shuffled_labels_obey_by_chance_and_are_not_read_from_codes():
    y = np.repeat(np.arange(10), 50)
    shuffled = RNG.permutation(y)
    accuracy = samples.conditional_accuracy(np.eye(10)[shuffled], y)
    assert not passes("C-004-8", {"cvae_accuracy": accuracy, "real_accuracy": 0.99, "cvae_worst_class": 0.0})
    assert not passes("C-003-9", {"cvae_accuracy": accuracy, "judge_accuracy": 0.7})
    z = np.eye(10)[y] * 5 + RNG.standard_normal((500, 10))
    read = {
        f"{dataset}_{model}_{name}": value
        for dataset in ("mnist", "usps")
        for model in ("cvae", "cvae2")
        for name, value in (
            ("between", latent.between_class_share(z, shuffled)),
            ("probe", latent.probe_accuracy(z, None, shuffled, np.random.default_rng(0))),
        )
    }
    assert not passes("C-002-4", read)
    assert claims.evaluate(BY_ID["C-002-4"], BY_ID["C-002-4"].fails_if, read)


def test_consonants_whatever_is_asked_for_are_no_vowels():
    """Where a vowel is asked for in 5 of 24 cases they were right in 0.79 of all."""
    asked = np.isin(np.arange(24), (0, 4, 8, 13, 19)).astype(int)
    seen = np.eye(2)[np.zeros(24, int)]
    assert samples.conditional_accuracy(seen, asked) == pytest.approx(19 / 24)
    kinds = {
        f"t1_{kind}": samples.conditional_accuracy(seen[asked == k], asked[asked == k])
        for k, kind in enumerate(("consonants", "vowels"))
    }
    assert kinds == {"t1_consonants": 1, "t1_vowels": 0} and not passes("C-001-1", kinds | {"t1_judge_train": 0.82})


def test_an_untrained_vae_and_a_cross_fade_have_even_steps_and_no_clear_middle():
    """The largest step over the mean one, by which the claim was once judged, prefers them to any trained model."""
    twin = backend.get("torch")
    trained = SimpleNamespace(spec=zoo.get("report002_vae_mnist"), twin=twin)
    model = twin.models.build(trained.spec)
    x = (RNG.random((2, 28, 28, 1)) > 0.8).astype("float32")
    along = np.linspace(0, 1, 11)[:, None, None, None]
    fade = ((1 - along) * x[0] + along * x[1])[None]
    assert latent.largest_step(fade).mean() == pytest.approx(1, abs=1e-6)
    z = np.linspace(0, 1, 11)[:, None] * RNG.standard_normal((1, trained.spec.latent_dim))
    line = twin.models.predict(model, "generate", z, np.zeros((11, 1)))
    assert latent.largest_step(line[None]).mean() < 1.3
    middle = {"mnist_vae_middle": 0.3, "mnist_ae_middle": 0.25, "mnist_fade_middle": 0.3}
    assert not passes("C-002-9", middle)


def test_normal_data_are_no_anomalies():
    assert not passes("C-001-14", {"mnist_one_vae_error": anomaly.auroc(*RNG.standard_normal((2, 500)))})


def test_noise_is_sharper_than_photographs_and_no_sharp_image():
    noise, smooth = RNG.random((8, 16, 16, 3)), np.full((8, 16, 16, 3), 0.5) + RNG.random((8, 1, 1, 3)) / 10
    sharp = {"cgan_sharpness": samples.sharpness(noise).mean(), "cvae_sharpness": samples.sharpness(smooth).mean()}
    assert not passes("C-003-4", sharp | {"real_sharpness": 0.036})


@pytest.mark.parametrize("name", ["report004_cvae", "report002_cvae_mnist"])
def test_an_untrained_cvae_does_not_draw_what_is_asked_for(name):
    twin = backend.get("torch")
    if not (ROOT / "results" / "models").glob("judge_mnist-*/weights.safetensors"):
        pytest.skip("no judge")
    seeing = judge.load("mnist", twin, may_train=False)
    y = np.repeat(np.arange(10), 10)
    model = twin.models.build(zoo.get(name))
    z = randomness.rng(0, "prior").standard_normal((len(y), zoo.get(name).latent_dim))
    x = twin.models.predict(model, "generate", z, np.eye(10)[y])
    accuracy = samples.conditional_accuracy(seeing.probabilities(x), y)
    assert accuracy < 0.3
    assert not passes("C-004-8", {"cvae_accuracy": accuracy, "real_accuracy": 0.99, "cvae_worst_class": 0.0})
    assert not passes("C-002-8", {"mnist_cvae_accuracy": accuracy, "mnist_real_accuracy": 0.99})


# --- what is not tested --------------------------------------------------------------------------

THEIRS = amounts.Amount("m", 1_000, 10, 32, 1e-3)


@pytest.mark.parametrize(
    ("ours", "why"),
    [
        (None, "m was not trained"),
        (THEIRS, ""),
        (replace(THEIRS, images=475, epochs=20), ""),
        (replace(THEIRS, images=400, epochs=20), "m saw 8,000 images, 80.0% of the report's 10,000"),
        (replace(THEIRS, batch_size=16), "m was trained with a batch size of 16, the report's is 32"),
        (replace(THEIRS, learning_rate=2e-3), "m was trained with a learning rate of 0.002, the report's is 0.001"),
    ],
)
def test_less_than_the_report_trained_is_said(ours, why):
    assert amounts.shortfall(THEIRS, ours) == why


def test_what_a_report_does_not_state_may_be_chosen():
    open_to_us = replace(THEIRS, batch_size=None, learning_rate=None)
    assert amounts.shortfall(open_to_us, replace(THEIRS, batch_size=1, learning_rate=1.0)) == ""


@pytest.fixture
def result(tmp_path):
    """A run that trained a model of 100 images for three epochs, another seed of it for two."""
    rows = "model,data_source,epochs\nm,toys,3\nm,toys,2\nother,toys,50\n"
    (tmp_path / "scoreboard.csv").write_text(rows)
    settings = {"batch_size": 8, "learning_rate": 0.1}
    manifest = {
        "specs": {"training": settings | {"batch_size": 4}, "training_m": settings},
        "splits": [{"data": "toys", "train": {"images": 100}}],
        "backend": "torch",
        "name": "03_tiny",
        "files": {"scoreboard.csv": ""},
    }
    return Result(tmp_path, manifest, {"a": 1.0, "b": 2.0})


def test_what_a_run_trained_is_the_least_of_its_seeds(result):
    assert amounts.trained(result, "m") == amounts.Amount("m", 100, 2, 8, 0.1)
    assert amounts.trained(result, "other").batch_size == 4 and amounts.trained(result, "none") is None


def test_verdicts_not_tested_say_why(result):
    def judged(**fields):
        claim = claims.Claim(**CLAIM | fields)
        found = {("03", "torch"): result}
        return claims_tables.verdict_of(claim, found), claims.reasons(claim, result)

    assert judged() == ("holds", [])
    assert judged(models=(amounts.Amount("m", 100, 2),)) == ("holds", [])
    small = judged(models=(amounts.Amount("m", 100, 3),))
    assert small == ("not tested", ["m saw 200 images, 66.7% of the report's 300"])
    assert judged(least={"b": 2.1}) == ("holds", []), "to a twentieth"
    assert judged(least={"b": 3}) == ("not tested", ["B: 2, and should be 3"])
    awaited = judged(holds_if="c < a - 1", awaits=("c",), control={"none": {"c": 5}})
    assert awaited == ("not tested", ["not measured yet: c"])


def test_an_interval_grows_with_the_spread_and_is_that_of_student_and_welch():
    assert claims.lower(1, 0) == claims.upper(1, 0) == 1
    assert claims.upper(1, 0.3) == pytest.approx(1 + 7.5832 * 0.3 / 3**0.5, abs=1e-4)
    assert claims.lower(1, 0.3, 0.5, 0) == pytest.approx(0.5 - 7.5832 * 0.3 / 3**0.5, abs=1e-4), "of a constant"
    one, other = [1.0, 1.3, 0.9], [0.2, 1.1, 0.4]
    ends = stats.ttest_ind(one, other, equal_var=False).confidence_interval(1 - 2 * claims.LEVEL)
    numbers = [number for values in (one, other) for number in (np.mean(values), np.std(values, ddof=1))]
    assert (claims.lower(*numbers), claims.upper(*numbers)) == pytest.approx((ends.low, ends.high))


RULES = {"holds_if": "a > 1", "fails_if": "a < 0"}


@pytest.mark.parametrize("numbers, at_first", [({"a": 2, "b": 2}, "holds"), ({"b": 2}, claims.NOT_TESTED)])
def test_the_first_rule_of_a_claim_is_asked_of_the_same_numbers(tmp_path, numbers, at_first):
    entry = {"id": "C-1", "report": "004", "where": "2", "said": "A.", "notebook": "03", "shown": {"b": "b"}}
    entry |= {
        "holds_if": "b > 3",
        "fails_if": "b < 3",
        "because": "So.",
        "control": {"none": {"b": 0}},
        "decided_by": "b",
    }
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump([entry]))
    result = SimpleNamespace(numbers=numbers)
    (claim,) = claims.load(tmp_path / "claims.yaml")
    assert claims.judge_at_first(claim, result) == claims.NOT_TESTED, "it has no first rule"
    (tmp_path / "first_rules.yaml").write_text(yaml.safe_dump({"C-1": RULES}))
    (claim,) = claims.load(tmp_path / "claims.yaml")
    assert claims.judge_at_first(claim, result) == at_first and claims.judge(claim, result) == claims.FAILS


def test_each_claim_that_is_tested_has_its_first_rule():
    assert all(claim.first.keys() == RULES.keys() for claim in claims.load(ROOT / "report" / "claims.yaml"))


def test_every_model_of_a_claim_is_named_in_the_zoo_or_made_of_it():
    for name in amounts.load(ROOT / "report" / "amounts.yaml"):
        assert zoo.get({"report000_vae": "report000_cvae", "report000_cvae_62": "report000_cvae"}.get(name, name))


class Open:
    """A run that is not finished, as far as verdicts ask of it."""

    name, profile, backend, root, data = "03_tiny", "smoke", "torch", ROOT, []

    def __init__(self, result: Result, numbers: dict[str, float]):
        self.folder, self.files, self.numbers = result.folder, {"scoreboard.csv"}, numbers
        self.specs, self.splits = result.manifest["specs"], result.manifest["splits"]
        self.formats = dict.fromkeys(numbers, ".1f")


def test_an_open_run_is_judged_as_a_finished_one(result):
    cases = [
        CLAIM,
        CLAIM | {"models": (amounts.Amount("m", 100, 3),)},
        CLAIM | {"fails_if": "b > a", "holds_if": "a > b"},
    ]
    given = [claims.Claim(**case) for case in cases]
    table = verdicts.verdicts(Open(result, result.numbers), given + [claims.Claim(**CLAIM | {"notebook": "04"})])
    assert list(table.verdict) == [claims.judge(claim, result) for claim in given]
    assert list(table.verdict) == ["holds", "not tested", "does not hold"]
    assert table["numbers of this run"][0] == "A: 1.0; B: 2.0" and table["holds if"][0] == CLAIM["holds_if"]
    assert table.why[0] == CLAIM["because"] and table.why[1] == "m saw 200 images, 66.7% of the report's 300"


def test_a_notebook_that_shows_verdicts_rests_on_the_rules():
    cells = ["from twinvae_studies import verdicts\nverdicts.show(run)"]
    library = definitions.Library(
        ROOT, cells, [f"twinvae_studies.{name}" for name in ("verdicts", "claims", "amounts")]
    )
    assert {"report/claims.yaml", "report/amounts.yaml"} <= library.reach(library.cells)


def test_words_for_two_numbers_are_clear_of_the_seeds():
    def word(**numbers):
        run = SimpleNamespace(numbers={"a": 1.0, "b": 2.0} | numbers)
        return verdicts.compared(run, "a", "b", less="less", more="more", alike="alike")

    assert (word(), word(a=3.0), word(b=1.0)) == ("less", "more", "alike")
    assert (word(a_sd=0.2, b_sd=0.2), word(a_sd=0.3, b_sd=0.4)) == ("less", "alike")


def test_what_a_claim_asks_a_least_amount_of_has_words():
    asked = {name for claim in CLAIMS for name in claim.least}
    assert asked <= set(claims.LEAST)
