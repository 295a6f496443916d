"""`python -m twinvae_apps.handwriting "text" --writer 7 --out page.pdf`: the text in a hand, as a PDF or PNG."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from twinvae import backend, training
from twinvae_apps.arguments import check_output, checked_text
from twinvae_apps.handwriting import load, save, traits, write


def main(arguments: list[str] | None = None) -> int:
    """Write one page; exit status 2, and one sentence, where that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m twinvae_apps.handwriting", description=__doc__)
    parser.add_argument("text", help="letters, digits and plain punctuation; '-' reads it from the standard input")
    parser.add_argument("--writer", type=int, default=0, help="number of the writer, 0 or more (default 0)")
    parser.add_argument("--out", type=Path, default=Path("page.pdf"), help="the file, .pdf or .png (default page.pdf)")
    parser.add_argument("--backend", choices=tuple(backend.TWINS), default="torch")
    parser.add_argument("--slant", type=float, default=0.0, help="degrees to lean more to the right")
    parser.add_argument("--thickness", type=float, default=0.0, help="pixels of the data's images to write thicker")
    parser.add_argument("--placeholder", action="store_true", help="a box for each character that no hand can write")
    parser.add_argument("--weights", type=Path, help="a file of weights other than the pen's")
    chosen = parser.parse_args(arguments)
    if chosen.writer < 0:
        parser.error(f"the writer is {chosen.writer}; give a whole number from 0")
    try:
        check_output(chosen.out, ".pdf", ".png")
        text = checked_text(chosen.text)
        pen = load(backend.get(chosen.backend), chosen.weights)
        hand = pen.hand(chosen.writer)
        if chosen.slant or chosen.thickness:
            found = traits(pen)
            hand = hand.moved(found["slant"], chosen.slant).moved(found["thickness"], chosen.thickness)
        print(save(write(text, hand, chosen.placeholder), chosen.out))
    except (training.NotTrained, ValueError, OSError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
