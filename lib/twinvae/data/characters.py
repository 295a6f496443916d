"""The 36 classes of handwriting: the digits of MNIST and the letters, of either case, of EMNIST."""

from __future__ import annotations

from .emnist import LETTERS
from .mnist import MNIST
from .table import DataSet

CHARACTERS = DataSet(
    name="characters",
    title="MNIST digits and EMNIST letters",
    folder="mnist",
    shape=(28, 28, 1),
    class_names=MNIST.class_names + LETTERS.class_names,
    sizes={half: MNIST.sizes[half] + LETTERS.sizes[half] for half in ("train", "test")},
    licence=f"{MNIST.licence}; {LETTERS.licence}",
    citation=f"{MNIST.citation}; {LETTERS.citation}",
    url=LETTERS.url,
    editions=(),
    parts=(MNIST, LETTERS),
)
