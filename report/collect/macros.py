"""The macros that the text may call: every number of every run, the verdicts, and captions of what is shown."""

from collections import Counter

from twinvae.run import latex
from twinvae.run.parameters import BACKENDS
from twinvae.run.results import Key, Result
from twinvae_collect.claims_tables import answer, other_at_first, verdict_of
from twinvae_collect.macro_calls import MacroCalls
from twinvae_collect.rendering import FRAMEWORK, code, mark, marked_number, render, usual
from twinvae_studies.claims import Claim

SHORTENED = {
    "worst": "One row for all of the same {}: how many they are, and the largest of each number",
    "pairs": "Below a model stands what its TensorFlow twin has otherwise, as printed",
}


def macros(calls: MacroCalls, judged: list[Claim], verdicts: dict[str, dict], found: dict[Key, Result]) -> str:
    """Return the definitions of all macros, names of which hold slashes, as `\\val{03/torch/elbo}` asks for them.

    A number that the text shows of a run that is not there is 'n/a'; `verdicts` are counted, for each report.
    """
    numbers = dict.fromkeys(calls.numbers, "n/a")
    numbers |= {(*key, name): marked_number(result, name) for key, result in found.items() for name in result.numbers}
    defined = {f"val@{'/'.join(item)}": text for item, text in sorted(numbers.items())}
    for report, counts in verdicts.items():
        defined |= {f"val@claims/{report}/{name}": str(count) for name, count in counts.items()}
    revised = [claim for claim in judged if claim.report.isdigit() and other_at_first(claim, found)]
    defined["val@claims/all/revised"] = str(len(revised))
    defined |= {f"answer@{report}": answer(report, judged, found) for report in calls.reports}
    defined |= {f"verdict@{claim.id}": verdict_of(claim, found) for claim in judged}
    for kind, items in calls.of_runs(found).items():
        for *key, name, columns in ((*item, "")[:4] for item in items):
            defined[f"caption@{kind}/{'/'.join(key)}/{name}"] = caption(found[tuple(key)], kind, name, columns)
    marks = {"/".join(key): usual(result) for key, result in found.items()}
    defined |= {f"source@{'/'.join(key)}": source(result) for key, result in found.items()}
    marks["runs"] = Counter(marks.values()).most_common(1)[0][0] if marks else ("", "")
    for name, (letter, star) in marks.items():
        defined |= {f"usual@{name}": letter, f"star@{name}": star}
    defined["runs@date"] = max((r.manifest["ended"][:10] for r in found.values()), default="no run")
    return render("macros.tex", macros=defined)


def caption(result: Result, kind: str, name: str, columns: str) -> str:
    """Return the caption that the notebook gave, and where it is from, which LaTeX prints where it is not the usual.

    Behind that of a table that is shortened stands how it is (`columns`: of a 'worst' one), and where all of it is.
    """
    whole = "tables" if kind in SHORTENED else kind
    text = latex.escape(result.manifest["captions"][whole][name])
    about = *mark(result, whole, name), result.key[1], latex.escape(origin(result, whole, name))
    text += r" \twinwhere" + "".join(f"{{{words}}}" for words in about)
    if kind in SHORTENED:
        how = SHORTENED[kind].format(latex.escape(columns))
        text += rf" {how}; all rows: {code(f'{result.folder.name}/tables/{name}.csv')}."
    return text


def source(result: Result) -> str:
    """Return the line that stands under the head of a section about a run."""
    parts = [rf"Notebook~{result.key[0]}, profile \emph{{{result.profile}}}"]
    parts += [FRAMEWORK[result.key[1]]] if result.key[1] in BACKENDS else []
    parts += [f"seeds: {result.numbers['seeds']:g}"] if "seeds" in result.numbers else []
    return ", ".join(parts) + f"; {latex.escape(result.data)}. Numbers and figures of other runs are marked."


def origin(result: Result, kind: str, name: str) -> str:
    """Return profile, data and backend in few words: more of a set stands in the table of the data sets."""
    sets = {}
    for source in result.sources(kind, name):
        label, of_kind = source["label"].replace(", official files", "").partition(", ")[0], source["kind"]
        said = of_kind == "official" or "(" in label or label.startswith(of_kind)
        sets[label if said else f"{label} ({of_kind})"] = None
    number = len(result.sources(kind, name))
    data = "; ".join(sets) if number <= 3 else f"{number} data sets"
    return ", ".join(word for word in (result.profile, data, result.manifest["backend"]) if word)
