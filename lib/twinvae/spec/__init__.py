"""What a model and a training run are: `layers`, `models` made of them; the named ones are in `twinvae.zoo`."""

from twinvae.spec.checks import one_of, real, whole
from twinvae.spec.gans import DISCRIMINATOR_CONDITIONS, GanSpec
from twinvae.spec.inputs import check_arrays, check_images
from twinvae.spec.layers import (
    LAYERS,
    Activation,
    AdaLN,
    BatchNorm,
    Conv,
    ConvTranspose,
    Crop,
    Dense,
    Film,
    Flatten,
    GlobalMaxPool,
    Layer,
    Reshape,
    SpectralConv,
    Upsample,
    Weight,
)
from twinvae.spec.models import (
    DECODER_CONDITIONS,
    ENCODER_CONDITIONS,
    LIKELIHOODS,
    PRIORS,
    ModelSpec,
    count_weights,
    from_dict,
    model_from_dict,
    to_dict,
)
from twinvae.spec.settings import OPTIMIZERS, TrainSpec
from twinvae.spec.stacks import NamedLayer, StackSpec, mlp, phase_taps
from twinvae.spec.variants import BoundSpec, CompletionSpec, FreeBitsSpec
