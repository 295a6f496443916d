"""Specs: what they refuse, the shapes and weights that they promise, the way through JSON."""

import dataclasses
import json

import numpy as np
import pytest
from pair import CVAE, LEAKY, SMALL, VAE

from twinvae import randomness, spec, zoo
from twinvae.metrics.cost import multiply_adds
from twinvae.spec import (
    Activation,
    BatchNorm,
    Conv,
    ConvTranspose,
    Dense,
    Film,
    Flatten,
    GlobalMaxPool,
    ModelSpec,
    Reshape,
    StackSpec,
    TrainSpec,
    Upsample,
)
from twinvae_studies import parity, parity_models

EVERY = [*zoo.ZOO.values(), *parity_models.small_models()]


# --- report 004 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, count", [("report004_ae", 1_158_772), ("report004_vae", 1_171_672), ("report004_cvae", 1_182_696)]
)
def test_report_004_has_the_counted_weights(name, count):
    assert spec.count_weights(zoo.get(name)) == count


@pytest.mark.parametrize(
    "name, count",
    [("report002_vae_mnist", 1_082_680), ("report002_cvae_mnist", 660_824), ("shallow_vae_mnist", 660_974),
     ("report002_vae_usps", 86_440), ("report002_cvae_usps", 237_896), ("shallow_vae_usps", 237_932)],
)  # fmt: skip
def test_report_002_has_the_counted_weights_and_a_shallow_vae_as_many_as_the_cvae(name, count):
    assert spec.count_weights(zoo.get(name)) == count


@pytest.mark.parametrize("task, count", [(1, 15_808_449), (2, 16_411_969), (3, 15_887_169)])
def test_report_001_has_the_counted_weights_and_a_light_model_with_the_same_layers(task, count):
    exact, light = zoo.get(f"report001_task{task}"), zoo.get(f"light_task{task}")
    assert spec.count_weights(exact) == count and spec.count_weights(light) <= 1_000_000
    for model, statistics in ((exact, 640), (light, 160)):
        assert multiply_adds(model) > parity.HEAVY or model is light
        assert sum(np.prod(w.shape) for w in model.weights() if not w.trainable) == statistics
        rows = [row for stack in model.stacks().values() for row in stack.walk()]
        assert [row.shape_out[0] for row in rows if isinstance(row.layer, Conv)] == [14, 7, 4, 14, 28, 28]
        assert rows[0].shape_in == (28, 28, 1 + {1: 1, 2: 24, 3: 4}[task])
    kinds = [[type(layer) for layer in (*m.encoder, *m.decoder)] for m in (exact, light)]
    assert kinds[0] == kinds[1]


def test_report_003_has_the_counted_weights():
    cvae, cgan = zoo.get("report003_cvae"), zoo.get("report003_cgan")
    assert spec.count_weights(cvae) == 714_588
    assert sum(np.prod(w.shape) for w in cvae.weights() if not w.trainable) == 768
    assert (spec.count_weights(cgan, "generator"), spec.count_weights(cgan, "discriminator")) == (1_791_491, 81_537)
    assert (cgan.stacks()["generator"].shape, cgan.stacks()["discriminator"].shape[2]) == ((138,), 13)


def test_the_light_pair_has_report_003s_layers_and_ours_no_more_work():
    for kind in ("cvae", "cgan"):
        exact, light, ours = (zoo.get(f"{name}_{kind}") for name in ("report003", "light_cifar", "better_cifar"))
        nets = [stack for stack in exact.stacks() if stack in light.stacks()]  # two heads of the light one
        layers = [[type(row.layer) for net in nets for row in m.stacks()[net].walk()] for m in (exact, light)]
        assert layers[0] == layers[1] and light.latent_dim == exact.latent_dim
        assert spec.count_weights(light) < spec.count_weights(exact) / 4
        assert multiply_adds(ours) <= multiply_adds(light) < multiply_adds(exact) / 10
    assert zoo.get("light_cifar_cvae").encoder == zoo.get("report003_cvae").encoder


def test_report_003s_encoder_takes_13_channels_from_32_pixels_to_15_6_and_2():
    rows = zoo.get("report003_cvae").stacks()["encoder"].walk()
    sides = [row.shape_out[0] for row in rows if isinstance(row.layer, Conv)]
    assert rows[0].shape_in == (32, 32, 13) and sides == [15, 6, 2]


