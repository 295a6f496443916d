"""The plane of two latent units in the explorer: their pictures, and a ring that is dragged to another code."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import cv2
import ipywidgets as widgets
import numpy as np
from ipycanvas import Canvas

from twinvae_apps.explorer import REACH, Explorer, enlarged

SIDE = 270  # pixels of the screen, of the longer side
PAUSE = 0.03  # seconds between two drags: not more often than pictures can be made
STYLE = {"description_width": "92px"}
# A part of a row keeps its width; rows wrap instead.
column = partial(widgets.VBox, layout=widgets.Layout(flex="0 0 auto", margin="0 8px 0 0"))


class LatentPlane(widgets.VBox):
    """Shows pictures over two units and a ring where the code is; `moved` gets {unit: value} from a drag."""

    def __init__(self, explorer: Explorer, moved: Callable[[dict[int, float]], None]):
        self.explorer, self.moved = explorer, moved
        self.z, self.y = np.zeros(explorer.spec.latent_dim), explorer.mixture(0)
        self.drawn, self.dragging, self.dragged = None, False, 0.0
        height, width = explorer.spec.image_shape[:2]
        self.size = tuple(round(SIDE * n / max(width, height)) for n in (width, height))
        self.canvas = Canvas(width=self.size[0], height=self.size[1], layout=widgets.Layout(width=f"{self.size[0]}px"))
        self.canvas.on_mouse_down(lambda x, y: self.drag(x, y, True))
        self.canvas.on_mouse_move(lambda x, y: self.dragging and self.drag(x, y, True))
        self.canvas.on_mouse_up(lambda x, y: self.dragging and self.drag(x, y, False))
        self.canvas.on_client_ready(self.draw)  # a page that is opened again
        units = [(f"z{unit + 1}", int(unit)) for unit in explorer.units]
        narrow = widgets.Layout(width="180px")
        self.across, self.up = (
            widgets.Dropdown(options=units, index=place % len(units), description=words, style=STYLE, layout=narrow)
            for place, words in enumerate(("across", "up"))
        )
        for unit in (self.across, self.up):
            unit.observe(lambda change: self.draw(), "value")
        title = widgets.HTML("<b>two latent units</b>: drag the ring")
        super().__init__([title, self.canvas, self.across, self.up], layout=column.keywords["layout"])

    def drag(self, x: float, y: float, down: bool) -> None:
        """Follow the mouse over the plane."""
        self.dragging = down
        if not down or time.monotonic() - self.dragged > PAUSE:
            shares = (x / self.size[0], 1 - y / self.size[1])
            a, b = (float(np.clip((share * 2 - 1) * REACH, -REACH, REACH)) for share in shares)
            self.moved({self.across.value: a, self.up.value: b})
            self.dragged = time.monotonic()

    def show(self, z: np.ndarray, y: np.ndarray) -> None:
        """Show the plane through a code under a condition.  [Z], [K]"""
        self.z, self.y = z, y
        self.draw()

    def draw(self) -> None:
        """Draw the plane, its pictures only where something but the two units has changed, and the ring."""
        units = (self.across.value, self.up.value)
        rest = np.where(np.isin(np.arange(len(self.z)), units), 0, self.z)
        key = (units, self.y.tobytes(), rest.tobytes())
        if self.drawn is None or self.drawn[0] != key:
            plane = enlarged(self.explorer.plane(self.z, self.y, units), 1)
            self.drawn = key, cv2.resize(plane, self.size, interpolation=cv2.INTER_AREA)
        picture = self.drawn[1].copy()
        across, up = np.clip(self.z[list(units)], -REACH, REACH) / REACH
        ring = [round((at + 1) / 2 * n) for at, n in zip((across, -up), self.size, strict=True)]
        cv2.circle(picture, ring, 9, (230, 159, 0), 3, cv2.LINE_AA)
        self.canvas.put_image_data(picture)
