"""Small pictures of sampled frames, read from the vision shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.current_rules import rules_now
from pipeline.errors import MediaError
from pipeline.store.layout import vision_shards


def read_thumbnails(
    study_root: Path, recording_id: str, times_ms: Sequence[int]
) -> dict[int, bytes]:
    """JPEGs of the full frame by time_ms; times without a picture are left out.

    Reads only the row groups that hold the times. An absent or damaged shard gives no pictures:
    the store alone still answers every question. Nor are there any where the metadata allow none
    now, or black them out.
    """
    try:
        rule = rules_now(study_root).shown(recording_id)
    except MediaError:
        return {}
    wanted = {time for time in times_ms if not rule.redactions.is_black(time)}
    for path in vision_shards(study_root / "derived", recording_id):
        pictures = _pictures(path, wanted)
        if pictures:
            return pictures
    return {}


def _pictures(path: Path, wanted: set[int]) -> dict[int, bytes]:
    if not wanted:
        return {}
    try:
        table = pq.read_table(
            path,
            columns=["time_ms", "thumbnail"],
            filters=[("time_ms", ">=", min(wanted)), ("time_ms", "<=", max(wanted))],
            partitioning=None,
        )
    except (OSError, pa.ArrowInvalid):
        return {}
    times = table["time_ms"].to_pylist()
    pictures = table["thumbnail"].to_pylist()
    return {
        int(time): bytes(picture)
        for time, picture in zip(times, pictures, strict=True)
        if time in wanted and picture
    }
