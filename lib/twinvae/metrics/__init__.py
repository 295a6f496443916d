"""Numbers from arrays: likelihoods, samples, latent codes, anomalies, cost, and the baselines beside them.

Nothing here knows a framework. Every function says in its docstring what it cannot see; read no number alone.
"""
