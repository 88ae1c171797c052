"""Recall tables on disk, beside the heads they are of: `recall.json` in each run's folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.sound.evaluate import RecallRow
from pipeline.sound.systems import SYSTEMS
from pipeline.store.shards import write_atomically

_FILE = "recall.json"


def write_rows(folder: Path, rows: Sequence[RecallRow]) -> None:
    """Keep the rows of one run."""

    def write(partial: Path) -> None:
        partial.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")

    write_atomically(folder / _FILE, write)


def kept_rows(derived: Path) -> list[RecallRow]:
    """Rows of every run of a study, in the order of the systems; of runs that differ only in
    what they were made from, the newest.

    Raises StoreError when a file is damaged.
    """
    newest: dict[tuple[str, int], Path] = {}
    for path in (derived / "sound" / "heads").glob(f"*/{_FILE}"):
        system, _, rest = path.parent.name.rpartition("-seed")
        key = (system, int(rest.partition("-")[0]))
        if key not in newest or newest[key].stat().st_mtime_ns < path.stat().st_mtime_ns:
            newest[key] = path
    order = [system.name for system in SYSTEMS]
    rows: list[RecallRow] = []
    for key in sorted(newest, key=lambda key: (order.index(key[0]), key[1])):
        try:
            content = json.loads(newest[key].read_text(encoding="utf-8"))
            rows += [RecallRow(**row) for row in content]
        except (OSError, ValueError, TypeError) as problem:
            raise StoreError(
                f"The recall table of {newest[key].parent.name} is damaged.",
                hint="Delete that folder under derived/sound/heads and train again.",
            ) from problem
    return rows
