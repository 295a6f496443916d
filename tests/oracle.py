"""Small, fast checks of single modules: `mutants.py` attacks changed sources with them.

A check takes the module under test, so that a changed copy can stand in; it raises where something is wrong.
Expected values come from elsewhere: mpmath, SciPy, torch.distributions, torch.optim, the other twin.
"""

import functools
from types import ModuleType

import mpmath
import numpy as np
import torch
from pair import array
from scipy import special, stats

from twinvae import backend, reference
from twinvae.spec import (
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
    Reshape,
    SpectralConv,
    StackSpec,
    Upsample,
)

PT, TF = backend.get("torch"), backend.get("tf")
tf = TF.layers.tf
RNG = np.random.default_rng(0)
B, Z, K = 4, 3, 3
SHAPE = (B, 8, 8, 2)
LEVELS = RNG.integers(0, 256, SHAPE) / 255
LEVELS[:, 0, :5, 0] = np.array([0, 1, 254, 255, 128]) / 255
LEVELS[:, 0, 5:, 0] = 0.5 / 255, 1 - 0.5 / 255, 1.2 / 255  # edges of the outer bins; between two levels
LEVELS[:, 1, 6:, 0] = 0.499 / 255, 1 - 0.499 / 255  # just within the outer bins
LOGITS = RNG.normal(0, 3, SHAPE)
LOGITS[:, 1, :6, 0] = 0, 1e-3, -0.09, 0.104, 0.2, -60
MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR = RNG.normal(size=(4, B, Z))
SAMPLES = RNG.normal(size=(5, B, Z))
ONE_HOT = np.eye(K)[[0, 2, 1, 0]]


def close(a, b, rtol: float = 1e-12, atol: float = 1e-14) -> None:
    """The same shape, and values within the tolerance."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, (a.shape, b.shape)
    np.testing.assert_allclose(a, b, rtol, atol)


# --- losses of a twin ------------------------------------------------------------------------------


def tensors(module: ModuleType, *arrays) -> list:
    """Arrays as float64 tensors of the module's framework."""
    if hasattr(module, "tf"):
        return [tf.constant(a, tf.float64) for a in arrays]
    return [torch.tensor(np.asarray(a, np.float64), requires_grad=True) for a in arrays]


def value(module: ModuleType, function: str, *arrays) -> np.ndarray:
    """The function of the module, NumPy in and out."""
    return array(getattr(module, function)(*tensors(module, *arrays)))


def gradients(module: ModuleType, function: str, *arrays) -> list[np.ndarray]:
    """The derivatives of the sum of the function's values by each array."""
    inputs = tensors(module, *arrays)
    if hasattr(module, "tf"):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(getattr(module, function)(*inputs))
        return [g.numpy() for g in tape.gradient(total, inputs)]
    return [g.numpy() for g in torch.autograd.grad(getattr(module, function)(*inputs).sum(), inputs)]


def summed(terms) -> np.ndarray:
    return np.asarray(terms).reshape(B, -1).sum(1)


CASES = {  # function of losses.py -> its arguments and what it returns
    "per_example": lambda: ((LOGITS,), summed(LOGITS)),
    "bernoulli_nll": lambda: ((LEVELS, LOGITS), reference.bernoulli_nll(LEVELS, LOGITS)),
    "continuous_bernoulli_nll": lambda: ((LEVELS, LOGITS), reference.continuous_bernoulli_nll(LEVELS, LOGITS)),
    "gaussian_nll": lambda: (
        (LEVELS, special.expit(LOGITS), -1.3),
        reference.gaussian_nll_learned(LEVELS, LOGITS, np.array(-1.3)),
    ),
    "discretized_logistic_nll": lambda: (
        (LEVELS, special.expit(LOGITS), -2.1),
        reference.discretized_logistic_nll(LEVELS, LOGITS, np.array(-2.1)),
    ),
    "kl_standard": lambda: ((MU, LOGVAR), reference.kl_standard(MU, LOGVAR)),
    "kl_gaussians": lambda: (
        (MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR),
        reference.kl_gaussians(MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR),
    ),
    "log_normal": lambda: ((SAMPLES, MU, LOGVAR), reference.log_normal(SAMPLES, MU, LOGVAR)),
    "kl_monte_carlo": lambda: (
        (SAMPLES, MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR),
        reference.log_normal(SAMPLES, MU, LOGVAR) - reference.log_normal(SAMPLES, PRIOR_MU, PRIOR_LOGVAR),
    ),
    "importance_bound": lambda: ((SAMPLES[..., 0],), reference.log_mean_exp(SAMPLES[..., 0])),
    "cross_entropy": lambda: ((ONE_HOT, MU[:, :K]), -(ONE_HOT * special.log_softmax(MU[:, :K], axis=1)).sum(1)),
    "discriminator_loss": lambda: (
        (MU[:, 0], LOGVAR[:, 0]),
        -special.log_expit(MU[:, 0]) - special.log_expit(-LOGVAR[:, 0]),
    ),
    "generator_loss": lambda: ((MU[:, 0],), -special.log_expit(MU[:, 0])),
}
expected = functools.cache(lambda function: CASES[function]())


