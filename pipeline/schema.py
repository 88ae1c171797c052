"""The glossary: every table and column of the store, with unit and meaning.

CREATE TABLE statements, column comments, the data dictionary and the dashboard's help texts are
all made from this file.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_VERSION = 1

CROPS = ("center", "pad", "squash", "multi")
WINDOWS: dict[str, int] = {"strict": 0, "1s": 1_000, "2s": 2_000}
"""Window name -> milliseconds added on both sides of the utterance."""

MAX_LAG_MS = 10_000
NULL_DRAWS = 100
NULL_MIN_LAG_MS = 60_000

ADULT_SPEAKERS = ("FEM", "MAL")
CHILD_SPEAKERS = ("CHI", "OCH")

UTTERANCE_FLAGS: dict[str, str] = {
    "overlapping": "overlaps another utterance of the same recording",
    "clipped_to_media": "ended after the end of the recording and was cut there",
    "no_word_times": "the transcript gave no times for its words",
    "repetitive": "compression ratio above 2.4: Whisper may have looped",
    "likely_no_speech": "no-speech probability above .6",
    "low_confidence": "mean log-probability below -1",
    "split_by_sentence": "cut out of a longer segment after . ! or ?",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `type` is DuckDB's, `unit` is empty for text and identifiers."""

    name: str
    type: str
    meaning: str
    unit: str = ""

    @property
    def comment(self) -> str:
        return f"{self.meaning} [{self.unit}]" if self.unit else self.meaning


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the store. `order_by` is its sort order: it makes builds comparable."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    order_by: tuple[str, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


_RECORDING_ID = Column("recording_id", "VARCHAR", "Recording the row belongs to")
_UTTERANCE_ID = Column(
    "utterance_id", "VARCHAR", "Utterance within its recording; made from its content"
)
_SCORER = Column("scorer", "VARCHAR", "Model that gave the scores; see the table models")
_ONSET = Column("onset_ms", "INTEGER", "Start, from the start of the recording", "ms")
_OFFSET = Column("offset_ms", "INTEGER", "End, from the start of the recording", "ms")

CHILDREN = Table(
    "children",
    "One row per child. Birth dates are not kept.",
    (
        Column("child_id", "VARCHAR", "Pseudonym of the child"),
        Column("sex", "VARCHAR", "As in the study's children.csv, if given"),
        Column("n_recordings", "INTEGER", "Recordings of this child in the store", "count"),
        Column("n_utterances", "INTEGER", "Utterances of this child in the store", "count"),
        Column("total_ms", "BIGINT", "Summed duration of the child's recordings", "ms"),
        Column("min_age_days", "INTEGER", "Age at the first recording", "days"),
        Column("max_age_days", "INTEGER", "Age at the last recording", "days"),
    ),
    ("child_id",),
)

RECORDINGS = Table(
    "recordings",
    "One row per recording that was read, also when a later stage failed.",
    (
        _RECORDING_ID,
        Column("child_id", "VARCHAR", "Child who wore the camera"),
        Column("date", "DATE", "Day of the recording, if known"),
        Column("age_days", "INTEGER", "Age of the child on that day, if known", "days"),
        Column("duration_ms", "INTEGER", "Length of the recording", "ms"),
        Column("media_path", "VARCHAR", "Video, relative to recordings/raw of the study"),
        Column("frames_path", "VARCHAR", "Folder of extracted frames, relative to the study"),
        Column("width_px", "INTEGER", "Width after rotation", "px"),
        Column("height_px", "INTEGER", "Height after rotation", "px"),
        Column("frame_rate_hz", "DOUBLE", "Average frame rate of the video", "Hz"),
        Column("video_codec", "VARCHAR", "Video codec"),
        Column("audio_codec", "VARCHAR", "Audio codec; NULL when there is no audio track"),
        Column("n_frames", "INTEGER", "Sampled frames", "count"),
        Column("n_utterances", "INTEGER", "Utterances", "count"),
        Column("transcript_source", "VARCHAR", "Where the utterances came from"),
        Column("permission", "VARCHAR", "What may be shown: media, excerpts or scores_only"),
        Column("notices", "VARCHAR[]", "What the person should know about this recording"),
    ),
    ("recording_id",),
)

UTTERANCES = Table(
    "utterances",
    "One row per utterance.",
    (
        _RECORDING_ID,
        _UTTERANCE_ID,
        Column("child_id", "VARCHAR", "Child who wore the camera"),
        _ONSET,
        _OFFSET,
        Column("text", "VARCHAR", "What was said, as transcribed"),
        Column("speaker", "VARCHAR", "FEM, MAL, CHI (key child), OCH (other child) or NA"),
        Column(
            "speaker_overlap",
            "FLOAT",
            "Share of the utterance covered by the winning speaker label",
            "0-1",
        ),
        Column("language", "VARCHAR", "Language code, if known"),
        Column("n_words", "INTEGER", "Words in the text", "count"),
        Column("mean_logprob", "FLOAT", "Whisper's mean log-probability", "nat"),
        Column("no_speech_prob", "FLOAT", "Whisper's no-speech probability", "0-1"),
        Column("compression_ratio", "FLOAT", "Whisper's compression ratio", "ratio"),
        Column("flags", "VARCHAR[]", "Marks such as overlapping or repetitive"),
        Column("source", "VARCHAR", "Transcript or model the utterance came from"),
    ),
    ("recording_id", "onset_ms", "utterance_id"),
)

