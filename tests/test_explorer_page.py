"""The explorer's page in Chromium, from a file: moved by mouse and keys, drawn on; it computes what the twins do."""

import cv2
import numpy as np
import pytest

pytest.importorskip("playwright", reason="playwright is not installed, so the explorer's page is not opened")

from browser import CHROMIUM, FIGURE_THREE, chromium, draw

import twinvae
from twinvae_apps.ink import centre_mass
from twinvae_collect import explorer_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium), so no page is opened"
    ),
]
BACKENDS = ("torch", "tf")
CODES = np.random.default_rng(0).standard_normal((20, 2)).astype(np.float32)
LABELS = [k % 10 for k in range(20)]
MILLISECONDS = 16
# A picture of the page: what a canvas shows, as the address of a PNG.
SHOWN = "id => document.getElementById(id).toDataURL()"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The page, in a file."""
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    path.write_text(explorer_page.page(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(file):
    """The page in a browser without a network; fails on an error and on whatever it asks for beyond its own file."""
    with chromium(offline=True) as page:
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_function("() => document.getElementById('said').textContent")
        yield page
        assert not said and asked == [file.as_uri()]


@pytest.fixture(scope="module")
def models():
    """The page's model in both twins."""
    return {name: twinvae.load(explorer_page.model().folder, name) for name in BACKENDS}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_browser_decodes_as_the_twins_do(opened, models, backend):
    ours = models[backend].trained.predict("generate", CODES, np.eye(10, dtype=np.float32)[LABELS]).reshape(20, -1)
    theirs = [
        opened.evaluate("([z, y]) => [...decode(z, y)]", [z.tolist(), y]) for z, y in zip(CODES, LABELS, strict=True)
    ]
    assert ours.std() > 0.1 and np.abs(ours - theirs).max() < 1e-3


def test_a_move_by_mouse_and_by_keys_changes_the_digit(opened):
    plane, before = opened.locator("#plane"), opened.evaluate(SHOWN, "digit")
    plane.click(position={"x": 60, "y": 90})
    by_mouse = opened.evaluate(SHOWN, "digit")
    opened.keyboard.press("Shift+ArrowRight")
    by_key, said = opened.evaluate(SHOWN, "digit"), opened.inner_text("#said")
    opened.keyboard.press("7")
    assert len({before, by_mouse, by_key, opened.evaluate(SHOWN, "digit")}) == 4
    assert said.endswith("label 3") and opened.inner_text("#said") == said.replace("label 3", "label 7")
    assert opened.locator("input[name=label]:checked").get_attribute("value") == "7"
    opened.wait_for_function(f"before => ({SHOWN})('plane') !== before", arg=opened.evaluate(SHOWN, "plane"))
    opened.get_by_label("4", exact=True).check()
    opened.keyboard.press("ArrowRight")
    assert opened.inner_text("#said").endswith("label 5"), "arrow keys go from label to label there"


def test_a_move_takes_less_than_a_frame(opened):
    """Half of the moves do; and the next frame, the code under every label, at best: the machine may be busy."""
    times = """act => [...Array(41).keys()].map(i => {
        const start = performance.now();
        act === "move" ? move([i / 20 - 1, 0.5]) : showLabels();
        return performance.now() - start;
    })"""
    assert np.median(opened.evaluate(times, "move")) < MILLISECONDS
    assert min(opened.evaluate(times, "showLabels")) < MILLISECONDS


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_drawn_digit_is_encoded_and_restored_as_the_twins_do(opened, models, backend):
    opened.get_by_role("button", name="clear").click()
    assert opened.evaluate("() => state.encoded") is None
    draw(opened, opened.locator("#square"), FIGURE_THREE)
    x = np.array(opened.evaluate("() => [...likeData(drawnInk(), ink.width)]"), np.float32).reshape(1, 28, 28, 1)
    mu, logvar = (opened.evaluate(f"() => [...state.encoded.{name}]") for name in ("mu", "logvar"))
    restored = opened.evaluate("() => [...decode(state.encoded.mu, state.y)]")
    assert opened.inner_text("#read").startswith("Read as 3") and opened.evaluate("() => state.y") == 3
    assert np.abs(np.subtract(models[backend].encode(x, "3"), [[mu], [logvar]])).max() < 1e-3
    assert np.abs(models[backend].reconstruct(x, "3").ravel() - restored).max() < 1e-3
    assert np.allclose(opened.evaluate("() => state.z"), mu), "and the code has moved there"


def test_a_drawing_is_made_like_the_data(opened):
    drawn = np.zeros((280, 280), np.float32)
    cv2.polylines(drawn, [np.array([(60, 40), (200, 70), (90, 230)])], False, 1.0, 24, cv2.LINE_AA)
    x = np.array(opened.evaluate("drawn => [...likeData(Float32Array.from(drawn), 280)]", drawn.ravel().tolist()))
    assert np.abs(x.reshape(28, 28, 1) - centre_mass(drawn, 0.2, 20, (28, 28))).max() < 0.05  # OpenCV shifts by 1/32
    assert opened.evaluate("() => likeData(new Float32Array(280 * 280), 280).every(value => value === 0)")


def test_a_digit_is_drawn_with_keys_alone(opened):
    opened.get_by_role("button", name="clear").click()
    opened.locator("#square").focus()
    for key in (*["ArrowUp"] * 9, " ", *["ArrowDown"] * 18, " "):
        opened.keyboard.press(key)
    assert opened.inner_text("#read").startswith("Read as 1")


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_fits_its_window_and_every_part_has_a_name(opened, width):
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("() => document.documentElement.scrollWidth") <= width
    parts = opened.locator("canvas:not([aria-hidden])")
    assert parts.count() == 5 and all(parts.nth(i).get_attribute("aria-label") for i in range(5))
    assert opened.get_by_role("radio").count() == 10 and opened.locator("[aria-live=polite]").count() == 2