@functools.cache
def expected_slopes(function: str) -> dict[int, tuple[np.ndarray, float]]:
    """For each argument a direction and the derivative along it, by a central difference in the PyTorch twin.

    Its values are what the other checks hold.  Not for images: the logistic's bins end at their grey levels.
    """
    arguments, _ = expected(function)

    def slope(i: int, direction: np.ndarray) -> float:
        shifted = [[b + h * direction if j == i else b for j, b in enumerate(arguments)] for h in (1e-6, -1e-6)]
        return float(np.subtract(*(value(PT.losses, function, *new).sum() for new in shifted)) / 2e-6)

    directions = {
        i: np.random.default_rng(i).normal(size=np.shape(a)) for i, a in enumerate(arguments) if a is not LEVELS
    }
    return {i: (direction, slope(i, direction)) for i, direction in directions.items()}


def losses_are_the_reference(losses: ModuleType) -> None:
    for function in CASES:
        arguments, values = expected(function)
        close(value(losses, function, *arguments), values, atol=1e-12)


@functools.cache
def exact_at_half() -> tuple[np.ndarray, np.ndarray]:
    """The continuous Bernoulli's nll of a pixel x = 1/2, log(sinh(a / 2) / (a / 2)), from 40 digits."""
    a = np.array([1e-8, 1e-4, 0.02, 0.06, -0.09, 0.0998, 0.1002, 0.104, -0.108, 0.12, 0.6, -4.0, 60.0, 1200.0])
    with mpmath.workdps(40):
        return a, np.array([float(mpmath.log(mpmath.sinh(h) / h)) for h in (mpmath.mpf(v) / 2 for v in a)])


def continuous_bernoulli_is_exact(losses: ModuleType) -> None:
    a, values = exact_at_half()
    near = np.abs(a) < 0.1
    got = value(losses, "continuous_bernoulli_nll", np.full((len(a), 1), 0.5), a[:, None])
    close(got[near], values[near], rtol=2e-15, atol=0)
    close(got[~near], values[~near], rtol=1e-12, atol=0)
    slope = gradients(losses, "continuous_bernoulli_nll", np.full((3, 1), 0.5), [[0.0], [1e-3], [-900.0]])[1]
    close(slope[:, 0], [0, 1e-3 / 12, -0.5 + 1 / 900], rtol=1e-6)


def losses_have_known_values(losses: ModuleType) -> None:
    zero = np.zeros((2, 28, 28, 1))
    close(value(losses, "bernoulli_nll", zero, zero), [784 * np.log(2)] * 2)
    close(value(losses, "continuous_bernoulli_nll", zero + 0.3, zero), [0, 0], atol=0)
    known = {(0, 1): 0, (1, 1): 0.5, (0, 0.5): 0.0965735903, (0, 2): 0.1534264097, (1, 0.25): 0.8181471806}
    for (mu, variance), nats in known.items():
        close(value(losses, "kl_standard", [[mu]], [[np.log(variance)]]), [nats], atol=1e-10)
    close(value(losses, "kl_standard", [[0.0]], [[1e-7]]), [2.5e-15], rtol=1e-6, atol=0)
    close(value(losses, "kl_gaussians", [[0.5]], [[0.3]], [[0.5]], [[0.3 - 1e-7]]), [2.5e-15], rtol=1e-6, atol=0)
    close(value(losses, "bernoulli_nll", [[1.0], [1.0], [0.0]], [[1e4], [-1e4], [1e4]]), [0, 1e4, 1e4])
    every = np.arange(256.0)[:, None] / 255
    for mean, logscale in ((0.3, -3.0), (0.999, -6.0)):
        mass = np.exp(-value(losses, "discretized_logistic_nll", every, np.full((256, 1), mean), logscale))
        close(mass.sum(), 1.0)


