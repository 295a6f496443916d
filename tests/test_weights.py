"""One file, either twin: weights survive both frameworks, and training goes on in the other."""

import dataclasses
import json

import numpy as np
import pytest
from pair import CVAE, TWINS, VAE, same_arrays, splits
from safetensors.numpy import save_file

from twinvae import backend, checkpoints, paths, spec
from twinvae.spec import TrainSpec
from twinvae_studies import parity, parity_models

DATA = splits()
SETTINGS = TrainSpec(epochs=4, batch_size=8, learning_rate=0.01)
over_twins = pytest.mark.parametrize("twin", TWINS)
other = {"torch": "tf", "tf": "torch"}


# --- files ---------------------------------------------------------------------------------------


@over_twins
@pytest.mark.parametrize("model", parity_models.small_models(), ids=lambda model: model.name)
def test_a_model_survives_the_way_through_the_other_twin(twin, model, tmp_path):
    first = backend.get(twin).models.build(model, seed=3, dtype="float64")
    checkpoints.save_model(tmp_path / "there", first, dtype="float64")
    second = checkpoints.load_model(tmp_path / "there", backend.get(other[twin]), dtype="float64")
    checkpoints.save_model(tmp_path / "back", second, dtype="float64")
    third = checkpoints.load_model(tmp_path / "back", backend.get(twin), dtype="float64")
    assert same_arrays(first.get_arrays(), second.get_arrays()) and same_arrays(first.get_arrays(), third.get_arrays())
    assert third.spec == second.spec == model


def test_float16_files_load_as_float32(tmp_path):
    model = backend.get("torch").models.build(VAE)
    checkpoints.save_model(tmp_path / "small", model, dtype="float16")
    loaded = checkpoints.load_model(tmp_path / "small", backend.get("tf"))
    for name, a in model.get_arrays().items():
        assert (loaded.get_arrays()[name] == a.astype("float16").astype("float32")).all()
        assert checkpoints.read(tmp_path / "small")[0][name].dtype == np.float16


def test_arrays_of_every_shape_and_order_are_kept(tmp_path):
    arrays = {"scalar": np.array(2.5), "empty": np.zeros((0, 3)), "turned": np.arange(6.0).reshape(2, 3).T}
    checkpoints.write(tmp_path / "file", arrays, note={"a": [1, None, "ü"]})
    read, metadata = checkpoints.read(tmp_path / "file")
    assert {name: a.shape for name, a in read.items()} == {"scalar": (), "empty": (0, 3), "turned": (3, 2)}
    assert (read["turned"] == arrays["turned"]).all() and metadata == {"note": {"a": [1, None, "ü"]}}


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    checkpoints.write(tmp_path / "file", {"a": np.ones(3)})
    monkeypatch.setattr(paths.os, "fsync", lambda _: (_ for _ in ()).throw(OSError("No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        checkpoints.write(tmp_path / "file", {"a": np.zeros(3)})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (checkpoints.read(tmp_path / "file")[0]["a"] == 1).all()


@pytest.mark.parametrize("spoil", [lambda b: b[:-1], lambda b: b[:20], lambda b: b"", lambda b: b"PK" + b])
def test_a_damaged_file_is_refused(spoil, tmp_path):
    checkpoints.write(tmp_path / "file", {"a": np.ones(3)})
    (tmp_path / "file").write_bytes(spoil((tmp_path / "file").read_bytes()))
    with pytest.raises(ValueError, match="file is not a whole weights file .* delete it and train or fetch it again"):
        checkpoints.read(tmp_path / "file")


@over_twins
def test_a_file_whose_weights_are_not_its_specs_is_refused(twin, tmp_path):
    arrays = backend.get("torch").models.build(VAE).get_arrays()
    wide = spec.to_dict(dataclasses.replace(VAE, latent_dim=3))
    checkpoints.write(tmp_path / "file", arrays, spec=wide)
    with pytest.raises(ValueError, match=r"'mu.dense1.weight' has shape \(2, 6\); model 'tiny_vae' needs \(3, 6\)"):
        checkpoints.load_model(tmp_path / "file", backend.get(twin))


def test_a_file_of_an_unknown_spec_is_refused(tmp_path):
    checkpoints.write(tmp_path / "file", {}, spec=spec.to_dict(VAE) | {"depth": 3})
    with pytest.raises(ValueError, match="ModelSpec has no field 'depth'"):
        checkpoints.load_model(tmp_path / "file", backend.get("torch"))


def test_one_flipped_bit_anywhere_is_noticed_or_harmless(tmp_path):
    arrays, metadata = {"a": np.ones((2, 3), "float32")}, {"history": [{"epoch": 1}]}
    checkpoints.write(tmp_path / "file", arrays, **metadata)
    raw, passed = (tmp_path / "file").read_bytes(), 0
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        (tmp_path / "file").write_bytes(changed)
        try:
            found, said = checkpoints.read(tmp_path / "file")
        except ValueError as error:
            assert "delete it and train or fetch it again" in str(error)
            continue
        passed += 1
        assert (found["a"] == 1).all() and found["a"].shape == (2, 3) and said["history"] == metadata["history"]
    assert passed < 0.1 * 8 * len(raw), "but in the checksum's own name, and in blanks"


def test_a_file_of_before_there_were_checksums_is_read(tmp_path):
    save_file({"a": np.ones(3)}, tmp_path / "file", {"note": '"old"'})
    assert checkpoints.read(tmp_path / "file")[1] == {"note": "old"}


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"spec": None},
        {"spec": {}},
        {"spec": []},
        {"spec": spec.to_dict(VAE) | {"encoder": [{"layer": "os.system", "command": "id"}]}},
        {"spec": spec.to_dict(VAE) | {"encoder": [{"units": 3}]}},
        {"spec": spec.to_dict(VAE) | {"encoder": [{"layer": "Dense", "size": 3}]}},
        {"spec": spec.to_dict(VAE) | {"encoder": 3}},
        {"spec": spec.to_dict(VAE) | {"image_shape": None}},
        {"spec": spec.to_dict(VAE) | {"latent_dim": 2_000_000_000}},
        {"spec": spec.to_dict(VAE) | {"latent_dim": "2"}},
    ],
)
def test_a_foreign_file_is_refused_before_anything_is_built(words, tmp_path, monkeypatch):
    twin = backend.get("torch")
    checkpoints.write(tmp_path / "file", twin.models.build(VAE).get_arrays(), **words)
    monkeypatch.setattr(twin.models, "build", None)
    with pytest.raises(ValueError) as error:
        checkpoints.load_model(tmp_path / "file", twin)
    assert "\n" not in str(error.value)


