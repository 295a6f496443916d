"""'The report said / we measured / verdict': the claims in `report/claims.yaml`, judged by numbers.

A claim is a mapping with

    id        C-004-1
    report    "004", the report that made it, "burda", the first author of a paper, or "ours"
    where     where it stands there
    said      the claim in our own words
    notebook  "03", the notebook whose runs decide
    shown     what the table shows: words -> name of a number of the run
    holds_if  rule over the names of numbers, e.g. `sse_vae < sse_ae - 2 * sse_spread`
    fails_if  rule for the opposite; when neither is true the claim is undecided
    note      optional: what to know when reading the verdict
"""

import ast
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
FUNCTIONS = {"abs": abs, "min": min, "max": max}
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
    note: str = ""
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        for key in ("id", "report", "where", "said", "notebook", "holds_if", "fails_if", "note"):
            if not isinstance(getattr(self, key), str):
                raise ValueError(f"claim {self.id}: {key} is {getattr(self, key)!r}; put it in quotes")
        if not isinstance(self.shown, dict) or not self.shown:
            raise ValueError(f"claim {self.id}: shown is {self.shown!r}; it must map words to names of numbers")
        for words, name in self.shown.items():
            if not isinstance(words, str) or not isinstance(name, str):
                raise ValueError(
                    f"claim {self.id}: shown maps {words!r} to {name!r}, not to the name of a number; "
                    "put words that hold a comma or a colon in quotes"
                )
        used = names_in(self, self.holds_if) | names_in(self, self.fails_if)
        object.__setattr__(self, "names", frozenset(used | set(self.shown.values())))


def load(path: Path) -> list[Claim]:
    """Read the claims; ValueError that names the claim for one that is not as the module says."""
    claims = []
    for number, entry in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")) or [], start=1):
        name = entry.get("id", f"number {number}") if isinstance(entry, dict) else f"number {number}"
        try:
            claims.append(Claim(**entry))
        except TypeError as error:
            raise ValueError(f"claim {name} in {path.name}: {str(error).replace('Claim.__init__() ', '')}") from None
    twice = sorted(name for name, times in Counter(claim.id for claim in claims).items() if times > 1)
    if twice:
        raise ValueError(f"claim {', '.join(twice)} stands more than once in {path.name}; give each its own id")
    return claims


def names_in(claim: Claim, rule: str) -> set[str]:
    """Return the names of numbers in a rule; ValueError that names the claim when the rule is not one."""
    try:
        tree = ast.parse(rule, mode="eval")
    except SyntaxError:
        raise ValueError(f"claim {claim.id}: {rule!r} is not an expression") from None
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}


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
    try:
        tree = ast.parse(rule, mode="eval")
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
    holds, fails = (evaluate(claim, rule, numbers) for rule in (claim.holds_if, claim.fails_if))
    if holds and fails:
        raise ValueError(f"claim {claim.id}: holds_if and fails_if are both true; one must exclude the other")
    return HOLDS if holds else FAILS if fails else UNDECIDED


def together(verdicts: list[str]) -> str:
    """Return the verdict of all runs of a claim: theirs where they agree, else 'undecided'."""
    return verdicts[0] if len(set(verdicts)) == 1 else UNDECIDED