def losses_have_the_right_gradients(losses: ModuleType) -> None:
    for function in CASES:
        found = gradients(losses, function, *expected(function)[0])
        for i, (direction, slope) in expected_slopes(function).items():
            close((found[i] * direction).sum(), slope, rtol=1e-6, atol=1e-6)


# --- layers of a twin ------------------------------------------------------------------------------

LEAKY, TANH, RELU = Activation("leaky_relu", 0.15), Activation("tanh"), Activation("relu")
STACKS = {  # together they have every layer and padding, odd and even sides, with bias and without
    "dense": StackSpec("a", (Dense(5), LEAKY, Dense(4, bias=False), TANH, Dense(3), RELU), (6,)),
    "norm": StackSpec("b", (BatchNorm(0.8, 0.05), Dense(4), BatchNorm()), (3,)),
    "film": StackSpec("c", (Dense(4), Film(), Reshape((1, 2, 2)), Film()), (3,), K),
    "same": StackSpec("d", (Conv(3, 3, 2), BatchNorm(0.7, 0.01), LEAKY, Conv(2, 4, 2, bias=False)), (7, 4, 2)),
    "largest of each map": StackSpec("j", (Conv(3, 2), GlobalMaxPool(), Dense(2)), (3, 5, 2)),
    "spectral": StackSpec("k", (SpectralConv(4, 3, 2), LEAKY, SpectralConv(3, 2, 1, "valid", False)), (5, 4, 2)),
    "valid": StackSpec("e", (Conv(3, 2, 1, "valid"), Flatten(), Dense(2)), (3, 4, 2)),
    "transposed": StackSpec("f", (ConvTranspose(3, 3, 2), Upsample(2), ConvTranspose(2, 2, 3, bias=False)), (3, 2, 2)),
    "same, the other way": StackSpec("d", (Conv(2, 3, 2), Flatten()), (4, 7, 2)),
    "transposed, kernel below stride": StackSpec("f", (ConvTranspose(9, 1, 2), ConvTranspose(1, 2, 3)), (2, 3, 1)),
    "transposed, larger kernel": StackSpec("g", (ConvTranspose(2, 4, 2), ConvTranspose(1, 5, 1)), (2, 3, 1)),
    "transposed, valid": StackSpec("h", (ConvTranspose(2, 3, 2, "valid"), RELU), (2, 3, 2)),
    "more filters": StackSpec("l", (Conv(6, 4), LEAKY, Conv(5, 3, 2), SpectralConv(6, 2)), (5, 4, 2)),
    "few filters": StackSpec("m", (Conv(4, 5), LEAKY, Conv(2, 2), TANH, Conv(3, 3, 1, "same", False)), (4, 3, 2)),
    "repeated": StackSpec("n", (Upsample(2), Conv(3, 4), RELU, Upsample(3), Conv(2, 3, bias=False)), (2, 3, 2)),
    "adaln": StackSpec("o", (Dense(4), AdaLN(), Reshape((1, 2, 2)), AdaLN(0.1)), (3,), K),
    "crop": StackSpec("p", (Crop(2, 3), Conv(1, 2)), (3, 5, 2)),
    "maps from a code": StackSpec("i", (Reshape((2, 3, 2)), Upsample(3), Conv(1, 1), Flatten(), Flatten()), (12,)),
}