WORDS = Table(
    "words",
    "One row per word of an utterance.",
    (
        _RECORDING_ID,
        _UTTERANCE_ID,
        Column("word_index", "INTEGER", "Position in the utterance, from 0"),
        Column("word", "VARCHAR", "The word as transcribed"),
        Column("token", "VARCHAR", "The word in lower case without punctuation, for searching"),
        Column("onset_ms", "INTEGER", "Start; NULL when the transcript has no word times", "ms"),
        Column("offset_ms", "INTEGER", "End; NULL when the transcript has no word times", "ms"),
        Column("probability", "FLOAT", "Confidence of the transcriber", "0-1"),
    ),
    ("recording_id", "utterance_id", "word_index"),
)

FRAMES = Table(
    "frames",
    "One row per sampled frame.",
    (
        _RECORDING_ID,
        Column("time_ms", "INTEGER", "The frame's own timestamp", "ms"),
        Column("grid_index", "INTEGER", "Position on the sampling grid, from 0", "count"),
    ),
    ("recording_id", "time_ms"),
)

FRAME_EMBEDDINGS = Table(
    "frame_embeddings",
    "Image embeddings, unit length. The multi crop has one row per sub-crop.",
    (
        _RECORDING_ID,
        Column("time_ms", "INTEGER", "Frame", "ms"),
        _SCORER,
        Column("crop", "VARCHAR", "center, pad, squash or multi"),
        Column("crop_index", "INTEGER", "Sub-crop of the multi crop, else 0"),
        Column("embedding", "FLOAT[]", "Unit vector"),
    ),
    ("recording_id", "scorer", "time_ms", "crop", "crop_index"),
)

UTTERANCE_EMBEDDINGS = Table(
    "utterance_embeddings",
    "Text embeddings of the raw utterances, unit length.",
    (_RECORDING_ID, _UTTERANCE_ID, _SCORER, Column("embedding", "FLOAT[]", "Unit vector")),
    ("recording_id", "scorer", "utterance_id"),
)

LAG_COSINES = Table(
    "lag_cosines",
    "Cosine of an utterance with every frame from 10 s before to 10 s after it.",
    (
        _RECORDING_ID,
        _UTTERANCE_ID,
        _SCORER,
        Column("time_ms", "INTEGER", "Frame", "ms"),
        Column(
            "lag_ms",
            "INTEGER",
            "Distance of the frame from the nearest instant of the utterance: "
            "0 inside, below 0 before it, above 0 after it",
            "ms",
        ),
        *(Column(crop, "FLOAT", f"Cosine under the {crop} crop", "cosine") for crop in CROPS),
    ),
    ("recording_id", "scorer", "utterance_id", "time_ms"),
)

SCORE_STATISTICS = (
    Column("max_cosine", "FLOAT", "Largest cosine over the frames of the window", "cosine"),
    Column("mean_cosine", "FLOAT", "Mean cosine over the frames of the window", "cosine"),
    Column("min_cosine", "FLOAT", "Smallest cosine over the frames of the window", "cosine"),
    Column("null_mean", "FLOAT", "Mean of max_cosine over the matched null windows", "cosine"),
    Column("null_sd", "FLOAT", "SD of max_cosine over the matched null windows", "cosine"),
    Column("z", "FLOAT", "(max_cosine - null_mean) / null_sd", "SD"),
    Column("p", "FLOAT", "(1 + null windows at or above max_cosine) / (K + 1)", "0-1"),
    Column("mean_z", "FLOAT", "z of mean_cosine against the same null windows", "SD"),
)
"""What is kept for each utterance, scorer, crop and window."""


def wide_column(crop: str, window: str, statistic: str) -> str:
    """Name of a statistic's column in `scores_wide`, e.g. center_strict_z."""
    return f"{crop}_{window}_{statistic}"


_SCORE_KEYS = (_RECORDING_ID, _UTTERANCE_ID, _SCORER)

