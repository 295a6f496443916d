"""Experiments: what is trained, compared and measured, over the seeds and in both twins; each
serves a notebook.
"""
