"""The macros that the text may call: every number of every run, the verdicts, and captions of what is shown."""

from twinvae.run import latex
from twinvae.run.results import Key, Result
from twinvae_collect.claims import Claim
from twinvae_collect.claims_tables import verdict_counts, verdict_of
from twinvae_collect.macro_calls import MacroCalls
from twinvae_collect.number_marks import mark, marked_number
from twinvae_collect.rendering import code, render


def macros(calls: MacroCalls, judged: list[Claim], found: dict[Key, Result]) -> str:
    """Return the definitions of all macros, names of which hold slashes, as `\\val{03/torch/elbo}` asks for them."""
    defined = numbers(calls, found)
    for report, counts in verdict_counts(calls.reports, judged, found).items():
        defined |= {f"val@claims/{report}/{name}": str(count) for name, count in counts.items()}
    defined |= {f"verdict@{claim.id}": verdict_of(claim, found) for claim in judged}
    defined |= captions(calls, found)
    defined["runs@date"] = max((r.manifest["ended"][:10] for r in found.values()), default="no run")
    return render("macros.tex", macros=defined)


def numbers(calls: MacroCalls, found: dict[Key, Result]) -> dict[str, str]:
    """Return every number of every run, by its macro; 'n/a' for one that the text shows of a run that is not there."""
    known = {(*key, name): marked_number(result, name) for key, result in found.items() for name in result.numbers}
    absent = {item: "n/a" for item in calls.numbers if item[:2] not in found}
    return {f"val@{'/'.join(item)}": text for item, text in sorted({**known, **absent}.items())}


def captions(calls: MacroCalls, found: dict[Key, Result]) -> dict[str, str]:
    """Return the captions of the figures and tables that the text shows, by their macros."""
    whole = {
        f"caption@{kind}/{number}/{backend}/{name}": caption(found[number, backend], kind, name)
        for kind in ("figures", "tables")
        for number, backend, name in getattr(calls, kind)
        if (number, backend) in found
    }
    shortened = {
        f"caption@{kind}/{number}/{backend}/{name}": shortened_caption(found[number, backend], name, *columns)
        for kind in ("worst", "pairs")
        for number, backend, name, *columns in getattr(calls, kind)
        if (number, backend) in found
    }
    return whole | shortened


def caption(result: Result, kind: str, name: str) -> str:
    """Return the caption that the notebook gave, and where it is from unless that is a full run on official data."""
    text = latex.escape(result.manifest["captions"][kind][name])
    return text + (rf" \twinwhere{{{latex.escape(origin(result, kind, name))}}}" if mark(result, kind, name) else "")


def origin(result: Result, kind: str, name: str) -> str:
    """Return profile, data and backend in few words: more of a set stands in the table of the data sets."""
    sources = result.sources(kind, name)
    names = [(s["label"].replace(", official files", "").partition(", ")[0], s["kind"]) for s in sources]
    sets = [
        name + ("" if kind == "official" or "(" in name or name.startswith(kind) else f" ({kind})")
        for name, kind in names
    ]
    data = "; ".join(dict.fromkeys(sets)) if len(sets) <= 3 else f"{len(sets)} data sets"
    return ", ".join(word for word in (result.profile, data, result.manifest["backend"]) if word)


def shortened_caption(result: Result, name: str, columns: str = "") -> str:
    """Return the caption of a table that is shortened, how it is, and where all of it is."""
    how = (
        rf"One row for all of the same {latex.escape(columns)}: how many they are, and the largest of each number"
        if columns
        else "PyTorch/TensorFlow where the two differ as printed"
    )
    return caption(result, "tables", name) + rf" {how}; all rows: {code(f'{result.folder.name}/tables/{name}.csv')}."
