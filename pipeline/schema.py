"""The glossary: every table and column of the store, with unit and meaning.

CREATE TABLE statements, column comments, the data dictionary and the dashboard's help texts are
all made from this file.
"""

from __future__ import annotations

from dataclasses import replace

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
from pipeline.probe_tables import PROBE_INDICES
from pipeline.score_columns import CROPS, MAX_LAG_MS, SCORE_STATISTICS, WINDOWS, wide_column
from pipeline.score_tables import LAG_COSINES_VIEW, LAGS, SCORES_VIEW, SCORES_WIDE
from pipeline.sound_tables import SOUND_RECALL, SOUND_SCORES, SOUND_SYSTEMS
from pipeline.word_tables import NORMS, PARTS_OF_SPEECH, WORD_INDEX, WORD_NORMS

__all__ = [
    "CROPS",
    "LAGS",
    "LAG_COSINES_VIEW",
    "MAX_LAG_MS",
    "NORMS",
    "PARTS_OF_SPEECH",
    "SCORES_VIEW",
    "SCORES_WIDE",
    "SCORE_STATISTICS",
    "WINDOWS",
    "WORD_INDEX",
    "WORD_NORMS",
    "Column",
    "Table",
    "wide_column",
]

SCHEMA_VERSION = 4

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
    "split_by_sentence": "cut out of a longer segment after . ! or ?, or at a pause",
    "phantom_phrase": "a phrase Whisper writes where nobody speaks, such as Thanks for watching",
    "too_fast": "more than 8 words or 40 letters a second: nobody speaks so fast",
    "no_voice": "the voice detector hears nobody in 90 % of it",
    "other_language": "the sound seems to be in another language than the text was written in: "
    "Whisper may have translated it",
    "time_supplied": "the transcript does not say when it ends, so its end is a guess",
}


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
        RECORDING_ID,
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
        Column(
            "first_utterance_number",
            "INTEGER",
            "utterance_number of its first utterance; the others follow it without a gap",
        ),
        Column("transcript_source", "VARCHAR", "Where the utterances came from"),
        Column(
            "permission",
            "VARCHAR",
            "What may be shown: media (here), excerpts (also in talks) or scores_only (no words)",
        ),
        Column("notices", "VARCHAR[]", "What the person should know about this recording"),
    ),
    ("recording_id",),
)

UTTERANCES = Table(
    "utterances",
    "One row per utterance.",
    (
        UTTERANCE_NUMBER,
        RECORDING_ID,
        replace(UTTERANCE_ID, is_picked=True),
        Column("child_id", "VARCHAR", "Child who wore the camera"),
        ONSET,
        OFFSET,
        Column(
            "text",
            "VARCHAR",
            "What was said, as transcribed; empty where the permission is scores_only",
            is_picked=True,
        ),
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
    ("utterance_number",),
)

WORDS = Table(
    "words",
    "One row per word of an utterance, but for recordings whose permission is scores_only.",
    (
        RECORDING_ID,
        UTTERANCE_ID,
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
        RECORDING_ID,
        Column("time_ms", "INTEGER", "The frame's own timestamp", "ms"),
        Column("grid_index", "INTEGER", "Position on the sampling grid, from 0", "count"),
    ),
    ("recording_id", "time_ms"),
)

FRAME_EMBEDDINGS = Table(
    "frame_embeddings",
    "Image embeddings, unit length, crop by crop. The multi crop has one row per sub-crop.",
    (
        RECORDING_ID,
        Column("time_ms", "INTEGER", "Frame", "ms"),
        SCORER,
        Column("crop", "VARCHAR", "center, pad, squash or multi"),
        Column("crop_index", "INTEGER", "Sub-crop of the multi crop, else 0"),
        Column("embedding", "FLOAT[]", "Unit vector"),
    ),
    ("scorer", "crop", "recording_id", "time_ms", "crop_index"),
)

UTTERANCE_EMBEDDINGS = Table(
    "utterance_embeddings",
    "Text embeddings of the raw utterances, unit length.",
    (RECORDING_ID, UTTERANCE_ID, SCORER, Column("embedding", "FLOAT[]", "Unit vector")),
    ("recording_id", "scorer", "utterance_id"),
)

SCORED_TEXTS = Table(
    "scored_texts",
    "One row per utterance and text variant but raw: the text that scorers of this variant compare "
    "with the frames.",
    (
        UTTERANCE_NUMBER,
        RECORDING_ID,
        UTTERANCE_ID,
        Column("text_variant", "VARCHAR", "nouns (the nouns only) or photo (a photo of a NOUN)"),
        Column("text", "VARCHAR", "The text; NULL where no word is known to be a noun"),
    ),
    ("text_variant", "utterance_number"),
)

HUBS = Table(
    "hubs",
    "One row per hub-corrected scorer, child and crop: what is taken off text and image vectors "
    "before they are compared. Mean vectors are not of unit length.",
    (
        SCORER,
        Column("child_id", "VARCHAR", "Child who wore the camera"),
        Column("crop", "VARCHAR", "center, pad, squash or multi"),
        Column("n_texts", "BIGINT", "Utterances of the child that have such a text", "count"),
        Column("n_frames", "BIGINT", "Frames of the child", "count"),
        Column("text_mean", "FLOAT[]", "Mean text vector of these utterances"),
        Column("frame_mean", "FLOAT[]", "Mean image vector of these frames"),
    ),
    ("scorer", "child_id", "crop"),
)

MODELS = Table(
    "models",
    "One row per scorer: everything that changes a vector, and how vectors are compared.",
    (
        SCORER,
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
        Column(
            "base_scorer",
            "VARCHAR",
            "Scorer whose model this is a further setting of; itself where it is none",
        ),
        Column(
            "text_variant",
            "VARCHAR",
            "Text that is compared with the frames: raw, nouns or photo (see scored_texts)",
        ),
        Column("is_hub_corrected", "BOOLEAN", "Whether hubs are taken out (see hubs)"),
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
        RECORDING_ID,
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
        RECORDING_ID,
        ONSET,
        OFFSET,
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
        Column(
            "measured",
            "VARCHAR",
            "Digest of inputs without what was computed from a store: probes and sound",
        ),
    ),
    ("build",),
)

VIEWS: tuple[Table, ...] = (SCORES_VIEW, LAG_COSINES_VIEW)

TABLES: tuple[Table, ...] = (
    STORE_INFO,
    CHILDREN,
    RECORDINGS,
    UTTERANCES,
    WORDS,
    WORD_INDEX,
    WORD_NORMS,
    NORMS,
    PARTS_OF_SPEECH,
    FRAMES,
    FRAME_EMBEDDINGS,
    UTTERANCE_EMBEDDINGS,
    LAGS,
    SCORES_WIDE,
    SOUND_SCORES,
    SOUND_SYSTEMS,
    SOUND_RECALL,
    PROBE_INDICES,
    SCORED_TEXTS,
    HUBS,
    MODELS,
    RUNS,
    FAILURES,
    CONTEXTS,
)