def test_the_vae_of_burda_has_two_hidden_layers_of_200_on_each_side():
    side = 785 * 200 + 201 * 200
    assert spec.count_weights(zoo.get("vae_200_200")) == side + 2 * 201 * 50 + 51 * 200 + 201 * 200 + 201 * 784


def test_the_conditioner_of_report_004_has_2832_weights():
    assert spec.count_weights(zoo.get("report004_cvae"), "conditioner") == 11 * 16 + 17 * 32 + 33 * 64 == 2_832
    assert spec.count_weights(zoo.get("report004_vae"), "conditioner") == 0


def test_the_cvae_of_characters_is_small_enough_to_be_kept():
    model = zoo.get("report000_cvae")
    encoder = (784 + 36 + 1) * 480 + 481 * 256 + 2 * 257 * 16
    decoder = 17 * 256 + 257 * 480 + 481 * 784 + 2 * 36 * (256 + 480)
    assert spec.count_weights(model) == encoder + decoder == 1_083_248
    assert spec.count_weights(model.for_images((28, 28, 1), 62)) < 1_200_000


def test_an_unknown_model_is_refused_with_the_names_of_the_known():
    with pytest.raises(ValueError, match="model is 'report005'; allowed are 'report004_ae', 'report004_vae'"):
        zoo.get("report005")


def test_the_names_in_the_zoo_are_those_of_the_specs():
    assert all(name == model.name for name, model in zoo.ZOO.items())


# --- layers: shapes by hand ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer, shape, after",
    [
        (Flatten(), (3, 4, 2), (24,)),
        (Reshape((3, 4, 2)), (24,), (3, 4, 2)),
        (Dense(7), (5,), (7,)),
        (Conv(6), (7, 5, 3), (7, 5, 6)),
        (Conv(6, stride=2), (7, 5, 3), (4, 3, 6)),
        (Conv(6, 4, stride=3), (7, 9, 3), (3, 3, 6)),
        (Conv(6, 3, padding="valid"), (7, 5, 3), (5, 3, 6)),
        (Conv(6, 3, stride=2, padding="valid"), (8, 5, 3), (3, 2, 6)),
        (ConvTranspose(6, stride=2), (7, 5, 3), (14, 10, 6)),
        (ConvTranspose(6, 4, stride=2, padding="valid"), (7, 5, 3), (16, 12, 6)),
        (ConvTranspose(6, 2, stride=3, padding="valid"), (7, 5, 3), (21, 15, 6)),
        (Upsample(3), (2, 1, 4), (6, 3, 4)),
        (GlobalMaxPool(), (7, 5, 3), (3,)),
        (BatchNorm(), (2, 1, 4), (2, 1, 4)),
        (Activation("tanh"), (9,), (9,)),
        (Film(), (9,), (9,)),
    ],
)
def test_a_layer_maps_shapes(layer, shape, after):
    assert layer.output(shape) == after


@pytest.mark.parametrize(
    "layer, shape, weights",
    [
        (Dense(7), (5,), {"weight": (7, 5), "bias": (7,)}),
        (Dense(7, bias=False), (5,), {"weight": (7, 5)}),
        (Conv(6, 4), (9, 9, 3), {"weight": (6, 3, 4, 4), "bias": (6,)}),
        (ConvTranspose(6, 4, bias=False), (9, 9, 3), {"weight": (3, 6, 4, 4)}),
        (BatchNorm(), (9, 9, 3), {"weight": (3,), "bias": (3,), "running_mean": (3,), "running_var": (3,)}),
        (Film(), (9, 9, 3), {"gamma": (3, 2), "beta": (3, 2)}),
        (Activation(), (9,), {}),
    ],
)
def test_a_layer_names_its_weights(layer, shape, weights):
    assert {w.name: w.shape for w in layer.weights(shape, condition=2)} == weights


def test_moving_statistics_are_not_counted_as_weights():
    model = dataclasses.replace(VAE, encoder=(Flatten(), BatchNorm()))
    assert spec.count_weights(model, "encoder") == 2 * 20
    assert {w.name for w in model.weights() if not w.trainable} == {
        "encoder.batchnorm1.running_mean",
        "encoder.batchnorm1.running_var",
    }


