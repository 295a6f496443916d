"""The panel of notebook 10: the explorer's widgets. Everything can be reached by keyboard: lists, sliders, buttons."""

from __future__ import annotations

import time
from functools import partial
from types import ModuleType

import ipywidgets as widgets
import numpy as np

from twinvae import randomness
from twinvae_apps.drawing_square import INSTRUCTIONS, SIZE, DrawingSquare
from twinvae_apps.explorer import REACH, Explorer, difference, enlarged, png
from twinvae_apps.latent_plane import LatentPlane
from twinvae_apps.trained_models import TrainedModel, images_of

SLIDERS, NEIGHBOURS = 8, 10
NAMED = {"style": {"description_width": "92px"}, "layout": widgets.Layout(width="310px")}
WIDE = widgets.Layout(width="420px")
# A part of a row keeps its width; rows wrap instead.
column = partial(widgets.VBox, layout=widgets.Layout(flex="0 0 auto", margin="0 8px 0 0"))
row = partial(widgets.HBox, layout=widgets.Layout(flex_flow="row wrap"))


class ExplorerPanel(widgets.VBox):
    """Pick a model, a label and a code, and see the picture that both twins make of them.

    `show` does it all; `milliseconds` is what it last took from the change to the new PNG.
    """

    def __init__(
        self, models: list[TrainedModel], twins: dict[str, ModuleType], train_size: int = 10_000, seed: int = 0
    ):
        self.twins, self.train_size = twins, train_size
        self.random = randomness.rng(seed, "prior", 10)
        self.following, self.milliseconds = False, 0.0
        self.model = widgets.Dropdown(
            options=[(model.title, model) for model in models],
            description="model",
            style=NAMED["style"],
            layout=widgets.Layout(width="660px"),
        )
        self.model.observe(lambda change: self.take_up(change.new), "value")
        self.make_pictures()
        self.make_buttons()
        super().__init__()
        self.take_up(models[0])

    def _repr_mimebundle_(self, **kwargs):
        """Return the panel, and words for where there is no kernel (the HTML edition, a notebook not yet run)."""
        bundle = super()._repr_mimebundle_(**kwargs)
        return {
            **bundle,
            "text/plain": "The panel lives in a running kernel: run this cell. Below is the same as pictures.",
        }

    # ------------------------------------------------------------ building
    def make_pictures(self) -> None:
        """Make what shows something, whatever the model."""
        contained = widgets.Layout(object_fit="contain", max_width="100%")
        self.picture, self.under_labels, self.neighbours, self.encoded = (
            widgets.Image(format="png", layout=contained) for _ in range(4)
        )
        self.facts = widgets.HTML(layout=widgets.Layout(width="340px"))
        self.class_read = widgets.HTML("Draw a digit, or take a test image.", layout=WIDE)
        self.drawing = DrawingSquare()

    def make_buttons(self) -> None:
        """Make the buttons, the number of a test image, and the slider between two codes."""
        self.test_image = widgets.BoundedIntText(
            0, 0, 0, description="test image", style=NAMED["style"], layout=widgets.Layout(width="200px")
        )
        self.along = widgets.FloatSlider(0, min=0, max=1, step=0.02, description="start to end", **NAMED)
        self.along.observe(self.walk, "value")
        actions = {
            "random code": self.jump,
            "the middle": lambda: self.move(np.zeros_like(self.z)),
            "start here": lambda: self.end(0),
            "end here": lambda: self.end(1),
            "encode the drawing": self.encode_drawing,
            "clear the drawing": self.drawing.clear,
            "encode the test image": self.encode_test,
        }
        self.buttons = {}
        for words, action in actions.items():
            layout = widgets.Layout(width="170px" if "encode" in words else "148px")
            self.buttons[words] = widgets.Button(description=words, layout=layout)
            self.buttons[words].on_click(lambda _, action=action: action())

    def take_up(self, model: TrainedModel) -> None:
        """Take up a model: its labels, its most active units, the images it was trained on."""
        self.explorer = Explorer(model, images_of(model, self.train_size, 1_000), self.twins)
        self.z = np.zeros(self.explorer.spec.latent_dim)
        self.ends = self.random.standard_normal((2, len(self.z)))
        self.plane = LatentPlane(self.explorer, self.move)
        self.make_labels()
        self.make_sliders()
        self.test_image.max = len(self.explorer.test) - 1
        self.buttons["encode the test image"].disabled = not self.explorer.encodes
        grey = self.explorer.spec.image_shape[2] == 1
        self.buttons["encode the drawing"].disabled = not (self.explorer.encodes and grey)
        self.arrange()
        self.show()

    def make_labels(self) -> None:
        """Make the lists of the model's labels; a model without has none to choose from."""
        names = self.explorer.labels
        labels, none = [(name, k) for k, name in enumerate(names)] or [("none", 0)], not names
        self.label, self.other = (
            widgets.Dropdown(options=labels, description=words, disabled=none, **NAMED)
            for words in ("label", "mixed with")
        )
        self.share = widgets.FloatSlider(0, min=0, max=1, step=0.05, description="its share", disabled=none, **NAMED)
        for widget in (self.label, self.other, self.share):
            widget.observe(lambda change: self.following or self.show(), "value")

    def make_sliders(self) -> None:
        """Make a slider for each of the most active units."""
        self.sliders = {}
        for unit in map(int, self.explorer.units[:SLIDERS]):
            slider = widgets.FloatSlider(0, min=-REACH, max=REACH, step=0.1, description=f"z{unit}", **NAMED)
            slider.observe(lambda change, unit=unit: self.following or self.move({unit: change.new}), "value")
            self.sliders[unit] = slider

    def arrange(self) -> None:
        """Put the parts in their places."""
        b = self.buttons
        moves = [row([b["random code"], b["the middle"]]), row([b["start here"], b["end here"]])]
        codes = column([*moves, self.along, *self.sliders.values()])
        result = column([self.label, self.other, self.share, self.picture, self.facts])
        images = [
            row([b["encode the drawing"], b["clear the drawing"]]),
            row([self.test_image, b["encode the test image"]]),
        ]
        drawing = column([widgets.HTML(INSTRUCTIONS, layout=WIDE), *images, self.class_read])
        words = "<b>the same code under every label</b>" if self.explorer.labels else ""
        self.children = [
            self.model,
            row([self.plane, codes, result]),
            widgets.HTML(words),
            self.under_labels,
            widgets.HTML("<b>the training images closest to it</b>"),
            self.neighbours,
            widgets.HTML("<b>your hand</b>"),
            row([self.drawing, drawing, self.encoded]),
        ]

    # ------------------------------------------------------------ moving
    def move(self, z: np.ndarray | dict[int, float]) -> None:
        """Go to a code, or change some units of it, and show it."""
        changed = dict(enumerate(z)) if isinstance(z, np.ndarray) else z
        self.z = self.z.copy()
        self.z[list(changed)] = list(changed.values())
        self.following = True  # the sliders follow, and must not lead
        for unit, slider in self.sliders.items():
            slider.value = float(np.clip(self.z[unit], -REACH, REACH))
        self.following = False
        self.show()

    def jump(self) -> None:
        """Go to a code drawn from N(0, I)."""
        self.move(self.random.standard_normal(self.z.shape))

    def end(self, which: int) -> None:
        """Make this code the start (0) or the end (1) of the line that the slider walks."""
        self.ends[which] = self.z
        self.following, self.along.value = True, float(which)
        self.following = False

    def walk(self, change) -> None:
        """Go to a code on the line from start to end."""
        if not self.following:
            self.move(self.ends[0] + (self.ends[1] - self.ends[0]) * change.new)

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
        self.under_labels.layout.display = None if e.labels else "none"
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
    def encode_drawing(self) -> None:
        """Encode what is drawn in the square."""
        self.encode(self.explorer.like_data(self.drawing.drawn))

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
            self.following, self.label.value, self.share.value = True, int(best), 0.0
            self.following = False
        self.move(e.encode(x, self.y))
        pair = np.stack([x[None], e.generate(self.z[None], self.y[None])], 1)
        self.encoded.value = png(enlarged(pair, max(1, SIZE // e.spec.image_shape[0])))
        self.class_read.value = f"encoded | reconstructed; {words}"
