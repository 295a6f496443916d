"""How good samples are: do they obey the label, do they differ, do they look like the data, are they copies.

N samples x of any shape [N, ...] (pixels in 0..1, or a judge's features), labels y [N] asked for, K classes.
"""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import laplace
from scipy.spatial.distance import cdist
from scipy.special import entr
from sklearn.metrics import confusion_matrix, pairwise_distances_argmin
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neural_network import MLPClassifier

from twinvae.metrics.checks import class_sizes, labels, pair, probabilities, table


def conditional_accuracy(probs: np.ndarray, y: np.ndarray) -> float:
    """Return the share of samples in which the judge sees the label that was asked for.  [N, K], [N] -> 0..1

    Cannot see variety: one perfect image a class, or the class mean, scores 1. Nor can it see beyond the
    judge, whose own accuracy on real data belongs beside it.
    """
    matrix = confusion(probs, y)
    return float(np.trace(matrix) / matrix.sum())


def confusion(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return how often label i was asked for and class j seen.  [N, K], [N] -> [K, K] counts, rows asked for.

    Cannot see how sure the judge was.
    """
    probs = probabilities(probs)
    y = labels(y, len(probs), probs.shape[1])
    return confusion_matrix(y, probs.argmax(1), labels=np.arange(probs.shape[1]))


def confidence(probs: np.ndarray) -> float:
    """Return the judge's largest probability, averaged over samples.  [N, K] -> 1/K..1

    Cannot see whether the judge is right: networks are sure of much that is no digit, so low values say more
    than high ones. Read with `class_entropy`: one image repeated may have confidence 1.
    """
    return float(probabilities(probs).max(1).mean())


def class_entropy(probs: np.ndarray) -> float:
    """Return the entropy of the class distribution averaged over samples, nats: ln K if all are seen equally often.

    [N, K] -> 0..ln K.  Cannot see whether samples are recognisable: a judge that never knows gives ln K as
    well. Read with `confidence`.
    """
    return float(entr(probabilities(probs).mean(0)).sum())


def within_class_spread(x: np.ndarray, y: np.ndarray, num_classes: int) -> np.ndarray:
    """Return the mean squared distance between two different samples of a class.  [N, ...], [N] -> [K]

    Equal to twice the sum of the unbiased variances, so no pair is ever formed. Units: those of x, squared.
    Cannot see in which directions the samples differ.
    """
    x = table("x", x)
    y = labels(y, len(x), num_classes)
    class_sizes(y, num_classes, 2, "x")
    return np.array([2 * x[y == k].var(0, ddof=1, dtype=np.float64).sum() for k in range(num_classes)])


def within_class_diversity(x: np.ndarray, y: np.ndarray, real_x: np.ndarray, real_y: np.ndarray) -> float:
    """Return the spread within a class over the real data's, mean over classes: 0 for one image a class, 1 for real.

    [N, ...], [N], [M, ...], [M] -> 0.. ; in pixels, or in a judge's features if both x are features. Real
    data has to hold every class. What it cannot see: where the spread points (pixel noise of the right
    variance scores 1 too), modes within a class, copies of the training images, and a class that is poor
    beside one that is too rich (see `within_class_spread`). Wrong labels raise it, above 1 if the generator
    is blind to them: read with `conditional_accuracy`.
    """
    x, real_x = pair("x", x, "real_x", real_x)
    real_y = labels(real_y, len(real_x))
    num_classes = int(real_y.max()) + 1
    real = within_class_spread(real_x, real_y, num_classes)
    if (real == 0).any():
        what = f"The real images of class {int(real.argmin())} are all the same"
        raise ValueError(f"{what}, so nothing can be compared with their spread: give different ones.")
    return float((within_class_spread(x, y, num_classes) / real).mean())


def nearest(x: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Euclidean distance to the nearest training example, and its index.  [N, ...], [M, ...] -> [N], [N]

    The distance is exact: a copy has distance 0. Small distances alone prove no copying: compare with those of
    test images. It cannot see a copy that is shifted by a pixel, which is far away.
    """
    x, train = pair("x", x, "train", train)
    index = pairwise_distances_argmin(x, train)
    return np.linalg.norm(x.astype(np.float64) - train[index], axis=1), index


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) of Gaussians fitted to two sets.

    [N, D], [M, D] -> 0.. in squared units of the features  (Dowson & Landau 1982; called FID only if an
    Inception network made the features).  Cannot see anything but mean and covariance, nor copies. It falls
    with the number of samples: compare at one N and M, beside the value of real against real (`floor`).
    """
    a, b = (t.astype(np.float64) for t in pair("a", a, "b", b, least=2))
    gap = a.mean(0) - b.mean(0)
    root_a, root_b = _covariance_root(a), _covariance_root(b)
    # tr (S_a S_b)^(1/2) is the sum of the singular values of R_a R_b^T, S = R^T R: no root of small numbers
    cross = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    return float(gap @ gap + (root_a**2).sum() + (root_b**2).sum() - 2 * cross)


def _covariance_root(a: np.ndarray) -> np.ndarray:
    """Return R with R^T R = the unbiased covariance.  [N, D] -> [D, D]"""
    values, axes = np.linalg.eigh(np.atleast_2d(np.cov(a, rowvar=False)))
    return np.sqrt(np.clip(values, 0, None))[:, None] * axes.T


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the unbiased squared maximum mean discrepancy under the kernel (u.v / D + 1)^3.  [N, D], [M, D] -> float

    (Gretton et al. 2012, Eq. 3; Binkowski et al. 2018 for the kernel.)  Its mean is 0 for two sets from one
    source at any size, so a single value may be below 0. Cannot see copies, nor what is beyond third moments.
    Holds N x M numbers at once, as `prdc` does.
    """
    a, b = (t.astype(np.float64) for t in pair("a", a, "b", b, least=2))

    def within(u: np.ndarray) -> float:
        kernel = polynomial_kernel(u, degree=3)
        return (kernel.sum() - np.trace(kernel)) / (len(u) * (len(u) - 1))

    return float(within(a) + within(b) - 2 * polynomial_kernel(a, b, degree=3).mean())


