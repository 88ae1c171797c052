"""The lines of the audit as a table: chosen, newest first, and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from pipeline.access.audit import AuditLine
from pipeline.spreadsheet import csv_text

SHOWN_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class OpenedChoice:
    """Which lines are asked for; an empty text or None is all."""

    who: str = ""
    what: str = ""
    recording_id: str = ""
    day: date | None = None

    def leaves(self, line: AuditLine) -> bool:
        one = line.opened
        return (
            (not self.who or one.who == self.who)
            and (not self.what or one.what == self.what)
            and (not self.recording_id or self.recording_id in one.recording_id)
            and (self.day is None or line.time.startswith(self.day.isoformat()))
        )


def opened_frame(lines: Sequence[AuditLine], choice: OpenedChoice) -> pd.DataFrame:
    """Columns Line, Time (UTC), Who, Role, What, Recording, Utterance, Detail; newest first."""
    rows = [
        (
            line.number,
            line.time,
            line.opened.who,
            line.opened.role,
            line.opened.what,
            line.opened.recording_id,
            line.opened.utterance_id,
            line.opened.detail,
        )
        for line in reversed(lines)
        if choice.leaves(line)
    ]
    names = ["Line", "Time (UTC)", "Who", "Role", "What", "Recording", "Utterance", "Detail"]
    return pd.DataFrame(rows, columns=names)


def opened_csv(rows: pd.DataFrame) -> bytes:
    """The table as CSV in which no cell is a formula to a spreadsheet."""
    return csv_text(rows.astype(str)).encode()
