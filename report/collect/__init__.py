"""The PDF: what its text asks for (`asked`), the `claims` and their verdicts, the `pages` made of both, all in `collect`."""
