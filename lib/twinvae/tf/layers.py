"""The layers of a spec, in TensorFlow: Keras' own but LeakyReLU, SpectralConv and Film.  Images are [B, H, W, C]."""

import keras
import tensorflow as tf

from twinvae import spec

# what PyTorch calls the weights of Keras' own layers
NAMES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def to_pytorch(a):
    """An array from Keras' layout: dense (in, out) -> (out, in), convolution (k, k, in, out) -> (out, in, k, k)."""
    return a.transpose(3, 2, 0, 1) if a.ndim == 4 else a.T


def to_keras(a):
    """The inverse of `to_pytorch`."""
    return a.transpose(2, 3, 1, 0) if a.ndim == 4 else a.T


@keras.saving.register_keras_serializable("twinvae")
class LeakyReLU(keras.layers.Layer):
    """max(h, slope h), slope < 1.  Keras' own rounds the slope to float32 even in a float64 model."""

    def __init__(self, slope, **kwargs):
        super().__init__(**kwargs)
        self.slope = slope

    def call(self, h):
        return tf.maximum(h, self.slope * h)

    def get_config(self):
        return super().get_config() | {"slope": self.slope}


@keras.saving.register_keras_serializable("twinvae")
class RepeatedConv(keras.layers.Conv2D):
    """Convolution of a map whose pixels are repeated r x r times, computed from the map before."""

    def __init__(self, *args, repeats, **kwargs):
        super().__init__(*args, **kwargs)
        self.repeats = repeats

    def convolution_op(self, h, kernel):
        """Every phase of the result is a convolution of the map before: all of them at once, then put in order."""
        taps = tf.constant(spec.phase_taps(kernel.shape[0], self.repeats), kernel.dtype)
        phases = tf.einsum("uvio,adu,bev->deiabo", kernel, taps, taps)
        phases = tf.reshape(phases, (*phases.shape[:3], -1))
        return tf.nn.depth_to_space(tf.nn.conv2d(h, phases, 1, "SAME"), self.repeats)


def spectral_norm(weight):
    """The largest singular value, exact, of a convolution's weights as a matrix with a row a filter.  -> []"""
    columns = tf.reshape(weight, (-1, weight.shape[-1]))
    return tf.sqrt(tf.linalg.eigvalsh(tf.transpose(columns) @ columns)[-1])


@keras.saving.register_keras_serializable("twinvae")
class SpectralConv(keras.layers.Conv2D):
    """Convolution whose weights are divided by their largest singular value  (Miyato et al. 2018, Eq. 8)."""

    def convolution_op(self, h, kernel):
        """The convolution with the kernel over its largest singular value."""
        return super().convolution_op(h, kernel / spectral_norm(kernel))


