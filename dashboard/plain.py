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
_WHATEVER = re.compile(
    r"(?<=:)(?=streamlit:)"  # its own sign
    r"|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=[\w-])",  # links and addresses
    re.IGNORECASE,
)
"""What Streamlit acts upon even if it is escaped; a joiner, which is not seen, keeps it apart."""


def escaped(text: str) -> str:
    """Markdown that shows `text` as it was written.

    Transcripts, notes and names are no Markdown: a picture in them would be fetched, a formula
    drawn, an address linked. Only what Markdown would act upon is changed.
    """
    return _MARKUP.sub(_escaped, _WHATEVER.sub("\u2060", text))


def _escaped(found: re.Match[str]) -> str:
    piece = found[0]
    if piece.startswith(":"):
        return re.sub(r"[:/_]", r"\\\g<0>", piece)
    is_one = len(piece) == 1 and not piece.isspace() and not piece.isdigit()
    return f"\\{piece}" if is_one else f"{piece}\\"