SCORES_WIDE = Table(
    "scores_wide",
    "One row per utterance and scorer, every crop and window in columns. "
    "NULL where a window holds no frame; null_* NULL where no null could be drawn.",
    (
        *_SCORE_KEYS,
        *(
            Column(f"n_frames_{window}", "SMALLINT", f"Frames in the {window} window", "count")
            for window in WINDOWS
        ),
        Column(
            "missing_reason", "VARCHAR", "Why the strict score is NULL: no_frame_in_window, no_null"
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
    ),
    ("recording_id", "scorer", "utterance_id"),
)

SCORES_VIEW = Table(
    "scores",
    "View: one row per utterance, scorer, crop and window.",
    (
        *_SCORE_KEYS,
        Column("crop", "VARCHAR", "center, pad, squash or multi"),
        Column("window", "VARCHAR", "strict, 1s or 2s (seconds added on both sides)"),
        Column("n_frames", "SMALLINT", "Frames in the window", "count"),
        *SCORE_STATISTICS,
    ),
    ("recording_id", "scorer", "utterance_id", "crop", "window"),
)

MODELS = Table(
    "models",
    "One row per scorer: everything that changes a vector.",
    (
        _SCORER,
        Column("name", "VARCHAR", "Architecture, as open_clip names it"),
        Column("weights", "VARCHAR", "Weights tag or folder name"),
        Column("revision", "VARCHAR", "Digest of the weight tensors"),
        Column("dim", "INTEGER", "Length of an embedding", "count"),
        Column("image_size_px", "INTEGER", "Side of the square the model sees", "px"),
        Column("preprocess", "VARCHAR", "Resizing and normalisation"),
        Column("precision", "VARCHAR", "Number format of the forward pass"),
        Column(
            "default_threshold",
            "DOUBLE",
            "Cosine from which a moment counts as highly aligned for this model; "
            "NULL when none is known",
            "cosine",
        ),
        Column("threshold_source", "VARCHAR", "Where the default threshold comes from"),
    ),
    ("scorer",),
)

RUNS = Table(
    "runs",
    "What was run to build this store.",
    (
        Column("run_id", "VARCHAR", "Run"),
        Column("started_at", "TIMESTAMP", "Start, UTC"),
        Column("finished_at", "TIMESTAMP", "When the store was written, UTC"),
        Column("coview_version", "VARCHAR", "Version of Coview"),
        Column("settings", "VARCHAR", "Settings of the study as JSON"),
        Column("versions", "VARCHAR", "Versions of the libraries as JSON"),
        Column("device", "VARCHAR", "Where models ran"),
    ),
    ("run_id",),
)

FAILURES = Table(
    "failures",
    "Recordings (or rows of metadata) that a stage could not finish, and why.",
    (
        Column("stage", "VARCHAR", "Stage that failed"),
        _RECORDING_ID,
        Column("code", "VARCHAR", "Kind of failure"),
        Column("message", "VARCHAR", "What went wrong"),
        Column("hint", "VARCHAR", "What to do"),
    ),
    ("stage", "recording_id", "code"),
)

CONTEXTS = Table(
    "contexts",
    "Where the child was and what was going on, if the study gives it.",
    (
        _RECORDING_ID,
        _ONSET,
        _OFFSET,
        Column("location", "VARCHAR", "Location, as the study names it"),
        Column("activity", "VARCHAR", "Activity, as the study names it"),
    ),
    ("recording_id", "onset_ms"),
)

STORE_INFO = Table(
    "store_info",
    "One row about the store itself.",
    (
        Column("schema_version", "INTEGER", "Version of the tables"),
        Column("build", "VARCHAR", "Build of the store"),
        Column("study_name", "VARCHAR", "Name of the study"),
        Column("inputs", "VARCHAR", "Digest of the shards the store was made from"),
        Column("null_draws", "INTEGER", "Null windows per utterance (K)", "count"),
        Column("null_seed", "INTEGER", "Seed of the null draws"),
        Column("frame_step_ms", "INTEGER", "Step of the sampling grid", "ms"),
        Column("notices", "VARCHAR[]", "What the person should know about the study as a whole"),
    ),
    ("build",),
)

TABLES: tuple[Table, ...] = (
    STORE_INFO,
    CHILDREN,
    RECORDINGS,
    UTTERANCES,
    WORDS,
    FRAMES,
    FRAME_EMBEDDINGS,
    UTTERANCE_EMBEDDINGS,
    LAG_COSINES,
    SCORES_WIDE,
    MODELS,
    RUNS,
    FAILURES,
    CONTEXTS,
)


def create_table_sql(table: Table) -> str:
    """CREATE TABLE statement with quoted column names."""
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    return f"CREATE TABLE {table.name} ({columns})"


def comment_sql(table: Table, kind: str = "TABLE") -> list[str]:
    """COMMENT statements for a table (or VIEW) and its columns."""

    def quoted(text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    return [f"COMMENT ON {kind} {table.name} IS {quoted(table.meaning)}"] + [
        f'COMMENT ON COLUMN {table.name}."{column.name}" IS {quoted(column.comment)}'
        for column in table.columns
    ]


def scores_view_sql() -> str:
    """CREATE VIEW statement that turns `scores_wide` into one row per crop and window."""
    keys = ", ".join(column.name for column in _SCORE_KEYS)
    selects = []
    for crop in CROPS:
        for window in WINDOWS:
            statistics = ", ".join(
                f"{wide_column(crop, window, s.name)} AS {s.name}" for s in SCORE_STATISTICS
            )
            selects.append(
                f"SELECT {keys}, '{crop}' AS crop, '{window}' AS \"window\", "
                f"n_frames_{window} AS n_frames, {statistics} FROM scores_wide"
            )
    return "CREATE VIEW scores AS " + " UNION ALL ".join(selects)