@keras.saving.register_keras_serializable("twinvae")
class Film(keras.layers.Layer):
    """h (1 + c G^T) + c B^T, per channel.  [B, ..., C], [B, K] -> [B, ..., C]  (Perez et al. 2018, Eq. 1)"""

    def __init__(self, channels, condition, dtype, **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        self.gamma = self.add_weight(shape=(condition, channels), initializer="zeros", name="gamma")
        self.beta = self.add_weight(shape=(condition, channels), initializer="zeros", name="beta")

    def call(self, h, c):
        shape = (-1,) + (1,) * (len(h.shape) - 2) + (h.shape[-1],)
        return h * (1 + tf.reshape(c @ self.gamma, shape)) + tf.reshape(c @ self.beta, shape)


@keras.saving.register_keras_serializable("twinvae")
class AdaLN(Film):
    """Film of features of mean 0 and variance 1 over the channels of each position  (Peebles & Xie 2023)."""

    def __init__(self, channels, condition, epsilon, dtype, **kwargs):
        super().__init__(channels, condition, dtype, **kwargs)
        self.epsilon = epsilon

    def call(self, h, c):
        mean, var = tf.nn.moments(h, -1, keepdims=True)
        return super().call((h - mean) / tf.sqrt(var + self.epsilon), c)


def build(row, condition, dtype):
    """The Keras layer of one `spec.NamedLayer`, its weights made."""
    layer, channels, named = row.layer, row.shape_in[-1], dict(dtype=dtype, name=row.name)
    if isinstance(layer, spec.Conv):
        sizes = (layer.filters, layer.kernel, layer.stride, layer.padding)
    match layer:
        case spec.Dense():
            made = keras.layers.Dense(layer.units, use_bias=layer.bias, **named)
        case spec.ConvTranspose():
            made = keras.layers.Conv2DTranspose(*sizes, use_bias=layer.bias, **named)
        case spec.SpectralConv():
            made = SpectralConv(*sizes, use_bias=layer.bias, **named)
        case spec.Conv() if row.repeats > 1:
            made = RepeatedConv(*sizes, repeats=row.repeats, use_bias=layer.bias, **named)
        case spec.Conv():
            made = keras.layers.Conv2D(*sizes, use_bias=layer.bias, **named)
        case spec.BatchNorm():
            made = keras.layers.BatchNormalization(momentum=layer.momentum, epsilon=layer.epsilon, **named)
        case spec.AdaLN():
            made = AdaLN(channels, condition, layer.epsilon, **named)
        case spec.Film():
            made = Film(channels, condition, **named)
        case spec.Upsample():
            made = keras.layers.UpSampling2D(layer.factor, **named)
        case spec.Activation(name="relu"):
            made = keras.layers.ReLU(**named)
        case spec.Activation(name="leaky_relu"):
            made = LeakyReLU(layer.slope, **named)
        case spec.Activation(name="tanh"):
            made = keras.layers.Activation("tanh", **named)
        case spec.Crop():
            rows, columns = row.shape_in[0] - layer.height, row.shape_in[1] - layer.width
            made = keras.layers.Cropping2D(((0, rows), (0, columns)), **named)
        case spec.Reshape():
            made = keras.layers.Reshape(layer.shape, **named)
        case spec.GlobalMaxPool():
            made = keras.layers.GlobalMaxPooling2D(**named)
        case spec.Flatten():
            made = keras.layers.Flatten(**named)
        case _:
            raise ValueError(f"TensorFlow's twin knows no layer {layer!r}; add it to `build`")
    if not made.built:
        made.build((None, *row.shape_in))
    return made


def flatten(h):
    """[B, H, W, C] -> [B, H * W * C], rows first, channels last; [B, n] stays."""
    return tf.reshape(h, (-1, h.shape[1] * h.shape[2] * h.shape[3])) if len(h.shape) == 4 else h


@keras.saving.register_keras_serializable("twinvae")
class Stack(keras.layers.Layer):
    """The layers of a `spec.StackSpec`, one after the other.  h [B, *shape], c [B, K] or None -> [B, *output]"""

    def __init__(self, stack, dtype):
        super().__init__(dtype=dtype, name=stack.name)
        self.rows = stack.walk()
        for row in self.rows:
            setattr(self, row.name, build(row, stack.condition, dtype))
        self.built = True

    def call(self, h, c=None, training=False):
        for row, after in zip(self.rows, (*self.rows[1:], None), strict=True):
            layer = getattr(self, row.name)
            match row.layer:
                case spec.Upsample() if after and after.repeats > 1:
                    continue  # the convolution after it repeats the pixels
                case spec.BatchNorm():
                    h = layer(h, training=training)
                case spec.Film():
                    h = layer(h, c)
                case _:
                    h = layer(h)
        return h

    def named_variables(self):
        """The weights by PyTorch's names: 'dense1.weight', 'batchnorm1.running_mean', ..."""
        return {
            f"{row.name}.{v.name if isinstance(row.layer, spec.Film) else NAMES[v.name]}": v
            for row in self.rows
            for v in getattr(self, row.name).variables
        }
