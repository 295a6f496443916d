"""A Job says what is trained on what; `train_or_load` gives its model: loaded where it lies, else trained here.

    python -m twinvae.training JOBS.json     trains what is missing of a list of jobs, one after the other
    python -m twinvae.training pack, run, time     the same on a bare machine, see `bare`
    python -m twinvae.training.publish       adds the models that results/models/PUBLISHED names to git

A folder of `results/models/` holds `weights.safetensors`, `history.csv` and, written last, `card.json`: the job word
for word, checksums, how and where it was trained, and a probe, by which code that trains otherwise is noticed.  Those
that are published have what the file comes to on 500 named images (`spot_check`) and `card.md`, the same in words.
"""

from twinvae.training.jobs import Job, from_plain, recipe_of
from twinvae.training.kept import NotTrained, Trained, load, opened, stale, train_or_load, used
from twinvae.training.measures import measured, per_image
from twinvae.training.places import folder_of, models_here, models_in_git, published
from twinvae.training.probe import probe
