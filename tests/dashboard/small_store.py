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

Sound, z against other moments of the recording (20 of them) and of other recordings:

           see-say  hear-say  see-hear  quadrant        level, speech
u1         2.0, 3   3.0, 1    1.0, 0    seen and heard  -30 dBFS, .2
u2         0.0, 0   2.5, 2    0.5, 0    heard only      -40 dBFS, .4
u3         too little sound                             -20 dBFS, .9
u4         -1.0, 0  -0.5, 0   0.0, 0    neither         -30 dBFS, .1
u5         1.0, 1   1.7, 2    2.0, 2    heard only      -35 dBFS, .3
u6         not looked at
"""

from __future__ import annotations

import duckdb

from pipeline.schema import SCHEMA_VERSION
from pipeline.sound_tables import PAIRS, pair_column
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
    _fill_sound(con)
    finish_store(con)
    con.execute("INSERT INTO failures VALUES ('speech', 'r9', 'media', 'no audio', 'import')")
    return con


_SOUND = (
    # number, recording, utterance, z of see-say, hear-say, see-hear; the same among others
    (0, "r1", "u1", (2.0, 3.0, 1.0), (3.0, 1.0, 0.0), "seen_and_heard", -30.0, 0.2),
    (1, "r1", "u2", (0.0, 2.5, 0.5), (0.0, 2.0, 0.0), "heard_only", -40.0, 0.4),
    (2, "r1", "u3", None, None, None, -20.0, 0.9),
    (3, "r2", "u4", (-1.0, -0.5, 0.0), (0.0, 0.0, 0.0), "neither", -30.0, 0.1),
    (4, "r3", "u5", (1.0, 1.7, 2.0), (1.0, 2.0, 2.0), "heard_only", -35.0, 0.3),
)


def _fill_sound(con: duckdb.DuckDBPyConnection) -> None:
    for number, recording, utterance, within, others, quadrant, level_db, speech_share in _SOUND:
        values: dict[str, object] = {
            "utterance_number": number,
            "recording_id": recording,
            "utterance_id": utterance,
            "system": "slava-av3",
            "quadrant": quadrant,
            "level_db": level_db,
            "speech_share": speech_share,
            "heard_ms": 500 if within is None else 8_000,
            "n_frames": 10,
            "missing_reason": "too_little_sound" if within is None else None,
        }
        for null, zs in (("", within), ("others_", others)):
            for place, pair in enumerate(PAIRS):
                values[pair_column(pair, "n_nulls", null)] = 20 if zs else 0
                if zs:
                    values |= {
                        pair_column(pair, "cosine"): 0.1 + zs[place] / 10,
                        pair_column(pair, "null_mean", null): 0.1,
                        pair_column(pair, "null_sd", null): 0.1,
                        pair_column(pair, "z", null): zs[place],
                    }
        names = ", ".join(f"? AS {name}" for name in values)
        con.execute(f"INSERT INTO sound_scores BY NAME SELECT {names}", list(values.values()))
    con.execute(
        "INSERT INTO sound_systems VALUES ('slava-av3', 1, 'ears', 'r', 'clip', FALSE, "
        "'utterances instead of captions', 'recording', 5, 5, 5, "
        "['1 clip(s) with less than a second of sound besides speech'])"
    )
    con.execute(
        "INSERT INTO sound_recall VALUES "
        "('slava-av3', 'visual', 'audio', 'within-recording', .3, .2, .4, .25, 80, 3, "
        "'utterances instead of captions', 1, NULL), "
        "('slava-av3', 'visual', 'audio', 'pooled', .5, .4, .6, .05, 200, 0, "
        "'utterances instead of captions', 1, NULL)"
    )
