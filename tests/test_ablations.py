"""The small studies: every point is what its name says, and is trained once."""

import json

import pytest
from pair import VAE, splits

from twinvae.spec import FreeBitsSpec, TrainSpec
from twinvae_studies import ablations, burda2016
from twinvae_studies.ablations import Point

IMAGES = splits()
FREE = FreeBitsSpec(**{key: value for key, value in vars(VAE).items() if key != "kind"}, kind="free_bits", free=5.0)


def test_every_combination_is_there_once_under_its_name():
    points = list(ablations.points())
    names = [point.name for point in points]
    assert len(set(names)) == len(names) == 7 + 3 * (18 + 5)
    assert {point.runs[0].beta for point in points if point.study == "beta"} == set(ablations.BETAS)
    for point in points:
        assert sum(run.epochs for run in point.runs) == ablations.EPOCHS
        if point.study == "condition":
            spec = point.spec
            assert point.change == f"{spec.encoder_condition}-{spec.decoder_condition}-{spec.prior}"
    ways = {name.split()[1] for name in names if name.startswith("condition")}
    assert len(ways) == 18 and "none-concat-standard" in ways and "film-film-learned" in ways


def test_the_remedies_change_one_thing_each():
    report, *others = (spec for spec, _ in ablations.remedies().values())
    for spec in others:
        changed = [key for key, value in vars(report).items() if vars(spec)[key] != value]
        assert changed in ([], ["init"], ["kind"], ["likelihood"])


def test_points_are_trained_once_and_free_bits_show_their_true_kl(tmp_path, monkeypatch):
    runs = (TrainSpec(1, 8, seed=1), TrainSpec(1, 8, beta=0.5, seed=1))
    few = [Point("beta", "1", VAE, runs), Point("collapse", "free bits", FREE, runs)]
    monkeypatch.setattr(burda2016, "FOLDER", tmp_path)
    monkeypatch.setattr(ablations, "points", lambda: few)
    monkeypatch.setattr(ablations.zoo, "get", lambda _: VAE)
    monkeypatch.setattr(ablations.data, "splits", lambda *_, **sizes: IMAGES)
    with pytest.raises(FileNotFoundError, match="'python -m twinvae_studies.ablations torch'"):
        ablations.load("torch")
    ablations.main("torch")
    first = ablations.load("torch")
    monkeypatch.setattr(ablations, "compute", None)
    ablations.main("torch")
    assert json.dumps(ablations.load("torch")) == json.dumps(first)
    row = first["points"]["collapse free bits s1"]
    assert row["elbo"] == pytest.approx(-(row["recon"] + row["kl"])) and row["kl"] < 5, "less than the free bits"
    assert list(ablations.table(first, "beta").change) == ["1"] and ablations.table(first, "beta").seeds[0] == 1
