"""A store of six utterances whose numbers can be worked out by hand.

child recording   utterance  speaker  words  center strict max   null mean, sd   z
A     r1 (300 d)  u1         FEM      1      .30                 .20, .02        5
A     r1          u2         FEM      2      .20                 .20, .02        0
A     r1          u3         CHI      3      no frame
A     r2 (400 d)  u4         MAL      4      .24                 .20, .02        2
B     r3 (no age) u5         NA       5      .10                 no null
B     r3          u6         FEM      6      not scored

Under the multi crop u1 .31, u2 .25, u4 .22 and u5 .10. Lag cosines exist for u1: center .30 at
lag 0, .10 half a second before, .18 1.5 s after.
"""

from __future__ import annotations

import duckdb

from pipeline.schema import SCHEMA_VERSION
from tests.store_tables import create_tables, finish_store

_UTTERANCES = (
    ("r1", "u1", "A", 1_000, 2_000, "ball", "FEM", 1, -0.2, []),
    ("r1", "u2", "A", 5_000, 6_000, "the ball", "FEM", 2, -2.0, ["low_confidence"]),
    ("r1", "u3", "A", 9_000, 9_200, "look a ball", "CHI", 3, None, []),
    ("r2", "u4", "A", 1_000, 2_000, "a big red dog", "MAL", 4, -0.2, []),
    ("r3", "u5", "B", 1_000, 2_000, "what is that over there", "NA", 5, -0.2, []),
    ("r3", "u6", "B", 3_000, 4_000, "one two three four five six", "FEM", 6, -0.2, []),
)
_SCORES = (
    # recording, utterance, frames, reason, center max, center mean, multi max, null mean, sd, z
    ("r1", "u1", 1, None, 0.30, 0.30, 0.31, 0.20, 0.02, 5.0),
    ("r1", "u2", 2, None, 0.20, 0.15, 0.25, 0.20, 0.02, 0.0),
    ("r1", "u3", 0, "no_frame_in_window", None, None, None, None, None, None),
    ("r2", "u4", 1, None, 0.24, 0.24, 0.22, 0.20, 0.02, 2.0),
    ("r3", "u5", 1, "no_null", 0.10, 0.10, 0.10, None, None, None),
)


def small_store() -> duckdb.DuckDBPyConnection:
    """The store, in memory."""
    con = duckdb.connect()
    create_tables(con)
    con.execute(
        f"INSERT INTO store_info BY NAME SELECT {SCHEMA_VERSION} AS schema_version, 'b' AS build, "
        "'Small' AS study_name, 100 AS null_draws, 1 AS null_seed, 1000 AS frame_step_ms"
    )
    con.execute("INSERT INTO children BY NAME SELECT unnest(['A', 'B']) AS child_id")
    con.execute(
        "INSERT INTO recordings BY NAME SELECT * FROM (VALUES "
        "('r1', 'A', 300, 60000, 3, ['one frame was left out']), ('r2', 'A', 400, 30000, 1, []), "
        "('r3', 'B', NULL, 10000, 2, [])) "
        "t(recording_id, child_id, age_days, duration_ms, n_utterances, notices)"
    )
    for row in _UTTERANCES:
        con.execute(
            "INSERT INTO utterances BY NAME SELECT ? AS recording_id, ? AS utterance_id, "
            "? AS child_id, ? AS onset_ms, ? AS offset_ms, ? AS text, ? AS speaker, "
            "? AS n_words, ? AS mean_logprob, ?::VARCHAR[] AS flags, 'en' AS language",
            list(row),
        )
    for row in _SCORES:
        for scorer in ("clip", "other"):
            con.execute(
                "INSERT INTO raw_scores BY NAME SELECT ? AS recording_id, ? AS utterance_id, "
                "? AS n_frames_strict, ? AS missing_reason, ? AS center_strict_max_cosine, "
                "? AS center_strict_mean_cosine, ? AS multi_strict_max_cosine, "
                "? AS center_strict_null_mean, ? AS center_strict_null_sd, ? AS center_strict_z, "
                "? AS multi_strict_null_mean, ? AS scorer",
                [*row, row[7], scorer],
            )
    con.execute(
        "INSERT INTO raw_lags BY NAME SELECT 'r1' AS recording_id, 'u1' AS utterance_id, "
        "'clip' AS scorer, * FROM (VALUES (1500, 0, 0.30), (500, -500, 0.10), (3499, 1500, 0.18)) "
        "t(time_ms, lag_ms, center)"
    )
    con.execute(
        "INSERT INTO models BY NAME SELECT 'clip' AS scorer, 'ViT-B-32' AS name, 'openai' AS "
        "weights, 'r' AS revision, 4 AS dim, 224 AS image_size_px, '' AS preprocess, "
        "'fp32' AS precision, 0.24 AS default_threshold, 'paper' AS threshold_source"
    )
    con.execute(
        "INSERT INTO models BY NAME SELECT * REPLACE ('other' AS scorer, NULL AS "
        "default_threshold, NULL AS threshold_source) FROM models"
    )
    con.execute(
        "INSERT INTO contexts VALUES ('r1', 0, 4000, 'kitchen', 'meal'), "
        "('r1', 4000, 60000, 'garden', 'play')"
    )
    finish_store(con)
    con.execute("INSERT INTO failures VALUES ('speech', 'r9', 'media', 'no audio', 'import')")
    return con
