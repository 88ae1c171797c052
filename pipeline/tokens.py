"""Words as they are counted and searched for."""

from __future__ import annotations

import re
import unicodedata

_ASCII_TOKENS = re.compile(r"\d+(?:[.,]\d+)+|[a-z0-9_]+(?:['\-][a-z0-9_]+)*")
_JOINERS = "'-"
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "＇": "'", "‐": "-", "‑": "-"})


def tokenize(text: str) -> list[str]:
    """Words of a text in lower case, without punctuation; any script.

    Apostrophes and hyphens stay inside a word ("don't", "uh-oh"), as do marks between digits
    ("3.5"). Curly apostrophes become straight ones, so that "don’t" is found too.
    """
    text = unicodedata.normalize("NFC", text).translate(_APOSTROPHES).lower()
    if text.isascii():
        return _ASCII_TOKENS.findall(text)
    tokens: list[str] = []
    word = ""
    for position, character in enumerate(text):
        following = text[position + 1 : position + 2]
        if _is_part_of_word(character) or (word and _joins(word[-1], character, following)):
            word += character
        elif word:
            tokens.append(word)
            word = ""
    return [*tokens, word] if word else tokens


def _joins(before: str, character: str, after: str) -> bool:
    if character in _JOINERS:
        return _is_part_of_word(before) and bool(after) and _is_part_of_word(after)
    return character in ".," and before.isdigit() and after.isdigit()


def _is_part_of_word(character: str) -> bool:
    # Letters, marks that combine with them, and numbers.
    return character == "_" or unicodedata.category(character)[0] in "LMN"
