"""The TensorFlow twin.  Its files, names and docstrings are those of `twinvae.pt`: read the two side by side."""

import os

from twinvae import import_triton, parts_on_demand

import_triton()
os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json and environment say, as for the images

import keras  # noqa: E402

keras.config.set_image_data_format("channels_last")

from twinvae.tf import layers  # noqa: E402

__all__ = ["gan", "layers", "losses", "models", "train"]
__getattr__ = parts_on_demand(__name__, __all__)
