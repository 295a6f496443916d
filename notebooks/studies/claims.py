"""'The report said / we measured / verdict': the claims in `report/claims.yaml`, judged by numbers.

A claim is a mapping with

    id          C-004-1
    report      "004", the report that made it, "burda", the first author of a paper, or "ours"
    where       where it stands there
    said        the claim in our own words
    notebook    "03", the notebook whose runs decide
    models      optional: the report's own models (of `amounts.yaml`) that it is about, or it is not tested
    least       optional: name of a number -> what it has to be at least (to a twentieth), or the claim is not tested
    awaits      optional: numbers that no run may have written yet; while one is missing the claim is not tested
    shown       what the table shows: words -> name of a number of the run
    holds_if    rule over the names of numbers, e.g. `upper(vae_sse, ae_sse) < 0`
    fails_if    rule for the opposite; when neither is true the claim is undecided
    because     why the rule has this margin
    control     what must not pass: words -> name of a number -> its value there, or a rule for it
    decided_by  what would decide it, where it is undecided or not tested
    note        optional: what to know when reading the verdict

Beside it, `report/first_rules.yaml` has the rule that a claim had first, id -> holds_if, fails_if.

`lower(a, b)` and `upper(a, b)` are the ends of an interval for the mean over seeds of a less that of b, `lower(a)` and
`upper(a)` for that of a; the deviations are the numbers `a_sd` and `b_sd`.
"""

import ast
from dataclasses import dataclass, field, fields
from pathlib import Path

from scipy import stats

from twinvae.data.strict_yaml import read_yaml, repeated
from twinvae.run.results import Result
from twinvae_studies import amounts
from twinvae_studies.amounts import ENOUGH, Amount

HOLDS, FAILS, UNDECIDED, NOT_TESTED = "holds", "does not hold", "undecided", "not tested"
SEEDS, CLAIMS = 3, 59  # of a model; of the reports
LEVEL = 0.5 / CLAIMS  # one-sided: of all claims, half a one is expected to be judged wrongly by the choice of seeds


def half_width(*deviations: float) -> float:
    """Return half the width of the interval of a mean over seeds, by Student's t, or a difference, by Welch's."""
    variances = [sd**2 / SEEDS for sd in deviations]
    if not any(variances):
        return 0.0
    free = sum(variances) ** 2 / sum(v**2 / (SEEDS - 1) for v in variances)
    return float(stats.t.ppf(1 - LEVEL, free)) * sum(variances) ** 0.5


def lower(mean: float, sd: float, other: float = 0.0, *other_sd: float) -> float:
    """Return the lower end of that interval, of a mean or of `mean - other`."""
    return mean - other - half_width(sd, *other_sd)


def upper(mean: float, sd: float, other: float = 0.0, *other_sd: float) -> float:
    """Return the upper end of that interval, of a mean or of `mean - other`."""
    return mean - other + half_width(sd, *other_sd)


LEAST = {  # what a claim asks a least amount of, in words
    **{"seeds": "seeds", "grid_seeds": "seeds of the grid", "grid_epochs": "epochs of the grid"},
    **{f"grid_{name}_images": f"images of {name.upper()} in the grid" for name in ("mnist", "usps")},
    **{f"small_{what}": f"{what} of the small trainings" for what in ("epochs", "steps", "images")},
    **dict.fromkeys(("bounds_images", "q_images"), "training images"),
    **dict.fromkeys(("order_report_weights", "task3_report_weights", "z512_weights"), "weights of the net"),
    **{"grid_rates": "learning rates of each optimiser", "epochs_task3": "epochs of task 3"},
}
FUNCTIONS = {"abs": abs, "min": min, "max": max, "lower": lower, "upper": upper}
# Whatever else Python knows is no part of a rule.
ALLOWED = (
    *(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Call),
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div),
    *(ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq),
)


@dataclass(frozen=True)
class Claim:
    """One claim of a report and the rule that decides it; see the module."""

    id: str
    report: str
    where: str
    said: str
    notebook: str
    shown: dict[str, str]
    holds_if: str
    fails_if: str
    because: str
    control: dict[str, dict[str, float | str]]
    decided_by: str
    note: str = ""
    models: tuple[Amount, ...] = ()
    least: dict[str, float] = field(default_factory=dict)
    awaits: tuple[str, ...] = ()
    first: dict[str, str] = field(default_factory=dict)
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.type is str and not isinstance(value := getattr(self, item.name), str):
                raise ValueError(f"claim {self.id}: {item.name} is {value!r}; put it in quotes")
        if not isinstance(self.shown, dict) or not self.shown:
            raise ValueError(f"claim {self.id}: shown is {self.shown!r}; it must map words to names of numbers")
        for words, name in self.shown.items():
            if not isinstance(words, str) or not isinstance(name, str):
                raise ValueError(
                    f"claim {self.id}: shown maps {words!r} to {name!r}, not to the name of a number; "
                    "put words that hold a comma or a colon in quotes"
                )
        decisive = names_in(self, self.holds_if) | names_in(self, self.fails_if)
        changed = [set(numbers) for numbers in self.control.values()] if isinstance(self.control, dict) else []
        if not changed or any(not names & names_in(self, self.holds_if) for names in changed):
            raise ValueError(
                f"claim {self.id}: each control must change a number that holds_if has, and one must be given"
            )
        object.__setattr__(self, "names", frozenset(decisive | set(self.shown.values()) | set(self.least)))
        if unknown := sorted(set(self.awaits) - self.names):
            raise ValueError(f"claim {self.id}: it awaits {', '.join(unknown)}, which neither a rule nor the table has")


