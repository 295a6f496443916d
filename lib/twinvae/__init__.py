"""twinvae: AE, VAE, CVAE and conditional GAN as twins, in PyTorch (`twinvae.pt`) and TensorFlow (`twinvae.tf`).

Importing `twinvae` imports neither framework; ask `twinvae.backend.get("torch")` or `get("tf")` for a twin.
"""

import sys

from twinvae.moved import MovedFinder

__version__ = "0.1.0"

sys.meta_path.append(MovedFinder)
