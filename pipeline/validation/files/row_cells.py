"""The cells of a row as values, and what is wrong with them in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.people.raters import MAX_LABEL
from pipeline.people.store import MomentRef
from pipeline.records import TimeSpan
from pipeline.validation.files.cells import CellError, moment_of, real, whole, yes_no
from pipeline.validation.files.columns import RATER
from pipeline.validation.files.rows import NOWHERE


class RowError(ValueError):
    """A row that cannot be taken: `sentence` says why, `fix` what to do."""

    def __init__(self, sentence: str, fix: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fix = fix


class RowCells:
    """Cells of one row, with its errors told as RowErrors."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells

    def has(self, name: str) -> bool:
        """Whether the file has this column."""
        return name in self._cells

    def text(self, name: str) -> str:
        """The cell as it stands, "" where the file has no such column."""
        return self._cells.get(name, "")

    def whole(self, name: str) -> int | None:
        """A whole number, None where nothing is said."""
        try:
            return whole(self.text(name))
        except CellError as problem:
            raise RowError(f"{name}: {problem}.", "Write a whole number.") from None

    def real(self, name: str) -> float | None:
        """A number, None where nothing is said."""
        try:
            return real(self.text(name))
        except CellError as problem:
            raise RowError(f"{name}: {problem}.", "Write a number or leave it empty.") from None

    def yes_no(self, name: str) -> bool | None:
        """Yes or no, None where nothing is said."""
        try:
            return yes_no(self.text(name))
        except CellError as problem:
            raise RowError(f"{name}: {problem}.", "Write true or false.") from None


def rater_in(row: RowCells) -> str:
    """The rater's pseudonym. Raises RowError."""
    rater = " ".join(row.text(RATER.name).split())
    if not rater or len(rater) > MAX_LABEL or not rater.isprintable():
        raise RowError(
            f"prolific_pid is {rater[:20]!r}." if rater else "prolific_pid is empty.",
            f"Give the rater a pseudonym of 1 to {MAX_LABEL} characters.",
        )
    return rater


def rt_ms_in(row: RowCells) -> float | None:
    """The response time. Raises RowError."""
    rt_ms = row.real("rt_ms")
    if rt_ms is not None and rt_ms < 0:
        raise RowError(f"rt_ms is {rt_ms:g}.", "A response time is not negative.")
    return rt_ms


def time_in(row: RowCells) -> str:
    """When the answer was given, "" where nothing is said. Raises RowError."""
    try:
        return moment_of(row.text("timestamp"))
    except CellError as problem:
        raise RowError(f"timestamp: {problem}.", "Write such as 2026-03-01T14:05:09Z.") from None


def moment_in(row: RowCells, name: Callable[[str], str] = str) -> MomentRef:
    """The moment under the columns that `name` makes of their plain names; NOWHERE where the row
    does not say one. Raises RowError."""
    recording = row.text(name("recording_id"))
    onset, offset = row.whole(name("onset_ms")), row.whole(name("offset_ms"))
    if not recording or onset is None or offset is None:
        return NOWHERE
    try:
        return MomentRef(recording, row.text(name("utterance_id")), TimeSpan(onset, offset))
    except ValueError as problem:
        raise RowError(
            f"{name('onset_ms')} and {name('offset_ms')}: {problem}.", "Correct the times."
        ) from None
