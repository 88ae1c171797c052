"""The columns that a model's table can have, each with its meaning and its unit.

There are three tables. `utterances` has one row per scored utterance. `recordings` and `children`
have one row per recording (child) and per combination of those categories that the formula names:
`share ~ speaker + (1 | child)` makes one row per child and speaker. There, outcomes and numbers
are means over the utterances of the row.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from pipeline.stats.mixed.formula import parse_formula

UTTERANCES, RECORDINGS, CHILDREN = "utterances", "recordings", "children"
UNITS = (UTTERANCES, RECORDINGS, CHILDREN)
_COUNTED = (RECORDINGS, CHILDREN)

SPEAKER_LEVELS = ("child", "adult")
"""The first is what the others are compared with, here and in every category."""
VOICE_LEVELS = ("key child", "other child", "female adult", "male adult")


@dataclass(frozen=True, slots=True)
class ModelColumn:
    """One column: `kind` is outcome, count, number, category or group.

    `absent` says why nothing can be known of it when every row lacks it, `mend` what would help.
    """

    name: str
    kind: str
    words: str
    unit: str
    meaning: str
    units: tuple[str, ...] = UNITS
    absent: str = ""
    mend: str = ""


_NO_NULL = "No utterance here has a matched null, so nothing can be taken against chance."
_NULL_MEND = (
    "Choose a stored window (strict, ± 1 s, ± 2 s) and a scorer with frames; a null needs frames "
    "of the same child more than a minute away."
)
_NO_CONTEXT = "This store holds no {} of its utterances."
_CONTEXT_MEND = "Add metadata/contexts.csv to the study and run it again."
_NO_SPEAKER = "No utterance here has a known speaker."
_SPEAKER_MEND = "Add speaker files (RTTM, LENA, ELAN ...) to the study and run it again."
_NO_AGE = "No recording here has a known age."
_AGE_MEND = "Add ages or birth and recording dates to the study's metadata and run it again."

COLUMNS: tuple[ModelColumn, ...] = (
    ModelColumn(
        "score",
        "outcome",
        "score",
        "",
        "The score as the sidebar sets it: maximum or mean over frames, cosine or z",
    ),
    ModelColumn(
        "max_cosine",
        "outcome",
        "raw maximum",
        "cosine",
        "Largest cosine over the frames of the window. It grows with the number of frames even "
        "where nothing is aligned",
    ),
    ModelColumn(
        "mean_cosine",
        "outcome",
        "mean over frames",
        "cosine",
        "Mean cosine over the frames of the window",
        absent="No utterance here has a mean over frames.",
        mend="Imported scores have one value for each utterance; choose a scorer with frames.",
    ),
    ModelColumn(
        "above_chance",
        "outcome",
        "score above chance",
        "cosine",
        "max_cosine minus the mean of its matched null: windows with as many frames from "
        "elsewhere in the recordings of the same child",
        absent=_NO_NULL,
        mend=_NULL_MEND,
    ),
    ModelColumn(
        "z",
        "outcome",
        "z against chance",
        "SD of the matched null",
        "The maximum (or mean) over frames as z against its matched null",
        absent=_NO_NULL,
        mend=_NULL_MEND,
    ),
    ModelColumn(
        "is_high",
        "outcome",
        "highly aligned",
        "0 or 1",
        "1 if the score reaches the threshold",
        (UTTERANCES,),
    ),
    ModelColumn(
        "share",
        "outcome",
        "share of highly aligned utterances",
        "0-1",
        "Highly aligned utterances divided by scored ones",
        _COUNTED,
    ),
    ModelColumn(
        "n_high",
        "count",
        "highly aligned",
        "count",
        "Utterances at or above the threshold",
        _COUNTED,
    ),
    ModelColumn(
        "n_low", "count", "not highly aligned", "count", "Scored utterances below it", _COUNTED
    ),
    ModelColumn(
        "n", "count", "scored utterances", "count", "Scored utterances of the row", _COUNTED
    ),
    ModelColumn(
        "duration_s", "number", "duration", "s", "From the start to the end of the utterance"
    ),
    ModelColumn("n_frames", "number", "frames", "count", "Frames in the window"),
    ModelColumn("n_words", "number", "words", "count", "Words of the utterance"),
    ModelColumn(
        "age_months",
        "number",
        "age",
        "months",
        "Age of the child at the recording",
        absent=_NO_AGE,
        mend=_AGE_MEND,
    ),
    ModelColumn(
        "age_own_months",
        "number",
        "age within children",
        "months",
        "Age minus the mean age of the child's recordings: change within children",
        (UTTERANCES, RECORDINGS),
        absent=_NO_AGE,
        mend=_AGE_MEND,
    ),
    ModelColumn(
        "age_mean_months",
        "number",
        "age between children",
        "months",
        "Mean age of the child's recordings: differences between children",
        absent=_NO_AGE,
        mend=_AGE_MEND,
    ),
    ModelColumn(
        "speaker",
        "category",
        "speaker",
        "",
        "adult (female or male) or child (key child or other child); else missing",
        absent=_NO_SPEAKER,
        mend=_SPEAKER_MEND,
    ),
    ModelColumn(
        "voice",
        "category",
        "voice",
        "",
        "key child, other child, female adult or male adult; else missing",
        absent=_NO_SPEAKER,
        mend=_SPEAKER_MEND,
    ),
    ModelColumn(
        "activity",
        "category",
        "activity",
        "",
        "What was going on in the middle of the utterance",
        absent=_NO_CONTEXT.format("activity"),
        mend=_CONTEXT_MEND,
    ),
    ModelColumn(
        "location",
        "category",
        "location",
        "",
        "Where it was, in the middle of the utterance",
        absent=_NO_CONTEXT.format("location"),
        mend=_CONTEXT_MEND,
    ),
    ModelColumn(
        "language",
        "category",
        "language",
        "",
        "Language of the utterance",
        absent="The language of these utterances is unknown.",
        mend="Name it as language under [speech] in study.toml and run again.",
    ),
    ModelColumn("child", "group", "child", "", "The child who wore the camera"),
    ModelColumn("recording", "group", "recording", "", "The recording", (UTTERANCES, RECORDINGS)),
)

BY_NAME = {column.name: column for column in COLUMNS}
CATEGORIES = tuple(column.name for column in COLUMNS if column.kind == "category")


def columns_of(unit: str, *kinds: str) -> tuple[ModelColumn, ...]:
    """Columns of a table, of these kinds or of all."""
    return tuple(c for c in COLUMNS if unit in c.units and (not kinds or c.kind in kinds))


def unknown_names(formula: str, unit: str) -> dict[str, str]:
    """Names in a formula that its table does not have -> the nearest one that it has, or "".

    Raises FitError where the formula cannot be read.
    """
    known = [column.name for column in columns_of(unit)]
    return {
        name: next(iter(difflib.get_close_matches(name, known, 1, 0.5)), "")
        for name in parse_formula(formula).columns
        if name not in known
    }
