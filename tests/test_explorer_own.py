"""The explorer on models of one's own: listed, and opened with classes, numbers or nothing told, and without data."""

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import own_sets
import pytest
from tiny import ROOT

from twinvae import backend, data
from twinvae_apps import explorer, explorer_panel, trained_models
from twinvae_apps.latent_plane import SIDE, LatentPlane

TWINS = {name: backend.get(name) for name in ("torch", "tf")}
PUBLISHED = trained_models.find_models(ROOT / "results")[0]


def opened(model) -> explorer_panel.ExplorerPanel:
    """The panel with this model alone."""
    return explorer_panel.ExplorerPanel([model], TWINS)


def shown(panel) -> list:
    """All widgets that stand in a panel, at any depth."""
    return [each for child in panel.children for each in (child, *shown(child))] if hasattr(panel, "children") else []


def words(panel) -> str:
    """The headings of a panel."""
    return " ".join(child.value for child in panel.children if isinstance(child, explorer_panel.widgets.HTML))


def test_own_models_are_listed_own_data_first_then_the_newest_of_each(monkeypatch):
    def kept(folder: str, ended: str, **job):
        job = replace(PUBLISHED.job, **job)
        return replace(PUBLISHED, path=Path(folder, "weights.safetensors"), job=job,
                       card=PUBLISHED.card | {"ended": ended, "source": f"source of {folder}"})  # fmt: skip

    recipe = data.Recipe("npz:/far/away/pets.npz", transform="here:turned")
    models = [
        kept("old", "2026-01-01T00:00:00Z"),
        kept("own", "2025-01-01T00:00:00Z", data=recipe, seed=2),
        kept("own too", "2025-02-01T00:00:00Z", data=recipe),
        kept("new", "2026-02-01T12:34:56Z", seed=1),
        kept("smaller", "2026-01-15T00:00:00Z", spec=replace(PUBLISHED.spec, latent_dim=1)),
        kept("changed", "2026-03-01T00:00:00Z", change="somewhere:a_mistake"),
        PUBLISHED,
    ]
    monkeypatch.setattr(trained_models, "all_found", lambda *folders: models)
    assert [model.folder for model in trained_models.find_own(ROOT)] == ["own too", "own", "new", "smaller"]
    monkeypatch.setattr(trained_models, "NEWEST", 3)
    _, own, new = map(trained_models.title, trained_models.find_own(ROOT))
    start = f"your own: {PUBLISHED.spec.name}, 2 latent units, 10 epochs"
    assert own == f"{start} (source of own, turned), seed 2, 2025-01-01 00:00 UTC"
    assert new == f"{start} (source of new), seed 1, 2026-02-01 12:34 UTC"
    assert [model.folder for model in trained_models.find_models(ROOT)] == [PUBLISHED.folder]
    assert trained_models.title(PUBLISHED) == PUBLISHED.title


@pytest.mark.parametrize("trained_in", TWINS)
def test_numbers_have_sliders_over_what_was_seen_and_a_row(trained_in, tmp_path, results):
    model = own_sets.small_model(own_sets.shades(tmp_path), backend=trained_in)
    panel = opened(model)
    e, images = panel.explorer, data.from_recipe(model.job.data)
    assert [each.description for each in panel.numbers] == ["shade", "age", "same"] and e.labels == ()
    assert {each in shown(panel) for each in panel.numbers} == {True} and panel.label not in shown(panel)
    ranges = np.array([(each.min, each.max) for each in panel.numbers])
    assert np.allclose(ranges[:2].T, [images.train.y.min(0)[:2], images.train.y.max(0)[:2]])
    assert ranges[2].tolist() == [1, 2], "a number that never changes can be moved, too"
    before = panel.picture.value, panel.under_all.value
    panel.numbers[0].value = ranges[0, 1]
    assert panel.picture.value != before[0] and panel.under_all.value == before[1], "the row goes along this number"
    panel.along_number.value = 1
    assert panel.under_all.value != before[1]
    x = e.under_all(panel.z, panel.y, 1)
    assert x["tf"].shape == (10, 20, 30, 3) and explorer.difference(x) < 1e-5
    lowest = panel.y * [1, 0, 1] + [0, ranges[1, 0], 0]
    assert np.allclose(x["torch"][1], e.generate(panel.z[None], lowest[None])[0], atol=1e-6)


