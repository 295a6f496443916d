"""How every figure looks: the report's font and width, one colour a model, data, baseline and framework.

The colours are those of Okabe and Ito (2008), told apart with every common kind of colour blindness; whoever
prints in grey still has the line styles and markers.
"""

import matplotlib as mpl
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
    "baseline": "#7F7F7F",
    "PCA": "#7F7F7F",
    "torch": "#E69F00",
    "tf": "#56B4E9",
}
OTHERS = ("#7F7F7F", "#882255", "#999933", "#332288", "#44AA99", "#DDCC77")  # Tol's muted colours
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#000000")
LINES = {"train": "-", "valid": "--", "torch": "-", "tf": "--", "baseline": ":", "data": "-."}
MARKERS = {"AE": "s", "VAE": "o", "CVAE": "^", "CGAN": "D", "torch": "o", "tf": "x"}

SETTINGS = {
    # Accents and dashes, which cmr10 lacks, come from the second font.
    "font.family": ["cmr10", "STIXGeneral"],
    "mathtext.fontset": "cm",
    "axes.formatter.use_mathtext": True,  # cmr10 has no minus sign; mathtext has
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "figure.figsize": (TEXT_WIDTH, 0.6 * TEXT_WIDTH),
    "figure.dpi": 110,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
    "axes.prop_cycle": mpl.cycler(color=CYCLE),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.4,
    "grid.color": "#DDDDDD",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "legend.frameon": False,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
    "pdf.fonttype": 42,  # TrueType inside the PDF: text can be searched and copied
}


def apply() -> None:
    """Make the settings those of every figure that follows."""
    mpl.rcParams.update(SETTINGS)


def colour(name: str, index: int = 0) -> str:
    """The fixed colour of a name ('VAE', 'tf', 'VAE, 2 latents'); number `index` of OTHERS for any other.

    A name counts by its first word, so that all variants of a model share its colour.
    """
    words = name.replace(",", " ").split()
    return COLOURS.get(words[0] if words else "", OTHERS[index % len(OTHERS)])


def misprinted(fig: Figure) -> list[str]:
    """The texts of a figure that the font would print wrongly: those with one of MISPRINTED outside `$...$`."""
    texts = [text.get_text() for text in fig.findobj(Text)]
    return [text for text in texts if MISPRINTED & set("".join(text.split("$")[::2]))]
