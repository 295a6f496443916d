"""Small models and images, and both twins by name, for the tests that hold the twins against each other."""

import numpy as np

from twinvae import backend
from twinvae.data import Images, Source, Splits
from twinvae.spec import Activation, Flatten, ModelSpec, mlp

TWINS = ("torch", "tf")
SHAPE = (5, 4, 1)
CLASSES = 3
LEAKY = Activation("leaky_relu", 0.2)
SMALL = dict(
    image_shape=SHAPE,
    latent_dim=2,
    encoder=(Flatten(), *mlp(6, activation=LEAKY)),
    decoder=mlp(6, activation=LEAKY),
    init="keras",
)
AE = ModelSpec("tiny_ae", "ae", code_activation=LEAKY, **SMALL)
VAE = ModelSpec("tiny_vae", "vae", **SMALL)
CVAE = ModelSpec("tiny_cvae", "cvae", num_classes=CLASSES, decoder_condition="concat", prior="learned", **SMALL)


def images(n: int, seed: int = 0, shape: tuple = SHAPE, classes: int = CLASSES) -> Images:
    """Random pixels and labels; every class is there."""
    rng = np.random.default_rng(seed)
    return Images(
        rng.integers(0, 256, (n, *shape), dtype=np.uint8),
        np.arange(n, dtype=np.int64) % classes,
        tuple("abcdefghij"[:classes]),
        Source("made_up", "random pixels", "stand-in"),
    )


def splits(n: int = 26, **kwargs) -> Splits:
    """n images to train on, 9 to validate, 9 to test."""
    return Splits(images(n, 0, **kwargs), images(9, 1, **kwargs), images(9, 2, **kwargs))


def array(t) -> np.ndarray:
    """A tensor of either framework as a NumPy array."""
    return t.numpy(force=True) if hasattr(t, "detach") else t.numpy()


def apply(name: str, module: str, function: str, *arrays, dtype: str = "float64") -> np.ndarray:
    """A function of one twin's module on NumPy arrays, in NumPy."""
    twin = backend.get(name)
    tensors = twin.train.tensors([np.asarray(a, dtype) for a in arrays])
    return array(getattr(getattr(twin, module), function)(*tensors))


def same_arrays(a: dict, b: dict) -> bool:
    """Bit for bit the same names and values."""
    return a.keys() == b.keys() and all(a[n].dtype == b[n].dtype and a[n].tobytes() == b[n].tobytes() for n in a)
