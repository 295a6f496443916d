"""JupyterLab on a copy of the notebooks, and Debian's Chromium to open them in: for tests, and for looking."""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from tiny import ROOT

from twinvae_collect import explorer_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = {  # JupyterLab's settings: no pop-up about news; every cell drawn, also those out of sight
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
FIGURE_THREE = [(0.24, 0.27), (0.51, 0.13), (0.71, 0.3), (0.48, 0.48), (0.74, 0.65), (0.51, 0.86), (0.23, 0.74)]
DARK = {"@jupyterlab/apputils-extension/themes": {"theme": "JupyterLab Dark"}}


def copied(folder: Path) -> Path:
    """A project as the current one, in which nothing that runs can change a file of this one."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "report").mkdir()
    for rules in ("claims.yaml", "amounts.yaml"):  # by which notebooks judge their own runs
        shutil.copy(ROOT / "report" / rules, folder / "report")
    (folder / "results").symlink_to(ROOT / "results")
    return folder


@contextmanager
def lab(project: Path, profile: str = "smoke", settings: dict[str, dict] | None = None) -> Iterator[str]:
    """The address, token included, of a JupyterLab on the project's notebooks, on a free loopback port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home, token = project / "home", secrets.token_hex(16)
    for name, value in (QUIET | (settings or {})).items():
        file = home / "lab" / "user-settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    environment = os.environ | {
        "TWINVAE_PROFILE": profile,
        "TWINVAE_RESULTS": str(project / "out"),
        "OMP_NUM_THREADS": "1",
        "JUPYTER_CONFIG_DIR": str(home),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "lab" / "user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "lab" / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    environment.pop("MPLBACKEND", None)
    with open(project / "lab.log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
             "--LabApp.expose_app_in_browser=True", f"--IdentityProvider.token={token}",
             f"--ServerApp.root_dir={project / 'notebooks'}"],
            stdout=log, stderr=log, env=environment, cwd=project)  # fmt: skip
        try:
            answers(f"http://127.0.0.1:{port}/api?token={token}", server)
            yield f"http://127.0.0.1:{port}/lab/tree/{{}}?token={token}&reset"
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def answers(address: str, server: subprocess.Popen, seconds: float = 120) -> None:
    """Waits until the server answers; RuntimeError if it ended, TimeoutError if it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended with status {server.returncode}; see lab.log in the test's folder")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(f"JupyterLab does not answer after {seconds:g} s; see lab.log in the test's folder")


@contextmanager
def chromium(offline: bool = False) -> Iterator:
    """A page of a new Chromium, 1400 x 1000; `offline`: without any network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1400, "height": 1000}, offline=offline)
        yield context.new_page()
        browser.close()


def opened(page, address: str, name: str, wait: float = 120_000) -> list[str]:
    """Opens a notebook and waits for its kernel; returns the list to which the page's errors are added as they come."""
    errors: list[str] = []
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address.format(f"{name}.ipynb"))
    # without a kernel, running asks for one
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
        timeout=wait,
        polling=500,
    )
    page.wait_for_timeout(500)
    return errors


def set_parameters(page, **given: object) -> None:
    """Give parameters other values in the cell that declares them, as one does by typing."""
    page.evaluate(
        """given => {
            const cells = [...jupyterapp.shell.currentWidget.content.model.cells];
            const model = cells.find(cell => (cell.getMetadata('tags') ?? []).includes('parameters')).sharedModel;
            for (const [name, value] of Object.entries(given))
                model.setSource(
                    model.getSource().replace(RegExp(`^(${name}: \\\\w+ = )[^ \\\\n]+`, 'm'), `$1${value}`));
        }""",
        {name: repr(value) for name, value in given.items()},
    )


def run_all(page, wait: float = 240_000) -> dict:
    """Run every cell, as Run > Run All Cells does, to the last or the one that fails; returns the notebook then."""
    page.evaluate(
        "() => { window.ran = false;"
        " jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ran = true }) }"
    )
    page.wait_for_function("() => window.ran", timeout=wait, polling=500)
    page.wait_for_timeout(1_000)  # the last widgets are drawn
    return page.evaluate("() => jupyterapp.shell.currentWidget.content.model.toJSON()")


def draw(page, square, points: Sequence[tuple[float, float]]) -> None:
    """Draws a line through points of a square, in shares of its sides, with the mouse."""
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    for number, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
        if number == 0:
            page.mouse.down()
        else:
            page.wait_for_timeout(200)
    page.mouse.up()


def keep(picture: bytes, name: str) -> None:
    """Writes a picture for README.md, in 256 colours."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256).save(ROOT / "report" / name, optimize=True)


def main() -> None:
    """Draws a digit in the explorer, and on its page, and keeps pictures of both for README.md."""
    with tempfile.TemporaryDirectory() as folder, lab(copied(Path(folder)), "quick") as address, chromium() as page:
        page.set_viewport_size({"width": 1400, "height": 1400})
        opened(page, address, "10_explorer")
        run_all(page)
        panel = page.locator(".jp-OutputArea-output:has(canvas)").first
        draw(page, page.locator(".jp-OutputArea canvas").nth(1), FIGURE_THREE)
        page.get_by_role("button", name="encode the drawing").click()
        page.get_by_text("encoded | reconstructed; class").wait_for()
        page.wait_for_timeout(1_000)
        keep(panel.screenshot(), "explorer.png")
    shoot_page()


def shoot_page() -> None:
    """Draws a digit on the explorer's page, moves on from its code, and keeps the picture."""
    with tempfile.TemporaryDirectory() as folder, chromium(offline=True) as page:
        file = Path(folder) / "explorer.html"
        file.write_text(explorer_page.page(), encoding="utf-8")
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(file.as_uri())
        draw(page, page.locator("#square"), FIGURE_THREE)
        page.locator("#plane").click(position={"x": 250, "y": 120})
        page.evaluate("() => scrollTo(0, 0)")
        page.wait_for_timeout(1_000)
        keep(page.screenshot(clip={"x": 40, "y": 135, "width": 1200, "height": 625}), "explorer_page.png")


if __name__ == "__main__":
    main()
