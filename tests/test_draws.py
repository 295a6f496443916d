"""Everything random: the same run from the same seed, in batches of one size."""

from dataclasses import replace

import numpy as np
import pytest
from pair import images

from twinvae import randomness
from twinvae.spec import TrainSpec

DATA = images(26)
SETTINGS = TrainSpec(epochs=2, batch_size=8, seed=3)


def epoch(settings: TrainSpec, number: int = 1) -> list[randomness.Batch]:
    return list(randomness.batches(DATA, settings, 2, number, "float64"))


def seen(batches: list[randomness.Batch]) -> list[bytes]:
    return [x.tobytes() for batch in batches for x in batch.x]


def test_batches_have_one_size_and_no_image_twice():
    batches = epoch(SETTINGS)
    assert [b.x.shape for b in batches] == [(8, 5, 4, 1)] * 3
    assert [(b.y.shape, b.eps.shape) for b in batches] == [((8, 3), (8, 2))] * 3
    assert len(set(seen(batches))) == 24
    assert all(b.x.dtype == b.y.dtype == b.eps.dtype == np.float64 for b in batches)


def test_images_keep_their_labels():
    label = {x.tobytes(): y for x, y in zip((DATA.x.astype(np.float32) / 255).astype(float), DATA.y, strict=True)}
    assert all(label[x.tobytes()] == y.argmax() for b in epoch(SETTINGS) for x, y in zip(b.x, b.y, strict=True))


@pytest.mark.parametrize("binarize", ["none", "threshold", "fixed", "dynamic"])
def test_an_epoch_depends_on_seed_and_number_alone(binarize):
    settings = replace(SETTINGS, binarize=binarize, noise=0.1)
    a, again, later, other = (epoch(settings), epoch(settings), epoch(settings, 2), epoch(replace(settings, seed=4)))
    flat = lambda batches: b"".join(part.tobytes() for batch in batches for part in batch)  # noqa: E731
    assert flat(a) == flat(again)
    assert len({flat(a), flat(later), flat(other)}) == 3


def test_every_epoch_shuffles_and_leaves_out_others():
    assert seen(epoch(SETTINGS)) != seen(epoch(SETTINGS, 2))
    assert set(seen(epoch(SETTINGS))) != set(seen(epoch(SETTINGS, 2)))


def test_codes_are_drawn_from_the_posterior_by_the_seed():
    mu, logvar = np.tile([3.0, -1.0], (4000, 1)), np.tile(np.log([4.0, 0.25]), (4000, 1))
    z = randomness.codes(mu, logvar, seed=2)
    np.testing.assert_allclose(z.mean(0), mu[0], atol=4 * 2 / np.sqrt(4000))
    np.testing.assert_allclose(z.std(0), [2, 0.5], rtol=0.05)
    assert (z == randomness.codes(mu, logvar, seed=2)).all() and (z != randomness.codes(mu, logvar, seed=3)).all()


def test_fewer_images_than_a_batch_make_one_batch():
    assert [len(b.x) for b in epoch(replace(SETTINGS, batch_size=100))] == [26]


def by_image(settings: TrainSpec, number: int) -> dict[int, np.ndarray]:
    """The pixels of each image of an epoch, by its place in the data; batches of one image keep the order."""
    order = randomness.rng(settings.seed, "order", number).permutation(26)
    return dict(zip(order, (b.x[0] for b in epoch(settings, number)), strict=True))


def test_fixed_pixels_stay_and_dynamic_ones_change():
    one_by_one = replace(SETTINGS, batch_size=1)
    for binarize, stays in (("fixed", True), ("threshold", True), ("dynamic", False)):
        a, b = (by_image(replace(one_by_one, binarize=binarize), number) for number in (1, 2))
        assert all(set(np.unique(x)) <= {0, 1} for x in a.values())
        assert np.mean([(a[i] == b[i]).all() for i in range(26)]) == stays


def test_noise_is_on_the_input_not_on_the_target():
    batch, plain = epoch(replace(SETTINGS, noise=0.3))[0], epoch(SETTINGS)[0]
    assert (batch.x == plain.x).all() and (plain.x_in == plain.x).all()
    assert (batch.x_in - batch.x).std() == pytest.approx(0.3, rel=0.25)


def test_validation_is_the_same_whenever_it_is_asked_for():
    settings = replace(SETTINGS, binarize="dynamic", noise=0.1)
    a, b = (list(randomness.validation(DATA, settings, 2, "float64", size=10)) for _ in range(2))
    assert [len(batch.x) for batch in a] == [10, 10, 6]
    assert all((p == q).all() for m, n in zip(a, b, strict=True) for p, q in zip(m, n, strict=True))


def test_streams_do_not_share_numbers():
    first = {stream: randomness.rng(0, stream).random() for stream in randomness.STREAMS}
    assert len(set(first.values())) == len(randomness.STREAMS)
