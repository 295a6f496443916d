"""What notebook 08 uses: each switch is the default that it stands for, and is off again afterwards."""

import numpy as np
import pytest
from pair import splits
from twinvae.spec import TrainSpec
from twinvae.studies import twins, ways

torch, PT, TF = twins.torch, twins.PT, twins.TF
SETTINGS = TrainSpec(epochs=1, batch_size=4)
IMAGES = splits(12, shape=(28, 28, 1))
RNG = np.random.default_rng(0)


def test_layers_agree_and_all_are_listed():
    spec = twins.conv_vae()
    table = twins.layer_table(spec, twins.take(IMAGES.train, SETTINGS, 10, 1, "float64")[0])
    stacks = [spec.stacks()[name] for name in ("encoder", "mu", "logvar", "decoder")]
    assert list(table.layer) == [f"{stack.name}.{row.name}" for stack in stacks for row in stack.walk()]
    assert table["outputs apart"].max() < 1e-12 and table["gradients apart"].max() < 1e-10


def test_switches_are_off_again():
    owners = [(switch.patch[0], switch.patch[1]) for switch in twins.SWITCHES if switch.patch]
    before = [getattr(owner, name) for owner, name in owners]
    ends = {switch.key: twins.switched(switch, IMAGES, SETTINGS, 2, 1) for switch in twins.SWITCHES}
    assert [getattr(owner, name) for owner, name in owners] == before
    base = twins.curve(PT, twins.conv_vae(), IMAGES, SETTINGS, 2, 1)
    assert np.abs(ends.pop("twin") / base - 1).max() < 1e-12
    assert all(np.abs(curve / base - 1).max() > 1e-12 for curve in ends.values())


def test_the_switched_adam_is_keras():
    weights, gradients = RNG.normal(size=5), RNG.normal(size=(4, 5)) * [1, 1e-3, 1e-6, 1e-8, 1e-10]
    spec = twins.MLP_VAE
    ours = PT.train.Optimizer(PT.models.build(spec, dtype="float64"), SETTINGS)
    ours.weights = [torch.nn.Parameter(torch.tensor(weights))]
    ours.rule = torch.optim.Adam(ours.weights, SETTINGS.learning_rate)
    theirs = twins.tf.Variable(weights)
    keras = twins.keras.optimizers.Adam(SETTINGS.learning_rate)
    keras.build([theirs])
    for g in gradients:
        twins.adam_as_keras(ours, [torch.tensor(g)])
        keras.apply([twins.tf.constant(g)], [theirs])
        moved = ours.weights[0].detach().numpy() - weights
        # Keras takes 1 - 0.999 in float32, which leaves five digits.
        np.testing.assert_allclose(moved, theirs.numpy() - weights, rtol=1e-5)


def test_the_switched_batchnorm_is_pytorchs(monkeypatch):
    monkeypatch.setattr(*twins.UNBIASED)
    row = twins.conv_vae(momentum=0.9, epsilon=1e-5).stacks()["encoder"].walk()[1]
    ours = PT.layers.build(row, 0, torch.float64)
    theirs = torch.nn.BatchNorm2d(8, dtype=torch.float64)
    for _ in range(3):
        h = torch.tensor(RNG.normal(size=(4, 8, 5, 3)))
        np.testing.assert_allclose(ours(h, training=True).detach(), theirs(h).detach(), atol=1e-12)
    np.testing.assert_allclose(ours.running_var, theirs.running_var, rtol=1e-12)
    np.testing.assert_allclose(ours.running_mean, theirs.running_mean, rtol=1e-12)


def test_the_switched_padding_and_flattening_are_pytorchs(monkeypatch):
    monkeypatch.setattr(*twins.PADDING)
    monkeypatch.setattr(*twins.FLATTEN)
    conv = PT.layers.build(twins.conv_vae().stacks()["encoder"].walk()[0], 0, torch.float64)
    h = torch.tensor(RNG.normal(size=(2, 1, 28, 28)))
    plain = torch.nn.functional.conv2d(h, conv.weight, stride=2, padding=1)
    np.testing.assert_allclose(conv(h).detach(), plain.detach(), atol=1e-14)
    assert torch.equal(PT.layers.flatten(plain), torch.nn.Flatten()(plain))


@pytest.mark.parametrize("key", ["torch_eager", "tf_fit", "tf_eager", "tf_graph"])
def test_ways_to_train_end_alike(key):
    batches = twins.take(IMAGES.train, SETTINGS, 20, 3, "float32")
    result = ways.timed(ways.WAYS[key], twins.MLP_VAE, SETTINGS, batches, 1)
    model = PT.models.build(twins.MLP_VAE)
    step = PT.train.make_step(model, PT.train.Optimizer(model, SETTINGS), SETTINGS)
    losses = [float(step(*PT.train.tensors(batch))[0]) for _ in range(2) for batch in batches]
    assert result["loss"] == pytest.approx(losses[-1], rel=1e-3)
    assert 5 < ways.WAYS[key].lines < 20 and result["speed"] > 0
