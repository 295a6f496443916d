"""The report of the finished runs: LaTeX for the PDF (`collect`), the notebooks as HTML and with their outputs."""
