"""Figures: every function draws what it was given, with labels, in the report's fonts, and no more."""

import io
import itertools
import warnings
from dataclasses import dataclass

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from twinvae import spec, zoo
from twinvae.figures import diagrams, plots, style

RNG = np.random.default_rng(0)
IMAGES = RNG.random((12, 6, 5, 1))
ROWS = IMAGES.reshape(2, 6, 6, 5, 1)
P = np.array([1.0, 10, 100])
CURVES = {"AE": RNG.random((3, 3)), "VAE": RNG.random((1, 3)), "PCA": RNG.random(3)}
PLANE = RNG.standard_normal((30, 2))
VALUES = {"AE": RNG.random(50), "VAE": RNG.random(40)}

DRAWN = {
    "image grid": lambda ax: plots.plot_image_grid(ax, ROWS, "ab", "cdefgh"),
    "frames": lambda ax: (ax.text(0, 0, "row"), plots.plot_frames(ax, np.eye(2, 6) > 0, (6, 5), "red"))[1],
    "class grid": lambda ax: plots.plot_class_grid(ax, IMAGES, np.arange(12) % 3, list("abc"), per_class=2),
    "training": lambda ax: plots.plot_training(ax, P, CURVES["AE"], CURVES["AE"] + 1, "VAE"),
    "sweep": lambda ax: plots.plot_sweep(ax, P, CURVES, "size", "error", {"mean image": P}),
    "race": lambda ax: plots.plot_race(
        ax, {"CVAE": (P, CURVES["AE"]), "CVAE, ours": (P, CURVES["AE"])}, "s", "y", {"PCA": 1.0}
    ),
    "curves": lambda ax: plots.plot_curves(ax, {0.01: CURVES["AE"], "adam": CURVES["VAE"]}, "rate", "loss"),
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
    "posteriors": lambda ax: plots.plot_posteriors(ax, PLANE[:9], 0.1 + PLANE[:9] ** 2, np.arange(9) % 3, list("abc")),
    "plane": lambda ax: plots.plot_plane(
        ax, np.stack([IMAGES[:3], IMAGES[3:6], IMAGES[6:9]]), np.array([-1.5, 0, 1.5])
    ),
    "lines": lambda ax: plots.plot_lines(ax, ROWS, "ab", "cd"),
    "traversal": lambda ax: plots.plot_traversal(ax, ROWS, np.array([7, 0]), P[:2], np.arange(6)),
    "formulas": lambda ax: plots.plot_formulas(ax, P, {"KL": P, "VAE": P**2}, "z", "nats", {"0": 0.0}),
    "KL surface": lambda ax: plots.plot_kl_surface(ax, P, P, np.outer(P, P) / 100),
    "rate and distortion": lambda ax: plots.plot_rate_distortion(ax, P, P[::-1], P[:2], np.eye(2)),
    "place": diagrams.draw_place,
    "autoencoder": lambda ax: diagrams.draw_autoencoder(ax, "CVAE"),
    "generation": lambda ax: diagrams.draw_generation(ax, RNG.standard_normal(20), IMAGES[0], "3"),
    **{name: lambda ax, model=model: diagrams.draw_architecture(ax, model) for name, model in zoo.ZOO.items()},
}
WITHOUT_AXES = {
    "image grid",
    "lines",
    "traversal",
    "frames",
    "class grid",
    "place",
    "autoencoder",
    "generation",
    *zoo.ZOO,
}


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
        assert ax.get_xlabel() or name == "bars", "groups name themselves"
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


def test_one_seed_is_a_line_without_a_band_and_what_is_not_a_number_is_left_out(ax):
    plots.plot_training(ax, P, np.array([[1, np.nan, 3.0]]))
    assert len(ax.lines) == 1 and not ax.collections
    assert ax.lines[0].get_xydata().tolist() == [[1, 1], [100, 3]]


def test_the_values_of_a_setting_stand_above_the_curves_and_cover_none(ax):
    ax.figure.set_size_inches(style.TEXT_WIDTH / 2, 2.6)
    plots.plot_curves(ax, dict.fromkeys((3e-4, 1e-3, 3e-3, 1e-2, 3e-2), CURVES["AE"]), "learning rate", "loss")
    ax.figure.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    assert legend.y0 >= ax.bbox.y1 and legend.x0 >= 0 and legend.x1 <= ax.figure.bbox.x1


def test_a_variant_is_dashed_in_the_colour_and_marker_of_its_model(ax):
    plots.plot_race(ax, {"CVAE": (P, P), "CVAE, ours": (P, P)}, "s", "y")
    ours, theirs = ax.lines[1], ax.lines[0]
    assert ours.get_color() == theirs.get_color() == style.COLOURS["CVAE"]
    assert ours.get_marker() == theirs.get_marker() == "^"
    assert ours.get_linestyle() == "--" != theirs.get_linestyle()