def test_json_that_is_too_deep_and_a_folder_are_refused(tmp_path):
    save_file({"a": np.ones(3)}, tmp_path / "file", {"spec": "[" * 200_000})
    for path, message in ((tmp_path / "file", "is not a whole weights file"), (tmp_path, "is a folder")):
        with pytest.raises(ValueError, match=message):
            checkpoints.load_model(path, backend.get("torch"))


@over_twins
def test_weights_that_are_not_finite_are_refused(twin, tmp_path):
    arrays = backend.get(twin).models.build(VAE).get_arrays()
    name = sorted(arrays)[0]
    arrays[name].flat[0] = np.nan
    checkpoints.write(tmp_path / "file", arrays, spec=spec.to_dict(VAE))
    with pytest.raises(ValueError, match=f"weight '{name}' of model 'tiny_vae' holds values that are not finite"):
        checkpoints.load_model(tmp_path / "file", backend.get(twin))


@over_twins
def test_a_damaged_checkpoint_is_not_gone_on_from(twin, tmp_path):
    built = backend.get(twin)
    built.train.fit(built.models.build(VAE), DATA, dataclasses.replace(SETTINGS, epochs=1), tmp_path)
    path = tmp_path / "last.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-9] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ValueError, match="last.safetensors is not a whole weights file .its bytes are not those"):
        built.train.fit(built.models.build(VAE), DATA, SETTINGS, tmp_path)
    checkpoints.save_model(path, built.models.build(VAE))
    with pytest.raises(ValueError, match="is no checkpoint: it holds no data; delete it to start again"):
        built.train.fit(built.models.build(VAE), DATA, SETTINGS, tmp_path)


# --- training goes on in the other twin ----------------------------------------------------------


@pytest.fixture(scope="module")
def all_in_torch():
    return trained(("torch",))


def trained(names: tuple[str, ...], folder=None) -> tuple[dict, list[float]]:
    """Four epochs in float64, in equal parts in the twins named: weights, and all validation ELBOs."""
    for part, name in enumerate(names, 1):
        twin = backend.get(name)
        model = twin.models.build(CVAE, dtype="float64")
        settings = dataclasses.replace(SETTINGS, epochs=SETTINGS.epochs * part // len(names))
        rows = twin.train.fit(model, DATA, settings, folder)
    return model.get_arrays(), [-(row["valid_recon"] + row["valid_kl"]) for row in rows]


@pytest.mark.parametrize("names", [("tf",), ("torch", "tf"), ("tf", "torch")], ids=" then ".join)
def test_the_framework_may_change_half_way(names, all_in_torch, tmp_path):
    arrays, elbos = trained(names, tmp_path)
    assert parity.over_largest(all_in_torch[0], arrays) < 1e-8
    np.testing.assert_allclose(elbos, all_in_torch[1], rtol=1e-8)
    _, metadata = checkpoints.read(tmp_path / "last.safetensors")
    assert [row["epoch"] for row in metadata["history"]] == [1, 2, 3, 4]


@over_twins
def test_a_checkpoint_of_another_spec_is_refused_by_either_twin(twin, tmp_path):
    built = backend.get(other[twin])
    built.train.fit(built.models.build(VAE), DATA, dataclasses.replace(SETTINGS, epochs=1), tmp_path)
    twin = backend.get(twin)
    with pytest.raises(ValueError, match="belongs to another run: its spec has decoder_condition 'none', now 'concat'"):
        twin.train.fit(twin.models.build(CVAE), DATA, SETTINGS, tmp_path)


def test_the_spec_in_a_file_is_plain_json(tmp_path):
    checkpoints.save_model(tmp_path / "file", backend.get("torch").models.build(CVAE))
    _, metadata = checkpoints.read(tmp_path / "file")
    assert json.loads(json.dumps(metadata))["spec"]["encoder"][1] == {"layer": "Dense", "units": 6, "bias": True}
