"""The table of what drives the score."""

from __future__ import annotations

from pipeline.column import SCORER, Column, Table

PROBE_VERSION = 1
"""Raised whenever the same settings of a probe would give other results."""

CORPUS = "corpus"
"""What the files of a probe call all children."""

PROBE_INDICES = Table(
    "probe_indices",
    "One row per index of the last finished probe of each scorer; docs/probing.md says what they "
    "are.",
    (
        SCORER,
        Column("name", "VARCHAR", "Index, such as ORI"),
        Column("child_id", "VARCHAR", "Child it is about; NULL for all children"),
        Column("value", "DOUBLE", "NULL where it cannot be told"),
        Column("lower", "DOUBLE", "Lower limit of its 95 % interval"),
        Column("upper", "DOUBLE", "Upper limit of its 95 % interval"),
        Column("n", "INTEGER", "Utterances it rests on", "count"),
        Column("n_recordings", "INTEGER", "Their recordings", "count"),
        Column("chance", "DOUBLE", "What it is where nothing drives the score"),
        Column("supports", "BOOLEAN", "Whether the finding holds; NULL where it cannot be told"),
        Column("note", "VARCHAR", "What it is, and why there is no value or no verdict"),
        Column("crop", "VARCHAR", "Crop of the frames"),
        Column("n_sampled", "INTEGER", "Utterances that were probed", "count"),
        Column("seed", "INTEGER", "Seed of all that was drawn"),
        Column(
            "is_current",
            "BOOLEAN",
            "Whether the probe was made of what this store holds; if not, probe again",
        ),
    ),
    ("scorer", "child_id", "name"),
)
