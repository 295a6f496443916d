"""How far the numbers of a notebook's two runs, one a twin, are apart."""

import re
from statistics import median

from twinvae.run import latex
from twinvae.run.results import Key, Result
from twinvae_collect.rendering import code, render

TIMES = re.compile("second|minute|pace|speed|time|cost|ratio")  # in the name of a number that a machine decides
CLOSE = 0.05  # relative deviation


def twins_table(found: dict[Key, Result]) -> str:
    """Return a row for each notebook with two runs of one profile and as many seeds: shares of equal and close numbers.

    Numbers that a machine decides are left out.
    """
    numbers = sorted({key[0] for key in found if key[1] == "torch"} & {key[0] for key in found if key[1] == "tf"})
    twins = [(found[number, "torch"], found[number, "tf"]) for number in numbers]
    alike = [{(run.profile, run.numbers.get("seeds")) for run in both} for both in twins]
    rows = [agreement(*both) for both, kinds in zip(twins, alike, strict=True) if len(kinds) == 1]
    head = ["notebook", "profile", "numbers", "equal as printed", r"less than 5\,\% apart", "median"]
    return render("table.tex", alignment="llrrrr", head=head, rows=rows)


def agreement(torch: Result, tf: Result) -> list[str]:
    """Return name, profile, how many numbers both have, are printed alike and are close, and their median deviation."""
    shared = [name for name in torch.numbers if name in tf.numbers and not TIMES.search(name)]
    formats = torch.manifest["formats"]
    alike = sum(format(torch.numbers[n], formats[n]) == format(tf.numbers[n], formats[n]) for n in shared)
    values = [(torch.numbers[name], tf.numbers[name]) for name in shared]
    apart = [abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0 for a, b in values]
    return [
        code(torch.manifest["name"]),
        torch.profile,
        str(len(shared)),
        str(alike),
        str(sum(gap < CLOSE for gap in apart)),
        latex.number(100 * median(apart), ".2g") + r"\,\%" if apart else "--",
    ]
