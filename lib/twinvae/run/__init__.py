"""A Run keeps what one notebook makes: `Run.start`, then figures, tables and numbers, then `run.finish()`."""

from twinvae.run.notebook_run import Run
from twinvae.run.words import show_source