def floor(metric: Callable[..., float], real: np.ndarray, n: int, rng: np.random.Generator) -> float:
    """Return metric(one part, the other) of two disjoint random parts of n real examples each: what perfect gets."""
    most = len(real) // 2
    if n > most:
        raise ValueError(f"Two disjoint parts of {n} are more than the {len(real)} examples: choose at most {most}.")
    rows = rng.permutation(len(real))
    return metric(real[rows[:n]], real[rows[n : 2 * n]])


def prdc(real: np.ndarray, fake: np.ndarray, k: int = 5) -> dict[str, float]:
    """Return precision, recall, density and coverage by k nearest neighbours.  [N, D], [M, D] -> four numbers

    (Kynkaanniemi et al. 2019; Naeem et al. 2020.)  A sample lies in a neighbourhood if it is strictly nearer
    than the k-th neighbour, so that a set against itself scores 1 in all four. Precision and density cannot
    see variety, recall and coverage cannot see bad samples among good ones; precision and recall trust
    outliers. All depend on k, N and M, and on the features' scale.
    """
    real, fake = (t.astype(np.float64) for t in pair("real", real, "fake", fake, least=2))
    most = min(len(real), len(fake)) - 1
    if not 1 <= k <= most:
        raise ValueError(f"k is {k} for {len(real)} real and {len(fake)} generated images: choose from 1 to {most}.")
    real_radius, fake_radius = _radii(real, k), _radii(fake, k)
    distance = cdist(real, fake)
    inside = distance < real_radius[:, None]
    return {
        "precision": float(inside.any(0).mean()),
        "recall": float((distance < fake_radius).any(1).mean()),
        "density": float(inside.sum(0).mean() / k),
        "coverage": float(inside.any(1).mean()),
    }


