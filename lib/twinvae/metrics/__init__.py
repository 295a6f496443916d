"""Numbers from arrays: likelihoods, samples, latent codes, anomalies, cost, and the baselines beside them.

Nothing here knows a framework. Every function says in its docstring what it cannot see; read no number alone.
"""

from twinvae import parts_on_demand

__all__ = ["anomaly", "baselines", "checks", "cost", "inpainting", "judge", "latent", "likelihood", "samples"]
__getattr__ = parts_on_demand(__name__, __all__)
