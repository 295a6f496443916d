"""What a notebook uses of the project, and which changes of it mean something."""

import ast
from pathlib import Path

import pytest
from tiny import ROOT

from twinvae.provenance import definitions
from twinvae.provenance.definitions import Library

FILES = {
    "lib/twinvae/data/__init__.py": """
import importlib
import yaml
TABLE = yaml.safe_load(open("sets.yaml"))
def load(name, half="train"):
    return importlib.import_module(f"twinvae.data.{name}").read(half), TABLE[name]
""",
    "lib/twinvae/data/mnist.py": "def read(half):\n    return half, 28\ndef smooth(x):\n    return x\n",
    "lib/twinvae/data/svhn.py": "def read(half):\n    return half, 32\n",
    "lib/twinvae/data/sets.yaml": "mnist: {licence: free, finish: mnist.smooth}  # the digits\nsvhn: {licence: none}\n",
    "lib/twinvae/metrics/samples.py": """
import math as m
SCALE: int = 2
SCALE.precision = 9
def spread(x: list, y=None):
    '''Return the spread.'''
    return m.sqrt(sum(x)) * SCALE  # in nats
def other(x):
    return 0
def deep(x):
    return "deep"
def generated(x):
    return x
""",
    "lib/twinvae/metrics/__init__.py": """
def __getattr__(name):
    from . import latent
    return getattr(latent, name)
""",
    "lib/twinvae/metrics/latent.py": """
from .samples import deep as another
def spread(x, y=None):
    return 7
def area(x):
    return another(x) + 8
""",
    "lib/twinvae/figures/style.py": "from matplotlib import style\ndef apply():\n    style.use('house.mplstyle')\n",
    "lib/twinvae/figures/house.mplstyle": "font.size: 9  # points\n",
    "lib/twinvae/figures/plots.py": """
from twinvae.metrics import samples
def plot_bars(ax, x):
    _axis(ax)
    ax.bar(x, samples.other(x))
def plot_line(ax, x):
    _axis(ax)
    ax.plot(x)
def _axis(ax):
    ax.grid(False)
""",
    "lib/twinvae/pt/models.py": """
import keras
from twinvae.pt.losses import kl
class Model(keras.Model):
    depth = 1
    def call(self, x):
        return x
    def generate(self, z):
        return self.mean(z)
    def mean(self, z):
        return z
    def loss_terms(self, x):
        return kl(x)
class Wide(Model):
    width = 2
    def __init__(self):
        super().__init__()
class Lost:
    def __init__(self):
        pass
KINDS = {"wide": Wide}
def build(kind):
    return KINDS[kind]()
def predict(model, method, x):
    return getattr(model, method)(x)
""",
    "lib/twinvae/pt/losses.py": "def kl(x):\n    return x - 1\n",
    "lib/twinvae/pt/train.py": "def fit(model, x):\n    return model.loss_terms(x)\n",
    "lib/twinvae/training.py": "from twinvae.pt import train\ndef train_or_load(x):\n    return train.fit(None, x)\n",
    "lib/twinvae/paths.py": "def find_root():\n    return 1\n",
    "notebooks/studies/report.py": """
from twinvae.metrics import area
from twinvae.metrics.samples import spread
def study(trained, run):
    return area(1), spread(trained.predict("generate", "generated")), f"{__name__}:fewer"
def fewer(images):
    return images[:2]
if __name__ == "__main__":
    print(1)
""",
}
CELLS = [
    """import numpy as np
from twinvae import data, paths, training
from twinvae.figures import plots
from twinvae_studies import report
epochs: int = 3  # rounds
root = paths.find_root()""",
    """images = data.load("mnist")
trained = training.train_or_load(images)
number = report.study(trained, 1)""",
    "plots.plot_bars(number, np.ones(epochs))",
    "plots.plot_line(number, images)",
]
ROOMS = ["data", "figures", "metrics", "pt"]
MODULES = [
    "data.mnist",
    "metrics.samples",
    "metrics.latent",
    "figures.plots",
    "figures.style",
    "pt.models",
    "pt.losses",
]
MODULES += ["pt.train", "training", "paths", *ROOMS]
MEANS_NOTHING = [  # file, what stands there, what stands there instead
    ("lib/twinvae/metrics/samples.py", "  # in nats", "  # in bits"),
    ("lib/twinvae/metrics/samples.py", "'Return the spread.'", "'Return the width.'"),
    ("lib/twinvae/metrics/samples.py", "sum(x)) * SCALE", "sum(\n        x)\n    ) * (SCALE)"),
    ("lib/twinvae/metrics/samples.py", "(x: list, y=None):", "(x: tuple, y: int = None) -> float:"),
    (
        "lib/twinvae/metrics/samples.py",
        "import math as m\n",
        "import math\nimport math as m\nfrom twinvae import data\n",
    ),
    ("lib/twinvae/metrics/samples.py", "def other", "def newcomer():\n    return 0\ndef other"),
    ("lib/twinvae/data/svhn.py", "32", "64"),
    ("lib/twinvae/data/sets.yaml", "none", "free"),
    ("lib/twinvae/data/sets.yaml", "# the digits", ""),
    ("lib/twinvae/figures/house.mplstyle", "# points", "# of the report"),
    ("lib/twinvae/pt/losses.py", "x - 1", "x - 2"),  # what trains counts by the probe of a model
    ("lib/twinvae/pt/models.py", "class Wide", "class Deep(Model):\n    pass\nclass Wide"),
    ("lib/twinvae/pt/models.py", "return x\n", "return 2 * x\n"),  # no model is built but by `training`
    ("lib/twinvae/training.py", "None", "True"),
    ("lib/twinvae/paths.py", "1", "2"),
    ("notebooks/studies/report.py", "print(1)", "print(2)"),
]
MEANS = [  # and the words that say what has changed
    ("lib/twinvae/metrics/samples.py", "SCALE: int = 2", "SCALE: int = 3", ["twinvae.metrics.samples:SCALE"]),
    ("lib/twinvae/metrics/samples.py", "sum(x)", "max(x)", ["twinvae.metrics.samples:spread"]),
    ("lib/twinvae/metrics/samples.py", "import math as m", "import cmath as m", ["twinvae.metrics.samples:spread"]),
    ("lib/twinvae/metrics/samples.py", "return 0", "return 1", ["twinvae.metrics.samples:other"]),
    ("lib/twinvae/metrics/samples.py", "precision = 9", "precision = 8", ["twinvae.metrics.samples:<body>"]),
    ("lib/twinvae/metrics/samples.py", '"deep"', '"flat"', ["twinvae.metrics.samples:deep"]),
    ("lib/twinvae/metrics/latent.py", "8", "9", ["twinvae.metrics.latent:area"]),  # imported when it is asked for
    ("lib/twinvae/data/mnist.py", "28", "29", ["twinvae.data.mnist:read"]),
    ("lib/twinvae/data/mnist.py", "return x", "return -x", ["twinvae.data.mnist:smooth"]),  # named by the table alone
    ("notebooks/studies/report.py", "[:2]", "[:3]", ["twinvae_studies.report:fewer"]),  # named by a string alone
    ("lib/twinvae/data/sets.yaml", "free", "paid", ["lib/twinvae/data/sets.yaml"]),
    ("lib/twinvae/pt/models.py", "self.mean(z)", "-self.mean(z)", ["twinvae.pt.models:Model.generate"]),
    ("lib/twinvae/pt/models.py", "return z", "return -z", ["twinvae.pt.models:Model.mean"]),
    ("lib/twinvae/pt/models.py", "depth = 1", "depth = 2", ["twinvae.pt.models:Model"]),
    ("lib/twinvae/pt/models.py", "(model, method)(x)", "(model, method)(-x)", ["twinvae.pt.models:predict"]),
    (  # a method that takes the place of one that is used
        "lib/twinvae/pt/models.py",
        "    width = 2",
        "    width = 2\n    def mean(self, z):\n        return 0",
        ["twinvae.pt.models:Wide", "twinvae.pt.models:Wide.mean"],
    ),
    (  # another function of the same name
        "notebooks/studies/report.py",
        "twinvae.metrics.samples",
        "twinvae.metrics.latent",
        ["twinvae.metrics.latent:spread", "twinvae.metrics.samples:spread"],
    ),
    (
        "lib/twinvae/figures/plots.py",
        "ax.bar(",
        "ax.barh(",
        ["twinvae.figures.plots:plot_bars (only in figures: bars)"],
    ),
    ("lib/twinvae/figures/plots.py", "False", "True", ["twinvae.figures.plots:_axis (only in figures: bars, line)"]),
    (
        "lib/twinvae/figures/house.mplstyle",
        "9",
        "10",
        ["lib/twinvae/figures/house.mplstyle (only in figures: bars, line)"],
    ),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A project of a few files, which are read and never run."""
    for name in [*FILES, *(f"lib/twinvae/{room}/__init__.py" for room in ROOMS)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(FILES.get(name, ""))
    return tmp_path


def used(house: Path, cells: list[str] = CELLS, **changes) -> dict:
    """What the notebook uses as the files are now."""
    modules = ["twinvae_studies.report", *(f"twinvae.{name}" for name in MODULES)]
    found_by = {"modules": modules, "drawn_in": {"bars": 2, "line": 3}, "data": []}
    return definitions.used(house, cells, **found_by | changes)


def test_of_claims_those_of_the_notebook_count(house):
    claims = house / "report" / "claims.yaml"
    claims.parent.mkdir()
    claims.write_text("- {notebook: '05', said: one}\n- {notebook: '06', said: other}\n- {said: of all}\n")
    cells = ["from twinvae_studies import report", "report.fewer('claims.yaml')"]
    before, all_before = used(house, cells, number="05"), used(house, cells)
    change(claims, "other", "another")
    assert used(house, cells, number="05") == before and used(house, cells) != all_before
    change(claims, "one", "two")
    assert definitions.differences(before, used(house, cells, number="05")) == ["report/claims.yaml"]


def change(path: Path, old: str, new: str) -> None:
    """Put something else in the place of what stands in a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_is_used_and_what_is_not(house):
    found = used(house)
    assert {"twinvae.data:load", "twinvae.pt.models:Model.mean", "lib/twinvae/data/sets.yaml"} <= set(
        found["definitions"]
    )
    unused = {
        "twinvae.data.svhn:read": "not imported",
        "twinvae.pt.train:fit": "counts by the probes of models",
        "twinvae.paths:find_root": "computes nothing",
        "twinvae.metrics.latent:spread": "another function is named",
        "twinvae.metrics.samples:generated": "a word is the name of a method, not of a function",
    }
    for key, why in unused.items():
        assert key not in found["definitions"], why
    assert set(found["figures"]["bars"]) - set(found["figures"]["line"]) == {"twinvae.figures.plots:plot_bars"}
    whole = used(house, drawn_in={"bars": None})["figures"]["bars"]
    assert set(whole) == set(found["figures"]["bars"]) | set(found["figures"]["line"]), "of an unknown cell: of all"


@pytest.mark.parametrize(("file", "old", "new"), MEANS_NOTHING)
def test_a_change_that_means_nothing_makes_nothing_stale(house, file, old, new):
    before = used(house)
    change(house / file, old, new)
    after = used(house)
    assert definitions.differences(before, after) == [] and before["cells"] == after["cells"]


@pytest.mark.parametrize(("file", "old", "new", "words"), MEANS)
def test_a_change_of_what_is_used_is_named(house, file, old, new, words):
    before = used(house)
    change(house / file, old, new)
    assert definitions.differences(before, used(house)) == words


def test_a_model_that_the_notebook_builds_itself_counts_with_all_that_makes_it(house):
    cells = [*CELLS, 'twin.models.build("wide")']
    before = used(house, cells)
    assert "twinvae.pt.models:Wide.__init__" in before["definitions"]
    assert "twinvae.pt.models:Lost.__init__" not in before["definitions"]
    change(house / "lib/twinvae/pt/models.py", "return x\n", "return 2 * x\n")  # what a framework calls
    change(house / "lib/twinvae/pt/models.py", "width = 2", "width = 3")
    assert definitions.differences(before, used(house, cells)) == [
        "twinvae.pt.models:Model.call",
        "twinvae.pt.models:Wide",
    ]


def test_the_cells_count_by_what_they_say(house):
    cells = [cell.replace("3  # rounds", "3") for cell in CELLS]
    cells[0] = "import numpy as onp\n" + cells[0].replace("import numpy as np\n", "")
    cells[2] = cells[2].replace("np.", "onp.").replace(", ", ",\n")
    assert used(house, cells)["cells"] == used(house)["cells"]
    one, other = (
        used(house, [f"from twinvae.{place} import Run\nRun.start()"]) for place in ("run", "run.notebook_run")
    )
    assert one["cells"] == other["cells"]
    assert used(house, [CELLS[0].replace("3", "4"), *CELLS[1:]])["cells"] != used(house)["cells"]
    assert used(house, [*CELLS[:2], CELLS[3], CELLS[2]])["cells"] != used(house)["cells"]


def test_a_file_that_moved_makes_nothing_stale(house):
    before = used(house)
    (house / "lib/twinvae/metrics/quality").mkdir()
    (house / "lib/twinvae/metrics/quality/__init__.py").touch()
    (house / "lib/twinvae/metrics/samples.py").rename(house / "lib/twinvae/metrics/quality/spreads.py")
    change(house / "notebooks/studies/report.py", "metrics.samples import", "metrics.quality.spreads import")
    change(house / "lib/twinvae/metrics/latent.py", "from .samples", "from .quality.spreads")
    change(
        house / "lib/twinvae/figures/plots.py",
        "twinvae.metrics import samples",
        "twinvae.metrics.quality import spreads",
    )
    change(house / "lib/twinvae/figures/plots.py", "samples.other", "spreads.other")
    assert definitions.differences(before, used(house)) == []
    change(house / "lib/twinvae/metrics/quality/spreads.py", "sum(x)", "max(x)")
    assert "twinvae.metrics.quality.spreads:spread" in definitions.differences(before, used(house))


def test_a_definition_has_the_same_hash_in_every_python():
    """The constant is what Python 3.11, 3.12 and 3.13 gave; the sample has all in which their syntax trees differ."""
    library = Library(ROOT, [(ROOT / "tests" / "syntax_sample.txt").read_text()], [])
    text = "".join(library.meaning(key).text for key in sorted(library.definitions))
    assert definitions.digest(text) == "3ab11c86a289be6b"


def every_hash(root: Path) -> dict[str, str]:
    """The hashes of all definitions of a project."""
    modules = []
    for package, folder in definitions.PACKAGES.items():
        files = [path.relative_to(root / folder).with_suffix("") for path in (root / folder).rglob("*.py")]
        modules += [".".join((package, *file.parts)).removesuffix(".__init__") for file in files]
    library = Library(root, [], modules)
    return {key: definitions.digest(library.meaning(key).text) for key in library.definitions}


def test_no_comment_docstring_or_format_in_any_file_of_ours_changes_a_hash(tmp_path):
    """Every file is written anew from its syntax tree, without comments, in another layout, with other docstrings."""
    for folder in definitions.PACKAGES.values():
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text())
            for node in ast.walk(tree):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
                    node.body[0] = ast.Expr(ast.Constant("Something else."))
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text("# A comment.\n" + ast.unparse(ast.fix_missing_locations(tree)))
    before = every_hash(ROOT)
    assert len(before) > 1_000 and every_hash(tmp_path) == before
