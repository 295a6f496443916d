"""The tuning study: names of points, one training each, killed points that go on, points that fail."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from pair import splits
from twinvae import backend
from twinvae.checkpoints import NotFinite
from twinvae_studies import report002_tuning
from twinvae_studies.report002_tuning import Point

POINTS = [Point("usps", "vae", (4,), 8, rate, latent_dim=2) for rate in (1e-3, 1e-2, 1e-05)]


@pytest.fixture
def small(monkeypatch):
    """Models and images of the other tests, so that a point takes no time."""
    images = splits()
    model = Point.model
    monkeypatch.setattr(
        Point, "model", lambda self: model(self).for_images(images.train.shape, images.train.num_classes)
    )
    return images


@pytest.mark.parametrize("name", backend.TWINS)
@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
def test_a_name_says_all_of_its_point_and_no_two_share_one(profile, name):
    points = report002_tuning.everything(profile, name)
    assert [report002_tuning.named(point.name) for point in points] == points
    assert len({point.name for point in points}) == len(points)
    assert {point.seed for point in points} == set(range(report002_tuning.AMOUNT[profile][3] if name == "torch" else 1))


@pytest.mark.parametrize("name", ["", "mnist", "mnist-cvae-400-b256-lr0.0010-adam-z20-s0"])
def test_what_is_no_point_is_refused(name):
    with pytest.raises(ValueError, match="is no point of the grid; a name looks like"):
        report002_tuning.named(name)


def test_points_are_the_models_of_the_report_with_other_layers_and_codes():
    point = Point("mnist", "cvae", (512, 256), latent_dim=3)
    assert [layer.units for layer in point.model().encoder[1::2]] == [512, 256]
    assert [layer.units for layer in point.model().decoder[::2]] == [256, 512]
    assert (point.model().latent_dim, point.model().kind) == (3, "cvae")
    assert replace(point, hidden=(400,), latent_dim=20).model() == report002_tuning.specs.zoo("report002_cvae_mnist")


def test_a_point_that_is_kept_is_not_trained_again(small, tmp_path, monkeypatch):
    twin = backend.get("torch")
    once = report002_tuning.run_all(POINTS, twin, small, 2, tmp_path)
    monkeypatch.setattr(twin.train, "fit", lambda *_: pytest.fail("trained again"))
    again = report002_tuning.run_all(POINTS, twin, small, 2, tmp_path)
    assert list(again.valid_loss) == list(once.valid_loss)
    assert report002_tuning.along(again, POINTS[0], "learning_rate").keys() == {1e-3, 1e-2, 1e-5}
    assert report002_tuning.summary(again).valid_loss.is_monotonic_increasing


def test_a_point_that_fails_is_kept_with_the_reason_and_stops_nobody(small, tmp_path, monkeypatch):
    twin = backend.get("torch")
    fit = twin.train.fit

    def failing(model, images, settings, folder):
        if settings.learning_rate == 1e-2:
            raise NotFinite("the loss is nan at epoch 1, batch 1")
        return fit(model, images, settings, folder)

    monkeypatch.setattr(twin.train, "fit", failing)
    table = report002_tuning.run_all(POINTS, twin, small, 1, tmp_path)
    assert list(table.failed) == ["", "the loss is nan at epoch 1, batch 1", ""]
    assert list(np.isfinite(table.valid_loss)) == [True, False, True]
    assert report002_tuning.along(table, POINTS[0], "learning_rate").keys() == {1e-3, 1e-5}


KILLED = """
import os, signal, sys
from pathlib import Path
from pair import splits
from test_sweep import POINTS
from twinvae import backend, draws
from twinvae_studies import sweep
images, model, batches = splits(), report002_tuning.Point.model, draws.batches
report002_tuning.Point.model = lambda self: model(self).for_images(images.train.shape, images.train.num_classes)

def deadly(pictures, settings, latent_dim, epoch, dtype):
    if settings.learning_rate == 1e-2 and epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return batches(pictures, settings, latent_dim, epoch, dtype)

draws.batches = deadly
report002_tuning.run_all(POINTS, backend.get("torch"), images, 3, Path(sys.argv[1]))
"""


def test_a_grid_killed_in_the_middle_goes_on_where_it_was(small, tmp_path, monkeypatch):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "killed")]
    died = subprocess.run(command, env=os.environ | {"PYTHONPATH": os.path.dirname(__file__)})
    assert died.returncode == -signal.SIGKILL
    kept = list((tmp_path / "killed").glob("*.json"))
    assert [path.stem for path in kept] == [POINTS[0].name]

    twin, trained = backend.get("torch"), []
    batches = twin.train.draws.batches
    monkeypatch.setattr(
        twin.train.draws, "batches", lambda *a: trained.append((a[1].learning_rate, a[3])) or batches(*a)
    )
    table = report002_tuning.run_all(POINTS, twin, small, 3, tmp_path / "killed")
    assert trained == [(1e-2, 2), (1e-2, 3), (1e-5, 1), (1e-5, 2), (1e-5, 3)]
    whole = report002_tuning.run_all(POINTS, twin, small, 3, tmp_path / "whole")
    assert list(table.valid_loss) == list(whole.valid_loss)
