"""What a report is made of, before it is written: sections of paragraphs, tables and figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline import labels

Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A column as the reader sees it: made of one or several fields of the table.

    `words` gets the values of `fields` in a row. Numbers stand at the right.
    """

    title: str
    fields: tuple[str, ...]
    words: Callable[..., str]
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table: `frame` goes to the CSV as it is, `shown` says what stands in the report.

    `name` is the stem of its file, `caption` says what it shows, with n and interval. Of many
    rows the first `limit` stand in the report.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    shown: tuple[Shown, ...]
    limit: int = 60


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure as SVG in the colours of the light page, and the numbers it draws.

    `alternative` tells in words what is seen, for those who do not see it.
    """

    name: str
    caption: str
    alternative: str
    svg: str
    frame: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain text. `kind` is "plain", "lead" (the answer) or "note" (small print)."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Heading:
    """A title within a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """Sentences, each with what it is about, which may be empty."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text in which every space counts, such as settings."""

    text: str


Block = Paragraph | Heading | Bullets | Verbatim | ReportTable | ReportFigure


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report; `name` is its place in links."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is written. `made_on` is the only thing that two runs do not share."""

    title: str
    facts: tuple[tuple[str, str], ...]
    made_on: str
    n_utterances: int
    sections: tuple[Section, ...]

    @property
    def tables(self) -> list[ReportTable]:
        """All tables, in order."""
        return [b for s in self.sections for b in s.blocks if isinstance(b, ReportTable)]

    @property
    def figures(self) -> list[ReportFigure]:
        """All figures, in order."""
        return [b for s in self.sections for b in s.blocks if isinstance(b, ReportFigure)]


def is_missing(value: object) -> bool:
    """Whether a cell has no value."""
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def text(title: str, field: str) -> Shown:
    """A column of words."""
    return Shown(title, (field,), _plain, is_number=False)


def count(title: str, field: str) -> Shown:
    """A column of whole numbers."""
    return Shown(title, (field,), _count)


def number(title: str, field: str, digits: int = 3) -> Shown:
    """A column of numbers with so many decimals."""
    return Shown(title, (field,), lambda value: decimal(value, digits))


def percent(title: str, field: str, digits: int = 1) -> Shown:
    """A column of shares, in per cent."""
    return Shown(title, (field,), lambda value: percent_words(value, digits))


def percent_interval(title: str, fields: Sequence[str], digits: int = 1) -> Shown:
    """A share with its limits: `fields` are estimate, low and high, 0-1."""

    def words(estimate: Cell, low: Cell, high: Cell) -> str:
        shown = percent_words(estimate, digits)
        if is_missing(low) or is_missing(high):
            return shown
        return f"{shown} [{_times_100(low, digits)}, {_times_100(high, digits)}]"

    return Shown(title, tuple(fields), words)


def points_interval(title: str, fields: Sequence[str], digits: int = 1) -> Shown:
    """A difference of shares in percentage points with its limits."""

    def words(estimate: Cell, low: Cell, high: Cell) -> str:
        shown = _times_100(estimate, digits, sign="+")
        if is_missing(low) or is_missing(high):
            return shown
        return (
            f"{shown} [{_times_100(low, digits, sign='+')}, {_times_100(high, digits, sign='+')}]"
        )

    return Shown(title, tuple(fields), words)


def interval(title: str, fields: Sequence[str], digits: int = 3) -> Shown:
    """A number with its limits."""

    def words(estimate: Cell, low: Cell, high: Cell) -> str:
        shown = decimal(estimate, digits)
        if is_missing(low) or is_missing(high):
            return shown
        return f"{shown} [{decimal(low, digits)}, {decimal(high, digits)}]"

    return Shown(title, tuple(fields), words)


def decimal(value: Cell, digits: int) -> str:
    """A number with so many decimals, a true minus sign, a dash where it is missing."""
    if is_missing(value) or not isinstance(value, (int, float)):
        return labels.NO_VALUE
    return f"{value:,.{digits}f}".replace("-", "−")


def percent_words(value: Cell, digits: int = 1) -> str:
    """0.1264 -> '12.6 %'."""
    if is_missing(value) or not isinstance(value, (int, float)):
        return labels.NO_VALUE
    return labels.percent(float(value), digits)


def _times_100(value: Cell, digits: int, sign: str = "") -> str:
    if is_missing(value) or not isinstance(value, (int, float)):
        return labels.NO_VALUE
    return f"{100 * value:{sign}.{digits}f}".replace("-", "−")


def _plain(value: Cell) -> str:
    return labels.NO_VALUE if is_missing(value) or value == "" else str(value)


def _count(value: Cell) -> str:
    if is_missing(value) or not isinstance(value, (int, float)):
        return labels.NO_VALUE
    return labels.count(int(value))


def hours(title: str, field: str) -> Shown:
    """A column of lengths of recordings, from milliseconds."""
    return Shown(title, (field,), lambda value: labels.hours(int(value or 0)))


def ages(title: str, fields: Sequence[str]) -> Shown:
    """A column of age ranges, from days."""

    def words(low: Cell, high: Cell) -> str:
        if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
            return labels.NO_VALUE
        known = labels.age_range(float(low), float(high))
        return known.removesuffix(" months").replace("age unknown", labels.NO_VALUE)

    return Shown(title, tuple(fields), words)
