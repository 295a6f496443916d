"""The explorer as a page that needs no kernel: a CVAE of digits, its code in a plane, run by the browser alone."""

import base64
from dataclasses import replace

from twinvae import spec, training, zoo
from twinvae.pretrained import Found, all_found
from twinvae_collect.rendering import render


def model() -> Found:
    """Return the published CVAE of report 002 whose code has two units; NotTrained where it is missing."""
    flat, names = replace(zoo.get("report002_cvae_mnist"), latent_dim=2), training.published()
    for found in all_found(training.models_in_git()):
        if found.spec == flat and found.folder in names:
            return found
    raise training.NotTrained("no CVAE of report 002 with two latent units is published; make train trains it")


def page() -> str:
    """Return the page: plain JavaScript, and the file of weights byte for byte, in base64."""
    found = model()
    weights = base64.b64encode(found.path.read_bytes()).decode()
    return render("explorer.html", model=found, count=spec.count_weights(found.spec), weights=weights)
