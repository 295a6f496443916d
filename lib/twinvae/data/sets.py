"""The table of data sets: one line each."""

from __future__ import annotations

from . import characters, cifar10, cifar100, digits, emnist, mnist, nist, sign_language, svhn, usps
from .table import DataSet

SETS: dict[str, DataSet] = {
    dataset.name: dataset
    for dataset in (
        mnist.MNIST,
        usps.USPS,
        usps.USPS_RAW,
        emnist.LETTERS,
        emnist.BALANCED,
        emnist.BYCLASS,
        characters.CHARACTERS,
        nist.NIST,
        sign_language.SIGN_LANGUAGE,
        cifar10.CIFAR10,
        cifar100.CIFAR100,
        svhn.SVHN,
        digits.DIGITS,
    )
}
