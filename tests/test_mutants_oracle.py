"""The checks that mutants are attacked with hold for the real modules, and see planted mistakes."""

import ast
import importlib
import warnings

import mutants
import pytest
from oracle import ORACLES

CHECKS = [(name, check) for name, checks in ORACLES.items() for check in checks]


@pytest.mark.parametrize("name, check", CHECKS, ids=[f"{name}-{check.__name__}" for name, check in CHECKS])
def test_a_check_holds(name, check):
    check(importlib.import_module(name))


@pytest.mark.parametrize(
    "name, right, wrong",
    [
        ("twinvae.pt.losses", "mu**2 + torch.expm1", "mu**2 - torch.expm1"),
        ("twinvae.tf.losses", "x > 1 - 0.5 / 255", "x > 1 - 1.5 / 255"),
        ("twinvae.pt.layers", "total // 2, total - total // 2", "total - total // 2, total // 2"),
        ("twinvae.tf.layers", "h * (1 + tf", "h * (tf"),
        ("twinvae.reference", "1 - beta1**step", "1 - beta2**step"),
    ],
)
def test_a_planted_mistake_is_seen(name, right, wrong):
    path = mutants.ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py")
    source = path.read_text()
    assert source.count(right) >= 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert mutants.killer(name, ast.parse(source.replace(right, wrong)))


def test_what_is_changed():
    source = "def f(x):\n    '''1 + 1'''\n    return -x.sum(axis=1) * 2 if x.ndim > 3 else g(x, 0)"
    changes = [m.change.split("  ->  ")[1] for m in mutants.mutants(ast.parse(source))]
    expected = {"x.sum(axis=2)", "x.sum(axis=0)", "x.mean", "--x.sum(axis=1)", "-x.sum(axis=1) / 2", "x.ndim >= 3"}
    assert expected | {"x.ndim < 3", "x.ndim > 4", "g(0, x)"} <= set(changes)
    assert len(changes) == len(set(changes)) and not any("1 - 1" in change for change in changes)


def test_reasons_are_given():
    assert all(len(reason) > 20 for reason in mutants.EQUIVALENT.values())
