"""A synthetic store as large as the largest public corpus, for timing the dashboard.

`python -m benchmarks.synthetic_store FOLDER` writes a study folder with a store of 51 children,
16,000 recordings and 1.8 million utterances: four crops, all windows, a null, lags, words and an
imported second scorer. Scores and words are drawn at random with a fixed seed; there is no video.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.schema import (
    CROPS,
    LAGS,
    SCHEMA_VERSION,
    SCORE_STATISTICS,
    SCORES_WIDE,
    TABLES,
    WINDOWS,
    wide_column,
)
from pipeline.schema_sql import create_table_sql, create_type_sql
from pipeline.score_columns import MAX_LAG_S, REACHES, reach_column, reach_frames_column
from pipeline.score_tables import NAME_TYPES
from pipeline.sound_tables import NULLS, PAIRS, pair_column
from pipeline.store.fill_scores import finish

SCORER = "synthetic"
THRESHOLD = 0.24
IMPORTED = "imported"
_N_WORDS = 30_000
_CHUNK = 122_880
_IMPORTED_COLUMNS = {
    wide_column("center", "strict", name) for name in ("max_cosine", "mean_cosine", "min_cosine")
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much speech there is."""

    n_children: int
    n_recordings: int
    n_utterances: int


def write_synthetic_store(root: Path, size: Size, *, with_lags: bool = True) -> Path:
    """Write the study folder and its store; returns the store's path.

    Charts need no lags, which take a third of the time.
    """
    stores = root / "derived" / "stores"
    stores.mkdir(parents=True, exist_ok=True)
    (root / "metadata").mkdir(exist_ok=True)
    (root / "study.toml").write_text('[study]\nname = "Synthetic corpus"\n', encoding="utf-8")
    store = stores / "store-synthetic.duckdb"
    store.unlink(missing_ok=True)
    with duckdb.connect(str(store)) as con:
        con.execute("SET threads = 2; SET memory_limit = '8GB'; SELECT setseed(0.5)")
        for table in TABLES:
            if table is not SCORES_WIDE:
                con.execute(create_table_sql(table))
        _fill_recordings(con, size)
        _fill_utterances(con)
        _fill_norms(con)
        _fill_facts(con)
        _fill_sound(con)
        for name in NAME_TYPES:
            con.execute(create_type_sql(name))
        con.execute(create_table_sql(SCORES_WIDE))
        _fill_scores(con)
        if with_lags:
            _fill_lags(con)
        finish(con)
    (stores / "current").write_text(store.name, encoding="utf-8")
    return store


def _fill_recordings(con: duckdb.DuckDBPyConnection, size: Size) -> None:
    """Recordings of unequal length, children with unequal numbers of them."""
    rng = np.random.default_rng(1)
    weights = rng.lognormal(0, 0.6, size.n_children)
    child = np.sort(rng.choice(size.n_children, size.n_recordings, p=weights / weights.sum()))
    shares = rng.lognormal(0, 0.7, size.n_recordings)
    bounds = np.round(np.cumsum(shares) / shares.sum() * size.n_utterances).astype(np.int64)
    first = np.concatenate([[0], bounds[:-1]])
    age = 150 + (np.arange(size.n_recordings) * 7919) % 900
    columns = {
        "recording": np.arange(size.n_recordings),
        "child": child,
        "first": first,
        "n": bounds - first,
        "age": age,
    }
    con.register("drawn", pa.table(columns))
    con.execute(
        """INSERT INTO recordings BY NAME
           SELECT format('BV{:03d}_{:05d}', child, recording) AS recording_id,
               format('BV{:03d}', child) AS child_id, DATE '2023-01-01' + age::INTEGER AS date,
               age::INTEGER AS age_days, (n * 3000 + 60000)::INTEGER AS duration_ms,
               format('BV{:05d}.mp4', recording) AS media_path, 1080 AS width_px,
               1920 AS height_px, 29.97 AS frame_rate_hz, 'h264' AS video_codec,
               'aac' AS audio_codec, (n * 3 + 60)::INTEGER AS n_frames, n::INTEGER AS n_utterances,
               CASE WHEN n > 0 THEN first::INTEGER END AS first_utterance_number,
               'synthetic' AS transcript_source, 'media' AS permission,
               CASE WHEN recording % 400 = 0 THEN ['2 frames could not be decoded.'] ELSE [] END
                   AS notices
           FROM drawn"""
    )
    con.unregister("drawn")
    con.execute(
        """INSERT INTO children SELECT child_id, 'f', count(*), sum(n_utterances),
               sum(duration_ms), min(age_days), max(age_days)
           FROM recordings GROUP BY child_id ORDER BY child_id"""
    )
    con.execute(
        """INSERT INTO contexts
           SELECT recording_id, k * duration_ms // 4, (k + 1) * duration_ms // 4,
               ['kitchen', 'garden', 'living room', 'bedroom'][
                   (1 + hash(recording_id, k) % 4)::INTEGER],
               ['play', 'meal', 'reading', 'walk'][(1 + hash(recording_id, k, 1) % 4)::INTEGER]
           FROM recordings, range(4) r(k) ORDER BY recording_id, k"""
    )


