"""Do the checks see a small mistake?  Sources with formulas are changed in one place and attacked by them.

    python tests/mutants.py        (make mutants)

A mutant is a module with one operator, comparison, sign, number, flag, axis, reduction or pair of neighbours
changed; it is killed when a check of `oracle.py` fails.  The table goes to results/mutants/mutants.csv.  A
survivor is a hole in the tests, or it does the same as the original: then it stands in EQUIVALENT with the
reason.  Exit code 1 for a survivor.
"""

import ast
import collections
import sys
import time
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from oracle import ORACLES

import twinvae

ROOT = Path(twinvae.__file__).parent
RESULTS = Path("results") / "mutants" / "mutants.csv"

OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.LtE: (ast.Lt,),
    ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
NAMES = {  # reductions and functions that are taken for one another
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "reduce_sum": "reduce_mean",
    "var": "std",
    "maximum": "minimum",
    "exp": "expm1",
    "expm1": "exp",
    "log": "log1p",
    "softplus": "relu",
    "logsigmoid": "tanh",
    "log_sigmoid": "tanh",
    "log_softmax": "softmax",
    "abs": "square",
    "sqrt": "square",
    "logaddexp": "maximum",
    "tanh": "sinh",
    "lerp_": "add_",
    "zeros": "ones",
    "ones": "zeros",
}
SYMMETRIC = ("max", "maximum", "minimum", "logaddexp")
WORDS = {
    "same": "valid",
    "valid": "same",
    "zeros": "ones",
    "nearest": "bilinear",
    "tanh": "relu",
    "relu": "tanh",
    "leaky_relu": "relu",
    "gamma": "beta",
    "beta": "gamma",
}

EQUIVALENT: dict[tuple[str, str, str], str] = {  # (file, function, change) -> why nothing can tell
    (file, place, change): reason
    for files, place, changes, reason in [
        (
            ("pt/losses.py", "tf/losses.py"),
            "continuous_bernoulli_nll",
            ("b ** 8 / 9676800  ->  b ** 8 / 9676801", "b ** 8 / 9676800  ->  b ** 8 / 9676799"),
            "the last term of the series is below 1e-15; its seventh digit is below float64",
        ),
        (
            ("pt/losses.py", "tf/losses.py"),
            "continuous_bernoulli_nll",
            ("a < 0.1  ->  a <= 0.1",),
            "where the two forms meet they agree to the last digits",
        ),
        (
            ("pt/losses.py",),
            "continuous_bernoulli_nll",
            ("torch.clamp(a, max=0.1)  ->  torch.clamp(a, max=0.11)",),
            "beyond 0.1 the series is not taken",
        ),
        (
            ("tf/losses.py",),
            "continuous_bernoulli_nll",
            ("tf.minimum(a, 0.1)  ->  tf.minimum(a, 0.11)",),
            "beyond 0.1 the series is not taken",
        ),
        (
            ("pt/losses.py", "tf/losses.py"),
            "kl_monte_carlo",
            (
                "log_normal(z, mu, logvar)  ->  log_normal(mu, z, logvar)",
                "log_normal(z, prior_mu, prior_logvar)  ->  log_normal(prior_mu, z, prior_logvar)",
            ),
            "the density is the same with point and mean exchanged",
        ),
        (
            ("pt/layers.py",),
            "",
            ("FEW = 4  ->  FEW = 5", "FEW = 4  ->  FEW = 3"),
            "it only chooses the faster of two ways to the same result",
        ),
        (
            ("pt/layers.py",),
            "same_conv",
            ("len(kernel) <= FEW  ->  len(kernel) < FEW", "stride == 1  ->  stride == 0"),
            "the other of two ways to the same result",
        ),
        (
            ("pt/layers.py",),
            "same_conv",
            ("kernel.shape[2]  ->  kernel.shape[3]", "kernel.shape[3]  ->  kernel.shape[2]"),
            "kernels of all layers are square",
        ),
        (
            ("tf/layers.py",),
            "RepeatedConv.convolution_op",
            ("kernel.shape[0]  ->  kernel.shape[1]",),
            "kernels of all layers are square",
        ),
        (
            ("pt/layers.py",),
            "same_conv",
            (
                "kernel.transpose(0, 1).flip(2, 3)  ->  kernel.transpose(0, 1).flip(3, 2)",
                "kernel.transpose(0, 1)  ->  kernel.transpose(1, 0)",
            ),
            "the order of the axes does not matter",
        ),
        (
            ("pt/layers.py",),
            "same_conv",
            ("(top, left)  ->  (left, top)", "(bottom, right)  ->  (right, bottom)"),
            "where it differs, nothing is padded",
        ),
        (
            ("pt/layers.py",),
            "ConvTranspose.__init__",
            ("max(layer.kernel - layer.stride, 0)  ->  max(layer.kernel - layer.stride, 1)",),
            "half of it, rounded down, is the same",
        ),
        *(
            (
                (file,),
                f"Stack.{method}",
                (
                    "zip(self.rows, (*self.rows[1:], None), strict=True)  ->  "
                    "zip(self.rows, (*self.rows[1:], None), strict=False)",
                ),
                "both are of the same length",
            )
            for file, method in (("pt/layers.py", "forward"), ("tf/layers.py", "call"))
        ),
        (
            ("pt/layers.py",),
            "Stack.forward",
            ("(2, 3)  ->  (3, 2)",),
            "the largest value does not depend on the order of axes",
        ),
        (("tf/layers.py",), "Film.call", ("-1  ->  -2",), "TensorFlow takes any negative size for 'the rest'"),
        (("reference.py",), "_per_example", ("-1  ->  -2",), "NumPy takes any negative size for 'the rest'"),
        (
            ("reference.py",),
            "continuous_bernoulli_log_norm",
            ("np.where(a == 0, 1.0, a)  ->  np.where(a == 0, 1.1, a)",),
            "the value is not used: the outer np.where gives log 2 there",
        ),
        (
            ("reference.py",),
            "log_normal",
            ("(_f64(z), _f64(mu), _f64(logvar))  ->  (_f64(mu), _f64(z), _f64(logvar))",),
            "the density is the same with point and mean exchanged",
        ),
        (("reference.py",), "leaky_relu", ("a > 0  ->  a >= 0",), "slope times 0 is 0, too"),
    ]
    for file in files
    for change in changes
}


