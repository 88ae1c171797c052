"""The columns of files of trials and answers, in their order, with what each means."""

from __future__ import annotations

from pipeline.column import Column

N_FOILS = 3

_TEXT, _WHOLE, _REAL, _YES_NO = "VARCHAR", "INTEGER", "DOUBLE", "BOOLEAN"


def foil(name: str, number: int) -> str:
    """Name of a column about foil 1, 2 or 3."""
    return f"distractor_{name}{number}"


def _of_foils(name: str, kind: str, meaning: str, unit: str = "") -> tuple[Column, ...]:
    return tuple(
        Column(foil(name, number), kind, f"Foil {number}: {meaning}", unit)
        for number in range(1, N_FOILS + 1)
    )


RATER = Column("prolific_pid", _TEXT, "Pseudonym of the rater")
SELECTED = Column("selected_position", _WHOLE, "Position that was chosen, from 1")
IS_CORRECT = Column("is_correct", _YES_NO, "Whether the target was chosen")
TIMESTAMP = Column("timestamp", _TEXT, "When the answer was kept, UTC")

_PUBLIC_PLACE = (
    Column("annotator_index", _WHOLE, "Number of the list, from 0"),
    Column("row_index", _WHOLE, "Place of the trial in its list, from 0"),
    Column("mode", _TEXT, "images: four images for an utterance; utterances: the reverse"),
)
_CORRECT = Column("correct_position", _WHOLE, "Position of the target, from 1")
CONTENT = (
    Column("utterance", _TEXT, "What the rater reads, or the right utterance among four"),
    *_of_foils("utt", _TEXT, "its utterance"),
    Column("image_path", _TEXT, "The target's picture: images/RECORDING_MILLISECONDS.jpg"),
    *_of_foils("img", _TEXT, "its picture"),
)
"""What a trial shows. Files from elsewhere are told apart by it."""

RT = Column("rt_ms", _REAL, "From the drawing of the images to the answer", "ms")
APP_VERSION = Column("app_version", _TEXT, "Program that took the answer")
IS_SIMULATED = Column("is_simulated", _YES_NO, "Whether a program answered, not a person")

_MOMENT = (
    ("recording_id", _TEXT, "recording", ""),
    ("utterance_id", _TEXT, "utterance within its recording", ""),
    ("onset_ms", _WHOLE, "start of the utterance", "ms"),
    ("offset_ms", _WHOLE, "end of the utterance", "ms"),
    ("frame_ms", _WHOLE, "time of the picture", "ms"),
    ("cosine", _REAL, "cosine of what is asked with it", "cosine"),
)
MOMENT_NAMES = tuple(name for name, *_ in _MOMENT)

OURS = (
    Column("option_order", _TEXT, "Options as they stood, left to right: 0 target, 1-3 foils"),
    Column("list_id", _WHOLE, "Number of the list, from 1"),
    Column("item_id", _TEXT, "The question; the same in every list"),
    Column("is_catch", _YES_NO, "Whether the trial checks attention"),
    Column("is_practice", _YES_NO, "Whether the trial is for practice"),
    Column("prompt", _TEXT, "What the rater reads above the options; empty for an image"),
    Column("target_text", _TEXT, "What was said at the target"),
    Column("score", _REAL, "Alignment score of the target", "cosine"),
    Column("z", _REAL, "Score against chance", "SD of the matched null"),
    Column("bin", _WHOLE, "Stratum of the score, from 0"),
    *(Column(name, kind, f"Target: {meaning}", unit) for name, kind, meaning, unit in _MOMENT),
    *(column for name, kind, meaning, unit in _MOMENT for column in _of_foils(name, kind, meaning)),
    Column("set_name", _TEXT, "Set of trials"),
    Column("scorer", _TEXT, "Model that gave the scores"),
    Column("crop", _TEXT, "How the model saw the frame"),
    Column("window", _TEXT, "Which frames the score is over"),
    Column("statistic", _TEXT, "max or mean of the cosines of these frames"),
    Column("image_variant", _TEXT, "full_frame, or model_input: the square that the model saw"),
    Column("seed", _TEXT, "Seed of the lists"),
)

TRIAL_COLUMNS = (*_PUBLIC_PLACE, _CORRECT, *CONTENT, *OURS)
"""A file of trial lists."""

ANSWER_COLUMNS = (
    RATER,
    *_PUBLIC_PLACE,
    SELECTED,
    _CORRECT,
    IS_CORRECT,
    *CONTENT,
    TIMESTAMP,
    RT,
    APP_VERSION,
    IS_SIMULATED,
    *OURS,
)
"""A file of answers: the published study's 16 columns, then ours."""

SET_FACTS = ("scorer", "crop", "window", "statistic", "image_variant", "seed")
"""Columns that say how a set was made: keys of its settings."""