def _fill_utterances(con: duckdb.DuckDBPyConnection) -> None:
    """Utterances every three seconds, some shorter than a second, with words as often as Zipf."""
    con.execute(
        f"""CREATE TEMP TABLE said AS
            SELECT utterance_number, string_agg(token, ' ') AS text, count(*)::INTEGER AS n_words
            FROM (
                SELECT utterance_number,
                    format('w{{}}', floor(exp(random() * ln({_N_WORDS})))::INTEGER) AS token
                FROM (
                    SELECT k AS utterance_number,
                        unnest(range(1 + (random() * random() * 14)::INTEGER))
                    FROM range((SELECT sum(n_utterances) FROM recordings)::BIGINT) t(k)))
            GROUP BY utterance_number"""
    )
    con.execute(
        """INSERT INTO utterances BY NAME
           SELECT (r.first_utterance_number + k)::INTEGER AS utterance_number, r.recording_id,
               substr(md5(concat(r.recording_id, '/', k)), 1, 12) AS utterance_id, r.child_id,
               (k * 3000 + 200)::INTEGER AS onset_ms,
               (k * 3000 + 500 + random() * random() * 4000)::INTEGER AS offset_ms, said.text,
               ['FEM', 'MAL', 'CHI', 'OCH', 'NA'][1 + floor(random() * 5)::INTEGER] AS speaker,
               (0.5 + random() / 2)::FLOAT AS speaker_overlap,
               CASE WHEN random() < .05 THEN 'es' ELSE 'en' END AS language, said.n_words,
               (-random() * random() * 2)::FLOAT AS mean_logprob,
               (random() * .4)::FLOAT AS no_speech_prob,
               (.8 + random())::FLOAT AS compression_ratio,
               CASE WHEN random() < .04 THEN ['low_confidence']
                   WHEN random() < .1 THEN ['overlapping'] ELSE [] END AS flags,
               'synthetic' AS source
           FROM (SELECT *, unnest(range(n_utterances)) AS k FROM recordings) r
           JOIN said ON said.utterance_number = r.first_utterance_number + k
           ORDER BY r.first_utterance_number + k"""
    )
    con.execute("DROP TABLE said")
    con.execute(
        """INSERT INTO word_index BY NAME
           SELECT DISTINCT token AS lemma, token, utterance_number
           FROM (SELECT unnest(string_split(text, ' ')) AS token, utterance_number FROM utterances)
           ORDER BY lemma, token, utterance_number"""
    )


def _fill_norms(con: duckdb.DuckDBPyConnection) -> None:
    """Norms and parts of speech of every lemma, drawn from its spelling."""
    lemmas = "(SELECT DISTINCT lemma FROM word_index)"
    for place, (norm, low, high) in enumerate(_NORMS):
        value = f"{low} + ({high} - {low}) * (hash(lemma || '{place}') % 1000) / 1000"
        con.execute(
            f"INSERT INTO word_norms SELECT lemma, $norm, {value}, 'synthetic.csv' FROM {lemmas}",
            {"norm": norm},
        )
    con.execute(
        """INSERT INTO norms SELECT norm, source, 'en', 'made up', count(*), count(*), 0
           FROM word_norms GROUP BY norm, source"""
    )
    con.execute(
        f"""INSERT INTO parts_of_speech SELECT lemma,
                ['noun', 'verb', 'adjective'][1 + (hash(lemma) % 3)::INTEGER], 'synthetic.csv'
            FROM {lemmas}"""
    )