def test_legends_can_be_made_again(ax):
    """Notebooks call `ax.legend` once more, with a smaller font."""
    plots.plot_histogram(ax, VALUES, "error")
    assert [text.get_text() for text in ax.legend(fontsize=6).get_texts()] == ["AE", "VAE"]
    ax.clear()
    plots.plot_ecdf(ax, VALUES, "error")
    assert [text.get_text() for text in ax.legend(fontsize=6).get_texts()] == ["AE", "VAE"]


def test_histograms_are_densities_over_common_bins(ax):
    plots.plot_histogram(ax, {"AE": np.zeros(3), "VAE": np.array([0, 0, 1, 1])}, "error", bins=2)
    heights = [sorted(set(area.get_paths()[0].vertices[:, 1])) for area in ax.collections]
    assert heights == [[0, 2], [0, 1]], "all of AE, and half of VAE, in the first bin of width 1/2"


def test_bars_show_every_seed_and_their_deviation(ax):
    plots.plot_bars(ax, ["AE", "VAE"], {"torch": np.array([[1, 2, 3], [4, 4, 4.0]])}, "nats")
    assert [bar.get_height() for bar in ax.patches] == [2, 4]
    seeds = np.concatenate([points.get_offsets() for points in ax.collections])
    assert sorted(seeds[:, 1]) == [1, 2, 3, 4, 4, 4] and set(seeds[:, 0]) == {0, 1}
    bar = ax.lines[0].get_ydata()
    assert (min(bar), max(bar)) == (1, 3)  # 2 with a standard deviation of 1


def test_bars_of_several_series_stand_side_by_side_and_are_named(ax):
    plots.plot_bars(ax, ["a", "b"], {"torch": np.array([[1.0], [2]]), "tf": np.array([[3.0, 5], [6, 8]])}, "nats")
    bars = sorted((bar.get_x(), bar.get_height()) for bar in ax.patches if bar.get_height())
    assert [height for _, height in bars] == [1, 4, 2, 7]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["torch", "tf"]
    seeds = np.concatenate([points.get_offsets() for points in ax.collections])
    inside = [x < at < x + 0.4 for x, _ in bars for at in seeds[:, 0]]
    assert sum(inside) == len(seeds) == 6, "each seed stands on its own bar"


def test_confusion_rows_are_shares(ax):
    plots.plot_confusion(ax, np.array([[3, 1], [0, 0]]), ["a", "b"])
    np.testing.assert_allclose(ax.collections[0].get_array(), [[0.75, 0.25], [0, 0]])
    assert [text.get_text() for text in ax.texts if text.get_text()] == [".75", ".25"]


def test_caught_fills_the_squares_of_what_is_caught(ax):
    DRAWN["caught"](ax)
    np.testing.assert_array_equal(ax.collections[0].get_array(), [[1, 0], [0, 0]])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["CAS", "recall"]


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
    sizes -= {str(model.latent_dim), str(2 * model.latent_dim)}  # drawn as (2, Z)
    assert sizes <= set(texts) and max(numbers) < spec.count_weights(model)


def test_an_unknown_layer_is_refused_by_name(ax):
    @dataclass(frozen=True)
    class Attention(spec.Layer):
        """A layer that nobody has thought of."""

    model = spec.ModelSpec("new", "ae", (8, 8, 1), 5, (spec.Flatten(), Attention()), spec.mlp(64))
    with pytest.raises(ValueError, match="A layer Attention cannot be drawn"):
        diagrams.draw_architecture(ax, model)


def test_a_figure_is_345_points_wide_and_the_same_bytes_each_time():
    made = []
    for _ in range(2):
        with mpl.rc_context():
            style.apply()
            fig, (left, right) = plt.subplots(1, 2)
            DRAWN["bars"](left)
            DRAWN["training"](right)
            fig.savefig(made_now := io.BytesIO(), format="pdf", metadata={"CreationDate": None})
            plt.close(fig)
        made.append(made_now.getvalue())
    assert fig.get_size_inches()[0] == pytest.approx(style.TEXT_WIDTH)
    assert made[0] == made[1]


def test_texts_that_the_font_would_misprint_are_found(ax):
    ax.set(xlabel="$a < b_1$ and c", ylabel="a < b", title="judge_mnist")
    assert sorted(style.misprinted(ax.figure)) == ["a < b", "judge_mnist"]


