"""Models of published studies, in both twins: k-sample bounds, and quadrants completed from the others."""

import json

import numpy as np
import pandas as pd
import pytest
from pair import LEAKY, SMALL, TWINS, array, splits
from scipy.special import logsumexp

from twinvae import backend, reference
from twinvae import spec as specs
from twinvae.spec import BoundSpec, CompletionSpec, FreeBitsSpec, TrainSpec
from twinvae_studies import parity_models

over_twins = pytest.mark.parametrize("twin", TWINS)
IWAE = BoundSpec("tiny_iwae", "iwae", samples=3, **SMALL)
COMPLETION = CompletionSpec("tiny_completion", "completion", quadrants=1, **SMALL)
COMPLETER = COMPLETION.of_kind("completer", name="tiny_completer", code_activation=LEAKY)
FREE = FreeBitsSpec("tiny_free", "free_bits", free=0.05, **SMALL)
VARIANTS = (IWAE, FREE, BoundSpec("tiny_mean", "iwae", samples=3, weighted=False, **SMALL), COMPLETION, COMPLETER)
RNG = np.random.default_rng(0)
X = RNG.random((6, 5, 4, 1))
Y = np.zeros((6, 1))


def terms_and_gradients(twin: str, model, eps: np.ndarray):
    """loss_terms [2, B] and the gradient of the mean loss for each weight, float64."""
    twin = backend.get(twin)
    built = twin.models.build(parity_models.random_weights(model), seed=3, dtype="float64")
    batch = twin.train.tensors([X, X, Y, eps])
    settings = TrainSpec(epochs=1)
    weights = built.named_tensors()
    _, gradients = twin.train.loss_and_gradients(built, list(weights.values()), settings.beta, *batch)
    terms = np.stack([array(t) for t in built.loss_terms(*batch)])
    to = getattr(twin.layers, "to_pytorch", lambda a: a)
    return terms, {name: to(array(g)) for name, g in zip(weights, gradients, strict=True)}, built


@pytest.mark.parametrize("model", VARIANTS, ids=lambda model: model.name)
def test_losses_and_gradients_are_the_same_in_both(model):
    eps = RNG.normal(size=(6, model.noise_dim))
    (terms, gradients, _), (other, others, _) = (terms_and_gradients(twin, model, eps) for twin in TWINS)
    np.testing.assert_allclose(terms, other, rtol=1e-12, atol=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, others[name], rtol=1e-9, atol=1e-12, err_msg=name)
        assert np.abs(gradient).max() > 0, name


@pytest.mark.parametrize("model", VARIANTS, ids=lambda model: model.name)
def test_a_spec_comes_back_from_json(model):
    assert specs.model_from_dict(json.loads(json.dumps(specs.to_dict(model)))) == model


@pytest.mark.parametrize("model", (IWAE, COMPLETION), ids=lambda model: model.name)
def test_a_model_learns_alike_in_either_twin(model, tmp_path):
    settings = TrainSpec(3, 8, learning_rate=3e-3)
    histories = []
    for twin in map(backend.get, TWINS):
        built = twin.models.build(model, dtype="float64")
        rows = twin.train.fit(built, splits(), settings, tmp_path / twin.__name__)
        histories.append(pd.DataFrame(rows).drop(columns="seconds"))
    np.testing.assert_allclose(histories[0], histories[1], rtol=1e-9)
    assert histories[0].loss.iloc[-1] < histories[0].loss.iloc[0]


# --- bounds --------------------------------------------------------------------------------------


@over_twins
def test_the_bound_rises_with_the_samples_and_one_sample_is_the_elbo(twin):
    eps = RNG.normal(size=(6, 3 * 2))
    bounds = {}
    for weighted in (False, True):
        model = BoundSpec("tiny", "iwae", samples=3, weighted=weighted, **SMALL)
        (recon, kl), _, built = terms_and_gradients(twin, model, eps)
        log_w = array(
            built.log_weights(*backend.get(twin).train.tensors([X, Y, eps.reshape(6, 3, 2).transpose(1, 0, 2)]))
        )
        assert log_w.shape == (3, 6) and (kl == 0).all()
        bounds[weighted] = -recon
    np.testing.assert_allclose(bounds[False], log_w.mean(0), rtol=1e-12)
    np.testing.assert_allclose(bounds[True], logsumexp(log_w, 0) - np.log(3), rtol=1e-12)
    assert (bounds[True] > bounds[False]).all()
    (one, _), _, _ = terms_and_gradients(twin, BoundSpec("tiny", "iwae", **SMALL), eps[:, :2])
    np.testing.assert_allclose(-one, log_w[0], rtol=1e-12)


