"""A Run keeps what one notebook makes: figures, tables, numbers, and how they were made, the manifest.

The folder is `results/<profile>/<notebook>[-<backend>]/`; on other data than the notebook's own it lies in
`results/own/<data>/`. Every file is written whole or not at all; the manifest comes last, so a run without
`manifest.json` is an unfinished one and no report is built from it. A cell that runs again replaces what it kept.
"""

import json
import logging
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython import get_ipython
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from twinvae import paths, provenance
from twinvae.run import latex, manifests, notebook, pictures, results, words
from twinvae.run.parameters import check_names, check_parameters, choose_profile, finite, own_folder, value_for
from twinvae.spec import to_dict

NAME = re.compile(r"[a-z][a-z0-9_]*")


class Run:
    """One run of one notebook; made by `Run.start`, closed by `finish`.

    Figures, tables and numbers come from all the data that the run uses, unless they are given `sources` of their own.
    """

    def __init__(self, name: str, profile: str, backend: str | None, parameters: dict[str, Any], root: Path):
        self.name, self.profile, self.backend, self.parameters, self.root = name, profile, backend, parameters, root
        self.file = notebook.notebook_path(root, name)
        place = paths.results_folder(root) / own_folder(self.file, parameters.get("dataset")) / profile
        self.folder = place / (f"{name}-{backend}" if backend else name)
        self.checkpoints = self.folder / "checkpoints"
        self.sources: list[Any] = []
        self.splits: list[dict] = []
        self.shown: dict[str, list[int]] = {}
        self.specs: dict[str, dict] = {}
        self.numbers: dict[str, float] = {}
        self.formats: dict[str, str] = {}
        self.table_formats: dict[str, dict[str, str]] = {}
        self.captions: dict[str, dict[str, str]] = {"figures": {}, "tables": {}}
        self.drawn_in: dict[str, str] = {}  # figure -> the cell that made it
        self.kept_by: dict[str, int | None] = {}  # 'figures/name' -> the execution of a cell that kept it
        self.checks: list[str] = []
        self.begun = len(notebook.history()) - 1  # the cell that starts the run, in the history
        self.files: dict[str, str] = {}  # name -> checksum of what this run wrote
        self.started, self.clock = datetime.now(UTC), time.perf_counter()

    @classmethod
    def start(cls, name: str, profile: str, backend: str | None = None, **parameters: Any) -> "Run":
        """Check the notebook's parameters and open its folder.

        Raises ValueError for an unknown profile, backend or parameter or a value that is not allowed, such as own data
        that cannot be read, and OSError when the folder cannot be written; nothing has been touched then.
        """
        root = paths.find_root(Path.cwd())
        given = {"profile", *(["backend"] if backend is not None else []), *parameters}
        file = notebook.notebook_path(root, name)
        declared = notebook.declared_parameters(file) if file.is_file() else sorted(given)
        check_names(given, declared)
        profile = choose_profile(profile)
        check_parameters({"backend": backend, **parameters})
        run = cls(name, profile, backend, parameters, root)
        run._open()
        return run

    def _open(self) -> None:
        """Seed, set the style, and say in one line what starts; a finished run stays so until something is kept."""
        from twinvae.figures import style

        paths.hold(self.folder)
        manifests.runs_read.clear()
        random.seed(self.parameters.get("seed") or 0)  # for what asks for no seed, as scikit-learn; the twins do
        np.random.seed(self.parameters.get("seed") or 0)  # noqa: NPY002 - see above
        style.apply()
        logging.getLogger("fontTools").setLevel(logging.ERROR)  # its notes on font dates would land in the notebook
        backend = f"backend {self.backend}" if self.backend else "no backend"
        inside = self.folder.is_relative_to(self.root)
        folder = self.folder.relative_to(self.root).as_posix() if inside else self.folder
        print(f"{self.name}, profile {self.profile}, {backend}, threads: {provenance.threads()}, into {folder}")

    @property
    def smoke(self) -> bool:
        """Whether this is the profile in which only every cell has to run."""
        return self.profile == "smoke"

    @property
    def may_train(self) -> bool:
        """Whether a missing model is trained in this kernel: not if `train` is false; in 'full' if TWINVAE_TRAIN is."""
        wanted = self.parameters.get("train", True)
        return wanted and (self.profile != "full" or os.environ.get("TWINVAE_TRAIN") == "1")

    def pick(self, **by_profile: Any) -> Any:
        """Return the value for this profile, or for the next smaller one given; ValueError where there is none."""
        return value_for(self.profile, by_profile)

    def use(self, source: Any, record: dict | None = None) -> None:
        """Remember the data (`twinvae.data.Source`) that the figures and numbers come from.

        `record` says how they were split (`Splits.record()`): seed, sizes and checksums of the indices.
        """
        if source not in self.sources:
            self.sources.append(source)
        split = {"data": source.label, **(record or {})}
        if record and split not in self.splits:
            self.splits.append(split)

    def spec(self, name: str, spec: Any) -> None:
        """Keep a model or training spec (a dataclass) in the manifest, word for word."""
        self.specs[name] = to_dict(spec)

    def stamp(self, sources: list[Any] | None = None) -> str:
        """Return the words on every figure: data (all of the run's where none are given), profile, backend."""
        labels = [source.label for source in (self.sources if sources is None else sources)]
        return " · ".join([*labels, self.profile, *([self.backend] if self.backend else [])])

    def figure(
        self, name: str, fig: Figure, caption: str, sources: list[Any] | None = None, before: Sequence[Figure] = ()
    ) -> None:
        """Save a figure as `figures/<name>.pdf`, stamped; show it in turn with those `before` it, in less than 300 kB.

        Raises ValueError for a name that this cell has taken before, or that is not made of a-z, 0-9 and _.
        """
        self._claim("figures", name, self.captions["figures"], sources)
        self.captions["figures"][name] = caption
        for each in (*before, fig):
            pictures.stamp(each, self.stamp(sources))
        with self._writing(f"figures/{name}.pdf") as part:
            fig.savefig(part, metadata={"CreationDate": None})
        self.drawn_in[name] = "".join(notebook.history()[-1:])
        if get_ipython():
            pictures.show(caption, *before, fig)
        for each in (*before, fig):
            plt.close(each)

    def table(
        self,
        name: str,
        df: pd.DataFrame,
        caption: str,
        fmt: dict[str, str] | None = None,
        sources: list[Any] | None = None,
        best: dict[str, str] | None = None,
        colours: dict[str, str] | None = None,
    ) -> None:
        """Save a table as `tables/<name>.csv` (all digits) and `.tex` (as `fmt` says, column -> '.2f'), and show it.

        On the screen `best`, column -> 'min' or 'max', is in bold; `colours` are behind the cells that say their keys.
        Raises ValueError for a name that is taken or a format of no column.
        """
        if unknown := sorted({*(fmt or {}), *(best or {})} - set(df.columns)):
            raise ValueError(f"table {name}: format for {unknown}, which are not columns; they are {list(df.columns)}")
        self._claim("tables", name, self.captions["tables"], sources)
        self.captions["tables"][name], self.table_formats[name] = caption, fmt or {}
        plain = isinstance(df.index, pd.RangeIndex)
        with self._writing(f"tables/{name}.csv") as part:
            latex.without_formulas(df).to_csv(part, index=not plain)
        with self._writing(f"tables/{name}.tex") as part:
            part.write_text(latex.table(df, fmt or {}, index=not plain), encoding="utf-8")
        words.show_table(name, df, caption, fmt or {}, best or {}, colours or {})

    def findings(self, text: str, **others: str) -> None:
        """Show sentences, {names} in which are those of the run's numbers or of `others`, words that depend on them.

        Raises ValueError for a name of neither.
        """
        words.findings(text, self.numbers, self.formats, others)

    def number(self, name: str, value: float, fmt: str = ".2f", sources: list[Any] | None = None) -> float:
        """Keep a number for `numbers.json` and for the report's `\\val{...}`, which prints it as `fmt` says.

        Raises ValueError for a value that is not a finite number, a name that is taken, or a bad format.
        """
        self._claim("numbers", name, self.numbers, sources)
        format(value := finite(name, value), fmt)
        self.numbers[name], self.formats[name] = value, fmt
        return value

    def scoreboard(self, rows: list[dict] | pd.DataFrame) -> None:
        """Save the trained models and their metrics, one row each, as `scoreboard.csv`; show the main columns.

        Adds what the run knows and puts the columns in order; ValueError for a column that no scoreboard has.
        """
        known = {"backend": self.backend, "profile": self.profile, "device": provenance.device()}
        board = results.board(rows, known | {"commit": provenance.git_state(self.root)["commit"]})
        with self._writing("scoreboard.csv") as part:
            board.to_csv(part, index=False)
        words.show_scoreboard(board)

    def check(self, what: str, holds: bool) -> None:
        """Keep a check that holds; raise AssertionError for one that does not."""
        self.checks = [other for other in self.checks if other != what]
        if not bool(holds):
            raise AssertionError(f"this should hold and does not: {what}")
        self.checks.append(what)

    def finish(self) -> None:
        """Write numbers and manifest, drop what earlier runs left, print the checks; say which cells were not run."""
        if cells := notebook.not_run(self.file, self.begun):
            return print(f"unfinished: not run since Run.start, as they stand in {self.file.name}, {cells}")
        with self._writing("numbers.json") as part:
            part.write_text(json.dumps(self.numbers, indent=1, sort_keys=True) + "\n")
        manifests.drop_others(self.folder, self.files)
        text = json.dumps(manifests.manifest(self), indent=1, default=str) + "\n"
        paths.write_text(self.folder / "manifest.json", text)
        paths.release(self.folder)
        for what in self.checks:
            print(f"holds: {what}")

    @contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        """Give a temporary name; what is written there is moved to `name`, its checksum kept for the manifest.

        What the manifest vouches for changes with it, so that the run is unfinished until it is finished again.
        """
        (self.folder / "manifest.json").unlink(missing_ok=True)
        with paths.written_whole(self.folder / name) as part:
            yield part
            self.files[name] = paths.sha256(part)

    def _claim(self, kind: str, name: str, taken: dict[str, Any], sources: list[Any] | None) -> None:
        """Take a name for a figure, table or number, and remember by their numbers the sources that are its own.

        Another cell, or the same that runs again, replaces what was kept under the name.
        """
        if not NAME.fullmatch(name):
            raise ValueError(f"{kind[:-1]} {name!r}: a name is made of a-z, 0-9 and _, and starts with a letter")
        key, now = f"{kind}/{name}", notebook.execution()
        if name in taken and self.kept_by[key] == now:
            saved = "kept" if kind == "numbers" else "saved"
            raise ValueError(f"{kind[:-1]} {name} was {saved} before in this cell; give it another name")
        self.kept_by[key] = now
        self.shown.pop(key, None)
        if sources is not None:
            for source in sources:
                self.use(source)
            self.shown[key] = [self.sources.index(source) for source in sources]
