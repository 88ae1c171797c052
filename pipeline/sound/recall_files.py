"""Recall tables on disk, beside the heads they are of: `recall.json` in each run's folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.sound.systems import SYSTEMS
from pipeline.sound_results import RECALL_FILE, RecallRow
from pipeline.store.sealed_files import write_summed_text
from pipeline.store.sound_files import recall_rows


def write_rows(folder: Path, rows: Sequence[RecallRow]) -> None:
    """Keep the rows of one run."""
    text = json.dumps([asdict(row) for row in rows], indent=1)
    write_summed_text(folder / RECALL_FILE, text)


def kept_rows(derived: Path) -> list[RecallRow]:
    """Rows of every run of a study, in the order of the systems; of runs that differ only in
    what they were made from, the newest.

    Raises StoreError when a file is damaged.
    """
    order = [system.name for system in SYSTEMS]
    return sorted(recall_rows(derived), key=lambda row: (order.index(row.system), row.seed))