def _radii(a: np.ndarray, k: int) -> np.ndarray:
    """Return the distance of each example to its k-th neighbour, itself not counted.  [N, D] -> [N]"""
    distance = cdist(a, a)  # exact: x2 + y2 - 2xy would round a tie with the k-th neighbour either way
    distance.partition(k)  # in place; an example is its own neighbour number 0
    return distance[:, k]


def classification_accuracy_score(
    x: np.ndarray, y: np.ndarray, real_x: np.ndarray, real_y: np.ndarray, epochs: int = 10, seed: int = 0
) -> float:
    """Return the accuracy on real data of a classifier that was trained on samples alone.  -> 0..1

    (Ravuri & Vinyals 2019.)  One hidden layer of 256 units, Adam, `epochs` passes: a small classifier, so
    compare with its value when trained on as many real images. Cannot see details that this classifier does
    not need; copies of the training data score as well as real data.
    """
    x, real_x = pair("x", x, "real_x", real_x)
    y, real_y = labels(y, len(x)), labels(real_y, len(real_x))
    classifier = MLPClassifier((256,), batch_size=min(128, len(x)), random_state=seed)
    for _ in range(epochs):
        classifier.partial_fit(x, y, classes=np.arange(int(real_y.max()) + 1))
    return float((classifier.predict(real_x) == real_y).mean())


def sharpness(x: np.ndarray) -> np.ndarray:
    """Return the variance of the Laplacian (four neighbours, inner pixels) of each image.  [N, H, W, C] -> [N]

    Cannot tell edges from noise: pixel noise scores higher than any digit. Compare with real data's.
    """
    inner = laplace(_images(x, smallest=3), axes=(1, 2))[:, 1:-1, 1:-1]
    return inner.reshape(len(inner), -1).var(1)


def power_spectrum(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return frequency in cycles per pixel, and mean power there over images, channels and directions.

    [N, H, W, C] -> [F], [F].  Bins are one cycle per image wide. Cannot see phases, so not where anything is.
    """
    power = _power(x)
    height, width = power.shape
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    side = min(height, width)
    ring = np.rint(radius * side).astype(int)
    mean = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    return np.arange(side // 2 + 1) / side, mean[: side // 2 + 1]


def checkerboard_peak(x: np.ndarray) -> float:
    """Return the power at the period of two pixels over that of the next lower frequency, the largest of 3 directions.

    [N, H, W, C], H and W even -> about 1 for a smooth spectrum; strided transposed convolutions raise it.
    Cannot see patterns of other periods; compare with real data's.
    """
    power = _power(x)
    h, w = power.shape[0] // 2, power.shape[1] // 2
    if power.shape[0] % 2 or power.shape[1] % 2 or min(h, w) < 2:
        raise ValueError(
            f"Images of {power.shape[0]}x{power.shape[1]} pixels have no period of exactly two "
            "pixels in both directions: crop to an even height and width of at least 4."
        )
    peaks = np.array([power[h, 0], power[0, w], power[h, w]])
    beside = np.array([power[h - 1, 0], power[0, w - 1], (power[h - 1, w] + power[h, w - 1]) / 2])
    if not beside.all():
        what = "The images have no power beside the period of two pixels, so no peak can be measured against it"
        raise ValueError(f"{what}: give images with some detail.")
    return float((peaks / beside).max())


def _power(x: np.ndarray) -> np.ndarray:
    """Return the squared Fourier amplitude, averaged over images and channels.  [N, H, W, C] -> [H, W]"""
    amplitude = np.abs(np.fft.fft2(_images(x, smallest=2), axes=(1, 2)))
    return (amplitude**2).mean((0, 3)) / (x.shape[1] * x.shape[2])


def _images(x: np.ndarray, smallest: int) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim != 4 or min(x.shape[1:3]) < smallest:
        raise ValueError(f"The images have shape {x.shape}: give [N, H, W, C] with H and W of at least {smallest}.")
    return table("x", x).reshape(x.shape).astype(np.float64)
