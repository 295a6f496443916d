"""Trained models by name: `twinvae.load("report004_cvae", backend="tf")`, and `twinvae.models()`, what there is.

A model is found where models are kept, else where they are published with the project.  Its file serves both twins.
"""

from twinvae.pretrained.found import Found, all_found, find, models
from twinvae.pretrained.model import Pretrained, load