def test_colours_are_fixed_and_follow_the_first_word():
    assert style.colour("VAE, 2 latents") == style.colour("VAE") != style.colour("something else", 3)
    assert style.colour("data: unseen photographs") == style.colour("test images") == style.COLOURS["real"]
    assert style.colour("") == style.colour("$q_1$") == style.OTHERS[0]
    assert pytest.approx(4.774, abs=1e-3) == style.TEXT_WIDTH


# What is left of linear RGB without one kind of cones, and of all (Machado et al. 2009, severity 1).
SIGHT = {
    "all cones": np.eye(3),
    "no L": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no M": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no S": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, sight: np.ndarray) -> np.ndarray:
    """Return a colour as CIE L*a*b*, in which 2.3 is the least difference that is seen."""
    rgb = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(np.maximum(XYZ @ np.clip(sight @ linear, 0, 1) / XYZ.sum(1), 1e-4))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("name", SIGHT)
def test_the_colour_blind_can_tell_the_colours_apart(name):
    named = sorted(set(style.COLOURS.values()))
    assert len(named) == len(style.COLOURS) - len(style.SAME) and not set(named) & set(style.OTHERS)
    for colours, least in ((named, 11), (style.OTHERS, 15)):
        seen = [lab(colour, np.array(SIGHT[name])) for colour in colours]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > least


def test_what_has_no_name_gets_none_of_the_colours_of_what_has(ax):
    (line,) = ax.plot(P)
    assert line.get_color() == style.OTHERS[0]
    assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == list(style.OTHERS)


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


def test_the_plane_has_the_first_unit_across_and_the_second_up(ax):
    at = np.array([-1.0, 0, 1])
    images = np.zeros((3, 3, 2, 2, 1))
    images[0, 2] = 1  # z = (1, 1)
    plots.plot_plane(ax, images, at)
    picture = ax.images[0].get_array()
    assert picture[:2, -2:].min() == 1 and picture[3:5, 3:5].max() == 0
    assert [t.get_text() for t in ax.get_xticklabels()] == ["$-1.0$", "$-1.0$", "$0.0$", "$1.0$", "$1.0$"]


def test_codes_stand_beside_how_each_unit_is_distributed_and_the_prior(ax):
    fig = ax.figure
    ax.remove()
    plots.plot_codes(fig, PLANE, np.arange(30) % 3, list("abc"))
    across, key, codes, up = fig.axes
    assert [t.get_text() for t in key.get_legend().get_texts()] == list("abc") and not codes.texts
    assert [circle.radius for circle in codes.patches] == [1, 2] and codes.get_xlim() == codes.get_ylim()
    x, density = across.lines[-1].get_data()
    assert np.trapezoid(density, x) == pytest.approx(1, abs=5e-3) and x[density.argmax()] == pytest.approx(0, abs=0.02)
    assert up.lines[-1].get_ydata() == pytest.approx(x) and up.get_ylim() == codes.get_ylim()
    assert style.misprinted(fig) == []


@pytest.mark.parametrize("classes", [3, 30])
def test_a_legend_names_few_classes_and_of_many_each_has_its_name_at_its_mean(ax, classes):
    names = [f"class {k}" for k in range(classes)]
    plots.plot_latent(ax, PLANE, np.arange(30) % classes, names)
    plots.name_classes(ax.figure, names)
    in_legend = [text.get_text() for legend in ax.figure.legends for text in legend.get_texts()]
    assert [in_legend, [text.get_text() for text in ax.texts]] == ([names, []] if classes == 3 else [[], names])
    shades = [key.get_facecolor()[:3] for legend in ax.figure.legends for key in legend.get_patches()]
    assert shades == [pytest.approx(shade) for shade in (style.class_colours(3) if classes == 3 else [])]


def test_the_letters_of_an_architecture_stand_upright(ax):
    diagrams.draw_architecture(ax, zoo.get("report004_cvae"))
    turned = {text.get_text(): text.get_rotation() for text in ax.texts}
    assert turned["$x$"] == turned["$y$"] == 0 and turned["Dense\nsigmoid"] == 90


def test_lines_name_both_of_their_ends_and_ellipses_are_of_one_deviation(ax):
    plots.plot_lines(ax, ROWS, "ab", "cd")
    assert [(t.get_text(), t.get_ha()) for t in ax.texts] == [(w, "right") for w in "ab"] + [(w, "left") for w in "cd"]
    plots.plot_posteriors(ax, np.array([[0, 1.0]]), np.array([[0.5, 0.25]]), np.array([0]), ["a"])
    ellipses = ax.collections[-1]
    assert (ellipses.get_widths(), ellipses.get_heights()) == (1.0, 0.5)
