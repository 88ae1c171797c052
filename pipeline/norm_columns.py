"""One column of norms as it is read: from the cells of a row to values by word."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.errors import StudyError
from pipeline.lemmas import named_language
from pipeline.parts_of_speech import part_of_speech
from pipeline.textfile import CsvLines

_EMPTY = ("", "na", "n/a", "#n/a", "nan", "null", "none")


@dataclass(frozen=True, slots=True)
class Norm:
    """Values of one norm by word, in lower case, for words of one language.

    unit: unit and source in words. is_count: values are counts, which are kept as log10.
    """

    name: str
    values: Mapping[str, float]
    unit: str = ""
    is_count: bool = False
    language: str = "en"


@dataclass(slots=True)
class NormColumn:
    """One norm that is being read: where its word and value stand, and what was read so far.

    word, value, language_place, label: places of cells; a label says which norm a row of a long
    table belongs to. rows: what several rows of a word give: mean, sum or first.
    """

    word: int
    value: int
    norm: str
    unit: str
    rows: str = "mean"
    is_count: bool = False
    is_log: bool = False
    is_pos: bool = False
    language: str = "en"
    language_place: int | None = None
    label: int | None = None
    only: tuple[int, str] | None = None
    totals: dict[tuple[str, str], dict[str, tuple[float, int]]] = field(default_factory=dict)
    spare: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)

    def take(self, lines: CsvLines, line: int, cells: Sequence[str], other: int | None) -> bool:
        """Read one row; False when it gives no word a value."""
        if self.only is not None and _cell(cells, self.only[0]) != self.only[1]:
            return False
        words = _words(cells, self.word)
        if self.is_pos:
            part = part_of_speech(_cell(cells, self.value))
            for word in words if part else ():
                self.parts.setdefault(word, part)
            return bool(words and part)
        value = _number(lines, line, cells, self.value)
        label = "" if self.label is None else _cell(cells, self.label)
        if not words or value is None or (self.label is not None and not label):
            return False
        if self.is_log:
            value = 10.0**value
        language = self.language
        if self.language_place is not None:
            language = named_language(_cell(cells, self.language_place)) or language
        totals = self.totals.setdefault((label, language), {})
        for word in words:
            total, n = totals.get(word, (0.0, 0))
            if not n or self.rows != "first":
                totals[word] = total + value, n + 1
        if other is not None:
            for word in _words(cells, other):
                self.spare.setdefault((label, language), {}).setdefault(word, value)
        return True

    def norms(self) -> list[Norm]:
        """What was read, one norm for each label and language."""
        found = []
        for key, totals in self.totals.items():
            label, language = key
            values = {
                word: total if self.rows == "sum" else total / n
                for word, (total, n) in totals.items()
            }
            # A word's other spelling has its value, unless that is a word of the list itself.
            values = {**self.spare.get(key, {}), **values}
            found.append(Norm(self.norm + label, values, self.unit, self.is_count, language))
        return found


def _words(cells: Sequence[str], place: int) -> tuple[str, ...]:
    """The words of a cell, in lower case; () for entries of several words.

    "dog (animal)" and "church*" are dog and church, "soda/pop" is soda and pop.
    """
    text = re.sub(r"\(.*?\)|[*!]", "", _cell(cells, place)).strip().lower().replace("’", "'")
    words = tuple(part.strip() for part in text.split("/"))
    return tuple(word for word in words if word and not re.search(r"\s", word))


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _number(lines: CsvLines, line: int, cells: Sequence[str], place: int) -> float | None:
    text = _cell(cells, place)
    if text.lower() in _EMPTY:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise StudyError(
            f"{lines.path.name}, line {line}: {lines.columns[place]} is {text!r}.",
            hint="It must be a number with a decimal point, or empty.",
        )
    return value
