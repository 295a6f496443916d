"""`python tests/datasets.py` writes Datasets.md anew from lib/twinvae/data/sets.yaml; a test says when it is due."""

from pathlib import Path

from twinvae import data
from twinvae.data.table import DataSet

PAGE = Path(__file__).resolve().parents[1] / "Datasets.md"
HEAD = """\
# Data sets

Where each is from, under which licence, by which checksums its files are known, and what is known to be wrong with it.
Made from [`sets.yaml`](lib/twinvae/data/sets.yaml) by `python tests/datasets.py`. What a file is is decided by its
checksum before a byte of it is read: the published file is *official*, another known one a *variant*; an unknown file
is refused. `python -m twinvae.data check` says it of the files at hand; [notebook 02](notebooks/02_data.ipynb) shows
them.

None of the data are in this repository. Kept models in `results/models/` name theirs in their cards.
"""

NORTHCUTT = "Northcutt, Athalye, Mueller 2021, arXiv:2103.14749"
BARZ = "Barz, Denzler 2020, Journal of Imaging 6(6)"
TWO_CASES = "Upper and lower case of a letter have one label, so that a model of it draws a mixture of two shapes."
SMOOTHED = "Two sets go by the name of USPS: that of libsvm is smoothed by a Gaussian of 0.75 pixels"
KNOWN = {
    "mnist": f"15 of the 10,000 test labels are wrong ({NORTHCUTT}).",
    "fashion_mnist": "T-shirts, pullovers, coats and shirts are hard to tell apart at this size, for people, too.",
    "usps": f"{SMOOTHED}, `usps_raw` is not, and a model of one does not fit the other.",
    "usps_raw": f"{SMOOTHED}, this one is not. The HDF5 file is a copy by a third party.",
    "emnist_letters": f"{TWO_CASES} The files hold each image transposed; the reader turns it upright.",
    "emnist_balanced": "Letters whose two cases look alike have one label, others two. Images are stored transposed.",
    "emnist_byclass": "Classes are as frequent as in NIST's forms: half of all are digits. Images are transposed.",
    "characters": f"{TWO_CASES} Digits and letters went through preprocessings of different authors.",
    "nist": "Its folders do not name writers, so that one writer may be on both sides of a split. 0, O, o look alike.",
    "sign_language": "34,627 images were made from 1,704 photographs, so that a random split tests memory: copies of "
    "one photograph are kept on one side here. J and Z, which are movements, are missing.",
    "cifar10": f"54 of the 10,000 test labels are wrong ({NORTHCUTT}), and 3.3 % of the test images have a near copy "
    f"among the training images ({BARZ}).",
    "cifar100": f"585 of the 10,000 test labels are wrong ({NORTHCUTT}), and 10 % of the test images have a near copy "
    f"among the training images ({BARZ}).",
    "svhn": "Neighbouring digits are in the picture; the label is that of the middle one.",
    "digits": "Counts of 4 x 4 blocks in 17 steps, not grey values; only the test half of the set that UCI publishes.",
}


def section(one: DataSet) -> str:
    """Return what the page says of a data set."""
    size = " x ".join(map(str, one.shape))
    images = " + ".join(f"{count:,} {half}" for half, count in one.sizes.items())
    lines = [
        f"## {one.title}",
        "",
        f"- Name: `{one.name}`; {images} images of {size}, {len(one.class_names)} classes",
        f"- Source: <{one.url}>"
        + (f", put together of {' and '.join(map('`{}`'.format, one.parts))}" * bool(one.parts)),
        f"- Licence: {one.licence}",
        f"- Cite: {one.citation}",
        f"- Known to be wrong: {KNOWN[one.name]}",
        *(f"- Edition, {edition.kind}: {edition.label}" for edition in one.editions),
        *([f"- Where no file is at hand: {one.standin['label']}, marked as a stand-in"] if one.standin else []),
        "",
    ]
    if one.files:
        rows = (f"| {file.name} | `{file.checksum}` | {file.megabytes or '-'} |" for file in one.files)
        lines += ["| file | checksum | MB to download |", "| --- | --- | --- |", *rows, ""]
    return "\n".join(lines)


def page() -> str:
    """Return Datasets.md."""
    return "\n".join([HEAD, *map(section, data.SETS.values())])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
