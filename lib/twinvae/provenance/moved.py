"""What modules were called in version 0.1, so that an old import or command says in one sentence what replaces it."""

MOVED = {
    "twinvae.committed": "twinvae_collect.update_notebooks",
    "twinvae.diagrams": "twinvae.figures.diagrams",
    "twinvae.draws": "twinvae.randomness",
    "twinvae.errata": "twinvae_studies.errata",
    "twinvae.exact": "twinvae_studies.exact",
    "twinvae.explorer": "twinvae_apps.explorer",
    "twinvae.handwriting": "twinvae_apps.handwriting",
    "twinvae.handwriting.signs": "twinvae_apps.handwriting.type_table",
    "twinvae.history": "twinvae.checkpoints",
    "twinvae.latex": "twinvae.run.latex",
    "twinvae.pad": "twinvae_apps.drawing_square",
    "twinvae.panel": "twinvae_apps.explorer_panel",
    "twinvae.parameters": "twinvae.run.parameters",
    "twinvae.plots": "twinvae.figures.plots",
    "twinvae.report": "twinvae_collect",
    "twinvae.report.asked": "twinvae_collect.macro_calls",
    "twinvae.report.pages": "twinvae_collect.claims_tables",
    "twinvae.report.tables": "twinvae_collect.short_tables",
    "twinvae.results": "twinvae.run.results",
    "twinvae.sheets": "twinvae.figures.overview",
    "twinvae.site": "twinvae_collect.html_edition",
    "twinvae.spec.named": "twinvae.zoo",
    "twinvae.studies": "twinvae_studies",
    "twinvae.studies.anomalies": "twinvae_studies.report001_anomalies",
    "twinvae.studies.bench": "twinvae_studies.speed",
    "twinvae.studies.bounds": "twinvae_studies.burda2016_bounds",
    "twinvae.studies.characters": "twinvae_studies.report000",
    "twinvae.studies.completion": "twinvae_studies.sohn2015",
    "twinvae.studies.digits": "twinvae_studies.digits_cvae",
    "twinvae.studies.priors": "twinvae_studies.fitted_priors",
    "twinvae.studies.published": "twinvae_studies.burda2016",
    "twinvae.studies.quadrants": "twinvae_studies.sohn2015",
    "twinvae.studies.race": "twinvae_studies.report003",
    "twinvae.studies.signs": "twinvae_studies.report001",
    "twinvae.studies.study": "twinvae_studies.evaluation",
    "twinvae.studies.sweep": "twinvae_studies.report002_tuning",
    "twinvae.studies.twins": "twinvae_studies.framework_differences",
    "twinvae.studies.versus": "twinvae_studies.report002",
    "twinvae.studies.ways": "twinvae_studies.training_loops",
    "twinvae.style": "twinvae.figures.style",
    "twinvae.weights": "twinvae.checkpoints",
}


def refuse(name: str) -> None:
    """Raise ModuleNotFoundError, with one sentence on what replaces it, for a module that has moved.

    Python imports a package before what is in it, so the sentence about a package names its renamed modules too.
    The error has no `name`, or `from twinvae import plots` would hide its sentence.
    """
    if name in MOVED:
        inside = {old.removeprefix(f"{name}."): new for old, new in MOVED.items() if old.startswith(f"{name}.")}
        renamed = ", ".join(f"{old} is {new.rpartition('.')[2]}" for old, new in inside.items())
        raise ModuleNotFoundError(f"{name} is now {MOVED[name]}{f', where {renamed}' if renamed else ''}")