@over_twins
def test_the_gradient_of_the_bound_is_that_of_finite_differences(twin):
    eps = RNG.normal(size=(6, IWAE.noise_dim))
    step = 1e-6
    _, gradients, built = terms_and_gradients(twin, IWAE, eps)
    arrays = built.get_arrays()
    batch = backend.get(twin).train.tensors([X, X, Y, eps])
    for name in ("mu.dense1.bias", "logvar.dense1.bias", "decoder.dense1.bias"):
        ends = []
        for sign in (1, -1):
            moved = {key: a.copy() for key, a in arrays.items()}
            moved[name][0] += sign * step
            built.set_arrays(moved)
            ends.append(array(built.loss_terms(*batch)[0]).mean())
        assert gradients[name][0] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-8)


@over_twins
def test_free_bits_count_each_unit_for_no_less(twin):
    (_, kl), _, built = terms_and_gradients(twin, FREE, eps := RNG.normal(size=(6, 2)))
    mu, logvar = (array(t) for t in built.encode(*backend.get(twin).train.tensors([X])))
    each = np.stack([reference.kl_standard(mu[:, [j]], logvar[:, [j]]) for j in range(2)], 1)
    assert (each < 0.05).any() and (each > 0.05).any()
    np.testing.assert_allclose(kl, np.maximum(each, 0.05).sum(1), rtol=1e-11)
    none = FreeBitsSpec("tiny", "free_bits", free=0.0, **SMALL)
    np.testing.assert_allclose(terms_and_gradients(twin, none, eps)[0][1], each.sum(1), rtol=1e-11)


# --- quadrants -----------------------------------------------------------------------------------


def test_the_missing_quadrants_are_those_of_the_example():
    shape = dict(SMALL, image_shape=(4, 4, 1))
    for quadrants, drawn in ((1, "xxxx xxxx ..xx ..xx"), (2, "..xx ..xx ..xx ..xx"), (3, ".... .... ..xx ..xx")):
        missing = CompletionSpec("tiny", "completion", quadrants=quadrants, **shape).missing()
        assert missing == [at for at, sign in enumerate(drawn.replace(" ", "")) if sign == "x"]


@over_twins
def test_a_completion_is_the_reference_and_its_prior_sees_no_missing_pixel(twin):
    eps = RNG.normal(size=(6, 2))
    (recon, kl), _, built = terms_and_gradients(twin, COMPLETION, eps)
    w = built.get_arrays()
    missing = COMPLETION.missing()
    layer = lambda name: (w[f"{name}.weight"], w[f"{name}.bias"])  # noqa: E731
    seen = X.reshape(6, -1).copy()
    seen[:, missing] = 0
    h, c = (reference.mlp(image, [layer(f"{net}.dense1")], 0.2, True)
            for image, net in ((X.reshape(6, -1), "encoder"), (seen, "prior_net")))  # fmt: skip
    q = [reference.dense(h, *layer(f"{head}.dense1")) for head in ("mu", "logvar")]
    p = [reference.dense(c, *layer(f"prior_{head}.dense1")) for head in ("mu", "logvar")]
    z = reference.reparameterize(*q, eps)
    logits = reference.mlp(z, [layer("decoder.dense1"), layer("decoder.dense2")], 0.2)
    expected = reference.bernoulli_nll(X.reshape(6, -1)[:, missing], logits[:, missing])
    np.testing.assert_allclose(recon, expected, rtol=1e-12)
    np.testing.assert_allclose(kl, reference.kl_gaussians(*q, *p), rtol=1e-11)
    log_w = array(built.log_weights(*backend.get(twin).train.tensors([X, Y, eps[None]])))[0]
    np.testing.assert_allclose(log_w, reference.log_normal(z, *p) - reference.log_normal(z, *q) - expected, rtol=1e-11)


@over_twins
def test_a_completer_is_a_net_of_the_observed_pixels(twin):
    (nll, zero), _, built = terms_and_gradients(twin, COMPLETER, RNG.normal(size=(6, 2)))
    other = X.reshape(6, -1).copy()
    other[:, COMPLETER.missing()] = RNG.random((6, len(COMPLETER.missing())))
    to = backend.get(twin).train.tensors
    one, two = (array(built.reconstruct(*to([x]))) for x in (X, other.reshape(X.shape)))
    np.testing.assert_array_equal(one, two)
    missing = one.reshape(6, -1)[:, COMPLETER.missing()]
    np.testing.assert_allclose(nll, reference.bernoulli_nll(X.reshape(6, -1)[:, COMPLETER.missing()],
                                                            np.log(missing / (1 - missing))), rtol=1e-9)  # fmt: skip
    assert (zero == 0).all()


def test_what_a_study_cannot_be_is_refused():
    with pytest.raises(ValueError, match="quadrants is 4; allowed are 1, 2, 3"):
        CompletionSpec("tiny", "completion", quadrants=4, **SMALL)
    with pytest.raises(ValueError, match="samples is 0; it must be a whole number of at least 1"):
        BoundSpec("tiny", "iwae", samples=0, **SMALL)
    with pytest.raises(ValueError, match="kind is 'vae'; allowed are 'iwae'"):
        BoundSpec("tiny", "vae", **SMALL)
