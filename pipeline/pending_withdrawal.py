"""The mark of a withdrawal that was begun: while it lies there, nothing of the study is opened.

It is written before anything is deleted and goes when everything has been, so a withdrawal that
was cut off closes the study to the dashboard, to exports and to runs until it is finished.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import StoreError

FOLDER = "withdrawals"
"""Below the study: the mark, and the listings of what was removed."""
_MARK = "pending.json"


def pending_path(study_root: Path) -> Path:
    """Where the mark lies while a withdrawal is under way."""
    return study_root / FOLDER / _MARK


def refuse_while_pending(study_root: Path) -> None:
    """Raise StoreError while a withdrawal is not finished."""
    if pending_path(study_root).exists():
        raise StoreError(
            "A withdrawal from this study was begun and is not finished, so nothing of it is "
            "shown.",
            hint="Finish it with: python -m pipeline withdraw STUDY --resume",
        )
