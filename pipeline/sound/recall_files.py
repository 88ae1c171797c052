"""Recall tables on disk, beside the heads they are of: `recall.json` in each run's folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.sound.systems import SYSTEMS
from pipeline.sound_results import RECALL_FILE, RecallRow, recall_rows
from pipeline.store.shards import write_atomically


def write_rows(folder: Path, rows: Sequence[RecallRow]) -> None:
    """Keep the rows of one run."""

    def write(partial: Path) -> None:
        partial.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")

    write_atomically(folder / RECALL_FILE, write)


def kept_rows(derived: Path) -> list[RecallRow]:
    """Rows of every run of a study, in the order of the systems; of runs that differ only in
    what they were made from, the newest.

    Raises StoreError when a file is damaged.
    """
    order = [system.name for system in SYSTEMS]
    return sorted(recall_rows(derived), key=lambda row: (order.index(row.system), row.seed))
