"""What a notebook shows beside figures: tables with captions, sentences with numbers in them, source code."""

import html
import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
from IPython import get_ipython
from IPython.display import Markdown, display
from pandas.io.formats.style import Styler

from twinvae.run import latex

MISSING, SHORT = "–", 14  # words of fewer signs are not broken into lines
Words = Mapping[str, str]
SCOREBOARD = {  # the columns of a scoreboard that are shown, and how
    **{"parameters": ",.0f", "epochs": ".0f", "elbo": ".1f", "nll_is": ".1f", "nll_marginal": ".1f"},
    **{"conditional_accuracy": ".3f", "diversity": ".2f", "frechet": ".1f"},
}
CAPTION = "caption-side: top; text-align: left; white-space: normal; padding-bottom: 0.5em; "
CAPTION += "margin-right: min(0px, 100% - 46em)"  # wider than a narrow table
CAPTION_LOOK = "text-align: left; min-width: 32em"  # where JupyterLab drops the style above


def show_table(name: str, df: pd.DataFrame, caption: str, fmt: Words, best: Words, colours: Words) -> None:
    """Show a table under its name and caption, with the formats that LaTeX prints; nothing outside of a notebook."""
    if get_ipython():
        df = latex.without_index(df, not isinstance(df.index, pd.RangeIndex)).reset_index(drop=True)
        web = styled(name, df, caption, fmt, best, colours).to_html()
        display({"text/html": web, "text/plain": f"Table {name}. {caption}\n\n{df}"}, raw=True)


def show_scoreboard(board: pd.DataFrame) -> None:
    """Show the columns of a scoreboard that say most, without those that are empty."""
    shown = board[["model", "dataset", "seed", *SCOREBOARD]].dropna(axis="columns", how="all")
    caption = "One row a trained model; scoreboard.csv has all columns. Nats per test image."
    show_table("scoreboard", shown, caption, SCOREBOARD, {}, {})


def styled(name: str, df: pd.DataFrame, caption: str, fmt: Words, best: Words, colours: Words) -> Styler:
    """Return a table for the screen: text to the left, numbers to the right, '–' where there is nothing.

    `best` is column -> 'min' or 'max', in bold; `colours` what a cell says -> the colour behind it.
    """
    words = f"Table <i>{html.escape(name)}</i>. {html.escape(caption, quote=False)}"
    of_words = {c: not pd.api.types.is_numeric_dtype(df[c].dropna().infer_objects()) for c in df}  # of nothing: numbers
    right = [{"selector": f".col{at}", "props": "text-align: right"} for at, c in enumerate(df) if not of_words[c]]
    left = [{"selector": "th, td", "props": "text-align: left; vertical-align: top"}]
    caption = f'<div style="{CAPTION_LOOK}">{words}</div>'
    styler = Styler(df, uuid=name, cell_ids=False, caption=caption).hide(axis="index")
    styler.set_table_styles([{"selector": "caption", "props": CAPTION}, *left, *right])
    most = {column: getattr(df[column], which)() for column, which in best.items()}
    cells = {c: partial(cell, fmt=fmt.get(c), left=of_words[c], colours=colours, best=most.get(c)) for c in df}
    styler.format(cells, escape="html")
    styler.format_index(lambda c: cell(html.escape(latex.in_words(c)), None, of_words[c], {}), axis="columns")
    return styler.map(lambda value: f"color: black; background-color: {colours[value]}" if value in colours else "")


def cell(value: Any, fmt: str | None, left: bool, colours: Words, best: Any = None) -> str:
    """Return a cell as HTML, its look in it: JupyterLab drops a new notebook's style sheets.  `best` is in bold."""
    text, look = MISSING if pd.isna(value) else latex.plain(value, fmt), "text-align: left"
    text = text if best is None or value != best else f"<b>{text}</b>"
    look += "; white-space: nowrap" if len(text) < SHORT else ""
    look += f"; color: black; background-color: {colours[value]}" if value in colours else ""
    return f'<div style="{look}">{text}</div>' if left else text


def findings(text: str, numbers: Mapping[str, float], formats: Words, words: Words) -> None:
    """Show a text with each {name} replaced by a word or a number in its format: as Markdown in a notebook.

    Raises ValueError for a name of neither.
    """
    shown = {name: format(value, formats[name]) for name, value in numbers.items()} | dict(words)
    try:
        filled = inspect.cleandoc(text).format_map(shown)
    except KeyError as error:
        what = f"the findings name {error}, which the run has not kept"
        raise ValueError(f"{what}: keep it with run.number, or give the word") from None
    display(Markdown(filled)) if get_ipython() else print(filled)


def show_source(thing: Any) -> None:
    """Show how a class or function is written, as highlighted code: JupyterLab colours Markdown's in any notebook."""
    source = inspect.cleandoc("\n" + inspect.getsource(thing))
    display(Markdown(f"```python\n{source}\n```")) if get_ipython() else print(source)