@functools.cache
def made_up(name: str) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Input, condition and weights of a stack; moving variances are positive."""
    stack = STACKS[name]
    rng = np.random.default_rng(len(name))
    weights = {f"{row.name}.{w.name}": rng.normal(size=w.shape) for row in stack.walk() for w in row.weights}
    weights = {n: np.abs(a) + 0.1 if n.endswith("running_var") else a for n, a in weights.items()}
    return rng.normal(size=(B, *stack.shape)), ONE_HOT + 0.1 * rng.normal(size=(B, K)), weights


def through(layers: ModuleType, name: str) -> dict[str, np.ndarray]:
    """All that a stack does: its output in both modes, the gradients in training, the weights after it."""
    run = through_tf if hasattr(layers, "tf") else through_torch
    return run(layers, STACKS[name], *made_up(name))


def through_torch(layers, stack, x, c, weights):
    made = layers.Stack(stack, torch.float64)
    made.load_state_dict({n: torch.tensor(a) for n, a in weights.items()})
    x, c = torch.tensor(x, requires_grad=True), torch.tensor(c)
    out = {"before": made(x, c), "training": made(x, c, training=True)}
    trained = dict(made.named_parameters())
    found = torch.autograd.grad((out["training"] ** 3).sum(), [x, *trained.values()])
    out |= dict(zip(["gradient of x", *(f"gradient of {n}" for n in trained)], found, strict=True)) | {
        "after": made(x, c)
    }
    return {n: t.numpy(force=True) for n, t in (out | made.state_dict()).items()}


def through_tf(layers, stack, x, c, weights):
    made = layers.Stack(stack, "float64")
    named = made.named_variables()
    assert made.built
    for n, a in weights.items():
        named[n].assign(layers.to_keras(a))
    x = tf.constant(x)
    c = tf.constant(c)
    trained = {n: v for n, v in named.items() if v.trainable}
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = {"before": made(x, c), "training": made(x, c, training=True)}
        total = tf.reduce_sum(out["training"] ** 3)
    dx, *found = tape.gradient(total, [x, *(v.value for v in trained.values())])
    out = {n: t.numpy() for n, t in (out | {"gradient of x": dx, "after": made(x, c)}).items()}
    out |= {f"gradient of {n}": layers.to_pytorch(g.numpy()) for n, g in zip(trained, found, strict=True)}
    return out | {n: layers.to_pytorch(v.numpy()) for n, v in named.items()}


@functools.cache
def other(twin: str, name: str) -> dict[str, np.ndarray]:
    """What the other twin's unchanged layers do."""
    return through(PT.layers if twin == "tf" else TF.layers, name)


def layers_are_the_other_twins(layers: ModuleType) -> None:
    for name in STACKS:
        got = through(layers, name)
        want = other("tf" if hasattr(layers, "tf") else "torch", name)
        assert got.keys() == want.keys()
        for part in want:
            close(got[part], want[part], rtol=1e-10, atol=1e-11)


def fresh_layers_change_nothing(layers: ModuleType) -> None:
    stack = StackSpec("a", (BatchNorm(), Film()), (3,), K)
    if hasattr(layers, "tf"):
        fresh = {n: v.numpy() for n, v in layers.Stack(stack, "float64").named_variables().items()}
    else:
        fresh = {n: t.numpy() for n, t in layers.Stack(stack, torch.float64).state_dict().items()}
    first = {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}
    assert fresh.keys() == {*(f"batchnorm1.{n}" for n in first), "film1.gamma", "film1.beta"}
    for n, a in fresh.items():
        close(a, np.full(a.shape, first.get(n.split(".")[1], 0.0)), atol=0)


def flatten_is_rows_first(layers: ModuleType) -> None:
    x = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    maps = x if hasattr(layers, "tf") else x.transpose(0, 3, 1, 2)
    close(value(layers, "flatten", maps), x.reshape(2, -1), atol=0)
    close(value(layers, "flatten", x[:, :, 0, 0]), x[:, :, 0, 0], atol=0)


def helpers_do_what_they_say(layers: ModuleType) -> None:
    if hasattr(layers, "tf"):
        a = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
        assert layers.to_pytorch(a).shape == (5, 4, 2, 3) and layers.to_pytorch(a)[4, 3, 1, 2] == a[1, 2, 3, 4]
        close(layers.to_keras(layers.to_pytorch(a)), a)
        close(layers.to_keras(a[0, 0]), a[0, 0].T)
        assert layers.LeakyReLU.from_config(layers.LeakyReLU(0.15).get_config()).slope == 0.15
    else:
        known = {(4, 3, 2): (0, 1), (7, 3, 2): (1, 1), (5, 4, 1): (1, 2), (6, 2, 3): (0, 0), (3, 1, 2): (0, 0)}
        assert {sides: layers.same_padding(*sides) for sides in known} == known


