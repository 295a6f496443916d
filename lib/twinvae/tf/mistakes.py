"""A loss as it should not be written, to see it fail."""

import tensorflow as tf

from twinvae.tf.losses import per_example


def clipped_nll(x, x_logits, clip):
    """-log Bernoulli(x | p), p = sigmoid(x_logits) in clip to 1 - clip.  2 x [B, ...] -> [B]  (report 000, section 5)

    In float32 1 - clip is 1 for a clip below 6e-8: where p is 1 the result is infinite or NaN (E-000-3).
    """
    p = tf.clip_by_value(tf.sigmoid(x_logits), clip, 1 - clip)
    return -per_example(x * tf.math.log(p) + (1 - x) * tf.math.log(1 - p))
