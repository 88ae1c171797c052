"""A Psych-DS dataset: one table of utterances with their scores, described in schema.org terms.

Rules: Psych-DS 1.5.1 (psych-ds.github.io). Headers of the data file are exactly the names in
`variableMeasured`, in that order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.column import OFFSET, ONSET, RECORDING_ID, UTTERANCE_ID, Column
from pipeline.exchange.facts import StoreFacts
from pipeline.exchange.scored_recordings import RecordingFacts, ScoreChoice, scores_sql
from pipeline.exchange.table_file import Value

SCHEMA_VERSION = "Psych-DS 1.5.1"
IGNORE_NAME = ".psychds-ignore"
"""Names files that Psych-DS validators pass over."""

_COLUMNS: tuple[tuple[str, Column], ...] = (
    ("u.recording_id", RECORDING_ID),
    ("u.utterance_id", UTTERANCE_ID),
    ("u.child_id", Column("child_id", "VARCHAR", "Pseudonym of the child who wore the camera")),
    ("r.age_days", Column("age_days", "INTEGER", "Age of the child at the recording", "days")),
    ("u.onset_ms", ONSET),
    ("u.offset_ms", OFFSET),
    (
        "u.speaker",
        Column("speaker", "VARCHAR", "FEM, MAL, CHI (key child), OCH (other child) or NA"),
    ),
    ("u.text", Column("text", "VARCHAR", "What was said, as transcribed")),
    ("u.language", Column("language", "VARCHAR", "Language code, if known")),
    ("u.n_words", Column("n_words", "INTEGER", "Words in the text", "count")),
    (
        "array_to_string(u.flags, ';')",
        Column("flags", "VARCHAR", "Marks such as overlapping, parted by semicolons"),
    ),
    ("$scorer", Column("scorer", "VARCHAR", "Model that gave the scores")),
    ("$crop", Column("crop", "VARCHAR", "How a frame became the square the model saw")),
    ("$window", Column("window", "VARCHAR", "Which frames belong to the utterance")),
    ("s.n_frames", Column("n_frames", "INTEGER", "Frames in the window", "count")),
    (
        "s.max_cosine",
        Column("max_cosine", "FLOAT", "Largest cosine over the frames of the window", "cosine"),
    ),
    (
        "s.mean_cosine",
        Column("mean_cosine", "FLOAT", "Mean cosine over the frames of the window", "cosine"),
    ),
    (
        "s.null_mean",
        Column("null_mean_cosine", "FLOAT", "Mean of max_cosine under the matched null", "cosine"),
    ),
    (
        "s.null_sd",
        Column("null_sd_cosine", "FLOAT", "SD of max_cosine under the matched null", "cosine"),
    ),
    (
        "s.z",
        Column("max_z_sd", "FLOAT", "(max_cosine - null_mean_cosine) / null_sd_cosine", "SD"),
    ),
    ("s.p", Column("p", "FLOAT", "(1 + null windows at or above max_cosine) / (K + 1)", "0-1")),
    (
        "coalesce(s.missing_reason, CASE WHEN s.max_cosine IS NULL THEN 'not_scored' END)",
        Column(
            "missing_reason",
            "VARCHAR",
            "Why there is no score: no_frame_in_window, no_null, no_noun or not_scored",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class DataQuery:
    """A SELECT, the columns it gives in order, and its bound values."""

    sql: str
    columns: tuple[Column, ...]
    params: dict[str, Value]


def data_query(
    recordings: Sequence[RecordingFacts], choice: ScoreChoice, *, with_text: bool
) -> DataQuery:
    """The rows of the data file: one per utterance of the recordings, by recording and time."""
    parts = [(sql, c) for sql, c in _COLUMNS if with_text or c.name != "text"]
    select = ", ".join(f'{sql} AS "{column.name}"' for sql, column in parts)
    return DataQuery(
        f"""SELECT {select} FROM utterances u
            JOIN recordings r ON r.recording_id = u.recording_id
            LEFT JOIN ({scores_sql(choice)}) s ON s.utterance_number = u.utterance_number
            WHERE u.recording_id IN (SELECT unnest($recordings::VARCHAR[]))
            ORDER BY u.utterance_number""",
        tuple(column for _, column in parts),
        {
            "recordings": [facts.recording_id for facts in recordings],
            "scorer": choice.scorer,
            "crop": choice.crop,
            "window": choice.window,
        },
    )


def data_file_name(study_name: str) -> str:
    """Name of the data file, made of a keyword and its value: study-CoviewDemo_data.csv."""
    words = re.findall(r"[A-Za-z0-9]+", study_name)
    return f"study-{''.join(w[:1].upper() + w[1:] for w in words)[:60] or 'Study'}_data.csv"


def description_text(
    facts: StoreFacts, choice: ScoreChoice, columns: Sequence[Column], made_at: datetime
) -> str:
    """dataset_description.json: JSON-LD with the terms of schema.org."""
    content = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": facts.study_name,
        "description": (
            "How well the words of each utterance a child hears match what was in view, in "
            "recordings of a camera on the child's head: the largest cosine of the utterance with "
            f"the frames of its window ({choice.words}), beside its chance level."
        ),
        "schemaVersion": SCHEMA_VERSION,
        "dateCreated": f"{made_at:%Y-%m-%d}",
        "version": facts.build or "unknown",
        "keywords": ["child-centred recordings", "visual-linguistic alignment"],
        "variableMeasured": [_variable(column) for column in columns],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def readme_text(
    facts: StoreFacts, file_name: str, n_rows: int, columns: Sequence[Column], methods: str
) -> str:
    """README.md: what the table is, its columns, the methods paragraph, what is left to fill in."""
    lines = [
        f"# {facts.study_name}",
        "",
        f"`data/{file_name}`: one row per utterance ({n_rows:,}). `recording_id` and "
        "`utterance_id` together name a row. Empty cells are missing values.",
        "",
        "| column | unit | meaning |",
        "|---|---|---|",
        *(f"| `{c.name}` | {c.unit} | {c.meaning} |" for c in columns),
        "",
        "## Methods",
        "",
        methods.strip(),
        "",
        "## Before you share it",
        "",
        "Add `author`, `license` and `citation` to `dataset_description.json`. Ask whether the "
        "families agreed that the words be shared; without them: `--no-text`.",
    ]
    return "\n".join(lines) + "\n"


def changes_text(facts: StoreFacts, made_at: datetime) -> str:
    """CHANGES.md: when the dataset was made, and from which build of the store."""
    return f"# Changes\n\n- {made_at:%Y-%m-%d}: made from store build {facts.build or 'unknown'}.\n"


def _variable(column: Column) -> dict[str, str]:
    variable = {"@type": "PropertyValue", "name": column.name, "description": column.meaning}
    return {**variable, "unitText": column.unit} if column.unit else variable
