"""Figures: every function draws what it was given, with labels, in the report's fonts, and no more."""

import io
import warnings

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from twinvae import spec, zoo
from twinvae.figures import diagrams, plots, style

RNG = np.random.default_rng(0)
IMAGES = RNG.random((12, 6, 5, 1))
P = np.array([1.0, 10, 100])
CURVES = {"AE": RNG.random((3, 3)), "VAE": RNG.random((1, 3)), "PCA": RNG.random(3)}
VALUES = {"AE": RNG.random(50), "VAE": RNG.random(40)}

DRAWN = {
    "image grid": lambda ax: plots.plot_image_grid(ax, IMAGES.reshape(2, 6, 6, 5, 1), "ab", "cdefgh"),
    "frames": lambda ax: (ax.text(0, 0, "row"), plots.plot_frames(ax, np.eye(2, 6) > 0, (6, 5), "red"))[1],
    "class grid": lambda ax: plots.plot_class_grid(ax, IMAGES, np.arange(12) % 3, list("abc"), per_class=2),
    "training": lambda ax: plots.plot_training(ax, P, CURVES["AE"], CURVES["AE"] + 1, "VAE"),
    "sweep": lambda ax: plots.plot_sweep(ax, P, CURVES, "size", "error", {"mean image": P}),
    "race": lambda ax: plots.plot_race(
        ax, {"CVAE": (P, CURVES["AE"]), "CVAE, ours": (P, CURVES["AE"])}, "s", "y", {"PCA": 1.0}
    ),
    "log p(x)": lambda ax: plots.plot_log_px(ax, P, CURVES["AE"], CURVES["AE"], -99.0),
    "noise": lambda ax: plots.plot_noise(ax, P, CURVES, P**2),
    "activation": lambda ax: plots.plot_activation(ax, 0.1),
    "histogram": lambda ax: plots.plot_histogram(ax, VALUES, "error"),
    "ecdf": lambda ax: plots.plot_ecdf(ax, VALUES, "error"),
    "bars": lambda ax: plots.plot_bars(ax, ["AE", "VAE"], {"torch": np.eye(2), "tf": np.ones((2, 1))}, "y"),
    "intervals": lambda ax: plots.plot_intervals(ax, ["VAE", "IWAE"], [1, 2], [0, 1.5], [2, 2.5], "nats"),
    "confusion": lambda ax: plots.plot_confusion(ax, np.eye(3) + 1, list("abc")),
    "caught": lambda ax: plots.plot_caught(
        ax, pd.DataFrame({"CAS": [True, False], "recall": [False, False]}, ["copy", "noise"])
    ),
    "spectrum": lambda ax: plots.plot_spectrum(ax, {"data": (P / 200, P), "VAE": (P / 200, P)}),
    "units": lambda ax: plots.plot_units(ax, {"VAE": RNG.random(20)}, "KL [nats]"),
    "latent": lambda ax: plots.plot_latent(ax, RNG.standard_normal((30, 2)), np.arange(30) % 3, list("abc")),
    "place": diagrams.draw_place,
    "autoencoder": lambda ax: diagrams.draw_autoencoder(ax, "CVAE"),
    "generation": lambda ax: diagrams.draw_generation(ax, RNG.standard_normal(20), IMAGES[0], "3"),
    **{name: lambda ax, model=model: diagrams.draw_architecture(ax, model) for name, model in zoo.ZOO.items()},
}
WITHOUT_AXES = {"image grid", "frames", "class grid", "place", "autoencoder", "generation", *zoo.ZOO}


@pytest.fixture
def ax():
    with mpl.rc_context():
        style.apply()
        fig, ax = plt.subplots(figsize=(style.TEXT_WIDTH, 3))
        yield ax
        plt.close(fig)


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_is_drawn_with_labels_and_without_a_missing_letter(name, ax):
    before = dict(mpl.rcParams)
    assert DRAWN[name](ax) is None
    assert dict(mpl.rcParams) == before and plt.get_fignums() == [ax.figure.number]
    assert ax.has_data() or ax.texts
    if name not in WITHOUT_AXES:
        assert ax.get_xlabel() or name == "bars"
        assert ax.get_ylabel()
    assert style.misprinted(ax.figure) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        ax.figure.savefig(io.BytesIO(), format="pdf")


@pytest.mark.parametrize("name", sorted(WITHOUT_AXES & DRAWN.keys() - {"image grid", "class grid"}))
def test_the_texts_of_a_schematic_stay_on_the_page(name, ax):
    fig = ax.figure
    fig.set_size_inches(style.TEXT_WIDTH, 3)
    DRAWN[name](ax)
    fig.canvas.draw()
    for text in ax.texts:
        box = text.get_window_extent()
        assert box.x0 >= -1 and box.x1 <= fig.bbox.x1 + 1, text.get_text()


