"""Moments as one zip: a clip of each that may be shown, a table of all, the sidecar."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from duckdb import DuckDBPyConnection

from pipeline.column import Column
from pipeline.errors import MediaError
from pipeline.exchange.bundle import BundledFile, write_bundle
from pipeline.exchange.facts import StoreFacts
from pipeline.exchange.table_export import Bundle, OnStep, TableExport, sidecar
from pipeline.exchange.table_file import Value, write_table
from pipeline.media.clip_choice import Key, WantedClip, utterances_named
from pipeline.media.study_clips import StudyClips

_PLACE = Column("place", "INTEGER", "Place in the list, from 1", "count")
_FILE = Column("clip_file", "VARCHAR", "File of the clip in this zip; empty when there is none")
_NOTE = Column("clip_note", "VARCHAR", "Why there is no clip; empty when there is one")
_FACES = (
    "Faces were looked for in the clips and hidden. Some are missed: this is a courtesy, not "
    "anonymisation."
)
_HIDDEN = "the recording may not be shown, has no video, or left the study"
_NOT_FOR_TALKS = "the family allowed no excerpts: the recording's permission is media"
_CONFIRMED = (
    "Some clips are of recordings whose families allowed no excerpts (permission media). An admin "
    "confirmed that they stay with those who work with the study; do not show or hand them on."
)


@dataclass(frozen=True, slots=True)
class Margins:
    """How much of the recording a clip shows before and after the utterance."""

    lead_ms: int
    lag_ms: int


class Taken(Enum):
    """Which clips are handed out: those whose families allowed excerpts, or, when an admin
    confirmed it, all that may be played."""

    EXCERPTS = "excerpts"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class ClipsBundle:
    """A finished zip; of `bundle.n_rows` moments `n_clips` have a clip in it."""

    bundle: Bundle
    n_clips: int


def export_clips(
    con: DuckDBPyConnection,
    current: DuckDBPyConnection,
    facts: StoreFacts,
    keys: Sequence[Key],
    rows: TableExport,
    clips: StudyClips,
    margins: Margins,
    folder: Path,
    on_step: OnStep = lambda step, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
    taken: Taken = Taken.EXCERPTS,
) -> ClipsBundle:
    """Write the zip of the utterances `keys`, in their order, into `folder`.

    `rows` is an export of utterances (with recording_id and utterance_id); its rows of other
    utterances are left out. What may be shown is asked of `current`, the newest build, because a
    permission may have been withdrawn since the build of `con`, and of the metadata. A clip that
    is not `taken` or cannot be cut is noted in the table. Every clip that is handed out is logged
    as opened.
    """
    numbers = {key: place for place, key in enumerate(keys)}
    files: dict[Key, BundledFile] = {}
    notes: dict[Key, str] = {}
    n_confirmed = 0
    for clip in utterances_named(keys).wanted(current):
        if is_stopped():
            break
        key = (clip.recording_id, clip.utterance_id)
        on_step("Cutting clips", (len(files) + len(notes)) / max(1, len(keys)))
        try:
            may_leave = clip.permission.may_leave and clips.may_leave(clip.media_path)
            if not may_leave and taken is Taken.EXCERPTS:
                notes[key] = _NOT_FOR_TALKS
                continue
            n_confirmed += not may_leave
            path = clips.clip(
                clip.media_path, clip.span, lead_ms=margins.lead_ms, lag_ms=margins.lag_ms
            )
        except MediaError as problem:
            notes[key] = str(problem)
            continue
        files[key] = BundledFile(path, clip_file_name(numbers[key] + 1, clip))
        clips.log_opened(*key)
    table = _with_clips(rows, keys, files, notes, margins)
    if clips.hides_faces:
        table = replace(table, notes=(*table.notes, _FACES))
    if n_confirmed:
        table = replace(table, notes=(*table.notes, _CONFIRMED))
    file_name = f"{table.name}.csv"
    path = folder / file_name
    try:
        n_rows = write_table(con, table.sql, table.params, table.columns, path, "csv")
        target = folder / f"{table.name}.zip"
        write_bundle(
            target,
            [BundledFile(path, file_name), *files.values()],
            [sidecar(facts, table, file_name, n_rows)],
            lambda n_done, n_total: on_step("Packing", n_done / max(1, n_total)),
        )
    finally:
        path.unlink(missing_ok=True)
    return ClipsBundle(Bundle(target, n_rows), len(files))


def clip_file_name(place: int, clip: WantedClip) -> str:
    """Name of a clip in a zip: sorts by place and names the recording and the onset."""
    recording = re.sub(r"[^A-Za-z0-9_.-]+", "-", clip.recording_id)[:80]
    return f"clips/{place:03d}_{recording}_{clip.span.onset_ms}ms.mp4"


def _with_clips(
    rows: TableExport,
    keys: Sequence[Key],
    files: dict[Key, BundledFile],
    notes: dict[Key, str],
    margins: Margins,
) -> TableExport:
    """The rows of these utterances in order, each with its place, its clip, or why it has none."""
    sql = f"""
        SELECT k.place + 1 AS place, k.clip_file, k.clip_note, x.* FROM ({rows.sql}) x
        JOIN (SELECT unnest($export_recordings) AS recording_id,
                  unnest($export_utterances) AS utterance_id,
                  nullif(unnest($export_files), '') AS clip_file,
                  nullif(unnest($export_notes), '') AS clip_note,
                  unnest(range(len($export_recordings))) AS place) k
            ON k.recording_id = CAST(x.recording_id AS VARCHAR)
            AND k.utterance_id = x.utterance_id
        ORDER BY k.place"""
    params: dict[str, Value] = {
        **rows.params,
        "export_recordings": [key[0] for key in keys],
        "export_utterances": [key[1] for key in keys],
        "export_files": [files[key].name if key in files else "" for key in keys],
        "export_notes": ["" if key in files else notes.get(key, _HIDDEN) for key in keys],
    }
    note = (
        f"A clip begins {margins.lead_ms} ms before its utterance (or with the recording) and "
        f"ends {margins.lag_ms} ms after it."
    )
    return replace(
        rows,
        sql=sql,
        params=params,
        columns=(_PLACE, _FILE, _NOTE, *rows.columns),
        file_format="csv",
        notes=(*rows.notes, note),
    )