def _fill_facts(con: duckdb.DuckDBPyConnection) -> None:
    for scorer, weights in ((SCORER, "none"), (IMPORTED, "imported")):
        con.execute(
            "INSERT INTO models VALUES "
            "(?, 'synthetic', ?, 'x', 512, 224, 'none', 'fp32', ?, ?, ?, 'raw', FALSE)",
            [scorer, weights, THRESHOLD, "made up for timing", scorer],
        )
    con.execute(
        "INSERT INTO runs VALUES ('run1', TIMESTAMP '2024-06-01 12:00:00', "
        "TIMESTAMP '2024-06-09 12:00:00', '0', '{}', '{}', 'cpu')"
    )
    con.execute(
        "INSERT INTO store_info VALUES (?, 'synthetic', 'Synthetic corpus', 'none', 100, 1, 1000, "
        "[], 'none')",
        [SCHEMA_VERSION],
    )


def _fill_sound(con: duckdb.DuckDBPyConnection) -> None:
    """Scores of sound that are all chance; a tenth of the utterances has too little to hear."""
    drawn = ["CASE WHEN k % 10 = 0 THEN 'too_little_sound' END AS missing_reason"]
    for pair in PAIRS:
        for null in NULLS:
            z = "(1.4 * (random() + random() + random() + random() - 2) * sqrt(1.5))::FLOAT"
            columns = {"z": z, "n_nulls": "(20 + random() * 80)::SMALLINT"}
            drawn += [
                f"CASE WHEN k % 10 > 0 THEN {value} END AS {pair_column(pair, name, null)}"
                for name, value in columns.items()
            ]
    con.execute(
        f"""CREATE TEMP TABLE heard AS
            SELECT utterance_number, recording_id, utterance_id,
                (random() * -40)::FLOAT AS level_db, random()::FLOAT AS speech_share,
                8000 AS heard_ms, 10 AS n_frames,
                {", ".join(drawn)}
            FROM (SELECT *, hash(utterance_id) AS k FROM utterances) ORDER BY utterance_number"""
    )
    con.execute(
        """INSERT INTO sound_scores BY NAME
           SELECT *, 'slava-av3' AS system, CASE WHEN see_say_z IS NULL THEN NULL
               WHEN see_say_z >= 1.645 AND hear_say_z >= 1.645 THEN 'seen_and_heard'
               WHEN see_say_z >= 1.645 THEN 'seen_only'
               WHEN hear_say_z >= 1.645 THEN 'heard_only' ELSE 'neither' END AS quadrant
           FROM heard ORDER BY utterance_number"""
    )
    con.execute("DROP TABLE heard")
    con.execute(
        """INSERT INTO sound_systems BY NAME
           SELECT 'slava-av3' AS system, 1 AS seed, 'made up' AS encoder, FALSE AS hears_speech,
               '' AS text, 'recording' AS split_by, 5 AS n_folds, n AS n_utterances, n AS n_matched,
               [] AS left_out
           FROM (SELECT count(*)::INTEGER AS n FROM utterances)"""
    )


_NORMS = (("concreteness", 1, 5), ("SUBTLEX frequency", 0, 6), ("age of acquisition", 2, 14))


