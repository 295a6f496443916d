"""A text in one consistent hand, written by a CVAE of characters: `python -m twinvae_apps.handwriting "text"`.

A writer is one style z, drawn from the prior with the writer's number as seed and held across all characters
(`hands`); the sizes that the data sets took away come back from a table, and punctuation, which no data set has, is
drawn by us, as the dots on i and j are (`type_table`); characters become glyphs (`glyphs`), set by their ink in lines
on a page (`page`).
"""

from twinvae_apps.handwriting.hands import Hand, Pen, Trait, alphabet_like, traits
from twinvae_apps.handwriting.measures import legibility, writer_recognition
from twinvae_apps.handwriting.page import Page, save, write, write_by
from twinvae_apps.handwriting.pen import load
from twinvae_apps.handwriting.type_table import PANGRAM, SUPPORTED, unsupported