def load(path: Path) -> list[Claim]:
    """Read the claims, with amounts and first rules; ValueError that names the claim that is not as the module says."""
    claims, known = [], amounts.load(path.parent / "amounts.yaml")
    first = read_yaml(path.with_name("first_rules.yaml")) if path.with_name("first_rules.yaml").is_file() else {}
    for number, entry in enumerate(read_yaml(path) or [], start=1):
        name = entry.get("id", f"number {number}") if isinstance(entry, dict) else f"number {number}"
        try:
            models = tuple(known[model] for model in entry.get("models", ()))
            claims.append(Claim(**entry | {"models": models, "first": first.get(name, {})}))
        except KeyError as error:
            raise ValueError(f"claim {name}: amounts.yaml has no model {error}; it has {', '.join(known)}") from None
        except TypeError as error:
            raise ValueError(f"claim {name} in {path.name}: {str(error).replace('Claim.__init__() ', '')}") from None
    if twice := repeated(claim.id for claim in claims):
        raise ValueError(f"claim {', '.join(twice)} stands more than once in {path.name}; give each its own id")
    return claims


def names_in(claim: Claim, rule: str) -> set[str]:
    """Return the names of numbers in a rule; ValueError that names the claim when the rule is not one."""
    tree = parse(claim, rule)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}


def parse(claim: Claim, rule: str) -> ast.Expression:
    """Return the tree of a rule, with the deviation of each mean in an interval behind it."""
    try:
        tree = ast.parse(rule, mode="eval")
    except SyntaxError:
        raise ValueError(f"claim {claim.id}: {rule!r} is not an expression") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("lower", "upper"):
            if not all(isinstance(mean, ast.Name) for mean in node.args):
                raise ValueError(f"claim {claim.id}: {ast.unparse(node)} is not of one or two names of numbers")
            node.args = [name for mean in node.args for name in (mean, ast.Name(f"{mean.id}_sd", ast.Load()))]
    return ast.fix_missing_locations(tree)


def check_rule(node: ast.AST) -> None:
    """Raise ValueError for a part of a rule that is not arithmetic, comparison or one of FUNCTIONS."""
    allowed = isinstance(node, ALLOWED)
    if isinstance(node, ast.Constant):
        allowed = isinstance(node.value, int | float)
    if isinstance(node, ast.Call):
        allowed = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS and not node.keywords
    if not allowed:
        raise ValueError(f"{ast.unparse(node)!r} is not allowed in it")


def evaluate(claim: Claim, rule: str, numbers: dict[str, float]) -> bool:
    """Return whether a rule is true of the numbers of a run; ValueError that names the claim when it has no truth."""
    tree = parse(claim, rule)
    try:
        for node in ast.walk(tree):
            check_rule(node)
        truth = eval(compile(tree, claim.id, "eval"), {"__builtins__": {}}, FUNCTIONS | numbers)
    except (ValueError, ZeroDivisionError, TypeError, NameError) as error:
        error = f"the run has no number {error.name}" if isinstance(error, NameError) else error
        raise ValueError(f"claim {claim.id}: the rule {rule!r} cannot be judged: {error}") from None
    if not isinstance(truth, bool):
        raise ValueError(f"claim {claim.id}: the rule {rule!r} gives {truth}, neither true nor false")
    return truth


def verdict(claim: Claim, numbers: dict[str, float]) -> str:
    """Judge a claim by one run: 'holds', 'does not hold' or 'undecided'."""
    return _decide(claim, claim.holds_if, claim.fails_if, numbers)


def _decide(claim: Claim, holds_if: str, fails_if: str, numbers: dict[str, float]) -> str:
    holds, fails = (evaluate(claim, rule, numbers) for rule in (holds_if, fails_if))
    if holds and fails:
        raise ValueError(f"claim {claim.id}: holds_if and fails_if are both true; one must exclude the other")
    return HOLDS if holds else FAILS if fails else UNDECIDED


def judge_at_first(claim: Claim, result: Result) -> str:
    """Return what the first rule of a claim says of a run that tests it; NOT_TESTED where it cannot be asked."""
    named = set().union(*(names_in(claim, rule) for rule in claim.first.values()))
    if not claim.first or not named <= set(result.numbers) or reasons(claim, result):
        return NOT_TESTED
    return _decide(claim, **claim.first, numbers=result.numbers)


def untested(claim: Claim, numbers: dict[str, float]) -> list[str]:
    """Return in words why the numbers of a run cannot decide a claim: what is missing, what is too small."""
    words = LEAST | {name: words for words, name in claim.shown.items()}
    missing = [words.get(name, name) for name in claim.awaits if name not in numbers]
    few = {name: least for name, least in claim.least.items() if numbers.get(name, least) < ENOUGH * least}
    small = [f"{words.get(name, name)}: {numbers[name]:,.0f}, and should be {few[name]:,.0f}" for name in few]
    return [f"not measured yet: {', '.join(missing)}"] * bool(missing) + small


def reasons(claim: Claim, result: Result) -> list[str]:
    """Return in words why a run cannot decide a claim; nothing where it can."""
    short = (amounts.shortfall(theirs, amounts.trained(result, theirs.model)) for theirs in claim.models)
    return [*filter(None, short), *untested(claim, result.numbers)]


def judge(claim: Claim, result: Result) -> str:
    """Return the verdict of one run, NOT_TESTED where it cannot decide the claim."""
    return NOT_TESTED if reasons(claim, result) else verdict(claim, result.numbers)


def together(verdicts: list[str]) -> str:
    """Return the verdict of all runs of a claim: of those that tested it, theirs where they agree, else 'undecided'."""
    tested = {verdict for verdict in verdicts if verdict != NOT_TESTED}
    return NOT_TESTED if not tested else tested.pop() if len(tested) == 1 else UNDECIDED
