"""Planes, projections, lines and traversals of a latent space, which `twinvae.figures.latent` draws.

Arrays are NumPy: images x [N, H, W, C] in [0, 1], labels y [N] (or conditions [N, K]), codes z [N, Z].
"""

import numpy as np
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from twinvae import randomness
from twinvae.metrics import latent
from twinvae_studies import evaluation
from twinvae_studies.evaluation import Trained


def quantiles(points: int) -> np.ndarray:
    """Return values of a unit between which N(0, 1) has equal shares.  -> [P]"""
    return norm.ppf((np.arange(points) + 0.5) / points)


def plane(trained: Trained, at: np.ndarray, label: int = 0) -> np.ndarray:
    """Return what a model with a code of two numbers makes of a plane of codes.  [P] -> [P, P, H, W, C]

    z_1 grows along a row, z_2 from the last row to the first; a model without condition ignores the label.
    """
    z = np.stack(np.meshgrid(at, at[::-1]), axis=-1).reshape(-1, 2)
    images = decode(trained, z, np.full(len(z), label))
    return images.reshape(len(at), len(at), *images.shape[1:])


def decode(trained: Trained, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the expected images of codes under labels.  [N, Z], [N] -> [N, H, W, C]"""
    return trained.predict("generate", z, evaluation.one_hot(trained, y))


def sampled_codes(trained: Trained, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return one draw of z from q(z | x[, y]) for each image.  -> [N, Z]"""
    return randomness.codes(*evaluation.codes(trained, x, y))


def principal(z: np.ndarray) -> np.ndarray:
    """Return codes in their first two principal components.  [N, Z] -> [N, 2], the second 0 for a code of one number"""
    return np.pad(PCA(min(2, z.shape[1]), random_state=0).fit_transform(z), ((0, 0), (0, max(0, 2 - z.shape[1]))))


def projections(z: np.ndarray) -> dict[str, np.ndarray]:
    """Return codes in two principal components, which keep distances, and by t-SNE, which keeps neighbours.

    [N, Z] -> name -> [N, 2].  Of t-SNE neither distances between clusters nor their sizes mean anything.
    """
    linear = principal(z)
    near = TSNE(2, perplexity=min(30, (len(z) - 1) / 3), init="pca", random_state=0).fit_transform(z)
    return {"principal component": linear, "t-SNE, axis": near}


def pairs(y: np.ndarray, count: int, same: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of pairs of images, of one class or of two, by seed 0.  [N] -> [R] twice"""
    generator = randomness.rng(0, "prior", 1)
    first = generator.permutation(len(y))[:count]
    second = [generator.choice(np.flatnonzero((y == label) == same)) for label in y[first]]
    return first, np.array(second)


def lines(
    trained: Trained, x: np.ndarray, y: np.ndarray, ends: tuple[np.ndarray, np.ndarray], points: int = 11
) -> np.ndarray:
    """Return what straight lines between the codes of two images decode to.  ends: rows [R] twice -> [R, P, H, W, C]

    An AE's code is used as it is, a VAE's mean; a CVAE decodes under the first image's label.
    """
    first, second = ends
    start, end = (centres(trained, x[rows], y[rows]) for rows in ends)
    t = np.linspace(0, 1, points)[None, :, None]
    z = (start[:, None] * (1 - t) + end[:, None] * t).reshape(len(first) * points, -1)
    return decode(trained, z, np.repeat(y[first], points)).reshape(len(first), points, *x.shape[1:])


def centres(trained: Trained, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the codes of images: of an AE its codes, else the means of q(z | x[, y]).  -> [N, Z]"""
    code = trained.predict("encode", x, evaluation.one_hot(trained, y))
    return code if trained.spec.kind == "ae" else code[0]


def traversal(
    trained: Trained, x: np.ndarray, y: np.ndarray, units: int, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the first image decodes to as one unit after the other takes the values `at`, most KL first.

    -> images [R, P, H, W, C], units [R], their KL over all images [R] in nats
    """
    mu, logvar = evaluation.codes(trained, x, y)
    kl = latent.kl_per_dimension(mu, logvar)
    most = np.argsort(-kl)[:units]
    z = np.tile(mu[0], (len(most), len(at), 1))
    z[np.arange(len(most)), :, most] = at
    images = decode(trained, z.reshape(-1, z.shape[-1]), np.repeat(y[:1], len(most) * len(at), axis=0))
    return images.reshape(len(most), len(at), *x.shape[1:]), most, kl[most]
