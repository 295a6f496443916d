"""The panel of notebook 10: the explorer's widgets. Everything can be reached by keyboard: lists, sliders, buttons."""

from __future__ import annotations

import time
from functools import partial
from types import ModuleType

import cv2
import ipywidgets as widgets
import numpy as np
from ipycanvas import Canvas

from twinvae import randomness
from twinvae_apps.drawing_square import HOW, SIZE, Pad
from twinvae_apps.explorer import REACH, Explorer, Kept, difference, enlarged, images_of, png

SLIDERS, NEIGHBOURS, MAP, PAUSE = (
    8,
    10,
    270,
    0.03,
)  # how many; pixels of the plane's side; seconds between two drags
NAMED = {"style": {"description_width": "92px"}, "layout": widgets.Layout(width="310px")}
FIXED = widgets.Layout(
    flex="0 0 auto", margin="0 8px 0 0"
)  # a part of a row that keeps its width; rows wrap instead


class Panel(widgets.VBox):
    """Pick a model, a label and a code, and see the picture that both twins make of them.

    `show` does it all; `milliseconds` is what it last took from the change to the new PNG.
    """

    def __init__(
        self,
        models: list[Kept],
        twins: dict[str, ModuleType],
        train_size: int = 10_000,
        seed: int = 0,
    ):
        self.twins, self.train_size, self.random = (
            twins,
            train_size,
            randomness.rng(seed, "prior", 10),
        )
        self.quiet, self.milliseconds, self.dragged, self.drag = False, 0.0, 0.0, False
        self.model = widgets.Dropdown(
            options=[(kept.words, kept) for kept in models],
            description="model",
            style=NAMED["style"],
            layout=widgets.Layout(width="660px"),
        )
        self.model.observe(lambda change: self.take_up(change.new), "value")
        self.parts_of_the_screen()
        super().__init__()
        self.take_up(models[0])

    def _repr_mimebundle_(self, **kwargs):
        """The panel, and beside it words for where there is no kernel (the HTML edition, a notebook not yet run)."""
        bundle = super()._repr_mimebundle_(**kwargs)
        return {
            **bundle,
            "text/plain": "The panel lives in a running kernel: run this cell. Below is the same as pictures.",
        }

    # ------------------------------------------------------------ building
    def parts_of_the_screen(self) -> None:
        """What is there for every model."""
        self.map = Canvas(width=MAP, height=MAP, layout=widgets.Layout(width=f"{MAP}px"))
        self.map.on_mouse_down(lambda x, y: self.dragging(x, y, True))
        self.map.on_mouse_move(lambda x, y: self.drag and self.dragging(x, y, True))
        self.map.on_mouse_up(lambda x, y: self.drag and self.dragging(x, y, False))
        self.map.on_client_ready(self.show_map)  # a page that is opened again
        self.picture, self.strip, self.neighbours, self.seen = (
            widgets.Image(
                format="png", layout=widgets.Layout(object_fit="contain", max_width="100%")
            )
            for _ in range(4)
        )
        self.text = widgets.HTML(layout=widgets.Layout(width="340px"))
        self.read = widgets.HTML(
            "Draw a digit, or take a test image.", layout=widgets.Layout(width="420px")
        )
        self.pad = Pad()
        self.number = widgets.BoundedIntText(
            0,
            0,
            0,
            description="test image",
            style=NAMED["style"],
            layout=widgets.Layout(width="200px"),
        )
        self.along = widgets.FloatSlider(
            0, min=0, max=1, step=0.02, description="start to end", **NAMED
        )
        self.along.observe(
            lambda change: (
                self.quiet or self.move(self.ends[0] + (self.ends[1] - self.ends[0]) * change.new)
            ),
            "value",
        )
        actions = {
            "random code": self.jump,
            "the middle": lambda: self.move(np.zeros_like(self.z)),
            "start here": lambda: self.end(0),
            "end here": lambda: self.end(1),
            "encode the drawing": self.encode_drawing,
            "clear the drawing": self.pad.clear,
            "encode the test image": self.encode_test,
        }
        self.buttons = {
            words: widgets.Button(
                description=words,
                layout=widgets.Layout(width="170px" if "encode" in words else "148px"),
            )
            for words in actions
        }
        for words, button in self.buttons.items():
            button.on_click(lambda _, words=words: actions[words]())

    def take_up(self, kept: Kept) -> None:
        """Takes up a model: its labels, its most active units, the images it was trained on."""
        self.explorer = e = Explorer(kept, images_of(kept, self.train_size, 1_000), self.twins)
        self.z, self.drawn_map = np.zeros(e.spec.latent_dim), None
        self.ends = self.random.standard_normal((2, e.spec.latent_dim))
        labels = [(name, k) for k, name in enumerate(e.labels)] or [("none", 0)]
        self.label, self.other = (
            widgets.Dropdown(options=labels, description=words, disabled=not e.labels, **NAMED)
            for words in ("label", "mixed with")
        )
        self.share = widgets.FloatSlider(
            0, min=0, max=1, step=0.05, description="its share", disabled=not e.labels, **NAMED
        )
        units = [(f"z{j}", int(j)) for j in e.units]
        self.across, self.up = (
            widgets.Dropdown(
                options=units,
                value=units[i % len(units)][1],
                description=words,
                style=NAMED["style"],
                layout=widgets.Layout(width="180px"),
            )
            for i, words in enumerate(("across", "up"))
        )
        self.sliders = {
            int(j): widgets.FloatSlider(
                0, min=-REACH, max=REACH, step=0.1, description=f"z{j}", **NAMED
            )
            for j in e.units[:SLIDERS]
        }
        for unit, slider in self.sliders.items():
            slider.observe(
                lambda change, unit=unit: self.quiet or self.move({unit: change.new}), "value"
            )
        for widget in (self.label, self.other, self.share, self.across, self.up):
            widget.observe(lambda change: self.quiet or self.show(), "value")
        self.number.max = len(e.test) - 1
        for words in ("encode the drawing", "encode the test image"):
            self.buttons[words].disabled = not e.encodes or (
                words == "encode the drawing" and e.spec.image_shape[2] != 1
            )
        self.arrange()
        self.show()

    def arrange(self) -> None:
        """Puts the parts in their places."""
        column = partial(widgets.VBox, layout=FIXED)
        row, b = partial(widgets.HBox, layout=widgets.Layout(flex_flow="row wrap")), self.buttons
        codes = column(
            [
                row([b["random code"], b["the middle"]]),
                row([b["start here"], b["end here"]]),
                self.along,
                *self.sliders.values(),
            ]
        )
        plane = column(
            [widgets.HTML("<b>two latent units</b>: drag the ring"), self.map, self.across, self.up]
        )
        result = column([self.label, self.other, self.share, self.picture, self.text])
        hand = row(
            [
                self.pad,
                column(
                    [
                        widgets.HTML(HOW, layout=widgets.Layout(width="420px")),
                        row([b["encode the drawing"], b["clear the drawing"]]),
                        row([self.number, b["encode the test image"]]),
                        self.read,
                    ]
                ),
                self.seen,
            ]
        )
        words = "<b>the same code under every label</b>" if self.explorer.labels else ""
        self.children = [
            self.model,
            row([plane, codes, result]),
            widgets.HTML(words),
            self.strip,
            widgets.HTML("<b>the training images closest to it</b>"),
            self.neighbours,
            widgets.HTML("<b>your hand</b>"),
            hand,
        ]

    # ------------------------------------------------------------ moving
    def move(self, z: np.ndarray | dict[int, float]) -> None:
        """Goes to a code, or changes some units of it, and shows it."""
        self.z = np.array(z, float) if not isinstance(z, dict) else self.z.copy()
        for unit, value in z.items() if isinstance(z, dict) else ():
            self.z[unit] = value
        self.quiet = True  # the sliders follow, and must not lead
        for unit, slider in self.sliders.items():
            slider.value = float(np.clip(self.z[unit], -REACH, REACH))
        self.quiet = False
        self.show()

    def jump(self) -> None:
        """A code drawn from N(0, I)."""
        self.move(self.random.standard_normal(self.z.shape))

    def end(self, which: int) -> None:
        """Makes this code the start (0) or the end (1) of the line that the slider walks."""
        self.ends[which] = self.z
        self.quiet, self.along.value = True, float(which)
        self.quiet = False

    def dragging(self, x: float, y: float, down: bool) -> None:
        """Follows the mouse over the plane, not more often than pictures can be made."""
        self.drag = down
        if not down or time.monotonic() - self.dragged > PAUSE:
            a, b = ((at / MAP * 2 - 1) * REACH for at in (x, MAP - y))
            self.move(
                {
                    self.across.value: float(np.clip(a, -REACH, REACH)),
                    self.up.value: float(np.clip(b, -REACH, REACH)),
                }
            )
            self.dragged = time.monotonic()

    # ------------------------------------------------------------ showing
    def show(self) -> None:
        """The picture by both twins, the same code under every label, its neighbours; then the plane."""
        start, e = time.perf_counter(), self.explorer
        x = e.under_all(self.z, self.y)
        times = max(1, 168 // e.spec.image_shape[0])
        self.picture.value = png(enlarged(np.stack([each[:1] for each in x.values()], 1), times))
        if e.labels:
            self.strip.value = png(
                enlarged(
                    x[e.first][None, 1:], max(1, 700 // (len(e.labels) * e.spec.image_shape[1]))
                )
            )
        self.strip.layout.display = None if e.labels else "none"
        self.neighbours.value = png(
            enlarged(e.train[e.nearest(x[e.first][0], NEIGHBOURS)][None], max(1, times // 3))
        )
        self.milliseconds = 1e3 * (time.perf_counter() - start)
        self.text.value = (
            f"{' | '.join(self.twins)}; largest difference of a pixel {difference(x):.1e} (pixels from 0 to 1); "
            f"{self.milliseconds:.0f} ms<br>{e.images.source.label}"
        )
        self.show_map()

    @property
    def y(self) -> np.ndarray:
        """The label, or the mixture, that is chosen.  -> [K]"""
        return self.explorer.mixture(self.label.value, self.other.value, self.share.value)

    def show_map(self) -> None:
        """The plane of two units, drawn again only where something but these two has changed; a ring where the code is."""
        units = (self.across.value, self.up.value)
        rest = np.where(np.isin(np.arange(len(self.z)), units), 0, self.z)
        key = (units, self.y.tobytes(), rest.tobytes())
        if self.drawn_map is None or self.drawn_map[0] != key:
            plane = enlarged(self.explorer.plane(self.z, self.y, units), 1)
            self.drawn_map = key, cv2.resize(plane, (MAP, MAP), interpolation=cv2.INTER_AREA)
        picture = self.drawn_map[1].copy()
        at = [
            round((np.clip(self.z[unit], -REACH, REACH) / REACH * sign + 1) / 2 * MAP)
            for unit, sign in zip(units, (1, -1), strict=True)
        ]
        cv2.circle(picture, at, 9, (230, 159, 0), 3, cv2.LINE_AA)
        self.map.put_image_data(picture)

    # ------------------------------------------------------------ a drawn digit
    def encode_drawing(self) -> None:
        """Encodes what is on the pad."""
        self.encode(self.explorer.like_data(self.pad.drawn))

    def encode_test(self) -> None:
        """Encodes the test image of that number."""
        self.encode(self.explorer.test[self.number.value])

    def encode(self, x: np.ndarray) -> None:
        """Names the class of an image, goes to its code, and shows its reconstruction.  [H, W, C]"""
        e, words = self.explorer, "this model has no labels to choose from"
        if e.spec.kind == "cvae":
            log_p = e.log_p(x[None])[0]
            best, second = np.argsort(-log_p)[:2]
            words = (
                f"class <b>{e.labels[best]}</b>: log p(x | y) = {log_p[best]:.1f} nats, "
                f"next {e.labels[second]} with {log_p[second]:.1f}"
            )
            self.quiet, self.label.value, self.share.value = True, int(best), 0.0
            self.quiet = False
        self.move(e.encode(x, self.y))
        back = e.generate(self.z[None], self.y[None])
        self.seen.value = png(
            enlarged(np.stack([x[None], back], 1), max(1, SIZE // e.spec.image_shape[0]))
        )
        self.read.value = f"encoded | reconstructed; {words}"
