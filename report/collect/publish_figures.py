"""`python -m twinvae_collect.publish_figures` adds to git the figures of the runs that the report or README shows."""

import re
import subprocess
from pathlib import Path

from twinvae import paths
from twinvae.run import results
from twinvae_collect.macro_calls import read_macro_calls


def shown(root: Path) -> list[Path]:
    """Return the figures that the report's text shows, and those of which README shows a picture."""
    found, _ = results.best(paths.results_folder(root))
    wanted = [((number, backend), name) for number, backend, name in read_macro_calls(root / "report").shown["figures"]]
    pictures = set(re.findall(r"report/(\w+)\.png", (root / "README.md").read_text(encoding="utf-8")))
    files = {found[key].folder / "figures" / f"{name}.pdf" for key, name in wanted if key in found}
    drawn = [path for key, run in found.items() if key[1] == "torch" for path in run.folder.glob("figures/*.pdf")]
    files |= {path for path in drawn if path.stem in pictures}  # README's pictures are PyTorch's
    return sorted(path for path in files if path.is_file())


def main() -> None:
    """Add them, and take the others out of git."""
    root = paths.find_root(Path.cwd())
    subprocess.run(["git", "-C", root, "rm", "-rq", "--cached", "--ignore-unmatch", "results/*/figures/*"], check=True)
    subprocess.run(["git", "-C", root, "add", "-f", *shown(root)], check=True)


if __name__ == "__main__":
    main()
