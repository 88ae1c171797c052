"""Expert labels as a table: a row per moment and expert."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from pipeline.column import Column
from pipeline.people.expert_labels import labels_of
from pipeline.people.raters import raters_of
from pipeline.people.trial_records import Item, TrialSet
from pipeline.people.trial_sets import items_of
from pipeline.validation.files.rows import Cell

_TEXT = "VARCHAR"

LABEL_COLUMNS = (
    Column("prolific_pid", _TEXT, "Pseudonym of the expert"),
    Column("item_id", _TEXT, "The moment; the same for every expert"),
    Column("label", _TEXT, "Was what was said in view: aligned, partly, not, cannot_tell"),
    Column("referent", _TEXT, "What the words name, as the expert wrote it"),
    Column("utterance", _TEXT, "What was said"),
    Column("timestamp", _TEXT, "When the label was kept, UTC"),
    Column("rt_ms", "DOUBLE", "From the drawing of the image to the label", "ms"),
    Column("app_version", _TEXT, "Program that took the label"),
    Column("is_simulated", "BOOLEAN", "Whether a program answered, not a person"),
    Column("score", "DOUBLE", "Alignment score of the moment", "cosine"),
    Column("z", "DOUBLE", "Score against chance", "SD of the matched null"),
    Column("bin", "INTEGER", "Stratum of the score, from 0"),
    Column("recording_id", _TEXT, "Recording"),
    Column("utterance_id", _TEXT, "Utterance within its recording"),
    Column("onset_ms", "INTEGER", "Start of the utterance", "ms"),
    Column("offset_ms", "INTEGER", "End of the utterance", "ms"),
    Column("frame_ms", "INTEGER", "Time of the picture", "ms"),
    Column("set_name", _TEXT, "Set of moments"),
)


def label_rows(con: sqlite3.Connection, one: TrialSet) -> Iterator[Mapping[str, Cell]]:
    """The labels of a set by rater and moment, under LABEL_COLUMNS."""
    items = items_of(con, one.set_id)
    raters = {rater.rater_id: rater for rater in raters_of(con, one.set_id)}
    for given in labels_of(con, one.set_id):
        rater = raters[given.rater_id]
        yield {
            "prolific_pid": rater.label,
            "label": given.label.value,
            "referent": given.referent,
            "timestamp": given.answered_at,
            "rt_ms": given.rt_ms,
            "app_version": given.app_version,
            "is_simulated": rater.is_simulated,
            "set_name": one.name,
            **_item_cells(items[given.item_id]),
        }


def _item_cells(item: Item) -> dict[str, Cell]:
    (option,) = item.options
    return {
        "item_id": item.item_id,
        "utterance": option.text,
        "score": item.score,
        "z": item.z,
        "bin": item.bin,
        "recording_id": option.moment.recording_id,
        "utterance_id": option.moment.utterance_id,
        "onset_ms": option.moment.span.onset_ms,
        "offset_ms": option.moment.span.offset_ms,
        "frame_ms": option.frame_ms,
    }
