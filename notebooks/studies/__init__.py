"""What is trained, compared and measured, over the seeds and in both twins; each study serves a notebook."""
