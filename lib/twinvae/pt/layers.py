"""The layers of a spec, in PyTorch.  Images are [B, H, W, C] outside a stack and [B, C, H, W] inside."""

import torch
import torch.nn.functional as F
from torch import nn

from twinvae import spec

FEW = 4  # filters: those of pictures


def same_padding(n, kernel, stride):
    """TensorFlow's 'same' padding of a side of n pixels: (before, after), the odd one after.  -> (int, int)"""
    total = max((-(-n // stride) - 1) * stride + kernel - n, 0)
    return total // 2, total - total // 2


def same_conv(h, kernel, bias, stride=1):
    """Convolution with TensorFlow's 'same' padding, as far as it can without a padded copy of h."""
    top, bottom = same_padding(h.shape[2], kernel.shape[2], stride)
    left, right = same_padding(h.shape[3], kernel.shape[3], stride)
    if len(kernel) <= FEW and stride == 1:  # the same as the gradient of a convolution, which is faster to few filters
        more = bottom - top  # 1 for an even kernel
        out = F.conv_transpose2d(h, kernel.transpose(0, 1).flip(2, 3), bias, padding=top)
        return out[:, :, more : more + h.shape[2], more : more + h.shape[3]]
    if (top, left) != (bottom, right):
        h = F.pad(h, (0, right - left, 0, bottom - top))
    return F.conv2d(h, kernel, bias, stride, (top, left))


class Conv(nn.Conv2d):
    """Convolution with TensorFlow's padding.  [B, C, H, W] -> [B, filters, H', W']"""

    def __init__(self, layer, channels, dtype):
        super().__init__(channels, layer.filters, layer.kernel, layer.stride, bias=layer.bias, dtype=dtype)
        self.layer = layer

    def forward(self, h):
        return self.convolution_op(h, self.weight)

    def convolution_op(self, h, kernel):
        """h with a kernel that need not be the layer's own (the name is Keras')."""
        if self.layer.padding == "valid":
            return F.conv2d(h, kernel, self.bias, self.stride)
        return same_conv(h, kernel, self.bias, self.layer.stride)


class RepeatedConv(Conv):
    """Convolution of a map whose pixels are repeated r x r times, computed from the map before."""

    def __init__(self, layer, channels, repeats, dtype):
        super().__init__(layer, channels, dtype)
        self.repeats = repeats
        self.register_buffer("taps", torch.tensor(spec.phase_taps(layer.kernel, repeats), dtype=dtype), False)

    def convolution_op(self, h, kernel):
        """Every phase of the result is a convolution of the map before: all of them at once, then put in order."""
        phases = torch.einsum("oiuv,adu,bev->oabide", kernel, self.taps, self.taps).flatten(0, 2)
        bias = None if self.bias is None else self.bias.repeat_interleave(self.repeats**2)
        return F.pixel_shuffle(same_conv(h, phases, bias), self.repeats)


def spectral_norm(weight):
    """The largest singular value, exact, of a convolution's weights as a matrix with a row a filter.  -> []"""
    rows = weight.flatten(1)
    return torch.linalg.eigvalsh(rows @ rows.T)[-1].sqrt()


class SpectralConv(Conv):
    """Convolution whose weights are divided by their largest singular value  (Miyato et al. 2018, Eq. 8)."""

    def convolution_op(self, h, kernel):
        """The convolution with the kernel over its largest singular value."""
        return super().convolution_op(h, kernel / spectral_norm(kernel))


class ConvTranspose(nn.ConvTranspose2d):
    """Transposed convolution with TensorFlow's cropping: the gradient of Conv.  [B, C, H, W] -> [B, filters, H', W']"""

    def __init__(self, layer, channels, dtype):
        gap = max(layer.stride - layer.kernel, 0)  # pixels that no kernel reaches, also at the end
        crop = max(layer.kernel - layer.stride, 0) // 2 if layer.padding == "same" else 0
        super().__init__(channels, layer.filters, layer.kernel, layer.stride, crop, gap, bias=layer.bias, dtype=dtype)
        self.layer = layer

    def forward(self, h):
        return super().forward(h)[:, :, : self.layer.size(h.shape[2]), : self.layer.size(h.shape[3])]


class BatchNorm(nn.Module):
    """Batch normalisation with Keras' rule: biased variance, also in the moving one.  [B, C, ...] -> the same"""

    def __init__(self, layer, channels, dtype):
        super().__init__()
        self.layer = layer
        self.weight = nn.Parameter(torch.ones(channels, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(channels, dtype=dtype))
        self.register_buffer("running_mean", torch.zeros(channels, dtype=dtype))
        self.register_buffer("running_var", torch.ones(channels, dtype=dtype))

    def forward(self, h, training=False):
        epsilon, moving = self.layer.epsilon, (self.running_mean, self.running_var)
        if not training:
            return F.batch_norm(h, *moving, self.weight, self.bias, eps=epsilon)
        mean, var, n = *map(torch.zeros_like, moving), h.numel() / h.shape[1]  # of this batch
        out = F.batch_norm(h, mean, var, self.weight, self.bias, True, 1.0, epsilon)
        self.running_mean.lerp_(mean, 1 - self.layer.momentum)
        self.running_var.lerp_(var * ((n - 1) / n), 1 - self.layer.momentum)  # PyTorch's is the unbiased one
        return out


class Film(nn.Module):
    """h (1 + c G^T) + c B^T, per channel.  [B, C, ...], [B, K] -> [B, C, ...]  (Perez et al. 2018, Eq. 1)"""

    def __init__(self, channels, condition, dtype):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(channels, condition, dtype=dtype))
        self.beta = nn.Parameter(torch.zeros(channels, condition, dtype=dtype))

    def forward(self, h, c):
        shape = (len(h), -1) + (1,) * (h.dim() - 2)
        return h * (1 + (c @ self.gamma.T).view(shape)) + (c @ self.beta.T).view(shape)


class AdaLN(Film):
    """Film of features of mean 0 and variance 1 over the channels of each position  (Peebles & Xie 2023)."""

    def __init__(self, channels, condition, epsilon, dtype):
        super().__init__(channels, condition, dtype)
        self.epsilon = epsilon

    def forward(self, h, c):
        mean, var = h.mean(1, keepdim=True), h.var(1, unbiased=False, keepdim=True)
        return super().forward((h - mean) / torch.sqrt(var + self.epsilon), c)


def build(row, condition, dtype):
    """The module of one `spec.NamedLayer`."""
    layer, channels = row.layer, row.shape_in[-1]
    match layer:
        case spec.Dense():
            return nn.Linear(channels, layer.units, bias=layer.bias, dtype=dtype)
        case spec.ConvTranspose():
            return ConvTranspose(layer, channels, dtype)
        case spec.SpectralConv():
            return SpectralConv(layer, channels, dtype)
        case spec.Conv() if row.repeats > 1:
            return RepeatedConv(layer, channels, row.repeats, dtype)
        case spec.Conv():
            return Conv(layer, channels, dtype)
        case spec.BatchNorm():
            return BatchNorm(layer, channels, dtype)
        case spec.AdaLN():
            return AdaLN(channels, condition, layer.epsilon, dtype)
        case spec.Film():
            return Film(channels, condition, dtype)
        case spec.Upsample():
            return nn.Upsample(scale_factor=layer.factor, mode="nearest")
        case spec.Activation(name="relu"):
            return nn.ReLU()
        case spec.Activation(name="leaky_relu"):
            return nn.LeakyReLU(layer.slope)
        case spec.Activation(name="tanh"):
            return nn.Tanh()
        case spec.Flatten() | spec.Reshape() | spec.Crop() | spec.GlobalMaxPool():
            return nn.Identity()  # `Stack` does them, since they change the axes
        case _:
            raise ValueError(f"PyTorch's twin knows no layer {layer!r}; add it to `build`")


def flatten(h):
    """[B, C, H, W] -> [B, H * W * C], rows first, channels last, as in TensorFlow; [B, n] stays."""
    return h.permute(0, 2, 3, 1).flatten(1) if h.dim() == 4 else h


class Stack(nn.Module):
    """The layers of a `spec.StackSpec`, one after the other.  h [B, *shape], c [B, K] or None -> [B, *output]"""

    def __init__(self, stack, dtype):
        super().__init__()
        self.rows = stack.walk()
        for row in self.rows:
            self.add_module(row.name, build(row, stack.condition, dtype))

    def forward(self, h, c=None, training=False):
        h = h.permute(0, 3, 1, 2) if h.dim() == 4 else h
        for row, after in zip(self.rows, (*self.rows[1:], None), strict=True):
            layer = getattr(self, row.name)
            match row.layer:
                case spec.Upsample() if after and after.repeats > 1:
                    continue  # the convolution after it repeats the pixels
                case spec.Flatten():
                    h = flatten(h)
                case spec.Reshape():
                    h = h.view(-1, *row.layer.shape).permute(0, 3, 1, 2)
                case spec.Crop():
                    h = h[:, :, : row.layer.height, : row.layer.width]
                case spec.GlobalMaxPool():
                    h = h.amax((2, 3))
                case spec.BatchNorm():
                    h = layer(h, training)
                case spec.Film():
                    h = layer(h, c)
                case _:
                    h = layer(h)
        return h.permute(0, 2, 3, 1) if h.dim() == 4 else h
