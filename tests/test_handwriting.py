"""Handwriting: pages whose ink keeps to the margins, lines that break between words, hands that are the same again."""

import itertools
import string
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from twinvae import backend, data, randomness, spec, training, zoo
from twinvae.metrics import judge
from twinvae_apps import handwriting as hw
from twinvae_apps.handwriting import __main__ as command
from twinvae_apps.handwriting import glyphs, hands, type_table
from twinvae_apps.handwriting import page as layout
from twinvae_apps.handwriting import pen as pens
from twinvae_apps.handwriting.hands import Places, slant, thickness
from twinvae_apps.ink import centre_box

WORDS = st.lists(st.text(st.sampled_from(hw.SUPPORTED), min_size=1, max_size=9), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def pen():
    """The published pen; one that has not been trained yet cannot be tested."""
    try:
        return hw.load(backend.get("torch"))
    except training.NotTrained as error:
        pytest.skip(str(error))


# --- layout --------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(words=WORDS, writer=st.integers(0, 99), width=st.integers(400, 1300))
def test_no_ink_is_outside_the_margins_and_lines_break_between_words(pen, words, writer, width):
    page = hw.write(" ".join(words), pen.hand(writer), width=width, margin=60)
    assert page.ink[:, :60].max() == page.ink[:, width - 60 :].max() == page.ink[:60].max() == page.ink[-60:].max() == 0
    assert "".join(one.character for one in page.placed) == "".join(words)
    starts = np.cumsum([0] + [len(word) for word in words])
    for first, after in itertools.pairwise(starts):
        tops = {one.top for one in page.placed[first:after]}
        alone = page.placed[first].left == 60
        assert len(tops) == 1 or alone, "a word is cut only where it is wider than a line"


@settings(max_examples=25, deadline=None)
@given(first=st.sampled_from(hw.SUPPORTED), second=st.sampled_from(hw.SUPPORTED), writer=st.integers(0, 99))
def test_neighbours_keep_the_gap_between_their_ink(pen, first, second, writer):
    left, right = (glyph.ink > 0.15 for glyph in glyphs.glyphs_of(first + second, pen.hand(writer)))
    step, gap = layout.advance(left, right), round(layout.GAP * glyphs.X_HEIGHT)
    facing = [
        step + b.argmax() - (len(a) - a[::-1].argmax()) for a, b in zip(left, right, strict=True) if a.any() and b.any()
    ]
    assert min(facing, default=gap) >= gap
    assert step >= left.shape[1] - glyphs.X_HEIGHT // 2


def test_paragraphs_stay_and_an_empty_line_is_a_line(pen):
    page = hw.write("one\n\ntwo", pen.hand(1))
    tops = [one.top for one in page.placed]
    assert tops[3] - tops[0] == 2 * layout.PITCH
    assert hw.write("", pen.hand(1)).ink.max() == 0


def test_sizes_come_from_the_type_table(pen):
    def extent(character):
        rows = np.flatnonzero(
            (glyphs.glyphs_of(character, hw.Hand(pen, pen.hand(3).z, variation=0))[0].ink > 0.5).any(1)
        )
        return (glyphs.ABOVE * glyphs.X_HEIGHT - np.array([rows[-1] + 1, rows[0]])) / glyphs.X_HEIGHT

    for character in "xhpT8":
        assert extent(character) == pytest.approx(type_table.EXTENTS[character], abs=0.15), character
    assert set(type_table.EXTENTS) == set(string.ascii_letters + string.digits)


def test_a_long_text_goes_on_several_pages_and_no_line_is_lost(pen, tmp_path):
    page = hw.write("word\n" * 30, pen.hand(2))
    pages = layout.cut_into_a4(page.paper())
    assert len(pages) == 2 and {one.shape for one in pages} == {(layout.HEIGHT, layout.WIDTH)}
    assert sum((255 - one.astype(int)).sum() for one in pages) == (255 - page.paper().astype(int)).sum()
    assert hw.save(page, tmp_path / "long.pdf").read_bytes().count(b"/Type /Page\n") == 2
    with pytest.raises(ValueError, match="the file is 'page.jpg'; a page is kept as .png or .pdf"):
        hw.save(page, tmp_path / "page.jpg")


# --- hands ---------------------------------------------------------------------------------------


def test_the_same_writer_writes_the_same_page_and_another_another(pen):
    one, same, other = (hw.write("Same again.", pen.hand(writer)).ink for writer in (4, 4, 5))
    assert (one == same).all()
    assert one.shape != other.shape or abs(one - other).max() > 0.5
    twice = glyphs.glyphs_of("aa", pen.hand(4))
    assert twice[0].ink.shape != twice[1].ink.shape or abs(twice[0].ink - twice[1].ink).max() > 0.02


def test_both_twins_write_the_same_page(pen):
    other = hw.load(backend.get("tf"))
    for writer in range(3):
        one, two = (hw.write(hw.PANGRAM + ".", each.hand(writer)) for each in (pen, other))
        boxes = [[(at.character, at.left, at.top, at.ink.shape) for at in page.placed] for page in (one, two)]
        assert boxes[0] == boxes[1]
        assert abs(one.paper().astype(int) - two.paper().astype(int)).max() <= 1


def test_slant_and_thickness_are_those_of_a_bar():
    x = np.zeros((2, 40, 40))
    x[0, 5:35, 18:22] = 1
    for row in range(5, 35):
        x[1, row, 18 + (20 - row) // 2 : 22 + (20 - row) // 2] = 1
    assert slant(x) == pytest.approx([0, np.degrees(np.arctan(0.5))], abs=1.0)
    assert thickness(x)[0] == pytest.approx(2 * 120 / 68, rel=0.05)


def test_a_stroke_is_sheared_to_the_lean_asked_for_and_keeps_its_ink():
    x = np.zeros((28, 28))
    x[4:24, 12:16] = 1
    assert slant(glyphs.sheared(x, 15.0)[None])[0] == pytest.approx(15, abs=1.5)
    assert glyphs.sheared(x[::-1].T, 10.0).sum() > 0.8 * x.sum(), "one that lies stays on the image"


def test_a_dot_stands_apart_above_i_and_j(pen):
    for writer in range(4):
        hand = hw.Hand(pen, pen.hand(writer).z, variation=0)
        for one in glyphs.glyphs_of("ij", hand):
            above = round((glyphs.ABOVE - 1.2) * glyphs.X_HEIGHT)
            assert one.ink[:above].max() > 0.9 and one.ink[above : above + 8].max(1).min() < 0.3, (
                writer,
                one.character,
            )


def test_a_writer_has_the_slant_drawn_and_a_share_of_all_else(pen):
    drawn = np.random.default_rng([3, 0]).standard_normal(pen.model.spec.latent_dim)
    z, along = pen.hand(3).z, pen.plane.T
    np.testing.assert_allclose(along @ z, along @ drawn, atol=1e-9)
    rest = [one - along.T @ (along @ one) for one in (z, drawn)]
    np.testing.assert_allclose(rest[0], hands.SHARE * rest[1], atol=1e-9)


def test_a_trait_moves_what_it_names(pen):
    traits = hw.traits(pen, styles=90)
    labels = np.arange(len(pen.classes))
    for name, measure, amount in (("slant", slant, 8.0), ("thickness", thickness, 0.4)):
        assert traits[name].share > 0.5
        z = np.zeros((1, pen.model.spec.latent_dim))
        before, after = (
            measure(pen.draw((z + step * traits[name].direction).repeat(len(labels), 0), labels)).mean()
            for step in (0, amount)
        )
        assert after - before == pytest.approx(amount, rel=0.5)


def test_the_alphabet_in_the_hand_of_a_character_is_that_of_its_code(pen):
    z = pen.hand(6).z
    x = pen.draw(z[None], np.array([pen.label("d")]))[0]
    made = hw.alphabet_like(pen, x[..., None], pen.label("d"))
    assert made.shape == (len(pen.classes), 28, 28)
    assert abs(made[pen.label("d")] - x).mean() < 0.1


# --- measures ------------------------------------------------------------------------------------


def test_a_judge_reads_pages_and_a_probe_names_writers_better_than_chance(pen):
    reader = judge.load("characters", pen.twin, may_train=False)
    rows = hw.legibility(pen, reader, writers=2)
    assert len(rows) == 2 * 35 and set(rows.character) == set(string.ascii_uppercase)
    assert rows.right.mean() > 0.5
    assert hw.writer_recognition(pen, reader, writers=4, copies=2)["pixels"] > 0.5


def test_ink_is_put_into_emnists_square():
    ink = np.zeros((90, 70))
    ink[10:58, 5:17] = 1
    x = centre_box(ink)[..., 0]
    assert x[2:26, 11:17].min() == 1 and x.sum() == 24 * 6
    assert centre_box(np.zeros((9, 9))).max() == 0


def test_a_probe_learns_the_cases_and_names_them_where_they_are_one():
    rng = np.random.default_rng(0)

    def bars(upright):
        x = np.zeros((len(upright), 28, 28, 1), np.uint8)
        for one, tall in zip(x, upright, strict=True):
            side = rng.integers(2, 5)
            one[4:24, 14 - side : 14 + side] = 255 * tall
            one[14 - side : 14 + side, 4:24] |= np.uint8(255 * (not tall))
        return x

    source = data.Source("bars", "bars, made for tests", "stand-in")
    names = tuple(hw.SUPPORTED[:10] + string.ascii_uppercase + string.ascii_lowercase)
    y = np.repeat(np.arange(62), 6)
    few = data.Images(255 - bars(y >= 36), y, names, source)
    one_case = np.repeat(np.arange(36), 4)
    lower = np.tile([False, True], 72)
    many = data.Images(bars(lower), one_case, names[:36], source)
    reader = SimpleNamespace(features=lambda x: x.reshape(len(x), -1)[:, ::5])
    probes = pens.case_probes(reader, few)
    cased = pens.with_cases(many, reader, probes, names)
    assert cased.num_classes == 62
    assert (cased.y == one_case + 26 * (lower & (one_case >= 10))).all()


def test_the_pen_learns_legible_characters_of_both_cases_by_its_recipe(monkeypatch):
    rng = np.random.default_rng(3)
    names = tuple(hw.SUPPORTED[:10] + string.ascii_uppercase + string.ascii_lowercase)

    def made(classes, kind="official"):
        y = np.repeat(np.arange(classes), 6)
        x = rng.integers(0, 256, (len(y), 28, 28, 1), dtype=np.uint8)
        one = data.Images(x, y, names[:classes], data.Source("made_up", "random pixels", kind))
        return data.Splits(one, one, one)

    reader = SimpleNamespace(features=lambda x: x.reshape(len(x), -1)[:, ::50])
    monkeypatch.setattr(pens.judge, "load", lambda *_: reader)
    monkeypatch.setattr(pens, "legible", lambda images: np.arange(len(images)) % 2 == 0)
    sets = {"nist": made(62), "characters": made(36).made_by(data.Recipe("characters"))}
    monkeypatch.setattr(pens.data, "splits", lambda name: sets[name])
    recipe = pens.job().data
    images = data.transformed(sets["characters"], recipe.transform, **dict(recipe.arguments))
    assert images.recipe == recipe and images.train.class_names == names
    raised = images.train.y - sets["characters"].train.y[::2]
    assert set(raised) <= {0, 26} and images.source.label.startswith("random pixels; cases read by a probe from")
    with pytest.raises(ValueError, match="read by the judge other, and today's is"):
        pens.both_cases(sets["characters"], "other")
    with pytest.raises(ValueError, match="the images are stand-ins .*set TWINVAE_DATA"):
        pens.both_cases(made(36, "stand-in"), dict(recipe.arguments)["reader"])


def test_a_pen_that_is_trained_knows_where_its_codes_lie(results, monkeypatch):
    rng = np.random.default_rng(4)
    y = np.tile(np.arange(62), 20)
    names = tuple(hw.SUPPORTED[:10] + string.ascii_uppercase + string.ascii_lowercase)
    source = data.Source("made_up", "random pixels", "official")
    one = data.Images(rng.integers(0, 256, (len(y), 28, 28, 1), dtype=np.uint8), y, names, source)
    monkeypatch.setattr(pens, "PHASES", (spec.TrainSpec(1, 128),))
    monkeypatch.setattr(pens.data, "from_recipe", lambda recipe: data.Splits(one, one, one))
    with pytest.raises(training.NotTrained, match="pen has not been trained; train it"):
        hw.load(backend.get("torch"))
    trained = training.train_or_load(pens.job())
    codes = randomness.codes(*trained.predict("encode", data.scale(one.x), np.eye(62)[y]))
    torch, tf = (hw.load(backend.get(name)) for name in ("torch", "tf"))
    np.testing.assert_allclose(torch.places.mean[7], codes[y == 7].mean(0), atol=1e-6)
    assert (torch.places.root == tf.places.root).all(), "measured once"
    np.testing.assert_allclose(torch.hand(0).characters("aZ"), tf.hand(0).characters("aZ"), atol=1e-5)
    plain = hw.load(backend.get("torch"), trained.folder / "weights.safetensors")
    assert not plain.places.mean.any() and plain.draw(np.zeros((1, 16)), np.array([3])).shape == (1, 28, 28)


# --- errors and the command ----------------------------------------------------------------------


def test_what_no_hand_can_write_is_listed_once_or_boxed(pen):
    with pytest.raises(ValueError, match="the text holds 'é', '€', which no hand here can write; write A-Z, a-z"):
        hw.write("é€ wie é", pen.hand(0))
    page = hw.write("é", pen.hand(0), placeholder=True)
    assert [one.character for one in page.placed] == ["é"] and page.ink.max() > 0.9
    assert hw.unsupported("“Quite” – it’s fine") == []


def test_a_model_that_cannot_write_is_refused():
    twin = backend.get("torch")
    with pytest.raises(ValueError, match="model 'report004_cvae' is a cvae of 10 classes; writing takes a CVAE of"):
        hw.Pen(twin.models.build(zoo.get("report004_cvae")), twin, None)
    with pytest.raises(FileNotFoundError, match="there are no weights at nowhere; name a file of weights"):
        hw.load(twin, "nowhere")


def test_the_command_writes_a_page_and_says_in_one_sentence_what_is_wrong(tmp_path, capsys):
    out = tmp_path / "page.png"
    assert command.main(["Hello, world!", "--writer", "7", "--out", str(out), "--slant", "5"]) == 0
    assert capsys.readouterr().out.strip() == str(out) and np.asarray(Image.open(out)).min() < 60
    for arguments, words in (
        (["ü"], "the text holds 'ü'"),
        (["a", "--writer", "-1"], "the writer is -1"),
        (["a", "--out", str(out / "a.png")], "name another file with --out"),
    ):
        with pytest.raises(SystemExit) as stopped:
            command.main(arguments)
        assert stopped.value.code == 2 and words in capsys.readouterr().err


def test_the_kept_weights_are_small_and_know_both_cases(pen):
    weights = training.load(pens.job()).folder / "weights.safetensors"
    assert weights.stat().st_size < 3_000_000 and len(pen.classes) == 62
    assert pen.label("a") != pen.label("A")


def test_styles_are_carried_to_where_the_codes_of_a_class_lie_and_back():
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(2, 3, 3))
    y = np.repeat([0, 1], 5_000)
    z = np.einsum("nij,nj->ni", mix[y], rng.standard_normal((len(y), 3))) + 1 + y[:, None]
    places = Places.fit(z, y)
    np.testing.assert_allclose(places.root, places.root.swapaxes(1, 2), atol=1e-12)
    styles = rng.standard_normal((20_000, 3))
    for k in (0, 1):
        carried = places.code(styles, np.full(len(styles), k))
        np.testing.assert_allclose(np.cov(carried.T), np.cov(z[y == k].T), atol=0.12)
        np.testing.assert_allclose(carried.mean(0), z[y == k].mean(0), atol=0.08)
        np.testing.assert_allclose(places.style(carried[0], k), styles[0], atol=1e-9)


def test_codes_that_fill_the_prior_leave_a_style_as_it_is():
    rng = np.random.default_rng(1)
    places = Places.fit(rng.standard_normal((200_000, 2)), np.zeros(200_000, int))
    z = rng.standard_normal((5, 2))
    np.testing.assert_allclose(places.code(z, np.zeros(5, int)), z, atol=0.03)


def test_characters_that_look_like_another_class_are_not_learned_from():
    rng = np.random.default_rng(2)
    y = np.arange(400) % 2
    shapes = rng.integers(0, 180, (2, 8, 8, 1))
    x = (shapes[y] + rng.integers(0, 60, (400, 8, 8, 1))).astype("uint8")
    wrong = y.copy()
    wrong[:20] = 1 - y[:20]
    names = data.Images(x, wrong, ("a", "b"), data.Source("made_up", "two shapes", "stand-in"))
    kept = pens.legible(names)
    assert not kept[:20].any() and kept[20:].mean() > 0.95
