"""The tables about sound: three scores for each utterance, what made them, and recall."""

from __future__ import annotations

from pipeline.column import RECORDING_ID, UTTERANCE_ID, UTTERANCE_NUMBER, Column, Table

PAIRS: dict[str, str] = {
    "see_say": "the words and the picture",
    "hear_say": "the words and the sound besides speech",
    "see_hear": "the picture and the sound besides speech",
}
"""Which two sides of a moment a score compares."""

NULLS: dict[str, str] = {
    "": "other moments of the same recording",
    "others_": "moments of other recordings of the same child",
}
"""Prefix of a null's columns -> where its moments come from."""

QUADRANTS: dict[str, str] = {
    "seen_and_heard": "seen and heard",
    "seen_only": "seen only",
    "heard_only": "heard only",
    "neither": "neither",
}
"""Code in the store -> words of `pipeline.sound` and of people."""

_SYSTEM = Column("system", "VARCHAR", "Name of the system of heads, as on the command line")
_SEED = Column("seed", "INTEGER", "Seed of heads, batches and split")
_TEXT = Column(
    "text", "VARCHAR", "What stood in for captions when the system learnt; empty for captions"
)


def pair_column(pair: str, statistic: str, null: str = "") -> str:
    """Name of a column of `sound_scores`, e.g. see_say_z or see_say_others_z."""
    return f"{pair}_{null}{statistic}"


def _pair_columns(pair: str, sides: str) -> tuple[Column, ...]:
    columns = [Column(pair_column(pair, "cosine"), "FLOAT", f"Cosine of {sides}", "cosine")]
    for null, moments in NULLS.items():
        mean, sd, z, n = (
            pair_column(pair, name, null) for name in ("null_mean", "null_sd", "z", "n_nulls")
        )
        columns += [
            Column(mean, "FLOAT", f"Mean cosine with {moments} instead", "cosine"),
            Column(sd, "FLOAT", f"SD of the cosines with {moments}", "cosine"),
            Column(z, "FLOAT", f"({pair}_cosine - {mean}) / {sd}; NULL with too few", "SD"),
            Column(n, "SMALLINT", f"How many {moments} served", "count"),
        ]
    return tuple(columns)


SOUND_SCORES = Table(
    "sound_scores",
    "One row per utterance that was looked at for sound (python -m pipeline sound score). The "
    "sound encoder hears sounds, not words. NULL with a reason where there was too little to hear "
    "or to see.",
    (
        UTTERANCE_NUMBER,
        RECORDING_ID,
        UTTERANCE_ID,
        _SYSTEM,
        *(column for pair, sides in PAIRS.items() for column in _pair_columns(pair, sides)),
        Column(
            "quadrant",
            "VARCHAR",
            "seen_and_heard, seen_only, heard_only or neither: whether see_say_z and hear_say_z "
            "reach 1.645; NULL when one of them is missing",
        ),
        Column("level_db", "FLOAT", "Level of the ten seconds around, speech included", "dBFS"),
        Column("speech_share", "FLOAT", "Share of the ten seconds that is speech", "0-1"),
        Column("heard_ms", "INTEGER", "Sound that the encoder heard", "ms"),
        Column("n_frames", "INTEGER", "Frames of the ten seconds", "count"),
        Column(
            "missing_reason",
            "VARCHAR",
            "Why there are no scores: too_little_sound, no_frame or no_text",
        ),
    ),
    ("utterance_number",),
)

SOUND_SYSTEMS = Table(
    "sound_systems",
    "What made the rows of sound_scores: one row, none where sound was not scored.",
    (
        _SYSTEM,
        _SEED,
        Column("encoder", "VARCHAR", "Sound encoder"),
        Column("encoder_revision", "VARCHAR", "Digest of its weights"),
        Column("image_model", "VARCHAR", "Model of the pictures and of the words"),
        Column("hears_speech", "BOOLEAN", "Whether speech was left in the sound"),
        _TEXT,
        Column("split_by", "VARCHAR", "What was kept whole between folds: recording or child"),
        Column("n_folds", "INTEGER", "Parts; each was scored by heads of the others", "count"),
        Column("n_utterances", "INTEGER", "Utterances looked at", "count"),
        Column("n_matched", "INTEGER", "Of these, utterances that are in this store", "count"),
        Column("left_out", "VARCHAR[]", "What had no scores and why, in words"),
    ),
    ("system",),
)

SOUND_RECALL = Table(
    "sound_recall",
    "One row per trained system, query and scope: how often the own clip is among the ten best.",
    (
        _SYSTEM,
        Column("gallery", "VARCHAR", "What is searched: visual or audio"),
        Column("query", "VARCHAR", "What it is searched by"),
        Column("scope", "VARCHAR", "Among which clips: within-recording, or pooled over all"),
        Column("recall_at_10", "DOUBLE", "Share of queries that find their clip", "0-1"),
        Column("lower", "DOUBLE", "Lower limit of its 95 % interval over clips", "0-1"),
        Column("upper", "DOUBLE", "Upper limit", "0-1"),
        Column("chance", "DOUBLE", "Recall of guessing", "0-1"),
        Column("n", "INTEGER", "Clips whose queries tell something", "count"),
        Column(
            "n_left_out", "INTEGER", "Queries left out: at most ten clips to search among", "count"
        ),
        _TEXT,
        _SEED,
        Column(
            "corpus",
            "VARCHAR",
            "AVCaps where all captions of the study are from its files, so that its published "
            "values can stand beside; else NULL",
        ),
    ),
    ("system", "seed", "scope", "gallery", "query"),
)
