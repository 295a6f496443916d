"""Where everything comes from: a table of the runs, and for each its parameters, machine, versions and data files."""

from pathlib import Path

from twinvae.run.results import NO_BACKEND, Key, Result
from twinvae_collect.macro_calls import MacroCalls
from twinvae_collect.number_marks import LETTERS
from twinvae_collect.rendering import code, render

FRAMEWORK = {"torch": "PyTorch", "tf": "TensorFlow", NO_BACKEND: "--"}


def provenance_table(found: dict[Key, Result], root: Path) -> str:
    """Return the table of the runs: data, device, commit and date, and which of them are stale."""
    runs = [
        {
            "name": result.manifest["name"],
            "framework": FRAMEWORK[backend],
            "profile": result.profile,
            "data": result.data,
            "device": result.manifest["machine"]["device"],
            "threads": result.manifest["machine"]["threads"],
            "commit": result.manifest["git"]["commit"][:7],
            "dirty": result.manifest["git"]["dirty"],
            "stale": bool(result.changed(root)),
            "date": result.manifest["ended"][:10],
        }
        for (_, backend), result in found.items()
    ]
    letters = ", ".join(f"{letter} {profile}" for profile, letter in LETTERS.items() if letter)
    return render("provenance.tex", runs=runs, letters=letters)


def provenance_long(calls: MacroCalls, found: dict[Key, Result]) -> str:
    """Return for each run its time, machine, parameters, versions and what is shown of it; then the data files."""
    machines, software, runs, files = {}, {}, [], {}
    for result in found.values():
        m = result.manifest
        machine = "{cpu}, {cores} cores, threads: {threads}, {memory_gib} GiB, {device}, {system}".format(
            **m["machine"]
        )
        versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
        letters = f"machine {letter(machines, machine)}, software {letter(software, versions)}"
        runs.append({"name": m["name"], "facts": facts(result, letters), "shown": shown_of(result, calls)})
        files = {digest: f"{s['dataset']}/{name}" for s in m["data"] for name, digest in s["files"]} | files
    sums = sorted((name, digest[:16]) for digest, name in files.items())
    return render("provenance-long.tex", machines=machines, software=software, runs=runs, files=sums)


def facts(result: Result, letters: str) -> str:
    """Return a run's framework, profile, time, memory, commit, `letters` of machine and software, and parameters."""
    m = result.manifest
    memory = f", at most {m['peak_memory_mib']:.0f} MiB" if m["peak_memory_mib"] else ""
    parameters = ", ".join(f"{name} = {value}" for name, value in m["parameters"].items()) or "no parameters"
    return (
        f"{FRAMEWORK[result.key[1]]}, {m['profile']}, {m['started'][:16]}, {m['seconds']:.0f} s{memory}, "
        f"commit {m['git']['commit'][:12]}, {letters}. {parameters}. "
    )


def letter(known: dict[str, str], text: str) -> str:
    """Return the capital letter of a text: a new one for a text not seen before."""
    return known.setdefault(text, chr(ord("A") + len(known)))


def shown_of(result: Result, calls: MacroCalls) -> str:
    """Return the figures, tables and numbers of a run that the text shows, by their places in it, and the others."""
    number, backend = result.key
    text = ""
    for kind, word, label, items in (
        ("figures", "Figures", "fig", calls.figures),
        ("tables", "Tables", "tab", calls.all_tables()),
    ):
        names = list(result.manifest["captions"][kind])
        here = [name for name in names if (number, backend, name) in items]
        others = [code(name) for name in names if name not in here]
        places = ", ".join(rf"\ref{{{label}:{number}-{backend}-{name}}} {code(name)}" for name in here)
        if here or backend != "tf":
            text += f"{word}: {places or 'none'}" + (f"; not shown: {', '.join(others)}. " if others else ". ")
        else:
            text += f"{word}: none; not shown: the same as PyTorch's. "
    used = sum(item[:2] == (number, backend) for item in calls.numbers)
    return text + f"Numbers: {len(result.numbers)}, in sentences {used}."
