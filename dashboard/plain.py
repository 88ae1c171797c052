"""Text of people on pages that Streamlit reads as Markdown."""

from __future__ import annotations

import re

_MARKUP = re.compile(
    r"[\\`*_\[\]<>$~|]"  # anywhere
    r"|:[\w+-]*[A-Za-z][\w+-]*(?:[:/][\w+-]*)*"  # signs, icons, colours: `:name:`, `:red[`
    r"|&(?=#?\w+;)"  # characters by their name
    r"|^(?=[ \t]*([#+=-]|\d+[.)]))[ \t]*\d*",  # headings and lists
    re.MULTILINE,
)
_OWN_SIGN = (":streamlit:", ":\u2060streamlit:")
"""Streamlit draws its sign whatever is escaped; a joiner, which is not seen, keeps it apart."""


def escaped(text: str) -> str:
    """Markdown that shows `text` as it was written.

    Transcripts, notes and names are no Markdown: a picture in them would be fetched, a formula
    drawn. Only what Markdown would act upon is changed.
    """
    return _MARKUP.sub(_escaped, text.replace(*_OWN_SIGN))


def _escaped(found: re.Match[str]) -> str:
    piece = found[0]
    if piece.startswith(":"):
        return re.sub(r"[:/_]", r"\\\g<0>", piece)
    is_one = len(piece) == 1 and not piece.isspace() and not piece.isdigit()
    return f"\\{piece}" if is_one else f"{piece}\\"
