"""What a model and a training run are: `layers`, `models` made of them, and the `named` ones."""

from twinvae.spec.gans import DISCRIMINATOR_CONDITIONS, GanSpec
from twinvae.spec.layers import (LAYERS, Activation, BatchNorm, Conv, ConvTranspose, Dense, Film, Flatten, GlobalMaxPool,
                                 Layer, NamedLayer, Reshape, SpectralConv, StackSpec, Upsample, Weight, one_of, real, whole)
from twinvae.spec.models import (DECODER_CONDITIONS, ENCODER_CONDITIONS, LIKELIHOODS, OPTIMIZERS, PRIORS, ModelSpec, TrainSpec,
                                 count_weights, from_dict, model_from_dict, to_dict)
from twinvae.spec.named import ZOO, mlp, zoo
from twinvae.spec.variants import BoundSpec, CompletionSpec, FreeBitsSpec

__all__ = ["DECODER_CONDITIONS", "ENCODER_CONDITIONS", "LIKELIHOODS", "OPTIMIZERS", "PRIORS", "LAYERS", "Activation",
           "BatchNorm", "Conv", "ConvTranspose", "Dense", "Film", "Flatten", "Layer", "NamedLayer", "Reshape", "SpectralConv",
           "StackSpec", "Upsample", "Weight", "ModelSpec", "TrainSpec", "ZOO", "zoo", "mlp", "count_weights", "to_dict",
           "from_dict", "one_of", "real", "whole", "DISCRIMINATOR_CONDITIONS", "GanSpec", "GlobalMaxPool",
           "model_from_dict", "BoundSpec", "CompletionSpec",
           "FreeBitsSpec"]
