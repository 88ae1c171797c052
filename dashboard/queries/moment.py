"""Everything the store knows about one moment."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.selection import Measure, Query, Value, scored
from pipeline.records import Permission, TimeSpan

N_LINES_AROUND = 6
"""Lines of transcript shown before and after the moment."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One utterance with its recording and its scores under one measure.

    `score` is the measure's; it and the fields from max_cosine to null_sd are None where
    `missing_reason` says why. z and p belong to max_cosine.
    """

    recording_id: str
    utterance_id: str
    child_id: str
    onset_ms: int
    offset_ms: int
    text: str
    speaker: str
    speaker_overlap: float | None
    language: str | None
    n_words: int
    mean_logprob: float | None
    no_speech_prob: float | None
    compression_ratio: float | None
    flags: list[str]
    source: str | None
    age_days: int | None
    date: date | None
    duration_ms: int
    media_path: str | None
    frames_path: str | None
    width_px: int | None
    height_px: int | None
    audio_codec: str | None
    permission: str
    location: str | None
    activity: str | None
    n_frames: int | None
    score: float | None
    max_cosine: float | None
    mean_cosine: float | None
    z: float | None
    mean_z: float | None
    p: float | None
    null_mean: float | None
    null_sd: float | None
    missing_reason: str | None

    @property
    def span(self) -> TimeSpan:
        return TimeSpan(self.onset_ms, self.offset_ms)

    @property
    def may_be_shown(self) -> bool:
        """Whether pictures and sound of this recording may be shown."""
        return self.permission == Permission.MEDIA.value


def moment(
    con: DuckDBPyConnection, recording_id: str, utterance_id: str, measure: Measure
) -> Moment | None:
    """The moment, or None when the store has no such utterance."""
    middle = "(u.onset_ms + u.offset_ms) // 2"
    context = (
        "(SELECT min(c.{}) FROM contexts c WHERE c.recording_id = u.recording_id "
        f"AND c.onset_ms <= {middle} AND c.offset_ms > {middle})"
    )
    sql = f"""
        SELECT u.recording_id, u.utterance_id, u.child_id, u.onset_ms, u.offset_ms, u.text,
            u.speaker, u.speaker_overlap, u.language, u.n_words, u.mean_logprob,
            u.no_speech_prob, u.compression_ratio, coalesce(u.flags, []) AS flags, u.source,
            r.age_days, r.date, r.duration_ms, r.media_path, r.frames_path, r.width_px,
            r.height_px, r.audio_codec, r.permission,
            {context.format("location")} AS location, {context.format("activity")} AS activity,
            s.n_frames_{measure.window} AS n_frames,
            s.{measure.score_column} AS score,
            s.{measure.column("max_cosine")} AS max_cosine,
            s.{measure.column("mean_cosine")} AS mean_cosine,
            s.{measure.column("z")} AS z, s.{measure.column("mean_z")} AS mean_z,
            s.{measure.column("p")} AS p,
            s.{measure.column("null_mean")} AS null_mean,
            s.{measure.column("null_sd")} AS null_sd,
            CASE WHEN s.utterance_id IS NULL THEN 'not_scored'
                 WHEN s.n_frames_{measure.window} = 0 THEN 'no_frame_in_window'
                 WHEN s.{measure.column("max_cosine")} IS NULL THEN 'not_scored'
                 WHEN s.{measure.column("null_mean")} IS NULL THEN 'no_null' END AS missing_reason
        FROM utterances u
        JOIN recordings r ON r.recording_id = u.recording_id
        LEFT JOIN scores_wide s ON s.recording_id = u.recording_id
            AND s.utterance_id = u.utterance_id AND s.scorer = $scorer
        WHERE u.recording_id = $recording_id AND u.utterance_id = $utterance_id"""
    found = con.execute(
        sql,
        {
            "scorer": measure.scorer,
            "recording_id": recording_id,
            "utterance_id": utterance_id,
        },
    ).fetchone()
    if found is None:
        return None
    return Moment(**dict(zip((f.name for f in fields(Moment)), found, strict=True)))


def transcript_around(con: DuckDBPyConnection, recording_id: str, onset_ms: int) -> pd.DataFrame:
    """Utterances of the recording around a moment, by onset: utterance_id, onset_ms,
    offset_ms, speaker, text. The moment itself is among them."""
    columns = "utterance_id, onset_ms, offset_ms, speaker, text"
    sql = f"""
        SELECT * FROM (
            (SELECT {columns} FROM utterances
             WHERE recording_id = $recording_id AND onset_ms < $onset_ms
             ORDER BY onset_ms DESC, utterance_id DESC LIMIT $n)
            UNION ALL
            (SELECT {columns} FROM utterances
             WHERE recording_id = $recording_id AND onset_ms >= $onset_ms
             ORDER BY onset_ms, utterance_id LIMIT $n + 1))
        ORDER BY onset_ms, utterance_id"""
    params: dict[str, Value] = {
        "recording_id": recording_id,
        "onset_ms": onset_ms,
        "n": N_LINES_AROUND,
    }
    return Query(sql, params).frame(con)


def frame_cosines(
    con: DuckDBPyConnection, recording_id: str, utterance_id: str, scorer: str
) -> pd.DataFrame:
    """Frames from 10 s before to 10 s after the utterance, by time: time_ms, lag_ms, and the
    cosine under each crop (center, pad, squash, multi; NULL where a crop was not made)."""
    sql = """
        SELECT time_ms, lag_ms, center, pad, squash, multi FROM lag_cosines
        WHERE recording_id = $recording_id AND utterance_id = $utterance_id AND scorer = $scorer
        ORDER BY time_ms"""
    return Query(sql, _key_params(recording_id, utterance_id, scorer)).frame(con)


def best_sub_crops(
    con: DuckDBPyConnection, recording_id: str, utterance_id: str, scorer: str, span: TimeSpan
) -> pd.DataFrame:
    """Which square of the multi crop suits the words best in each frame of `span`: time_ms,
    crop_index."""
    sql = """
        SELECT f.time_ms, arg_max(f.crop_index, list_inner_product(f.embedding, t.embedding))
            AS crop_index
        FROM frame_embeddings f JOIN utterance_embeddings t
            ON t.recording_id = f.recording_id AND t.scorer = f.scorer
        WHERE f.recording_id = $recording_id AND f.scorer = $scorer AND f.crop = 'multi'
            AND f.time_ms >= $from_ms AND f.time_ms < $to_ms AND t.utterance_id = $utterance_id
        GROUP BY f.time_ms ORDER BY f.time_ms"""
    params: dict[str, Value] = {
        **_key_params(recording_id, utterance_id, scorer),
        "from_ms": span.onset_ms,
        "to_ms": span.offset_ms,
    }
    return Query(sql, params).frame(con)


def child_bins(
    con: DuckDBPyConnection, child_id: str, measure: Measure, width: float
) -> pd.DataFrame:
    """Scored utterances of a child per bin of `width`: bin_start, n."""
    base = scored(Filters(children=(child_id,)), measure)
    sql = f"""
        SELECT CAST(floor(round(score / $width, 6)) AS INTEGER) * $width AS bin_start, count(*) AS n
        FROM ({base.sql}) WHERE score IS NOT NULL GROUP BY ALL ORDER BY bin_start"""
    return Query(sql, {**base.params, "width": width}).frame(con)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a score stands among the child's n scored utterances: n_below are lower.

    `low` and `high` are the child's least and greatest score, 0 when there is none.
    """

    n_below: int
    n: int
    low: float
    high: float


def place_in_child(
    con: DuckDBPyConnection, child_id: str, measure: Measure, score: float | None
) -> Place:
    """How many of the child's scored utterances lie below `score` (none below None)."""
    base = scored(Filters(children=(child_id,)), measure)
    sql = f"""
        SELECT count(*) FILTER (WHERE score < $score), count(score),
            coalesce(min(score), 0), coalesce(max(score), 0)
        FROM ({base.sql})"""
    n_below, n, low, high = con.execute(sql, {**base.params, "score": score}).fetchall()[0]
    return Place(n_below, n, low, high)


def _key_params(recording_id: str, utterance_id: str, scorer: str) -> dict[str, Value]:
    return {"recording_id": recording_id, "utterance_id": utterance_id, "scorer": scorer}
