"""Put what `sound score` and `sound train` found into the store.

Scores are joined by recording and utterance id. An utterance whose words or times changed since
has another id: its old score matches nothing, it has no row of its own, and both are counted in
the notices of the store. A damaged file is left out with a notice; it stops nothing.
"""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import duckdb

from pipeline.errors import StoreError
from pipeline.records import Notice
from pipeline.sound_results import RecallRow
from pipeline.sound_tables import QUADRANTS, SOUND_SCORES
from pipeline.store.sound_files import (
    SoundScores,
    is_avcaps,
    newest_scores,
    recall_rows,
    sound_files,
)
from pipeline.study import Study

_AGAIN = "python -m pipeline sound score STUDY"
_JOINED = ("utterance_number", "system", "quadrant")


def files_of_sound(study: Study) -> list[Path]:
    """Every file of a study that the tables of sound are made from."""
    return [*sound_files(study.derived), *_caption_files(study)]


def insert_sound(con: duckdb.DuckDBPyConnection, study: Study) -> tuple[Notice, ...]:
    """Fill `sound_scores`, `sound_systems` and `sound_recall`, which stay empty without sound.

    Utterances and store_info must be in. Notices are added to those of store_info and returned.
    """
    notices: list[Notice] = []
    try:
        found = newest_scores(study.derived)
        if found is not None:
            notices += _insert_scores(con, found)
    except (StoreError, duckdb.Error) as problem:
        notices.append(_left_out("scores", problem))
    try:
        _insert_recall(con, recall_rows(study.derived), is_avcaps(_caption_files(study)))
    except StoreError as problem:
        notices.append(_left_out("recall", problem))
    if notices:
        con.execute(
            "UPDATE store_info SET notices = list_concat(coalesce(notices, []), ?)",
            [[notice.message for notice in notices]],
        )
    return tuple(notices)


def _insert_scores(con: duckdb.DuckDBPyConnection, found: SoundScores) -> list[Notice]:
    words = "CASE s.quadrant " + " ".join(
        f"WHEN '{said}' THEN '{code}'" for code, said in QUADRANTS.items()
    )
    columns = ", ".join(f's."{name}"' for name in SOUND_SCORES.column_names if name not in _JOINED)
    con.execute(
        f"""
        INSERT INTO sound_scores BY NAME
        SELECT u.utterance_number, $system AS system, {words} END AS quadrant, {columns}
        FROM read_parquet($file, hive_partitioning = false) s
        JOIN utterances u USING (recording_id, utterance_id)
        ORDER BY u.utterance_number
        """,
        {"system": found.system, "file": str(found.path)},
    )
    n_matched, n_in_store = _count(con, "sound_scores"), _count(con, "utterances")
    models = found.models
    con.execute(
        "INSERT INTO sound_systems VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            found.system,
            found.seed,
            models.encoder or None,
            models.encoder_revision or None,
            models.image_model or None,
            models.hears_speech,
            found.text,
            found.split_by,
            found.n_folds,
            found.n_utterances,
            n_matched,
            list(found.left_out),
        ],
    )
    return _unmatched(found.n_utterances - n_matched, n_in_store - n_matched)


def _unmatched(n_gone: int, n_new: int) -> list[Notice]:
    notices = []
    if n_gone:
        message = (
            f"{n_gone} score(s) of sound are of utterances that are not in the store (their words "
            f"or times have changed since) and were left out. Score again: {_AGAIN}"
        )
        notices.append(Notice("sound_scores_unmatched", message, n_gone))
    if n_new:
        message = (
            f"{n_new} utterance(s) were not looked at for sound: they are new, have changed, or "
            f"their recording could not be read. Score again: {_AGAIN}"
        )
        notices.append(Notice("sound_not_scored", message, n_new))
    return notices


def _insert_recall(
    con: duckdb.DuckDBPyConnection, rows: list[RecallRow], is_of_avcaps: bool
) -> None:
    for row in sorted(rows, key=lambda row: (row.system, row.seed, row.scope, row.gallery)):
        (system, gallery, query, scope, *numbers, n_left_out, seed, text) = astuple(row)
        corpus = "AVCaps" if is_of_avcaps and not text else None
        con.execute(
            "INSERT INTO sound_recall VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [system, gallery, query, scope, *numbers, n_left_out, text, seed, corpus],
        )


def _caption_files(study: Study) -> list[Path]:
    return sorted((study.root / "metadata" / "captions").glob("*.csv"))


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _left_out(what: str, problem: Exception) -> Notice:
    hint = problem.hint if isinstance(problem, StoreError) else f"Score again: {_AGAIN}"
    message = problem.message if isinstance(problem, StoreError) else f"{problem}."
    return Notice(f"sound_{what}_left_out", f"Sound was left out. {message} {hint}")
