"""The panel of notebook 10: the explorer's widgets. Everything can be reached by keyboard: lists, sliders, buttons."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType

import ipywidgets as widgets
import numpy as np

from twinvae import randomness
from twinvae.pretrained import Found
from twinvae_apps.drawing_square import INSTRUCTIONS, SIZE, DrawingSquare
from twinvae_apps.explorer import REACH, Explorer, difference, enlarged, png
from twinvae_apps.latent_plane import STYLE, LatentPlane, column
from twinvae_apps.trained_models import images_of

SLIDERS, NEIGHBOURS = 8, 10
dropdown = partial(widgets.Dropdown, style=STYLE, layout=widgets.Layout(width="310px"))
slider = partial(widgets.FloatSlider, 0, min=0, max=1, style=STYLE, layout=widgets.Layout(width="310px"))
picture = partial(widgets.Image, format="png", layout=widgets.Layout(object_fit="contain", max_width="100%"))
row = partial(widgets.HBox, layout=widgets.Layout(flex_flow="row wrap"))


class ExplorerPanel(widgets.VBox):
    """Pick a model, a label and a code, and see the picture that both twins make of them.

    `show` does it all; `milliseconds` is what it last took from the change to the new PNG.
    """

    def __init__(self, models: list[Found], twins: dict[str, ModuleType], train_size: int = 10_000):
        super().__init__()
        self.twins, self.train_size = twins, train_size
        self.random = randomness.rng(0, "prior", 10)
        self.following, self.milliseconds = False, 0.0
        self.drawing = DrawingSquare()
        titles = [(model.title, model) for model in models]
        self.model = dropdown(options=titles, description="model", layout=widgets.Layout(width="660px"))
        self.model.observe(lambda change: self.take_up(change.new), "value")
        self.take_up(models[0])

    def _repr_mimebundle_(self, **kwargs):
        """Return the panel, and words for where there is no kernel (the HTML edition, a notebook not yet run)."""
        words = "The panel lives in a running kernel: run this cell. Below is the same as pictures."
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": words}

    # ------------------------------------------------------------ building
    def take_up(self, model: Found) -> None:
        """Take up a model: its labels, its most active units, the images it was trained on."""
        self.explorer = Explorer(model, images_of(model, self.train_size, 1_000), self.twins)
        self.z = np.zeros(self.explorer.spec.latent_dim)
        self.ends = self.random.standard_normal((2, len(self.z)))
        self.make_controls()
        self.make_buttons()
        self.arrange()
        self.show()

    def make_controls(self) -> None:
        """Make the plane, a slider for each of the most active units, and the lists of labels, if there are any."""
        names = self.explorer.labels
        labels = [(name, k) for k, name in enumerate(names)] or [("none", 0)]
        self.label, self.other = (
            dropdown(options=labels, description=words, disabled=not names) for words in ("label", "mixed with")
        )
        self.share = slider(step=0.05, description="its share", disabled=not names)
        for widget in (self.label, self.other, self.share):
            self.lead(widget, lambda value: self.show())
        self.plane = LatentPlane(self.explorer, self.move)
        self.sliders = {}
        for unit in map(int, self.explorer.units[:SLIDERS]):
            self.sliders[unit] = slider(min=-REACH, max=REACH, step=0.1, description=f"z{unit}")
            self.lead(self.sliders[unit], lambda value, unit=unit: self.move({unit: value}))
        self.along = slider(step=0.02, description="start to end")
        self.lead(self.along, lambda share: self.move(self.ends[0] + (self.ends[1] - self.ends[0]) * share))

    def make_buttons(self) -> None:
        """Make the buttons, and the number of a test image."""
        last = len(self.explorer.test) - 1
        width = widgets.Layout(width="200px")
        self.test_image = widgets.BoundedIntText(0, 0, last, description="test image", style=STYLE, layout=width)
        actions = {
            "random code": lambda: self.move(self.random.standard_normal(len(self.z))),
            "the middle": lambda: self.move(np.zeros(len(self.z))),
            "start here": lambda: self.end(0),
            "end here": lambda: self.end(1),
            "encode the drawing": lambda: self.encode(self.explorer.like_data(self.drawing.drawn)),
            "clear the drawing": self.drawing.clear,
            "encode the test image": self.encode_test,
        }
        self.buttons = {}
        for words, action in actions.items():
            layout = widgets.Layout(width="170px" if "encode" in words else "148px")
            self.buttons[words] = widgets.Button(description=words, layout=layout)
            self.buttons[words].on_click(lambda _, action=action: action())
        encodes, grey = self.explorer.spec.kind != "cgan", self.explorer.spec.image_shape[2] == 1
        self.buttons["encode the test image"].disabled = not encodes
        self.buttons["encode the drawing"].disabled = not (encodes and grey)

    def arrange(self) -> None:
        """Make what shows something, and put all in its place."""
        self.picture, self.under_labels, self.neighbours, self.encoded = (picture() for _ in range(4))
        self.facts = widgets.HTML(layout=widgets.Layout(width="340px"))
        wide = widgets.Layout(width="420px")
        self.class_read = widgets.HTML("Draw a digit, or take a test image.", layout=wide)
        b = self.buttons
        moves = [row([b["random code"], b["the middle"]]), row([b["start here"], b["end here"]])]
        codes = column([*moves, self.along, *self.sliders.values()])
        result = column([self.label, self.other, self.share, self.picture, self.facts])
        drawn = row([b["encode the drawing"], b["clear the drawing"]])
        tested = row([self.test_image, b["encode the test image"]])
        hand = column([widgets.HTML(INSTRUCTIONS, layout=wide), drawn, tested, self.class_read])
        self.children = [
            self.model,
            row([self.plane, codes, result]),
            *(
                [widgets.HTML("<b>the same code under every label</b>"), self.under_labels]
                if self.explorer.labels
                else []
            ),
            widgets.HTML("<b>the training images closest to it</b>"),
            self.neighbours,
            widgets.HTML("<b>your hand</b>"),
            row([self.drawing, hand, self.encoded]),
        ]

    # ------------------------------------------------------------ moving
    def lead(self, widget: widgets.Widget, act: Callable) -> None:
        """Do something with the widget's new value when the user changes it, and nothing when the panel does."""
        widget.observe(lambda change: self.following or act(change.new), "value")

    @contextmanager
    def follow(self) -> Iterator[None]:
        """Let the widgets follow what the panel does."""
        self.following = True
        try:
            yield
        finally:
            self.following = False

    def move(self, z: np.ndarray | dict[int, float]) -> None:
        """Go to a code, or change some units of it, and show it."""
        changed = dict(enumerate(z)) if isinstance(z, np.ndarray) else z
        self.z = self.z.copy()
        self.z[list(changed)] = list(changed.values())
        with self.follow():
            for unit, each in self.sliders.items():
                each.value = float(np.clip(self.z[unit], -REACH, REACH))
        self.show()

    def end(self, which: int) -> None:
        """Make this code the start (0) or the end (1) of the line that the slider walks."""
        self.ends[which] = self.z
        with self.follow():
            self.along.value = float(which)

    # ------------------------------------------------------------ showing
    @property
    def y(self) -> np.ndarray:
        """Return the label, or the mixture, that is chosen.  -> [K]"""
        return self.explorer.mixture(self.label.value, self.other.value, self.share.value)

    def show(self) -> None:
        """Show the picture by both twins, the same code under every label, its neighbours; then the plane."""
        start, e = time.perf_counter(), self.explorer
        x = e.under_all(self.z, self.y)
        times = max(1, SIZE // e.spec.image_shape[0])
        self.picture.value = png(enlarged(np.stack([each[:1] for each in x.values()], 1), times))
        if e.labels:
            fitting = max(1, 700 // (len(e.labels) * e.spec.image_shape[1]))
            self.under_labels.value = png(enlarged(x[e.first][None, 1:], fitting))
        near = e.train[e.nearest(x[e.first][0], NEIGHBOURS)]
        self.neighbours.value = png(enlarged(near[None], max(1, times // 3)))
        self.milliseconds = 1e3 * (time.perf_counter() - start)
        self.facts.value = (
            f"{' | '.join(self.twins)}; largest difference of a pixel {difference(x):.1e} (pixels from 0 to 1); "
            f"{self.milliseconds:.0f} ms<br>{e.images.source.label}"
        )
        self.plane.show(self.z, self.y)

    # ------------------------------------------------------------ a drawn digit
    def encode_test(self) -> None:
        """Encode the test image of that number."""
        self.encode(self.explorer.test[self.test_image.value])

    def encode(self, x: np.ndarray) -> None:
        """Name the class of an image, go to its code, and show its reconstruction.  [H, W, C]"""
        e, words = self.explorer, "this model has no labels to choose from"
        if e.spec.kind == "cvae":
            log_p = e.log_p(x[None])[0]
            best, second = np.argsort(-log_p)[:2]
            words = (
                f"class <b>{e.labels[best]}</b>: log p(x | y) = {log_p[best]:.1f} nats, "
                f"next {e.labels[second]} with {log_p[second]:.1f}"
            )
            with self.follow():
                self.label.value, self.share.value = int(best), 0.0
        self.move(e.encode(x[None], self.y[None])[0])
        pair = np.stack([x[None], e.generate(self.z[None], self.y[None])], 1)
        self.encoded.value = png(enlarged(pair, max(1, SIZE // e.spec.image_shape[0])))
        self.class_read.value = f"encoded | reconstructed; {words}"
