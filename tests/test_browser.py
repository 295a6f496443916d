"""The notebooks in JupyterLab, in a real browser: they open and run to the end, and the explorer moves."""

import base64
import io
import time

import nbformat
import own_sets
import pytest

pytest.importorskip("playwright", reason="playwright is not installed, so no notebook is opened in a browser")

from browser import CHROMIUM, DARK, chromium, copied, lab, opened, run_all, set_parameters
from nbclient import NotebookClient
from PIL import Image
from tiny import ROOT

from twinvae_collect import html_edition

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="Chromium is not installed (Debian: apt-get install chromium), so no notebook is opened in a browser",
    ),
]
# Said by JupyterLab and by the browser themselves, whatever is opened.
NOT_OURS = ("ResizeObserver loop", "favicon", "Failed to load resource", "WebSocket", "lsp")


NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
# Of each figure in an output: its width on the screen and in the file, and how opaque its first pixel is.
FIGURES = """() => [...document.querySelectorAll('.jp-OutputArea-output img')].map(img => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d');
    canvas.drawImage(img, 0, 0);
    return [img.clientWidth, img.naturalWidth, canvas.getImageData(0, 0, 1, 1).data[3]];
})"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the notebooks, whose runs and models go to its folder `out`."""
    return copied(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def address(project):
    """A JupyterLab on a copy of the notebooks."""
    with lab(project) as address:
        yield address


def ran(page, address: str, name: str, folder, **parameters) -> None:
    """Opens a notebook and runs it all; fails on an error, of a cell or of the page, and on a missing output."""
    errors = opened(page, address, name)
    set_parameters(page, **parameters)
    assert page.locator(".jp-Dialog").count() == 0, "a pop-up"
    code = [cell for cell in run_all(page)["cells"] if cell["cell_type"] == "code"]
    page.screenshot(path=folder / f"{name}.png")
    assert not [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "not every cell ran, in order"
    compared = [cell for cell in code if "nbval-check-output" in cell["metadata"].get("tags", [])]
    figures = [cell for cell in code if "run.figure(" in cell["source"]]
    assert compared and figures and all(cell["outputs"] for cell in compared + figures), "an output is missing"
    assert not [error for error in errors if not any(words in error for words in NOT_OURS)]


def picture(page) -> str:
    """The address of the explorer's picture, new with every new picture."""
    return page.locator(".widget-image").first.get_attribute("src")


def changed(page, before: str) -> None:
    """Waits until the explorer shows another picture."""
    page.wait_for_function(
        "before => document.querySelector('.widget-image').src !== before", arg=before, timeout=30_000
    )


def test_own_pictures_go_through_notebook_11_in_the_browser(address, tmp_path):
    dataset, parameters = own_sets.SETS["photos"](tmp_path)
    with chromium() as page:
        ran(page, address, "11_your_images", tmp_path, dataset=dataset, **parameters)


def test_the_explorer_moves_by_keyboard_and_by_mouse(address, project, tmp_path, monkeypatch):
    monkeypatch.setenv("TWINVAE_RESULTS", str(project / "out"))
    own_sets.small_model(own_sets.shades(tmp_path))
    with chromium() as page:
        ran(page, address, "10_explorer", tmp_path)
        before = picture(page)
        page.get_by_role("slider").nth(1).focus()
        page.keyboard.press("ArrowRight")
        changed(page, before)
        before, plane = picture(page), page.locator(".jp-OutputArea canvas").first
        plane.scroll_into_view_if_needed()
        plane.click(position={"x": 40, "y": 60})
        changed(page, before)
        square = page.locator(".jp-OutputArea canvas").nth(1)
        square.click(position={"x": 84, "y": 20})  # a dot; then a line downwards, by keys alone
        for key in (" ", *["ArrowDown"] * 14, " "):
            page.keyboard.press(key)
        page.wait_for_timeout(1_000)
        page.get_by_role("button", name="encode the drawing").click()
        page.get_by_text("encoded | reconstructed; class").wait_for()
        page.screenshot(path=tmp_path / "explorer.png")
        models = page.locator(".jp-OutputArea select").first
        (own,) = [name for name in models.locator("option").all_inner_texts() if "small_cvae" in name]
        models.select_option(label=own)
        shade = page.locator(".widget-hslider", has_text="shade").get_by_role("slider")
        shade.wait_for()
        page.wait_for_timeout(1_000)
        before = picture(page)
        shade.focus()
        page.keyboard.press("ArrowRight")
        changed(page, before)
        assert page.get_by_role("button", name="encode the drawing").count() == 0, "colours are not drawn"


IN_TURN = """
import matplotlib.pyplot as plt
from twinvae.run import pictures
figs = [plt.figure(figsize=(4, 1)) for _ in range(3)]
for k, fig in enumerate(figs):
    fig.text(0.2 + 0.2 * k, 0.5, f"epoch {k}")
pictures.show("Three figures in turn.", *figs)
"""


def test_figures_in_turn_play_in_the_html_edition(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(IN_TURN)])
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    nbformat.write(notebook, tmp_path / "in_turn.ipynb")
    file = tmp_path / "in_turn.html"
    file.write_text(html_edition.page(tmp_path / "in_turn.ipynb"), encoding="utf-8")
    with chromium(offline=True) as page:
        page.goto(file.as_uri())
        shown = page.get_by_role("img", name="Three figures in turn.")
        assert shown.is_visible() and page.get_by_text("Three figures in turn.", exact=True).is_visible()
        picture = base64.b64decode(shown.get_attribute("src").partition("base64,")[2])
        assert Image.open(io.BytesIO(picture)).n_frames == 3
        first, end = shown.screenshot(), time.monotonic() + 10
        while shown.screenshot() == first and time.monotonic() < end:
            page.wait_for_timeout(100)
        assert time.monotonic() < end, "it stands still"


@pytest.fixture(scope="module")
def dark(tmp_path_factory):
    """A page of a browser, and the address of a JupyterLab in its dark theme."""
    with lab(copied(tmp_path_factory.mktemp("dark")), settings=DARK) as address, chromium() as page:
        yield page, address


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_opens_and_can_be_read_in_the_dark(dark, name, tmp_path):
    """No error, no pop-up, headings for the table of contents; figures on their own ground, as wide as they fit."""
    page, address = dark
    errors = opened(page, address, name)
    page.screenshot(path=tmp_path / f"{name}.png")
    assert page.evaluate("() => document.body.dataset.jpThemeLight") == "false"
    assert page.locator(".jp-Dialog").count() == 0, "a pop-up"
    assert page.locator(".jp-RenderedMarkdown h2").count() >= 3, "too few headings to find one's way by"
    assert not page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count(), (
        "a warning"
    )
    figures = page.evaluate(FIGURES)
    assert figures or name == "10_explorer"
    assert not [figure for figure in figures if not (figure[0] > 0 and figure[1] >= figure[0] and figure[2] == 255)]
    assert not [error for error in errors if not any(words in error for words in NOT_OURS)]
