"""The tables of scores: flat and wide for the dashboard, long as views for analysts."""

from __future__ import annotations

from pipeline.column import (
    OFFSET,
    ONSET,
    RECORDING_ID,
    SCORER,
    UTTERANCE_ID,
    UTTERANCE_NUMBER,
    Column,
    Table,
)
from pipeline.score_columns import (
    CROPS,
    REACHES,
    SCORE_STATISTICS,
    WINDOWS,
    reach_column,
    reach_frames_column,
    wide_column,
)

_LAG_MEANING = (
    "Distance of the frame from the nearest instant of the utterance: "
    "0 inside, below 0 before it, above 0 after it"
)


def _reach_meaning(side: str, seconds: int) -> str:
    if side == "inside":
        return "during the utterance"
    return f"up to {seconds} s {side} the utterance, without those during it"


NAME_TYPES: dict[str, str] = {
    "recording_names": "SELECT recording_id FROM recordings",
    "child_names": "SELECT child_id FROM recordings",
    "speaker_names": "SELECT speaker FROM utterances",
    "language_names": "SELECT language FROM utterances",
    "location_names": "SELECT location FROM contexts",
    "activity_names": "SELECT activity FROM contexts",
    "quadrant_names": "SELECT quadrant FROM sound_scores",
}
"""ENUM types of `scores_wide` and where their names come from: small numbers that read as text."""

LAGS = Table(
    "lags",
    "One row per utterance and scorer: every frame from 10 s before to 10 s after the utterance, "
    "as lists of equal length in order of time.",
    (
        UTTERANCE_NUMBER,
        RECORDING_ID,
        UTTERANCE_ID,
        SCORER,
        Column("time_ms", "INTEGER[]", "Frames", "ms"),
        Column("lag_ms", "INTEGER[]", f"{_LAG_MEANING} of each frame", "ms"),
        *(Column(crop, "FLOAT[]", f"Cosines under the {crop} crop", "cosine") for crop in CROPS),
    ),
    ("scorer", "utterance_number"),
)

LAG_COSINES_VIEW = Table(
    "lag_cosines",
    "View of lags: one row per utterance, scorer and frame.",
    (
        RECORDING_ID,
        UTTERANCE_ID,
        SCORER,
        Column("time_ms", "INTEGER", "Frame", "ms"),
        Column("lag_ms", "INTEGER", _LAG_MEANING, "ms"),
        *(Column(crop, "FLOAT", f"Cosine under the {crop} crop", "cosine") for crop in CROPS),
    ),
    ("recording_id", "scorer", "utterance_id", "time_ms"),
)

SCORES_WIDE = Table(
    "scores_wide",
    "One flat row per utterance and scorer: what utterances are chosen by, and every score in "
    "columns. NULL where a window holds no frame; null_* NULL where no null could be drawn.",
    (
        UTTERANCE_NUMBER,
        SCORER,
        Column("recording_id", "recording_names", "Recording"),
        UTTERANCE_ID,
        Column("child_id", "child_names", "Child who wore the camera"),
        Column("age_days", "INTEGER", "Age of the child at the recording, if known", "days"),
        ONSET,
        OFFSET,
        Column("speaker", "speaker_names", "As in utterances"),
        Column("language", "language_names", "As in utterances"),
        Column("location", "location_names", "Location in the middle of the utterance"),
        Column("activity", "activity_names", "Activity in the middle of the utterance"),
        Column("quadrant", "quadrant_names", "Seen, heard, both or neither: see sound_scores"),
        Column("n_words", "SMALLINT", "Words in the text", "count"),
        Column("mean_logprob", "FLOAT", "Whisper's mean log-probability", "nat"),
        Column(
            "flag_bits",
            "UINTEGER",
            "Flags of the utterance: bit i (from 0) for the i-th flag of the data dictionary",
        ),
        Column("random_key", "UINTEGER", "Made from the ids: random samples are drawn by it"),
        *(
            Column(f"n_frames_{window}", "SMALLINT", f"Frames in the {window} window", "count")
            for window in WINDOWS
        ),
        Column(
            "missing_reason",
            "VARCHAR",
            "Why the strict score is NULL: no_frame_in_window, no_null, no_noun, not_scored",
        ),
        *(
            Column(
                wide_column(crop, window, statistic.name),
                statistic.type,
                f"{statistic.meaning}; {crop} crop, {window} window",
                statistic.unit,
            )
            for crop in CROPS
            for window in WINDOWS
            for statistic in SCORE_STATISTICS
        ),
        *(
            Column(
                reach_frames_column(side, seconds),
                "SMALLINT",
                f"Frames {_reach_meaning(side, seconds)}",
                "count",
            )
            for side, seconds in REACHES
        ),
        *(
            Column(
                reach_column(crop, side, seconds, statistic),
                "FLOAT",
                f"{meaning} over the frames {_reach_meaning(side, seconds)}; {crop} crop",
                "cosine",
            )
            for crop in CROPS
            for side, seconds in REACHES
            for statistic, meaning in (("max", "Largest cosine"), ("sum", "Sum of the cosines"))
        ),
    ),
    ("scorer", "utterance_number"),
)

SCORE_COLUMN_NAMES = SCORES_WIDE.column_names[SCORES_WIDE.column_names.index("random_key") + 1 :]
"""Columns of scores_wide that an align shard brings; the others come from other tables."""

FRAME_COUNT_COLUMNS, SCORE_NUMBER_COLUMNS = (
    tuple(
        column.name
        for column in SCORES_WIDE.columns
        if column.name in SCORE_COLUMN_NAMES and column.type == kind
    )
    for kind in ("SMALLINT", "FLOAT")
)
"""Score columns that an align shard packs into its lists `counts` and `scores`, in this order."""

SCORES_VIEW = Table(
    "scores",
    "View: one row per utterance, scorer, crop and window.",
    (
        RECORDING_ID,
        UTTERANCE_ID,
        SCORER,
        Column("crop", "VARCHAR", "center, pad, squash or multi"),
        Column("window", "VARCHAR", "strict, 1s or 2s (seconds added on both sides)"),
        Column("n_frames", "SMALLINT", "Frames in the window", "count"),
        *SCORE_STATISTICS,
    ),
    ("recording_id", "scorer", "utterance_id", "crop", "window"),
)