class Mutant(NamedTuple):
    """A change of one field of one node of a module's syntax tree."""

    line: int
    place: str
    change: str
    node: ast.AST
    field: str
    value: Any


# ---------------------------------------------------------------- making mutants


def values(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """The fields of a node that can be changed, with what stands there instead."""
    match node:
        case ast.BinOp() if type(node.op) in OPERATORS:
            yield "op", OPERATORS[type(node.op)]()
        case ast.Compare():
            yield from (("ops", [new()]) for new in COMPARISONS.get(type(node.ops[0]), ()))
        case ast.UnaryOp():
            yield "operand", ast.UnaryOp(node.op, node.operand)  # twice is not at all
        case ast.BoolOp():
            yield "op", ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        case ast.IfExp() | ast.If():
            yield "test", ast.UnaryOp(ast.Not(), node.test)
        case ast.Constant(value=bool(flag)):
            yield "value", not flag
        case ast.Constant(value=int(number) | float(number)):
            yield from (("value", new) for new in numbers(number))
        case ast.Constant(value=str(word)) if word in WORDS:
            yield "value", WORDS[word]
        case ast.Attribute() if node.attr in NAMES:
            yield "attr", NAMES[node.attr]
        case ast.keyword() if node.arg in NAMES:
            yield "arg", NAMES[node.arg]
        case ast.Call() if getattr(node.func, "attr", getattr(node.func, "id", "")) in SYMMETRIC:
            return
        case ast.Call(args=list(items)) | ast.Tuple(elts=list(items), ctx=ast.Load()) if len(items) > 1:
            field = "args" if isinstance(node, ast.Call) else "elts"
            yield from ((field, [*items[:i], items[i + 1], items[i], *items[i + 2 :]]) for i in range(len(items) - 1))


def numbers(number: float) -> list[float]:
    """The neighbours of a whole number, and a tenth more of a large or broken one."""
    near = [number + 1, number - 1] if isinstance(number, int) else []
    return near + [float(f"{1.1 * number:.6g}")] * (isinstance(number, float) or number > 9)


def mutants(tree: ast.Module) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines; docstrings, messages and types stay."""

    def visit(node: ast.AST, place: str, shown: ast.AST) -> Iterator[Mutant]:
        if isinstance(node, (ast.JoinedStr, ast.Raise, ast.arguments)) or is_docstring(node):
            return
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            place = f"{place}.{node.name}".lstrip(".")
        if isinstance(node, (ast.expr, ast.stmt)) and not isinstance(node, (ast.Constant, ast.Slice)):
            shown = node
        before = words(shown)
        for field, value in values(node):
            old = getattr(node, field)
            setattr(node, field, value)
            after = words(shown)
            setattr(node, field, old)
            if after != before:
                line = getattr(node, "lineno", getattr(shown, "lineno", 0))
                yield Mutant(line, place, f"{before}  ->  {after}", node, field, value)
        for child in children(node):
            yield from visit(child, place, shown)

    yield from visit(tree, "", tree)


def children(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, without annotations and return types."""
    for field, child in ast.iter_fields(node):
        if field not in ("annotation", "returns"):
            yield from (c for c in (child if isinstance(child, list) else [child]) if isinstance(c, ast.AST))


def is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def words(node: ast.AST) -> str:
    """The source of a node in one line; of a statement with a body its first line."""
    return ast.unparse(node).splitlines()[0] if not isinstance(node, ast.Module) else ""


def load(name: str, tree: ast.Module) -> types.ModuleType:
    """A fresh module from a tree, beside the real one."""
    module = types.ModuleType(name)
    exec(compile(ast.fix_missing_locations(tree), name, "exec"), module.__dict__)
    return module


# ---------------------------------------------------------------- attacking them


def killer(name: str, tree: ast.Module) -> str:
    """The first check that fails, with how; '' for a survivor."""
    try:
        module = load(name, tree)
    except Exception as error:
        return f"loading: {type(error).__name__}"
    for check in ORACLES[name]:
        try:
            check(module)
        except Exception as error:
            return f"{check.__name__}: {type(error).__name__}"
    return ""


def attack(name: str) -> Iterator[dict]:
    """A row for each mutant of a module."""
    path = ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py")
    file = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text())
    assert not killer(name, tree), "the checks hold for the unchanged module"
    for mutant in mutants(tree):
        old = getattr(mutant.node, mutant.field)
        setattr(mutant.node, mutant.field, mutant.value)
        by = killer(name, tree)
        setattr(mutant.node, mutant.field, old)
        reason = EQUIVALENT.get((file, mutant.place, mutant.change), "")
        verdict = "killed" if by else "equivalent" if reason else "survived"
        yield {
            "file": file,
            "line": mutant.line,
            "in": mutant.place,
            "change": mutant.change,
            "verdict": verdict,
            "killed by, or why equivalent": by or reason,
        }


def main(names: list[str]) -> None:
    """The table; exit code 1 for a survivor, or for an entry of EQUIVALENT that is none."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    rows = []
    for name in names or ORACLES:
        start = time.perf_counter()
        new = list(attack(name))
        counts = collections.Counter(row["verdict"] for row in new)
        print(f"{name}: {len(new)} mutants, {dict(counts)}, {time.perf_counter() - start:.0f} s", flush=True)
        rows += new
    table = pd.DataFrame(rows)
    for row in table[table.verdict == "survived"].itertuples():
        print(f"SURVIVED {row.file}:{row.line}, {row[3]}: {row.change}")
    explained = {(r["file"], r["in"], r["change"]) for r in rows if r["verdict"] == "equivalent"}
    stale = [key for key in EQUIVALENT if key not in explained and key[0] in set(table.file)]
    for key in stale:
        print(f"STALE in EQUIVALENT, killed or gone: {key}")
    if not names:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(RESULTS, index=False)
        print(f"wrote {RESULTS}")
    sys.exit(bool(stale) or "survived" in set(table.verdict))


if __name__ == "__main__":
    main(sys.argv[1:])
