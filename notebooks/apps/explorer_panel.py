"""The panel of notebook 10: the explorer's widgets. Everything can be reached by keyboard: lists, sliders, buttons."""

from __future__ import annotations

import html
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
from twinvae_apps.trained_models import images_of, title

SLIDERS, NEIGHBOURS = 8, 10
WIDTH = 960  # pixels of the screen that a row of pictures may fill
dropdown = partial(widgets.Dropdown, style=STYLE, layout=widgets.Layout(width="310px"))
slider = partial(widgets.FloatSlider, value=0, min=0, max=1, style=STYLE, layout=widgets.Layout(width="310px"))
natural = widgets.Layout(object_fit="contain", max_width="100%", align_self="flex-start")
picture = partial(widgets.Image, format="png", layout=natural)
row = partial(widgets.HBox, layout=widgets.Layout(flex_flow="row wrap"))


class ExplorerPanel(widgets.VBox):
    """Pick a model, a condition and a code, and see the picture that both twins make of them.

    `show` does it all; `milliseconds` is what it last took from the change to the new PNG.
    """

    def __init__(self, models: list[Found], twins: dict[str, ModuleType], train_size: int = 10_000):
        super().__init__()
        self.twins, self.train_size = twins, train_size
        self.random = randomness.rng(0, "prior", 10)
        self.following, self.milliseconds = False, 0.0
        self.drawing = DrawingSquare()
        titles = [(title(model), model) for model in models]
        self.model = dropdown(
            options=titles, description="model", layout=widgets.Layout(width="800px", max_width="100%")
        )
        self.model.observe(lambda change: self.take_up(change.new), "value")
        self.take_up(models[0])

    def _repr_mimebundle_(self, **kwargs):
        """Return the panel, and words for where there is no kernel (the HTML edition, a notebook not yet run)."""
        words = "The panel lives in a running kernel: run this cell. Below is the same as pictures."
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": words}

    # ------------------------------------------------------------ building
    def take_up(self, model: Found) -> None:
        """Take up a model: what it is told, its most active units, the images it was trained on if they are there."""
        try:
            images = images_of(model, self.train_size, 1_000)
            self.source = images.source.label
        except (OSError, ValueError, ImportError) as error:
            images, self.source = None, f"Its images are not at hand: {str(error).rstrip('.')}"
        self.explorer = Explorer(model, images, self.twins)
        self.times = max(1, SIZE // max(self.explorer.spec.image_shape[:2]))
        self.z = np.zeros(self.explorer.spec.latent_dim)
        self.ends = self.random.standard_normal((2, len(self.z)))
        self.make_controls()
        self.make_buttons()
        self.arrange()
        self.show()

    def make_controls(self) -> None:
        """Make the lists of labels or the sliders of a condition's numbers, the plane, and the sliders of the code."""
        e = self.explorer
        labels = [(name, k) for k, name in enumerate(e.names)] or [("none", 0)]
        self.label, self.other, self.along_number = (
            dropdown(options=labels, description=words) for words in ("label", "mixed with", "along")
        )
        self.share = slider(step=0.05, description="its share")
        self.numbers = [
            slider(value=value, min=low, max=high, step=(high - low) / 50, readout_format=".3g")
            for value, (low, high) in zip(e.conditions()[0], e.ranges.values(), strict=False)
        ]
        for widget, name in zip(self.numbers, e.names, strict=False):
            widget.description = widget.tooltip = name
        for widget in (self.label, self.other, self.share, self.along_number, *self.numbers):
            self.lead(widget, lambda value: self.show())
        self.plane = LatentPlane(self.explorer, self.move)
        self.sliders = {}
        for unit in map(int, self.explorer.units[:SLIDERS]):
            self.sliders[unit] = slider(min=-REACH, max=REACH, step=0.1, description=f"z{unit + 1}")
            self.lead(self.sliders[unit], lambda value, unit=unit: self.move({unit: value}))
        self.along = slider(step=0.02, description="start to end")
        self.lead(self.along, lambda share: self.move(self.ends[0] + (self.ends[1] - self.ends[0]) * share))

    def make_buttons(self) -> None:
        """Make the buttons, and the number of a test image."""
        last = max(0, len(self.explorer.test) - 1)
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

    def arrange(self) -> None:
        """Make what shows something, and put all that makes sense for the model in its place."""
        e = self.explorer
        encodes = e.spec.kind != "cgan"
        draws, tests = encodes and e.spec.image_shape[2] == 1, encodes and e.images is not None
        self.picture, self.under_all, self.neighbours, self.encoded = (picture() for _ in range(4))
        self.facts = widgets.HTML(layout=widgets.Layout(width="340px"))
        wide = widgets.Layout(width="420px")
        self.class_read = widgets.HTML(layout=wide)
        b = self.buttons
        moves = [row([b["random code"], b["the middle"]]), row([b["start here"], b["end here"]])]
        codes = column([*moves, self.along, *self.sliders.values()])
        told = [self.label, self.other, self.share] if e.labels else self.numbers
        result = column([*told, self.picture, self.facts])
        drawn = [widgets.HTML(INSTRUCTIONS, layout=wide), row([b["encode the drawing"], b["clear the drawing"]])]
        tested = row([self.test_image, b["encode the test image"]])
        ways = column([*(drawn if draws else []), *([tested] if tests else []), self.class_read])
        hand = row([*([self.drawing] if draws else []), ways, self.encoded])
        sections = [
            (e.labels, "the same code under every label", [self.under_all]),
            (e.ranges, "the same code along one number that the model is told", [self.along_number, self.under_all]),
            (e.images, "the training images closest to it", [self.neighbours]),
            (draws or tests, "your hand" if draws else "a test image", [hand]),
        ]
        shown = [(widgets.HTML(f"<b>{words}</b>"), *parts) for there, words, parts in sections if there]
        self.children = [self.model, row([self.plane, codes, result]), *sum(shown, ())]

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
        """Return the label, the mixture or the numbers that are chosen.  -> [K]"""
        if self.numbers:
            return np.array([each.value for each in self.numbers])
        return self.explorer.mixture(self.label.value, self.other.value, self.share.value)

    def show(self) -> None:
        """Show the picture by both twins, the same code under other conditions, its neighbours; then the plane."""
        start, e = time.perf_counter(), self.explorer
        x = e.under_all(self.z, self.y, self.along_number.value)
        self.picture.value = png(enlarged(np.stack([each[:1] for each in x.values()], 1), self.times))
        if e.names:
            self.under_all.value = self.in_a_row(x[e.first][1:])
        if e.images:
            self.neighbours.value = self.in_a_row(e.train[e.nearest(x[e.first][0], NEIGHBOURS)])
        self.milliseconds = 1e3 * (time.perf_counter() - start)
        self.facts.value = (
            f"{' | '.join(self.twins)}; largest difference of a pixel {difference(x):.1e} (pixels from 0 to 1); "
            f"{self.milliseconds:.0f} ms<br>{html.escape(self.source)}"
        )
        self.plane.show(self.z, self.y)

    def in_a_row(self, x: np.ndarray) -> bytes:
        """Return images beside each other as a PNG, as large as fits.  [N, H, W, C]"""
        return png(enlarged(x[None], max(1, min(self.times, WIDTH // (len(x) * x.shape[2])))))

    # ------------------------------------------------------------ an image's code
    def encode_test(self) -> None:
        """Encode the test image of that number, under its own numbers where the model is told some."""
        e, at = self.explorer, self.test_image.value
        with self.follow():
            for each, value in zip(self.numbers, np.atleast_1d(e.images.test.y[at]), strict=False):
                each.value = float(value)
        self.encode(e.test[at])

    def encode(self, x: np.ndarray) -> None:
        """Name the class of an image, go to its code, and show its reconstruction.  [H, W, C]"""
        e, words = self.explorer, "this model has no labels to choose from"
        if e.ranges:
            words = "told " + html.escape(", ".join(f"{each.description} {each.value:.3g}" for each in self.numbers))
        elif e.spec.kind == "cvae":
            log_p = e.log_p(x[None])[0]
            best, second = np.argsort(-log_p)[:2]
            named, other = (html.escape(e.labels[k]) for k in (best, second))
            words = (
                f"class <b>{named}</b>: log p(x | y) = {log_p[best]:.1f} nats, next {other} with {log_p[second]:.1f}"
            )
            with self.follow():
                self.label.value, self.share.value = int(best), 0.0
        self.move(e.encode(x[None], self.y[None])[0])
        pair = np.stack([x[None], e.generate(self.z[None], self.y[None])], 1)
        self.encoded.value = png(enlarged(pair, self.times))
        self.class_read.value = f"encoded | reconstructed; {words}"
