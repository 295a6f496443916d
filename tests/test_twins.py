"""The twins read alike: the same names in the same order, the same parameters, defaults and docstrings."""

import ast
from pathlib import Path

import pytest

import twinvae

ROOT = Path(twinvae.__file__).parent
FILES = sorted(path.name for path in (ROOT / "pt").glob("*.py"))

# What one framework needs and the other does not: (twin, file, name) -> why.
EXTRAS = {
    ("pt", "layers.py", "same_padding"): "PyTorch knows no asymmetric padding",
    ("pt", "layers.py", "same_conv"): "the same",
    ("pt", "layers.py", "Conv"): "the same",
    ("pt", "layers.py", "ConvTranspose"): "the same",
    ("pt", "layers.py", "RepeatedConv.__init__"): "it passes on what its framework's convolution asks for",
    ("tf", "layers.py", "RepeatedConv.__init__"): "the same",
    ("pt", "layers.py", "BatchNorm"): "PyTorch's own keeps the unbiased variance",
    ("tf", "layers.py", "to_pytorch"): "weights are exchanged in PyTorch's layout",
    ("tf", "layers.py", "to_keras"): "the same",
    ("tf", "layers.py", "LeakyReLU"): "Keras' own rounds its slope to float32",
    ("tf", "layers.py", "Stack.named_variables"): "Keras names weights otherwise",
    ("pt", "models.py", "device"): "TensorFlow places tensors itself",
    ("tf", "models.py", "is_dense"): "it compiles dense models further",
    ("tf", "models.py", "compiled"): "TensorFlow compiles what is called often",
    ("tf", "autoencoders.py", "Model.get_config"): "what .keras files need",
    ("tf", "autoencoders.py", "Model.from_config"): "the same",
    ("tf", "autoencoders.py", "AE.call"): "what makes model(x) a Keras user's",
    ("tf", "models.py", "Classifier.call"): "the same",
    ("tf", "gan.py", "CGAN.call"): "the same",
    ("pt", "train.py", "Optimizer.adam"): "its fused kernel takes all weights at once",
    ("pt", "train.py", "Optimizer.rmsprop"): "the same",
    ("pt", "train.py", "Optimizer.adagrad"): "the same",
    ("pt", "train.py", "Optimizer.sgd"): "the same",
    ("tf", "train.py", "Optimizer.adam"): "Keras' own rules put epsilon elsewhere: written out",
    ("tf", "train.py", "Optimizer.rmsprop"): "the same",
    ("tf", "train.py", "Optimizer.adagrad"): "the same",
    ("tf", "train.py", "Optimizer.sgd"): "the same",
}
SAME_ROLE = {"call": "forward"}  # what a layer does: PyTorch's name and Keras'


def public(twin: str, file: str) -> dict[str, ast.AST]:
    """Public functions, classes, methods and constructors by name, in the order of the file."""
    found = {}
    for node in ast.parse((ROOT / twin / file).read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            role = SAME_ROLE if file == "layers.py" else {}
            found |= {f"{node.name}.{role.get(n.name, n.name)}": n for n in node.body if isinstance(n, ast.FunctionDef)}
    return {name: node for name, node in found.items() if not name.split(".")[-1].startswith("_") or "__init__" in name}


def is_extra(twin: str, file: str, name: str) -> bool:
    return (twin, file, name) in EXTRAS or (twin, file, name.split(".")[0]) in EXTRAS


def shared(twin: str, file: str) -> dict[str, ast.AST]:
    return {name: node for name, node in public(twin, file).items() if not is_extra(twin, file, name)}


def signature(node: ast.AST) -> str:
    """Bases of a class or arguments of a function; Keras layers pass their name on as **kwargs."""
    if isinstance(node, ast.ClassDef):
        return ""
    arguments = node.args
    arguments.kwarg = None if node.name == "__init__" else arguments.kwarg
    return ast.unparse(arguments)


def docstring(node: ast.AST) -> str:
    """The docstring, without what a twin must say of its own axes."""
    text = ast.get_docstring(node) or ""
    for pytorch, keras in (
        ("[B, C, ...]", "[B, ..., C]"),
        ("[B, C, H, W]", "[B, H, W, C]"),
        ("PyTorch", "TensorFlow"),
        ("The module of", "The Keras layer of"),
        (", its weights made", ""),
        (", as in TensorFlow", ""),
    ):
        text = text.replace(pytorch, keras)
    return text


def test_both_twins_have_the_same_files():
    assert sorted(path.name for path in (ROOT / "tf").glob("*.py")) == FILES
    assert {"layers.py", "losses.py", "autoencoders.py", "models.py", "gan.py", "train.py"} <= set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_names_and_their_order_are_the_same(file):
    assert list(shared("pt", file)) == list(shared("tf", file))


@pytest.mark.parametrize("file", FILES)
def test_parameters_and_defaults_are_the_same(file):
    pt, tf = shared("pt", file), shared("tf", file)
    assert {name: signature(node) for name, node in pt.items()} == {name: signature(node) for name, node in tf.items()}


@pytest.mark.parametrize("file", FILES)
def test_docstrings_are_the_same_and_there(file):
    pt, tf = shared("pt", file), shared("tf", file)
    assert {name: docstring(node) for name, node in pt.items()} == {name: docstring(node) for name, node in tf.items()}
    silent = [
        name for name, node in pt.items() if not docstring(node) and name.split(".")[-1] not in ("__init__", "forward")
    ]
    assert not silent


@pytest.mark.parametrize("file", FILES)
def test_modules_say_the_same_of_themselves(file):
    pt, tf = (ast.get_docstring(ast.parse((ROOT / twin / file).read_text())) for twin in ("pt", "tf"))
    first = lambda text: text.split("\n")[0].split(", in ")[0]  # noqa: E731
    if file != "__init__.py":
        assert first(pt) == first(tf)
        assert ("in PyTorch" in pt and "in TensorFlow" in tf) or pt == tf


def test_every_extra_is_there_and_has_a_reason():
    stale = [key for key in EXTRAS if key[2] not in public(*key[:2])]
    assert not stale and all(EXTRAS.values())


@pytest.mark.parametrize(
    "twin, other", [("pt", "tensorflow"), ("pt", "keras"), ("tf", "torch"), ("pt", "twinvae.tf"), ("tf", "twinvae.pt")]
)
def test_neither_twin_imports_the_other(twin, other):
    for file in FILES:
        nodes = list(ast.walk(ast.parse((ROOT / twin / file).read_text())))
        imported = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        imported += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
        assert not [name for name in imported if name == other or name.startswith(other + ".")]


def test_a_difference_is_seen():
    """The tools of this test tell apart what differs."""
    a, b = (ast.parse(f"def f(x, y={value}):\n    '''{text}'''").body[0] for value, text in ((1, "Sum."), (2, "Sums.")))
    assert signature(a) != signature(b) and docstring(a) != docstring(b)
