"""How every figure looks: the file twinvae.mplstyle beside this one, and one colour for each thing that has a name.

The models' and frameworks' colours are those of Okabe and Ito (2008), the others Paul Tol's, told apart with every
common kind of colour blindness; whoever prints in grey still has the line styles and markers.
"""

import re

import matplotlib.style
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.text import Text

MISPRINTED = set("<>\\^_{|}~")  # cmr10 has other signs in these places: write them as mathtext, `$<$`
TEXT_WIDTH = 345 / 72.27  # inches: LaTeX's \textwidth of a 10 pt article, 345 pt of 72.27 to the inch

COLOURS = {
    "AE": "#D55E00",
    "VAE": "#0072B2",
    "CVAE": "#009E73",
    "CGAN": "#CC79A7",
    "data": "#000000",
    "reconstruction": "#999933",
    "samples": "#882255",
    "baseline": "#737373",
    "torch": "#E69F00",
    "tf": "#56B4E9",
}
SAME = {"real": "data", "test": "data", "PCA": "baseline", "PyTorch": "torch", "TensorFlow": "tf"}
COLOURS |= {name: COLOURS[other] for name, other in SAME.items()}
OTHERS = ("#332288", "#AA4499", "#661100", "#8C564B", "#DDCC77")  # those of twinvae.mplstyle
LINES = {"train": "-", "valid": "--", "baseline": ":"}
MARKERS = {"AE": "s", "VAE": "o", "CVAE": "^", "CGAN": "D", "torch": "o", "tf": "x"}


def apply() -> None:
    """Make the settings those of every figure that follows."""
    matplotlib.style.use("twinvae.figures.twinvae")


def colour(name: str, index: int = 0) -> str:
    """Return the fixed colour of a name ('VAE', 'tf', 'VAE, 2 latents'); number `index` of OTHERS for any other.

    A name counts by its first word, so that all variants of a model share its colour.
    """
    return COLOURS.get(re.match(r"\w*", name)[0], OTHERS[index % len(OTHERS)])


def class_colours(count: int) -> list:
    """Return a colour for each class: ten that the colour-blind can tell apart, and for more a scale of brightness."""
    return sns.color_palette("colorblind" if count <= 10 else "viridis", count)


def misprinted(fig: Figure) -> list[str]:
    """Return the texts of a figure that the font would print wrongly: one of MISPRINTED outside `$...$`."""
    texts = [text.get_text() for text in fig.findobj(Text)]
    return [text for text in texts if MISPRINTED & set("".join(text.split("$")[::2]))]
