"""The table of data sets: one line each."""

from __future__ import annotations

from .mnist import MNIST
from .table import DataSet

SETS: dict[str, DataSet] = {dataset.name: dataset for dataset in (MNIST,)}