def test_image_grid_shows_each_pixel_unchanged(ax):
    plots.plot_image_grid(ax, (255 * IMAGES.reshape(3, 4, 6, 5, 1)).astype(np.uint8))
    picture = ax.images[0].get_array()
    assert ax.images[0].get_interpolation() == "nearest" and picture.shape == (3 * 7 - 1, 4 * 6 - 1, 3)
    np.testing.assert_allclose(picture[7:13, 12:17, 0], (255 * IMAGES[6, :, :, 0]).astype(int) / 255)


def test_class_grid_puts_images_under_their_names_and_leaves_gaps_white(ax):
    y = np.array([0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    plots.plot_class_grid(ax, IMAGES, y, ["zero", "one", "two"], per_class=3)
    picture = ax.images[0].get_array()
    np.testing.assert_allclose(picture[:6, 12:, 0], IMAGES[2, :, :, 0])
    assert (picture[:, 6:11] == 1).all() and [t.get_text() for t in ax.texts] == ["zero", "one", "two"]


def test_band_reaches_from_the_smallest_to_the_largest_seed(ax):
    plots.plot_training(ax, P, np.array([[1, 2, 3], [3, 4, 7.0]]))
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [2, 3, 5])
    corners = ax.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == 1 and corners[:, 1].max() == 7


def test_bars_show_every_seed_and_their_deviation(ax):
    plots.plot_bars(ax, ["AE", "VAE"], {"torch": np.array([[1, 2, 3], [4, 4, 4.0]])}, "nats")
    assert [bar.get_height() for bar in ax.patches] == [2, 4]
    assert sorted(ax.lines[-1].get_ydata()) == [1, 2, 3, 4, 4, 4]
    low, high = ax.collections[0].get_segments()[0][:, 1]
    assert (low, high) == (1, 3)  # 2 with a standard deviation of 1


def test_confusion_rows_are_shares(ax):
    plots.plot_confusion(ax, np.array([[3, 1], [0, 0]]), ["a", "b"])
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.75, 0.25], [0, 0]])


@pytest.mark.parametrize("name", zoo.ZOO)
def test_architecture_is_drawn_from_the_spec(name, ax):
    model = zoo.ZOO[name]
    diagrams.draw_architecture(ax, model)
    texts = [t.get_text() for t in ax.texts]
    assert f"{spec.count_weights(model):,} weights" in texts
    numbers = [int(t.replace(",", "")) for t in texts if t.replace(",", "").isdigit() and "," in t]
    # in the logit
    walks = [stack.walk() for name, stack in model.stacks().items() if name != "discriminator_projection"]
    sizes = {
        str(row.shape_out[0])
        for walk in walks
        for i, row in enumerate(walk)
        if isinstance(row.layer, spec.Dense) and not any(len(after.shape_out) == 3 for after in walk[i : i + 3])
    }
    assert sizes - {str(model.latent_dim)} <= set(texts) and max(numbers) < spec.count_weights(model)


def test_texts_that_the_font_would_misprint_are_found(ax):
    ax.set(xlabel="$a < b_1$ and c", ylabel="a < b", title="judge_mnist")
    assert sorted(style.misprinted(ax.figure)) == ["a < b", "judge_mnist"]


def test_colours_are_fixed_distinct_and_follow_the_first_word():
    names = ("AE", "VAE", "CVAE", "CGAN", "data", "baseline", "torch", "tf")
    assert len({style.COLOURS[name] for name in names}) == len(names)
    assert style.colour("VAE, 2 latents") == style.colour("VAE") != style.colour("something else", 3)
    assert pytest.approx(4.774, abs=1e-3) == style.TEXT_WIDTH


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda ax: plots.plot_image_grid(ax, IMAGES), "rows, columns"),
        (lambda ax: plots.plot_image_grid(ax, IMAGES[None] + 1), "0 to 1"),
        (lambda ax: plots.plot_image_grid(ax, IMAGES[None] * np.nan), "0 to 1"),
        (lambda ax: plots.plot_image_grid(ax, IMAGES[None], ["a", "b"]), "2 row labels .* 1 rows"),
        (lambda ax: plots.plot_class_grid(ax, IMAGES[:0], [], ["a"]), "at least one"),
        (lambda ax: plots.plot_class_grid(ax, IMAGES, [0], ["a"]), "one an image"),
        (lambda ax: plots.plot_training(ax, P, np.ones((3, 4))), r"\[seeds, points\]"),
        (lambda ax: plots.plot_sweep(ax, P - 1, CURVES, "", ""), "above 0"),
        (lambda ax: plots.plot_bars(ax, ["a"], {"torch": np.ones(3)}, ""), r"\[groups, seeds\]"),
        (lambda ax: diagrams.draw_autoencoder(ax, "GAN"), "'AE', 'VAE' or 'CVAE'"),
    ],
)
def test_bad_input_gets_one_clear_sentence(call, message, ax):
    with pytest.raises(ValueError, match=message) as error:
        call(ax)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
