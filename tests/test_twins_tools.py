"""What notebook 08 uses: each switch is the default that it stands for, and is off again afterwards."""

from types import SimpleNamespace

import numpy as np
import pytest
from pair import splits

from twinvae.spec import TrainSpec
from twinvae_studies import framework_differences, training_loops

torch = framework_differences.torch
tf = training_loops.tf
PT = framework_differences.PT
TF = framework_differences.TF
SETTINGS = TrainSpec(epochs=1, batch_size=4)
IMAGES = splits(12, shape=(28, 28, 1))
RNG = np.random.default_rng(0)


def test_layers_agree_and_all_are_listed():
    spec = framework_differences.conv_vae()
    table = framework_differences.layer_table(
        spec, framework_differences.take(IMAGES.train, SETTINGS, 10, 1, "float64")[0]
    )
    stacks = [spec.stacks()[name] for name in ("encoder", "mu", "logvar", "decoder")]
    assert list(table.layer) == [f"{stack.name}.{row.name}" for stack in stacks for row in stack.walk()]
    assert table["outputs apart"].max() < 1e-12 and table["gradients apart"].max() < 1e-10


def test_switches_are_off_again():
    owners = [patch[:2] for switch in framework_differences.SWITCHES for patch in switch.patches]
    before = [getattr(owner, name) for owner, name in owners]
    ends = {
        switch.key: framework_differences.switched(switch, IMAGES, SETTINGS, 2, 1)
        for switch in framework_differences.SWITCHES
    }
    assert [getattr(owner, name) for owner, name in owners] == before
    base = framework_differences.curve(PT, framework_differences.conv_vae(), IMAGES, SETTINGS, 2, 1)
    assert np.abs(ends.pop("twin") / base - 1).max() < 1e-12
    assert all(np.abs(curve / base - 1).max() > 1e-12 for curve in ends.values())


def test_the_switched_adam_is_keras(monkeypatch):
    weights = RNG.normal(size=5)
    gradients = RNG.normal(size=(4, 5)) * [1, 1e-3, 1e-6, 1e-8, 1e-10]
    spec = framework_differences.MLP_VAE
    ours = PT.train.Optimizer(PT.models.build(spec, dtype="float64"), SETTINGS)
    ours.weights = [torch.nn.Parameter(torch.tensor(weights))]
    ours.slots = {slot: [torch.zeros(5, dtype=torch.float64)] for slot in "mv"}
    ours.t = [torch.zeros(())]
    monkeypatch.setattr(*framework_differences.EPSILON)
    theirs = tf.Variable(weights)
    keras = framework_differences.keras.optimizers.Adam(SETTINGS.learning_rate)
    keras.build([theirs])
    for g in gradients:
        ours.step([torch.tensor(g)])
        keras.apply([tf.constant(g)], [theirs])
        moved = ours.weights[0].detach().numpy() - weights
        # Keras takes 1 - 0.999 in float32, which leaves five digits.
        np.testing.assert_allclose(moved, theirs.numpy() - weights, rtol=1e-5)


def test_the_switched_batchnorm_is_pytorchs(monkeypatch):
    monkeypatch.setattr(*framework_differences.UNBIASED)
    row = framework_differences.conv_vae(momentum=0.9, epsilon=1e-5).stacks()["encoder"].walk()[1]
    ours = PT.layers.build(row, 0, torch.float64)
    theirs = torch.nn.BatchNorm2d(8, dtype=torch.float64)
    for _ in range(3):
        h = torch.tensor(RNG.normal(size=(4, 8, 5, 3)))
        np.testing.assert_allclose(ours(h, training=True).detach(), theirs(h).detach(), atol=1e-12)
    np.testing.assert_allclose(ours.running_var, theirs.running_var, rtol=1e-12)
    np.testing.assert_allclose(ours.running_mean, theirs.running_mean, rtol=1e-12)