# --- the reference ---------------------------------------------------------------------------------


def reference_likelihoods_are_scipys(reference: ModuleType) -> None:
    mean = special.expit(LOGITS)
    close(reference.sigmoid(LOGITS), mean)
    binary = (LEVELS > 0.5).astype(float)
    close(reference.bernoulli_nll(binary, LOGITS), -summed(stats.bernoulli(mean).logpmf(binary)), rtol=1e-10)
    close(reference.bernoulli_nll([[1.0], [1.0]], [[1e4], [-1e4]]), [0, 1e4])
    far = np.array([[-800.0, -2.0, -1e-9, 0.0, 0.5, 40.0]])
    with mpmath.workdps(40):
        exact = [float(mpmath.log(a / mpmath.tanh(a / 2)) if a else mpmath.log(2)) for a in map(mpmath.mpf, far[0])]
    with np.errstate(all="raise", under="ignore"):
        close(reference.continuous_bernoulli_log_norm(far)[0], exact)
    nll = np.logaddexp(0, far) - 0.3 * far - exact
    close(reference.continuous_bernoulli_nll(far * 0 + 0.3, far), nll.sum(1))
    close(reference.gaussian_nll(LEVELS, LOGITS, 0.3), -summed(stats.norm(mean, 0.3**0.5).logpdf(LEVELS)))
    logvar = LOGITS[..., ::-1] / 2
    close(
        reference.gaussian_nll_learned(LEVELS, LOGITS, logvar),
        -summed(stats.norm(mean, np.exp(logvar / 2)).logpdf(LEVELS)),
    )


def reference_logistic_is_scipys(reference: ModuleType) -> None:
    every = np.arange(256.0)[:, None] / 255
    logits = np.full((256, 1), 0.4)
    scale = 0.1
    edges = stats.logistic(special.expit(0.4), scale).cdf((np.arange(255) + 0.5) / 255)
    mass = np.diff(np.concatenate([[0], edges, [1]]))
    close(reference.discretized_logistic_nll(every, logits, np.log(scale)), -np.log(mass), rtol=1e-10)
    cdf = stats.logistic(special.expit(0.4), scale).cdf

    def p(x: float) -> float:
        return np.exp(-reference.discretized_logistic_nll([[x]], logits[:1], np.log(scale))[0])

    for x in (0.5 / 255, 1 - 0.5 / 255):  # on the edge of an outer bin: no tail yet
        close(p(x), cdf(x + 0.5 / 255) - cdf(x - 0.5 / 255), rtol=1e-9)
    close(p(0.499 / 255), cdf(0.999 / 255), rtol=1e-9)
    close(p(1 - 0.499 / 255), 1 - cdf(1 - 0.999 / 255), rtol=1e-9)


def reference_latents_are_scipys(reference: ModuleType) -> None:
    deviation = np.exp(LOGVAR / 2)
    close(reference.log_normal(SAMPLES, MU, LOGVAR), stats.norm(MU, deviation).logpdf(SAMPLES).sum(-1))
    close(reference.reparameterize(MU, LOGVAR, SAMPLES), MU + deviation * SAMPLES)
    q, p, standard = (
        torch.distributions.Normal(torch.tensor(mu), torch.tensor(logvar / 2).exp())
        for mu, logvar in ((MU, LOGVAR), (PRIOR_MU, PRIOR_LOGVAR), (0 * MU, 0 * MU))
    )
    kl = torch.distributions.kl_divergence
    close(reference.kl_gaussians(MU, LOGVAR, PRIOR_MU, PRIOR_LOGVAR), kl(q, p).sum(-1))
    close(reference.kl_standard(MU, LOGVAR), kl(q, standard).sum(-1))
    close(reference.kl_standard([[0.0]], [[1e-7]]), [2.5e-15], rtol=1e-6, atol=0)
    close(reference.kl_gaussians([[0.5]], [[0.3]], [[0.5]], [[0.3 - 1e-7]]), [2.5e-15], rtol=1e-6, atol=0)
    for axis in (0, 1, -1):
        close(reference.log_mean_exp(SAMPLES, axis), np.log(np.exp(SAMPLES).mean(axis)))
    close(reference.log_mean_exp(SAMPLES + 1000), np.log(np.exp(SAMPLES).mean(0)) + 1000)
    close(reference.log_mean_exp([[-2000.0, 0], [0, 0]]), [-np.log(2), 0])
    close(reference.kl_standard(SAMPLES, -SAMPLES), [reference.kl_standard(z, -z) for z in SAMPLES])
    close(reference.kl_gaussians(SAMPLES, LOGVAR, MU, MU), [reference.kl_gaussians(z, LOGVAR, MU, MU) for z in SAMPLES])