def test_layers_are_numbered_by_kind_and_films_see_the_condition():
    stack = StackSpec("s", (Dense(4), LEAKY, Dense(3), Film()), (5,), condition=2)
    assert [row.name for row in stack.walk()] == ["dense1", "activation1", "dense2", "film1"]
    assert (stack.output, stack.walk()[-1].weights[0].shape) == ((3,), (3, 2))


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.name)
def test_a_decoder_and_a_generator_end_in_the_image_and_a_classifier_in_the_classes(model):
    ends = {"classifier": ("logits", (model.num_classes,)), "cgan": ("generator", model.image_shape)}
    last, output = ends.get(model.kind, ("decoder", model.image_shape))
    assert model.stacks()[last].output == output
    assert len({w.name for w in model.weights()}) == len(model.weights())


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kind": "gan"}, "kind is 'gan'; allowed are 'ae', 'vae', 'cvae'"),
        ({"latent_dim": 0}, "latent_dim is 0; it must be a whole number of at least 1"),
        ({"latent_dim": -3}, "latent_dim is -3"),
        ({"latent_dim": 2.0}, "latent_dim is 2.0; it must be a whole number"),
        ({"latent_dim": True}, "latent_dim is True"),
        ({"image_shape": (28, 28)}, r"image_shape is \(28, 28\); it must be \(height, width, channels\)"),
        ({"image_shape": (28, 0, 1)}, "image_shape is 0"),
        ({"likelihood": "poisson"}, "likelihood is 'poisson'; allowed are 'bernoulli'"),
        ({"variance": 0}, "variance is 0; it must be a finite number greater than 0"),
        ({"variance": float("nan")}, "variance is nan"),
        ({"output_mean": "tanh"}, "output_mean is 'tanh'; allowed are 'sigmoid', 'identity'"),
        ({"init": "zeros"}, "init is 'zeros'; allowed are 'normal_0.01', 'keras', 'torch'"),
        ({"code_activation": LEAKY}, "leave out code_activation"),
        ({"decoder_condition": "concat"}, "kind is 'vae', which has no condition; use kind 'cvae'"),
        ({"prior": "learned"}, "kind is 'vae', which has no condition"),
        ({"kind": "cvae", "num_classes": 3}, "no condition enters"),
        ({"kind": "cvae", "num_classes": 0, "decoder_condition": "concat"}, "num_classes is 0; .* at least 1"),
        ({"kind": "cvae", "num_classes": 3, "decoder_condition": "conditioner"}, "conditioner layers go with"),
        ({"kind": "cvae", "num_classes": 3, "decoder_condition": "film"}, "Film layers in the decoder go with"),
        ({"encoder": (Flatten(), Dense(4), Film())}, "Film layers in the encoder go with encoder_condition 'film'"),
        ({"encoder": (Dense(3),)}, r"Dense gets a map of shape \(5, 4, 1\); put Flatten\(\) before it"),
        ({"encoder": (Flatten(), Conv(3))}, r"Conv gets shape \(20,\); it needs a map"),
        ({"encoder": (Conv(3, 5, padding="valid"),)}, "Conv with kernel 5 does not fit a map of 5x4"),
        ({"decoder": (Dense(7), Reshape((2, 2, 2)))}, r"Reshape to \(2, 2, 2\) gets \(7,\): 7 values; it needs 8"),
        (
            {"decoder": (Dense(8), Reshape((2, 2, 2)))},
            r"the decoder ends in a map of shape \(2, 2, 2\); the image is \(5, 4, 1\)",
        ),
    ],
)
def test_a_model_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(VAE, **change)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kind": "gan"}, "kind is 'gan'; allowed are 'cgan'"),
        ({"latent_dim": 0}, "latent_dim is 0"),
        ({"num_classes": 1}, "num_classes is 1; it must be a whole number of at least 2"),
        ({"discriminator_condition": "concat"}, "allowed are 'planes', 'projection'"),
        ({"init": "zeros"}, "init is 'zeros'"),
        ({"image_shape": (7, 5, 1)}, r"the generator ends in shape \(7, 5, 3\); it must be the image's, \(7, 5, 1\)"),
        ({"discriminator": (GlobalMaxPool(), GlobalMaxPool())}, r"GlobalMaxPool gets shape \(7,\); it needs a map"),
    ],
)
def test_a_gan_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(parity_models.small_gans()[0], **change)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Dense(0), "Dense.units is 0"),
        (lambda: Conv(2.5), "Conv.filters is 2.5"),
        (lambda: ConvTranspose(2, stride=0), "ConvTranspose.stride is 0"),
        (lambda: Conv(2, padding="full"), "Conv.padding is 'full'; allowed are 'same', 'valid'"),
        (lambda: Upsample(-1), "Upsample.factor is -1"),
        (lambda: Activation("gelu"), "Activation.name is 'gelu'; allowed are 'relu', 'leaky_relu', 'tanh'"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "field, value",
    [
        ("epochs", 0),
        ("epochs", -1),
        ("epochs", 1.5),
        ("epochs", "3"),
        ("epochs", True),
        ("batch_size", 0),
        ("batch_size", 12.0),
        ("seed", -1),
        ("learning_rate", 0),
        ("learning_rate", float("inf")),
        ("beta", -0.1),
        ("beta", float("nan")),
        ("noise", -1),
        ("optimizer", "lion"),
        ("binarize", "yes"),
    ],
)
def test_a_training_that_cannot_be_is_refused(field, value):
    with pytest.raises(ValueError, match=f"^{field} is {value!r}; (it must be a|allowed are)"):
        TrainSpec(**({"epochs": 1} | {field: value}))


