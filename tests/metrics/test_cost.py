"""Cost: operations counted by hand, shares of a known limit."""

import time
from dataclasses import dataclass

import pytest

from twinvae import spec, zoo
from twinvae.metrics import cost


@pytest.mark.parametrize(
    "name, weights, biases",
    [
        ("report004_ae", 1_158_772, 2 * (512 + 256 + 128) + 100 + 784),
        ("report004_vae", 1_171_672, 2 * (512 + 256 + 128) + 200 + 784),
    ],
)
def test_a_dense_model_multiplies_each_weight_once(name, weights, biases):
    assert cost.multiply_adds(zoo.get(name)) == weights - biases


def test_convolutions_multiply_their_kernel_at_every_pixel():
    model = spec.ModelSpec(
        "small",
        "ae",
        (8, 8, 3),
        5,
        (spec.Conv(4, 3, 2), spec.Flatten()),
        (spec.Dense(64), spec.Reshape((4, 4, 4)), spec.ConvTranspose(3, 4, 2)),
    )
    by_hand = 4 * 4 * 9 * 3 * 4 + 64 * 5 + 5 * 64 + 4 * 4 * 16 * 4 * 3
    assert cost.multiply_adds(model) == by_hand


def test_every_layer_has_a_cost_and_an_unknown_one_names_itself():
    assert all(cost.multiply_adds(model) > 0 for model in zoo.ZOO.values())

    @dataclass(frozen=True)
    class Attention(spec.Layer):
        """A layer that nobody has thought of."""

    model = spec.ModelSpec("new", "ae", (8, 8, 1), 5, (spec.Flatten(), Attention()), spec.mlp(64))
    with pytest.raises(ValueError, match="a layer Attention is not known"):
        cost.multiply_adds(model)


def test_share_of_a_limit():
    assert cost.training_flops(1_000_000, 60_000) == 3.6e11
    assert cost.gemm_fraction(1_000_000, 60_000, seconds=7.2, limit=1e11) == pytest.approx(0.5)
    assert cost.gemm_fraction(1_000_000, 120_000, seconds=14.4, limit=1e11) == pytest.approx(0.5)


def test_limit_is_that_of_the_fastest_product_after_a_warm_up():
    waits = iter([0.2, 0.03, 0.02, 0.03])
    limit = cost.gemm_limit(lambda: time.sleep(next(waits)), size=1000, repeats=3)
    assert 2e9 / 0.04 < limit <= 2e9 / 0.02
    assert next(waits, None) is None


def test_epoch_seconds_leave_the_first_one_out():
    assert cost.epoch_seconds([99, 1, 2, 3, 4, 5]) == (3, 2)
    assert cost.epoch_seconds([7]) == (7, 0)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: cost.training_flops(0, 5), "multiply_adds"),
        (lambda: cost.training_flops(5, -1), "images"),
        (lambda: cost.gemm_fraction(5, 5, 0.0, 1.0), "seconds"),
        (lambda: cost.gemm_fraction(5, 5, 1.0, float("nan")), "limit"),
        (lambda: cost.epoch_seconds([]), "at least one"),
        (lambda: cost.epoch_seconds([1.0, float("inf")]), "finite"),
    ],
)
def test_bad_input_gets_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
