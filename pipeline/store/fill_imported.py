"""Put scores made elsewhere beside the study's own, as further scorers.

The files lie in metadata/scores of the study. A file that cannot be used, and rows that match no
utterance, become notices of the store; they stop nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.errors import StudyError
from pipeline.records import Notice
from pipeline.schema import wide_column
from pipeline.score_file import ScoreRows, read_scores
from pipeline.score_matching import (
    Matches,
    RecordingName,
    RecordingUtterances,
    match_scores,
)
from pipeline.score_report import score_reports
from pipeline.study import Study

SCORES_FOLDER = "metadata/scores"
IMPORTED_TABLE = "imported_scores"
IMPORTED_WEIGHTS = "imported"
FALLBACK_QUANTILE = 0.9
FALLBACK_SOURCE = "upper tenth of the imported scores, because the file gives no threshold"
_BATCH_ROWS = 100_000
_READ_BYTES = 1 << 22
_STATISTICS = ("max_cosine", "mean_cosine", "min_cosine")


def score_files(study_root: Path) -> list[Path]:
    """The study's files of imported scores, by name."""
    return sorted((study_root / SCORES_FOLDER).glob("*.csv"))


def insert_imported_scores(con: duckdb.DuckDBPyConnection, study: Study) -> tuple[Notice, ...]:
    """Make the temporary table IMPORTED_TABLE and one row of `models` for each scorer.

    Recordings, utterances, store_info and the study's own models must be in. The table has
    recording_id, utterance_id, scorer, missing_reason and the strict maximum, mean and minimum
    of the centre crop. Notices are added to those of store_info and returned.
    """
    columns = ", ".join(f"{wide_column('center', 'strict', name)} FLOAT" for name in _STATISTICS)
    con.execute(
        f"CREATE TEMP TABLE {IMPORTED_TABLE} (recording_id VARCHAR, utterance_id VARCHAR, "
        f"scorer VARCHAR, missing_reason VARCHAR, {columns})"
    )
    notices: list[Notice] = []
    for path in score_files(study.root):
        try:
            rows = read_scores(path)
        except StudyError as problem:
            notices.append(_left_out(path, f"{problem.message} {problem.hint}"))
            continue
        matches = match_scores(rows, recording_names(con), recordings_of_store(con))
        for place, report in enumerate(score_reports(rows, matches)):
            if _has_model(con, report.scorer):
                notices.append(
                    _left_out(
                        path,
                        f"the scorer {report.scorer} exists already. Rename it in its column "
                        "scorer, or rename the file.",
                    )
                )
                continue
            unmatched = report.notice()
            notices += [unmatched] if unmatched else []
            if report.n_matched:
                _insert_scorer(con, path, rows, matches, place)
    if notices:
        con.execute(
            "UPDATE store_info SET notices = list_concat(coalesce(notices, []), ?)",
            [[notice.message for notice in notices]],
        )
    return tuple(notices)


def recording_names(con: duckdb.DuckDBPyConnection) -> list[RecordingName]:
    """Recordings of a store and the files they come from."""
    rows = con.execute("SELECT recording_id, media_path FROM recordings").fetchall()
    return [RecordingName(recording_id, media_path) for recording_id, media_path in rows]


def recordings_of_store(con: duckdb.DuckDBPyConnection) -> Iterator[RecordingUtterances]:
    """Utterances of a store, one recording after the other, in the order of utterance_number.

    The connection is busy until the last one was taken.
    """
    con.execute(
        "SELECT recording_id, utterance_id, onset_ms, offset_ms, coalesce(text, '') "
        "FROM utterances ORDER BY recording_id, onset_ms, utterance_id"
    )
    first_number = 0
    for recording_id, rows in groupby(_fetched(con), key=itemgetter(0)):
        _, utterance_ids, onsets, offsets, texts = zip(*rows, strict=True)
        numbers = np.arange(first_number, first_number + len(texts), dtype=np.int64)
        yield RecordingUtterances(
            recording_id=recording_id,
            numbers=numbers,
            utterance_ids=utterance_ids,
            onset_ms=np.array(onsets, np.int64),
            offset_ms=np.array(offsets, np.int64),
            texts=texts,
        )
        first_number += len(texts)


def _fetched(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, int, int, str]]:
    while rows := con.fetchmany(_BATCH_ROWS):
        yield from rows


def _insert_scorer(
    con: duckdb.DuckDBPyConnection, path: Path, rows: ScoreRows, matches: Matches, place: int
) -> None:
    used = matches.used()
    used = used[rows.scorer[used] == place]
    scorer, threshold = rows.scorers[place], rows.thresholds[place]
    source = f"{SCORES_FOLDER}/{path.name}"
    if threshold is None:
        top = float(np.quantile(rows.maximum[used], FALLBACK_QUANTILE))
        threshold, source = float(f"{top:.3g}"), FALLBACK_SOURCE
    con.execute(
        "INSERT INTO models VALUES (?, ?, ?, ?, 0, 0, '', '', ?, ?, ?, 'raw', FALSE)",
        [scorer, path.name, IMPORTED_WEIGHTS, file_digest(path), threshold, source, scorer],
    )
    scores = pa.table(
        {
            "utterance_number": pa.array(matches.utterance_number[used]),
            **{
                name: pa.array(values[used], pa.float32(), from_pandas=True)
                for name, values in zip(
                    _STATISTICS, (rows.maximum, rows.mean, rows.minimum), strict=True
                )
            },
        }
    )
    con.register("scores_matched", scores)
    con.execute(
        f"""
        INSERT INTO {IMPORTED_TABLE}
        SELECT u.recording_id, u.utterance_id, ?, 'no_null', {", ".join(_STATISTICS)}
        FROM scores_matched JOIN utterances u USING (utterance_number)
        """,
        [scorer],
    )
    con.unregister("scores_matched")


def file_digest(path: Path) -> str:
    """Digest of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()[:16]


def _has_model(con: duckdb.DuckDBPyConnection, scorer: str) -> bool:
    return bool(con.execute("SELECT 1 FROM models WHERE scorer = ?", [scorer]).fetchone())


def _left_out(path: Path, why: str) -> Notice:
    message = f"{SCORES_FOLDER}/{path.name} was left out: {why}"
    return Notice("imported_scores_left_out", message)
