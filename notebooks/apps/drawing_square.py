"""A square to draw on, with the mouse, a finger or the keys."""

from __future__ import annotations

import cv2
import ipywidgets as widgets
import numpy as np
from ipycanvas import Canvas

# In pixels of the screen: side of the square, width of the line, one press of an arrow key.
SIZE, BRUSH, STEP = 168, 15, 8
MOVES = {"ArrowLeft": (-STEP, 0), "ArrowRight": (STEP, 0), "ArrowUp": (0, -STEP), "ArrowDown": (0, STEP)}
INSTRUCTIONS = (
    "Draw with the mouse; or click the square, then the arrow keys move the pen and the space bar "
    "puts it down or lifts it."
)


class DrawingSquare(widgets.VBox):
    """Holds white lines on black in `drawn` [SIZE, SIZE], 0 to 1."""

    def __init__(self):
        self.down, self.pen = False, (SIZE // 2, SIZE // 2)
        self.drawn = np.zeros((SIZE, SIZE), np.float32)
        self.canvas = Canvas(width=SIZE, height=SIZE, layout=widgets.Layout(width=f"{SIZE}px"))
        c = self.canvas
        for mouse, touch, act in (
            (c.on_mouse_down, c.on_touch_start, self.start),
            (c.on_mouse_move, c.on_touch_move, self.move),
            (c.on_mouse_up, c.on_touch_end, self.stop),
        ):
            mouse(act)
            touch(lambda points, act=act: act(*(points[0] if points else self.pen)))
        self.canvas.on_mouse_out(lambda x, y: self.stop(x, y) if self.down else None)
        self.canvas.on_key_down(lambda key, *others: self.press(key))
        self.canvas.on_client_ready(self.show)  # a page that is opened again
        self.show()
        super().__init__([self.canvas])

    def clear(self) -> None:
        """Empty the square and lift the pen in its middle."""
        self.drawn[:], self.down, self.pen = 0, False, (SIZE // 2, SIZE // 2)
        self.show()

    def start(self, x: float, y: float) -> None:
        """Put the pen down at a point."""
        self.pen, self.down = (round(x), round(y)), True
        self.move(x, y)

    def move(self, x: float, y: float) -> None:
        """Take the pen to a point, drawing if it is down."""
        if self.down:
            cv2.line(self.drawn, self.pen, (round(x), round(y)), 1.0, BRUSH, cv2.LINE_AA)
            self.pen = (round(x), round(y))
            self.show()

    def stop(self, x: float, y: float) -> None:
        """Lift the pen: a line is done."""
        self.down = False
        self.show()

    def press(self, key: str) -> None:
        """Move the pen with an arrow key, put it down or lift it with the space bar."""
        if key == " ":
            act = self.stop if self.down else self.start
            act(*self.pen)
        elif key in MOVES:
            x, y = (min(max(at + by, 0), SIZE - 1) for at, by in zip(self.pen, MOVES[key], strict=True))
            self.move(x, y)
            self.pen = (x, y)
            self.show()

    def show(self) -> None:
        """Send the square to the screen, with a ring where the pen is: filled when it is down."""
        picture = np.rint(self.drawn.clip(0, 1) * 255).astype(np.uint8)[..., None].repeat(3, 2)
        cv2.circle(picture, self.pen, 4, (230, 159, 0), -1 if self.down else 1, cv2.LINE_AA)
        self.canvas.put_image_data(picture)
