"""Inpainting: the weights of importance sampling, a model whose answer is known, and the nearest image."""

import numpy as np
import pytest
from pair import CVAE, TWINS, VAE

from twinvae import backend
from twinvae.metrics import inpainting


def binary(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, (n, 5, 4, 1)).astype("float64")


LOWER = np.zeros((5, 4, 1), bool)
LOWER[2:] = True


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("spec", [VAE, CVAE])
def test_with_nothing_missing_the_weights_are_those_of_importance_sampling(name, spec):
    twin = backend.get(name)
    model = twin.models.build(spec, dtype="float64")
    x, y, eps = binary(3), np.eye(3), np.random.default_rng(1).standard_normal((4, 3, 2))
    log_w, mean = inpainting.weighted_means(model, twin, x, x, y, np.zeros_like(LOWER), eps)
    assert log_w == pytest.approx(twin.models.call(model, "log_weights", x, y, eps), abs=1e-9)
    assert mean.shape == (4, *x.shape) and mean.min() > 0 and mean.max() < 1


def test_the_twins_fill_in_the_same():
    x, y = binary(3), np.eye(3)
    filled = []
    for name in TWINS:
        twin = backend.get(name)
        model = twin.models.build(CVAE, dtype="float64")
        filled.append(inpainting.inpaint(model, twin, x, y, LOWER, np.full(LOWER.shape, 0.5), 8, 2))
    assert filled[0] == pytest.approx(filled[1], abs=1e-9)
    assert (filled[0][:, ~LOWER] == x[:, ~LOWER]).all(), "observed pixels stay"


def test_a_model_of_two_patterns_restores_the_one_it_sees_half_of():
    twin = backend.get("torch")
    model = twin.models.build(VAE, dtype="float64")
    arrays = {name: np.zeros_like(a) for name, a in model.get_arrays().items()}
    arrays["decoder.dense1.weight"][0, 0], arrays["decoder.dense1.weight"][1, 0] = 1, -1  # h = (z, -z) leaky
    pattern = np.where(np.arange(20) % 2, 8.0, -8.0)
    arrays["decoder.dense2.weight"][:, 0], arrays["decoder.dense2.weight"][:, 1] = pattern, -pattern
    model.set_arrays(arrays)
    x = np.stack([pattern > 0, pattern < 0]).astype("float64").reshape(2, 5, 4, 1)
    filled = inpainting.inpaint(model, twin, x, np.zeros((2, 1)), LOWER, np.full(LOWER.shape, 0.5), 500)
    assert np.abs(filled - x).max() < 0.1


def test_the_nearest_image_gives_its_missing_half():
    train = binary(6)
    x = train[[4, 1]].copy()
    x[:, 2:] = 0.5
    assert (inpainting.nearest_filling(train, x, LOWER) == train[[4, 1]]).all()
