"""Numbers from arrays: likelihoods, samples, latent codes, anomalies, cost, and the baselines beside them.

Nothing here knows a framework. Every function says in its docstring what it cannot see; read no number alone.
"""

from importlib import import_module

__all__ = ["anomaly", "baselines", "checks", "cost", "inpainting", "judge", "latent", "likelihood", "samples"]


def __getattr__(name: str):
    """Import a part when it is first asked for (PEP 562): what no part needs is never loaded."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its parts are {', '.join(__all__)}")