def test_an_image_is_encoded_under_its_own_numbers_and_colours_are_not_drawn(tmp_path, results):
    panel = opened(own_sets.small_model(own_sets.shades(tmp_path)))
    e = panel.explorer
    panel.test_image.value = 1
    panel.encode_test()
    assert np.allclose(panel.y, np.clip(e.images.test.y[1], *np.transpose([*e.ranges.values()])))
    assert np.allclose(panel.z, e.encode(e.test[1:2], panel.y[None])[0], atol=1e-6)
    assert f"told shade {panel.y[0]:.3g}, age {panel.y[1]:.3g}" in panel.class_read.value
    assert panel.drawing not in shown(panel) and "your hand" not in words(panel) and "a test image" in words(panel)
    assert "along one number" in words(panel) and "every label" not in words(panel)
    with pytest.raises(ValueError, match="take a CVAE of labels"):
        e.log_p(e.test[:1])


def test_a_plane_has_the_form_of_its_images(tmp_path, results):
    moves = []
    plane = LatentPlane(opened(own_sets.small_model(own_sets.shades(tmp_path))).explorer, moves.append)
    assert (plane.canvas.width, plane.canvas.height) == (SIDE, 2 * SIDE // 3)
    plane.drag(SIDE, 2 * SIDE // 3, True)
    assert list(moves[0].values()) == [explorer.REACH, -explorer.REACH], "right and down"


def grey(root: Path) -> str:
    """Grey pictures of classes 1, 2 and 3."""
    return f"folder:{own_sets.folder(root / 'grey & white', {str(k): 20 for k in (1, 2, 3)}, [(16, 12)], 'L')}"


def test_own_classes_are_labels_and_grey_ones_can_be_drawn(tmp_path, results):
    panel = opened(own_sets.small_model(grey(tmp_path)))
    assert panel.explorer.labels == ("1", "2", "3") and not panel.numbers
    assert {panel.label, panel.drawing, panel.under_all, panel.neighbours} <= {*shown(panel)}
    row = cv2.imdecode(np.frombuffer(panel.under_all.value, np.uint8), cv2.IMREAD_COLOR)
    assert row.shape == (120, 3 * 160 + 2 * 2, 3), "no larger than the picture itself"
    panel.drawing.drawn[40:120, 60:90] = 1
    panel.buttons["encode the drawing"].click()
    assert "class <b>" in panel.class_read.value and panel.encoded.value[1:4] == b"PNG"
    assert panel.facts.value.endswith("own data: grey &amp; white")


def test_without_labels_there_is_nothing_to_choose(tmp_path, results):
    panel = opened(own_sets.small_model(own_sets.unlabelled(tmp_path)[0], "vae"))
    assert not {panel.label, panel.under_all} & {*shown(panel)} and panel.neighbours in shown(panel)
    panel.buttons["encode the test image"].click()
    assert panel.encoded.value[1:4] == b"PNG" and "no labels" in panel.class_read.value


def test_numbers_whose_data_are_gone_have_their_ranges_still(tmp_path, results):
    model = own_sets.small_model(own_sets.shades(tmp_path))
    y = data.from_recipe(model.job.data).train.y
    seen = np.stack([y.min(0), y.max(0)], axis=1)[:2].tolist()
    (tmp_path / "shades.npz").unlink()
    panel = opened(model)
    assert "not at hand: npz:" in panel.facts.value
    assert [(each.min, each.max) for each in panel.numbers[:2]] == list(map(tuple, seen))
    assert [each.value for each in panel.numbers[:2]] == pytest.approx([np.mean(ends) for ends in seen])
    assert panel.picture.value[1:4] == b"PNG" and panel.under_all in shown(panel)
    assert not {panel.neighbours, panel.test_image, panel.drawing} & {*shown(panel)}


def test_vanished_classes_keep_their_names_and_a_drawing_needs_no_data(tmp_path, results):
    model = own_sets.small_model(grey(tmp_path))
    shutil.rmtree(tmp_path / "grey & white" / "2")
    assert "holds other images today than those that the model was trained on" in opened(model).facts.value
    shutil.rmtree(tmp_path / "grey & white")
    panel = opened(model)
    assert "there is no such folder" in panel.facts.value and panel.explorer.labels == ("1", "2", "3")
    panel.drawing.drawn[40:120, 60:90] = 1
    panel.buttons["encode the drawing"].click()
    assert "class <b>" in panel.class_read.value and panel.neighbours not in shown(panel)


def test_of_large_images_fewer_are_held(tmp_path, results, monkeypatch):
    model = own_sets.small_model(own_sets.shades(tmp_path))
    assert len(trained_models.images_of(model, 20, 10_000).train) == 20
    assert len(trained_models.images_of(model, 10_000, 10_000).train) == model.train_images
    monkeypatch.setattr(trained_models, "MOST_PIXELS", 5 * 20 * 30 * 3)
    assert len(trained_models.images_of(model, 10_000, 10_000).train) == 5
