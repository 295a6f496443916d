"""What a model and a training run are: frozen dataclasses, checked when they are made.

A spec holds no framework object.  Both twins build from it, the architecture figures are drawn from it, the weights
are counted and drawn from it, and every manifest quotes it.  Shapes are those of one image, channels last: (H, W, C).
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Any

from twinvae.spec.checks import one_of, python_numbers, real, whole
from twinvae.spec.gans import GanSpec
from twinvae.spec.layers import LAYERS, Activation, Dense, Film, Layer, Reshape, Weight
from twinvae.spec.resizing import for_maps, to_maps
from twinvae.spec.stacks import StackSpec, named_weights

KINDS = ("ae", "vae", "cvae", "classifier")
CODED = ("ae", "classifier", "completer")  # their encoder gives a code; that of the others gives mu and logvar
LIKELIHOODS = ("bernoulli", "continuous_bernoulli", "gaussian", "gaussian_learned", "discretized_logistic")
ENCODER_CONDITIONS = ("none", "concat", "planes", "plane", "film")
DECODER_CONDITIONS = ("none", "concat", "number", "conditioner", "film")
PRIORS = ("standard", "learned")
HEADS = ("two", "one")
KLS = ("closed", "sample")
INITS = ("normal_0.01", "keras", "torch")


# ---------------------------------------------------------------------------------------------------- models
@dataclass(frozen=True)
class ModelSpec:
    """An AE, VAE, CVAE, or the classifier that judges their samples.

    `encoder` runs from the image to the features that the heads read (code of an AE; mu and logvar of the others),
    `decoder` from the code to the last hidden layer, or to a map that already has the image's shape; after a flat
    one a dense layer to the image's D logits is added.  A classifier reads K logits from its code.  The condition y
    (one-hot, K classes, or any K numbers) enters each separately; as 'plane' or 'number' it is one number, 0 to 1,
    instead of K.
    """

    name: str
    kind: str
    image_shape: tuple[int, int, int]
    latent_dim: int
    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    num_classes: int = 0
    encoder_condition: str = "none"
    decoder_condition: str = "none"
    conditioner: tuple[Layer, ...] = ()
    prior: str = "standard"
    heads: str = "two"  # layers that read mu and logvar: two, or one of twice the width (other initial weights)
    kl: str = "closed"  # its formula, or 'sample': log q(z) - log p(z) at the z that was drawn
    likelihood: str = "bernoulli"
    variance: float = 0.5  # of the Gaussian likelihood, per pixel; squared error + lambda KL is variance lambda / 2
    output_mean: str = "sigmoid"  # of the Gaussian likelihood: sigmoid(x_logits), or x_logits itself ('identity')
    code_activation: Activation | None = None  # on the code of an AE or a classifier
    init: str = "torch"
    report: str = ""  # the report that it reproduces: '000' to '004'; '' for our own

    kinds = KINDS

    def __post_init__(self):
        python_numbers(self)
        one_of("kind", self.kind, self.kinds)
        whole("latent_dim", self.latent_dim)
        whole("num_classes", self.num_classes, least={"cvae": 1, "classifier": 2}.get(self.kind, 0))
        for field, allowed in (
            ("encoder_condition", ENCODER_CONDITIONS),
            ("decoder_condition", DECODER_CONDITIONS),
            ("prior", PRIORS),
            ("heads", HEADS),
            ("kl", KLS),
            ("likelihood", LIKELIHOODS),
            ("init", INITS),
            ("output_mean", ("sigmoid", "identity")),
        ):
            one_of(field, getattr(self, field), allowed)
        real("variance", self.variance, above=0)
        if len(self.image_shape) != 3:
            raise ValueError(f"image_shape is {self.image_shape!r}; it must be (height, width, channels)")
        for n in self.image_shape:
            whole("image_shape", n)
        self._check_condition()
        self.stacks()  # raises where the layers do not fit each other

    def _check_condition(self):
        if self.code_activation and self.kind not in CODED:
            raise ValueError(
                f"kind is {self.kind!r}, whose mu and logvar have no activation; leave out code_activation"
            )
        if (self.heads, self.kl) != ("two", "closed") and self.kind not in ("vae", "cvae"):
            raise ValueError(f"kind is {self.kind!r}; heads 'one' and kl 'sample' are for 'vae' and 'cvae'")
        conditioned = (self.encoder_condition, self.decoder_condition, self.prior) != ("none", "none", "standard")
        if self.kind == "cvae" and not conditioned:
            raise ValueError(
                "kind is 'cvae', but no condition enters: set encoder_condition, decoder_condition or prior"
            )
        if self.kind != "cvae" and conditioned:
            raise ValueError(f"kind is {self.kind!r}, which has no condition; use kind 'cvae'")
        for side in ("encoder", "decoder"):
            film = any(isinstance(layer, Film) for layer in getattr(self, side))
            if film != (getattr(self, f"{side}_condition") == "film"):
                raise ValueError(f"Film layers in the {side} go with {side}_condition 'film', and only with it")
        if (self.decoder_condition == "conditioner") != bool(self.conditioner):
            raise ValueError("conditioner layers go with decoder_condition 'conditioner', and only with it")

    @property
    def noise_dim(self) -> int:
        """Noise of one image in one training step: that of its code."""
        return self.latent_dim

    def stacks(self) -> dict[str, StackSpec]:
        """Return every stack of layers of the model, by name, in the order in which weights are drawn and saved."""
        return self._stacks

    @functools.cached_property
    def _stacks(self) -> dict[str, StackSpec]:
        return self._make_stacks()

    def _make_stacks(self) -> dict[str, StackSpec]:
        height, width, channels = self.image_shape
        k, z = self.num_classes, self.latent_dim
        shape = {
            "planes": (height, width, channels + k),
            "plane": (height, width, channels + 1),
            "concat": (height * width * channels + k,),
        }
        encoder = StackSpec("encoder", self.encoder, shape.get(self.encoder_condition, self.image_shape), k)
        features = (math.prod(encoder.output),)
        heads = ("code",) if self.kind in CODED else ("mu", "logvar")
        code = (Dense(z), self.code_activation) if self.code_activation else (Dense(z),)
        if self.heads == "one":
            stacks = [encoder, StackSpec("mu_logvar", (Dense(2 * z),), features)]
        else:
            stacks = [encoder] + [StackSpec(head, code, features) for head in heads]
        if self.kind == "classifier":
            return {stack.name: stack for stack in [*stacks, StackSpec("logits", (Dense(k),), (z,))]}
        conditioner = StackSpec("conditioner", self.conditioner, (k,))
        stacks += [conditioner] * bool(self.conditioner)
        extra = {"concat": (k,), "number": (1,), "conditioner": conditioner.output}.get(self.decoder_condition, (0,))
        decoder = StackSpec("decoder", self.decoder, (z + extra[0],), k)
        stacks.append(self._with_output(decoder))
        stacks += [StackSpec(f"prior_{head}", (Dense(z),), (k,)) for head in heads] * (self.prior == "learned")
        return {stack.name: stack for stack in stacks}

    def _with_output(self, decoder: StackSpec) -> StackSpec:
        if len(decoder.output) == 1:
            tail = (Dense(math.prod(self.image_shape)), Reshape(self.image_shape))
            return dataclasses.replace(decoder, layers=decoder.layers + tail)
        if decoder.output != tuple(self.image_shape):
            raise ValueError(f"the decoder ends in a map of shape {decoder.output}; the image is {self.image_shape}")
        return decoder

    def weights(self) -> list[Weight]:
        """Every array of the model under its full name, 'stack.layer.weight', in the order of `stacks`."""
        rows = named_weights(self.stacks())
        if self.likelihood in ("gaussian_learned", "discretized_logistic"):
            rows.append(Weight("likelihood.log_scale", (), "zero"))
        return rows

    def for_images(self, image_shape: tuple[int, int, int], num_classes: int) -> ModelSpec:
        """Return the same model for images of another shape, from 8x8, and another number of classes.

        The layers of a convolutional one are fitted: the first map of its decoder, and padding where a map is small.
        """
        shape, classes = tuple(map(int, image_shape)), num_classes if self.kind in ("cvae", "classifier") else 0
        flat = self.encoder_condition == "concat"
        return dataclasses.replace(
            self,
            image_shape=shape,
            num_classes=classes,
            encoder=self.encoder if flat else for_maps(self.encoder, shape),
            decoder=to_maps(self.decoder, self.image_shape, shape),
        )


def count_weights(spec: ModelSpec | GanSpec, part: str = "") -> int:
    """How many trainable weights the model has, or the stacks whose name starts with `part`."""
    return sum(math.prod(w.shape) for w in spec.weights() if w.trainable and w.name.startswith(part))


# ---------------------------------------------------------------------------------------------------- as data
def to_dict(spec: Any) -> dict:
    """A spec as plain dicts, lists, numbers and strings, for JSON; a layer says which one it is under 'layer'."""

    def plain(value):
        if isinstance(value, tuple):
            return [plain(v) for v in value]
        if dataclasses.is_dataclass(value):
            fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
            return ({"layer": type(value).__name__} if isinstance(value, Layer) else {}) | fields
        return value

    return plain(spec)


def from_dict(cls: type, values: dict) -> Any:
    """Return the spec of `to_dict`'s plain values, as `from_dict(TrainSpec, ...)`.  ValueError for unknown keys."""

    def rich(value):
        if isinstance(value, list):
            return tuple(rich(v) for v in value)
        if isinstance(value, dict):
            fields = {k: rich(v) for k, v in value.items() if k != "layer"}
            one_of("layer", value["layer"], tuple(LAYERS))
            return LAYERS[value["layer"]](**fields)
        return value

    known = {f.name for f in dataclasses.fields(cls)}
    if unknown := set(values) - known:
        raise ValueError(
            f"{cls.__name__} has no field {sorted(unknown)[0]!r}; its fields are {', '.join(sorted(known))}"
        )
    return cls(**{name: rich(value) for name, value in values.items()})


def model_from_dict(values: dict) -> ModelSpec | GanSpec:
    """The inverse of `to_dict` for a model of any kind."""
    if values["kind"] == "cgan":
        return from_dict(GanSpec, values)
    known = (ModelSpec, *ModelSpec.__subclasses__())
    return from_dict(next((cls for cls in known if values["kind"] in cls.kinds), ModelSpec), values)