def test_the_switched_padding_and_flattening_are_pytorchs(monkeypatch):
    monkeypatch.setattr(*framework_differences.PADDING)
    monkeypatch.setattr(*framework_differences.FLATTEN)
    conv = PT.layers.build(framework_differences.conv_vae().stacks()["encoder"].walk()[0], 0, torch.float64)
    h = torch.tensor(RNG.normal(size=(2, 1, 28, 28)))
    plain = torch.nn.functional.conv2d(h, conv.weight, stride=2, padding=1)
    np.testing.assert_allclose(conv(h).detach(), plain.detach(), atol=1e-14)
    assert torch.equal(PT.layers.flatten(plain), torch.nn.Flatten()(plain))


@pytest.mark.parametrize("key", ["torch_eager", "tf_fit", "tf_eager", "tf_graph"])
def test_ways_to_train_end_alike(key):
    batches = framework_differences.take(IMAGES.train, SETTINGS, 20, 3, "float32")
    result = training_loops.timed(training_loops.WAYS[key], framework_differences.MLP_VAE, SETTINGS, batches, 1)
    model = PT.models.build(framework_differences.MLP_VAE)
    step = PT.train.make_step(model, PT.train.Optimizer(model, SETTINGS), SETTINGS)
    losses = [float(step(*PT.train.tensors(batch))[0]) for _ in range(2) for batch in batches]
    assert result["loss"] == pytest.approx(losses[-1], rel=1e-3)
    assert 5 < training_loops.WAYS[key].lines < 20 and result["speed"] > 0


def test_a_switch_is_told_with_the_step_by_which_it_shows():
    names = [switch.name for switch in framework_differences.SWITCHES]
    parted = dict.fromkeys(names, np.array([0.0, 1e-4, 2e-4])) | {names[2]: np.array([0.0, 0.002, 0.0005])}
    table = framework_differences.switch_table(parted, every=10).set_index("switched")
    assert list(table.index) == names and table["0.001 by step"].to_dict() == dict.fromkeys(names, "never") | {
        names[2]: "10"
    }
    assert table.apart[names[2]] == 0.0005 and table.Keras[names[2]] == framework_differences.SWITCHES[2].keras


def test_a_gap_is_kept_where_it_is_widest_with_its_sign():
    kept = {}
    run = SimpleNamespace(number=lambda name, value, fmt: kept.update({name: value}))
    ours, theirs = np.array([[10.0, 20, 30], [12, 22, 32]]), np.array([[11.0, 13, 31], [13, 15, 35]])
    framework_differences.keep_gap(run, ours, theirs, np.array([1.0, 2, 3]), np.array([0, 5, 10]))
    assert kept["defaults_gap"] == -7 and kept["defaults_gap_step"] == 5 and kept["defaults_gap_share"] == 2
    assert kept["defaults_gap_end"] == 2 and kept["defaults_tf"] == 33 and kept["defaults_torch_sd"] == np.sqrt(2)
    framework_differences.keep_gap(run, ours[:1], theirs[:1], np.zeros(3), np.arange(3))
    assert kept["defaults_tf_sd"] == 0, "one seed has no deviation"


def test_the_ways_are_kept_and_told_and_a_missing_compiler_is_named(monkeypatch):
    kept = {}
    run = SimpleNamespace(number=lambda name, value, fmt: kept.update({name: value}))
    table = training_loops.keep(run, {"tf_graph": {"first": 2.0, "speed": 300.0, "loss": 1.0}})
    assert kept == {"speed_tf_graph": 300, "lines_tf_graph": training_loops.WAYS["tf_graph"].lines}
    assert table.way.tolist() == ["TensorFlow, own loop, tf.function"] and table["first epoch [s]"].tolist() == [2]
    assert training_loops.no_compiler(smoke=True) == "smoke has no minute for it"
    monkeypatch.setattr(training_loops.shutil, "which", lambda name: "found" if name == "c++" else None)
    assert training_loops.no_compiler(smoke=False) == ""
    monkeypatch.setattr(training_loops.shutil, "which", lambda name: None)
    assert training_loops.no_compiler(smoke=False) == "there is no C++ compiler here"