def test_a_spec_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        VAE.latent_dim = 7


# --- through JSON --------------------------------------------------------------------------------


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.name)
def test_a_model_survives_json(model):
    assert spec.model_from_dict(json.loads(json.dumps(spec.to_dict(model)))) == model


def test_a_training_survives_json_and_an_unknown_field_does_not():
    settings = TrainSpec(3, optimizer="sgd", beta=0.5)
    values = json.loads(json.dumps(spec.to_dict(settings)))
    assert spec.from_dict(TrainSpec, values) == settings
    with pytest.raises(ValueError, match="TrainSpec has no field 'momentum'; its fields are average, batch_size, beta"):
        spec.from_dict(TrainSpec, values | {"momentum": 0.9})


def test_a_model_for_other_images():
    other = CVAE.for_images((9, 8, 3), 7)
    assert (other.image_shape, other.num_classes, other.stacks()["decoder"].shape) == ((9, 8, 3), 7, (2 + 7,))
    assert VAE.for_images((9, 8, 3), 7).num_classes == 0


# --- initial weights -----------------------------------------------------------------------------


def first(init: str, seed: int = 0) -> dict[str, np.ndarray]:
    return randomness.initial_weights(
        ModelSpec("wide", "vae", **(SMALL | {"init": init, "image_shape": (40, 40, 1)})), seed
    )


def test_the_reports_init_is_normal_with_bias_zero():
    drawn = first("normal_0.01")
    assert drawn["encoder.dense1.weight"].std() == pytest.approx(0.01, rel=0.02)
    assert abs(drawn["encoder.dense1.weight"].mean()) < 4 * 0.01 / 9600**0.5
    assert not drawn["encoder.dense1.bias"].any()


def test_kerass_init_is_glorots_and_torchs_is_lecuns_bound():
    glorot = np.sqrt(6 / (1600 + 6))
    bound = 1 / np.sqrt(1600)
    keras, torch = first("keras"), first("torch")
    assert 0.99 * glorot < np.abs(keras["encoder.dense1.weight"]).max() <= glorot
    assert 0.99 * bound < np.abs(torch["encoder.dense1.weight"]).max() <= bound
    assert not keras["encoder.dense1.bias"].any() and 0 < np.abs(torch["encoder.dense1.bias"]).max() <= bound


def test_the_seed_decides_the_weights():
    a, b, c = first("keras"), first("keras"), first("keras", seed=1)
    assert all((a[name] == b[name]).all() for name in a)
    assert (a["encoder.dense1.weight"] != c["encoder.dense1.weight"]).mean() > 0.99


def test_scales_begin_at_one_and_shifts_at_zero():
    model = dataclasses.replace(VAE, encoder=(Flatten(), BatchNorm()), likelihood="gaussian_learned")
    drawn = randomness.initial_weights(model, 0)
    assert (drawn["encoder.batchnorm1.weight"] == 1).all() and (drawn["encoder.batchnorm1.running_var"] == 1).all()
    assert not drawn["encoder.batchnorm1.bias"].any() and drawn["likelihood.log_scale"] == 0
