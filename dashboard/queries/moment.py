"""Everything the store knows about one moment."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import pandas as pd
from duckdb import DuckDBPyConnection

from dashboard.filters import Filters
from dashboard.queries.selection import Measure, Query, Value, scored
from pipeline.records import MAY_BE_SHOWN, MAY_LEAVE, TimeSpan

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
        return self.permission in MAY_BE_SHOWN

    @property
    def is_wordless(self) -> bool:
        """Whether its words are kept from everybody, though some were said."""
        return not self.text and self.n_words > 0

    @property
    def may_leave(self) -> bool:
        """Whether the moment may be shown outside, in talks."""
        return self.permission in MAY_LEAVE


def moment(
    con: DuckDBPyConnection, recording_id: str, utterance_id: str, measure: Measure
) -> Moment | None:
    """The moment, or None when the store has no such utterance."""
    number = utterance_number(con, recording_id, utterance_id)
    if number is None:
        return None
    sql = f"""
        SELECT u.recording_id, u.utterance_id, u.child_id, u.onset_ms, u.offset_ms, u.text,
            u.speaker, u.speaker_overlap, u.language, u.n_words, u.mean_logprob,
            u.no_speech_prob, u.compression_ratio, coalesce(u.flags, []) AS flags, u.source,
            r.age_days, r.date, r.duration_ms, r.media_path, r.frames_path, r.width_px,
            r.height_px, r.audio_codec, r.permission, s.location, s.activity,
            s.* EXCLUDE (location, activity)
        FROM utterances u
        JOIN recordings r ON r.recording_id = u.recording_id
        JOIN (
            SELECT CAST(location AS VARCHAR) AS location, CAST(activity AS VARCHAR) AS activity,
                {measure.n_frames_sql}, {measure.score}, {measure.sql("max_cosine")},
                {measure.sql("mean_cosine")}, {measure.sql("z")}, {measure.sql("mean_z")},
                {measure.sql("p")}, {measure.sql("null_mean")}, {measure.sql("null_sd")},
                CASE WHEN missing_reason IN ('not_scored', 'no_noun') THEN missing_reason
                     WHEN {measure.n_frames_sql} = 0 THEN 'no_frame_in_window'
                     WHEN {measure.sql("max_cosine")} IS NULL THEN 'not_scored'
                     WHEN {measure.sql("null_mean")} IS NULL THEN 'no_null' END
            FROM scores_wide WHERE utterance_number = $number AND scorer = $scorer
        ) s ON TRUE
        WHERE u.utterance_number = $number"""
    found = con.execute(sql, {"scorer": measure.scorer, "number": number}).fetchone()
    if found is None:
        return None
    return Moment(**dict(zip((f.name for f in fields(Moment)), found, strict=True)))


def utterance_number(con: DuckDBPyConnection, recording_id: str, utterance_id: str) -> int | None:
    """Place of an utterance in this build, or None; by it rows are found without a search."""
    recording = con.execute(
        "SELECT first_utterance_number, n_utterances FROM recordings WHERE recording_id = ?",
        [recording_id],
    ).fetchone()
    if recording is None or recording[0] is None:
        return None
    first, n = recording
    row = con.execute(
        """SELECT utterance_number FROM utterances
           WHERE utterance_number >= ? AND utterance_number < ? AND utterance_id = ?""",
        [first, first + n, utterance_id],
    ).fetchone()
    return None if row is None else int(row[0])


def transcript_around(con: DuckDBPyConnection, recording_id: str, onset_ms: int) -> pd.DataFrame:
    """Utterances of the recording around a moment, by onset: utterance_id, onset_ms,
    offset_ms, speaker, text. The moment itself is among them."""
    sql = """
        WITH spoken AS (
            SELECT u.* FROM utterances u, (
                SELECT first_utterance_number AS first, n_utterances AS n FROM recordings
                WHERE recording_id = $recording_id
            ) r WHERE u.utterance_number >= r.first AND u.utterance_number < r.first + r.n
        ), here AS (
            SELECT min(utterance_number) AS place FROM spoken WHERE onset_ms >= $onset_ms
        )
        SELECT utterance_id, onset_ms, offset_ms, speaker, text FROM spoken, here
        WHERE utterance_number BETWEEN place - $n AND place + $n
        ORDER BY utterance_number"""
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
        SELECT unnest(time_ms) AS time_ms, unnest(lag_ms) AS lag_ms, unnest(center) AS center,
            unnest(pad) AS pad, unnest(squash) AS squash, unnest(multi) AS multi
        FROM lags WHERE utterance_number = $number AND scorer = $scorer ORDER BY time_ms"""
    number = utterance_number(con, recording_id, utterance_id)
    return Query(sql, {"number": -1 if number is None else number, "scorer": scorer}).frame(con)


def best_sub_crops(
    con: DuckDBPyConnection, recording_id: str, utterance_id: str, scorer: str, span: TimeSpan
) -> pd.DataFrame:
    """Which square of the multi crop suits the words best in each frame of `span`: time_ms,
    crop_index. None of a scorer that compares another text: the store keeps no vectors of these."""
    model = con.execute(
        "SELECT coalesce(base_scorer, scorer) FROM models "
        "WHERE scorer = $scorer AND coalesce(text_variant, 'raw') = 'raw'",
        {"scorer": scorer},
    ).fetchone()
    sql = """
        SELECT f.time_ms, arg_max(f.crop_index, list_inner_product(f.embedding, t.embedding)
            - coalesce(list_inner_product(f.embedding, h.text_mean), 0)) AS crop_index
        FROM frame_embeddings f JOIN utterance_embeddings t
            ON t.recording_id = f.recording_id AND t.scorer = f.scorer
        JOIN recordings r ON r.recording_id = f.recording_id
        LEFT JOIN hubs h
            ON h.scorer = $scorer AND h.child_id = r.child_id AND h.crop = 'multi'
        WHERE f.recording_id = $recording_id AND f.scorer = $base AND f.crop = 'multi'
            AND f.time_ms >= $from_ms AND f.time_ms < $to_ms AND t.utterance_id = $utterance_id
        GROUP BY f.time_ms ORDER BY f.time_ms"""
    params: dict[str, Value] = {
        **_key_params(recording_id, utterance_id, scorer),
        "base": "" if model is None else str(model[0]),
        "from_ms": span.onset_ms,
        "to_ms": span.offset_ms,
    }
    return Query(sql, params).frame(con)


def compared_text(
    con: DuckDBPyConnection, recording_id: str, utterance_id: str, variant: str
) -> str | None:
    """The text of a variant (see scored_texts), None where the utterance has none."""
    found = con.execute(
        """SELECT text FROM scored_texts WHERE text_variant = $variant
           AND utterance_number = $number""",
        {
            "variant": variant,
            "number": utterance_number(con, recording_id, utterance_id),
        },
    ).fetchone()
    return None if found is None else found[0]


def child_bins(
    con: DuckDBPyConnection, child_id: str, measure: Measure, width: float
) -> pd.DataFrame:
    """Scored utterances of a child per bin of `width`: bin_start, n."""
    base = scored(Filters(children=(child_id,)), measure)
    sql = f"""
        SELECT bin * $width AS bin_start, n
        FROM (
            SELECT CAST(floor(round(score / $width, 6)) AS INTEGER) AS bin, count(*) AS n
            FROM ({base.sql}) WHERE score IS NOT NULL GROUP BY bin)
        ORDER BY bin_start"""
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
