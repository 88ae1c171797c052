"""What a column and a table of the store are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `type` is DuckDB's, `unit` is empty for text and identifiers.

    `is_picked`: pages read it of a few scattered rows. It is kept uncompressed, because of
    compressed text a whole block is unpacked for each row (1.8 million utterances: 24 texts in 9
    instead of 26 ms, for a file 2 % larger).
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    is_picked: bool = False

    @property
    def comment(self) -> str:
        return f"{self.meaning} [{self.unit}]" if self.unit else self.meaning


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the store. `order_by` is its sort order: it makes builds comparable."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    order_by: tuple[str, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


RECORDING_ID = Column("recording_id", "VARCHAR", "Recording the row belongs to")
UTTERANCE_ID = Column(
    "utterance_id", "VARCHAR", "Utterance within its recording; made from its content"
)
UTTERANCE_NUMBER = Column(
    "utterance_number",
    "INTEGER",
    "Place of the utterance in this build, from 0, by recording and time; other builds number "
    "differently",
)
SCORER = Column("scorer", "VARCHAR", "Model that gave the scores; see the table models")
ONSET = Column("onset_ms", "INTEGER", "Start, from the start of the recording", "ms")
OFFSET = Column("offset_ms", "INTEGER", "End, from the start of the recording", "ms")