def reference_layers_are_torchs(reference: ModuleType) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(5, 3))
    sizes = ((4, 3), (4, 4), (2, 4))
    layers = [(rng.normal(size=size), rng.normal(size=size[0])) for size in sizes]
    leaky = lambda a: torch.nn.functional.leaky_relu(a, 0.2)  # noqa: E731
    h = torch.tensor(x)
    for weight, bias in layers[:2]:
        h = leaky(torch.nn.functional.linear(h, torch.tensor(weight), torch.tensor(bias)))
    last = torch.nn.functional.linear(h, *map(torch.tensor, layers[2]))
    close(reference.dense(x, *layers[0]), x @ layers[0][0].T + layers[0][1])
    close(reference.leaky_relu([-2.0, 0.0, 3.0], 0.5), [-1, 0, 3])
    close(reference.mlp(x, layers, 0.2), last)
    close(reference.mlp(x, layers, 0.2, activate_last=True), leaky(last))


def reference_optimisers_are_torchs(reference: ModuleType) -> None:
    rng = np.random.default_rng(4)
    start, steps = rng.normal(size=6), rng.normal(size=(4, 6))
    steps[:, 0] *= 1e-8  # where epsilon is seen
    zero = np.zeros(6)
    rules = {
        "sgd_step": (torch.optim.SGD, ()),
        "adam_step": (torch.optim.Adam, (zero, zero)),
        "rmsprop_step": (torch.optim.RMSprop, (zero,)),
        "adagrad_step": (torch.optim.Adagrad, (zero,)),
    }
    for rule, (optimizer, state) in rules.items():
        theirs = torch.nn.Parameter(torch.tensor(start))
        stepper = optimizer([theirs], lr=0.01)
        ours = start
        for t, g in enumerate(steps, start=1):
            theirs.grad = torch.tensor(g)
            stepper.step()
            extra = (t,) if rule == "adam_step" else ()
            got = getattr(reference, rule)(ours, g, *state, *extra, lr=0.01)
            ours, *state = got if isinstance(got, tuple) else (got,)
            close(ours, theirs.detach().numpy())


def reference_refuses_what_does_not_fit(reference: ModuleType) -> None:
    for function, *arguments in (
        ("bernoulli_nll", np.zeros((2, 3)), np.zeros((2, 1))),
        ("gaussian_nll", LEVELS, LOGITS, 0.0),
        ("gaussian_nll", LEVELS, LOGITS, -0.5),
    ):
        try:
            getattr(reference, function)(*arguments)
        except ValueError as error:
            assert len(str(error)) > 40
        else:
            raise AssertionError("a ValueError was due")


LOSSES = (
    losses_are_the_reference,
    losses_have_known_values,
    continuous_bernoulli_is_exact,
    losses_have_the_right_gradients,
)
LAYERS = (helpers_do_what_they_say, fresh_layers_change_nothing, flatten_is_rows_first, layers_are_the_other_twins)
REFERENCE = (
    reference_likelihoods_are_scipys,
    reference_logistic_is_scipys,
    reference_latents_are_scipys,
    reference_layers_are_torchs,
    reference_optimisers_are_torchs,
    reference_refuses_what_does_not_fit,
)
ORACLES = {  # module -> the checks of it, quick ones first
    "twinvae.pt.losses": LOSSES,
    "twinvae.tf.losses": LOSSES,
    "twinvae.pt.layers": LAYERS,
    "twinvae.tf.layers": LAYERS,
    "twinvae.reference": REFERENCE,
}