def _fill_scores(con: duckdb.DuckDBPyConnection) -> None:
    """Cosines around .2 with a child's own level; the maximum grows with the number of frames."""
    level = "(.17 + .03 * (hash(u.child_id) % 100) / 100)"
    noise = "(random() + random() + random() - 1.5)"
    drawn: list[str] = []
    for crop in CROPS:
        for window in WINDOWS:
            values = {
                "max_cosine": f"{level} + .006 * ln(1 + f.n_{window}) + .05 * {noise}",
                "mean_cosine": f"{level} + .04 * {noise}",
                "min_cosine": f"{level} - .02 + .04 * {noise}",
                "null_mean": f"{level} - .005 + .006 * ln(1 + f.n_{window})",
                "null_sd": "0.02 + 0.005 * random()",
                "z": f"2.4 * {noise} + .2",
                "p": "random()",
                "mean_z": f"2.4 * {noise} + .2",
            }
            drawn += [
                f"CASE WHEN f.n_{window} > 0 THEN ({values[s.name]})::FLOAT END "
                f"AS {wide_column(crop, window, s.name)}"
                for s in SCORE_STATISTICS
            ]
    for side, seconds in REACHES:
        n = "f.n_strict" if side == "inside" else str(seconds)
        drawn.append(f"({n})::SMALLINT AS {reach_frames_column(side, seconds)}")
        for crop in CROPS:
            top = f"{level} + .006 * ln(1 + {n}) + .03 * {noise}"
            drawn.append(
                f"CASE WHEN {n} > 0 THEN ({top})::FLOAT END "
                f"AS {reach_column(crop, side, seconds, 'max')}"
            )
            drawn.append(
                f"({n} * ({level} + .03 * {noise}))::FLOAT "
                f"AS {reach_column(crop, side, seconds, 'sum')}"
            )
    facts = """u.utterance_number, u.recording_id, u.utterance_id, u.child_id, r.age_days,
        u.onset_ms, u.offset_ms, u.speaker, u.language, c.location, c.activity, h.quadrant,
        u.n_words, u.mean_logprob,
        CASE u.flags WHEN ['overlapping'] THEN 1 WHEN ['low_confidence'] THEN 32
            ELSE 0 END AS flag_bits,
        md5_number_lower(u.recording_id || '/' || u.utterance_id) % 4294967296 AS random_key,
        f.n_strict AS n_frames_strict, f.n_strict + 2 AS n_frames_1s, f.n_strict + 4 AS n_frames_2s,
        CASE f.n_strict WHEN 0 THEN 'no_frame_in_window' END AS missing_reason"""
    source = """FROM utterances u JOIN recordings r USING (recording_id)
        JOIN sound_scores h ON h.utterance_number = u.utterance_number
        JOIN contexts c ON c.recording_id = u.recording_id
            AND c.onset_ms <= (u.onset_ms + u.offset_ms) // 2
            AND c.offset_ms > (u.onset_ms + u.offset_ms) // 2,
        LATERAL (SELECT (u.offset_ms // 1000 - (u.onset_ms - 1) // 1000) AS n_strict,
            n_strict + 2 AS n_1s, n_strict + 4 AS n_2s) f
        WHERE u.utterance_number >= $first AND u.utterance_number < $last
        ORDER BY u.utterance_number"""
    (n,) = con.execute("SELECT count(*) FROM utterances").fetchall()[0]
    imported = [d for d in drawn if d.split(" AS ")[-1] in _IMPORTED_COLUMNS]
    for scorer, columns in ((IMPORTED, imported), (SCORER, drawn)):
        for first in range(0, n, _CHUNK):
            con.execute(
                f"INSERT INTO scores_wide BY NAME SELECT '{scorer}' AS scorer, {facts}, "
                f"{', '.join(columns)} {source}",
                {"first": first, "last": first + _CHUNK},
            )


def _fill_lags(con: duckdb.DuckDBPyConnection) -> None:
    """One frame a second from 10 s before the onset to 10 s after it, as lists."""
    frames = range(-MAX_LAG_S, MAX_LAG_S + 1)
    cosines = ", ".join(
        "[" + ", ".join("(.2 + .05 * random())::FLOAT" for _ in frames) + f"] AS {crop}"
        for crop in CROPS
    )
    times = ", ".join(f"onset_ms + {1_000 * k}" for k in frames)
    lags = ", ".join(
        f"least({1_000 * k}, 0) + greatest(onset_ms + {1_000 * k} - offset_ms + 1, 0)"
        for k in frames
    )
    con.execute(
        f"""INSERT INTO {LAGS.name} BY NAME
            SELECT utterance_number, recording_id, utterance_id, '{SCORER}' AS scorer,
                [{times}]::INTEGER[] AS time_ms, [{lags}]::INTEGER[] AS lag_ms, {cosines}
            FROM utterances ORDER BY utterance_number"""
    )


def main() -> int:
    """Write the store and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic_store")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--utterances", type=int, default=1_800_000)
    parser.add_argument("--recordings", type=int, default=16_000)
    parser.add_argument("--children", type=int, default=51)
    asked = parser.parse_args()
    started = time.perf_counter()
    store = write_synthetic_store(
        asked.folder, Size(asked.children, asked.recordings, asked.utterances)
    )
    print(
        f"{store}: {asked.utterances:,} utterances, {store.stat().st_size / 2**30:.2f} GiB, "
        f"written in {time.perf_counter() - started:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
