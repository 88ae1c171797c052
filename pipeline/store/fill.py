"""Fill an empty DuckDB database from shards: one function per group of tables.

DuckDB reads the Parquet shards itself; nothing goes through Python row by row but what is few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.records import Crop, ModelRef, Notice, StageFailure
from pipeline.schema import SCHEMA_VERSION, SCORES_WIDE, TABLES
from pipeline.schema_sql import create_table_sql
from pipeline.store.fill_imported import IMPORTED_TABLE, insert_imported_scores
from pipeline.store.fill_norms import insert_word_norms
from pipeline.store.fill_scores import fill_scores, finish
from pipeline.store.fill_settings import insert_models, insert_settings
from pipeline.store.fill_sound import insert_sound
from pipeline.store.fill_words import insert_word_index
from pipeline.store.layout import digest_of
from pipeline.store.shards import read_meta, shard_media, shard_model, shard_notices
from pipeline.study import Context, Study


@dataclass(frozen=True, slots=True)
class ShardSet:
    """The finished shards a store is made from, each list in order of recording; further settings
    of the score add `variants` (made texts) and `hubs` (one file per child)."""

    speech: tuple[Path, ...]
    vision: tuple[Path, ...]
    text: tuple[Path, ...]
    align: tuple[Path, ...]
    variants: tuple[Path, ...] = ()
    hubs: tuple[Path, ...] = ()

    def digest(self) -> str:
        """Digest of all shard names; they carry the settings and the inputs."""
        groups = (self.speech, self.vision, self.text, self.align, self.variants, self.hubs)
        names = [f"{path.parent.name}/{path.name}" for group in groups for path in group]
        return digest_of(*names)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What was run, for the table runs. Times are naive UTC; settings and versions are JSON."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    coview_version: str
    settings: str
    versions: str
    device: str


@dataclass(frozen=True, slots=True)
class StoreIdentity:
    """What the table store_info says: build, digests of its inputs, notices about the study."""

    build: str
    inputs: str
    measured: str
    notices: tuple[Notice, ...] = ()


def fill(
    con: duckdb.DuckDBPyConnection,
    study: Study,
    shards: ShardSet,
    failures: Sequence[StageFailure],
    run: RunRecord,
    identity: StoreIdentity,
) -> None:
    """Create all tables and views in an empty database and fill them from shards."""
    con.execute("SET preserve_insertion_order = true")
    for table in TABLES:
        # The flat table needs the names that the others will hold.
        if table is not SCORES_WIDE:
            con.execute(create_table_sql(table))
    align = study.settings.align
    con.execute(
        "INSERT INTO store_info VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            SCHEMA_VERSION,
            identity.build,
            study.name,
            identity.inputs,
            align.null_draws,
            align.seed,
            round(study.settings.frames.step_ms),
            [notice.message for notice in identity.notices],
            identity.measured,
        ],
    )
    models = _models(shards)
    scorers = [model.scorer for model in models]
    _insert_recordings(con, study, shards)
    _insert_speech(con, shards.speech)
    insert_word_index(con, study.settings.speech.language)
    insert_word_norms(con, study.root, study.settings.speech.language)
    _insert_frames(con, shards.vision, scorers)
    _insert_texts(con, shards.text, scorers)
    insert_models(con, models, align)
    insert_settings(con, models, align, shards.variants, shards.hubs)
    con.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            run.run_id,
            run.started_at,
            run.finished_at,
            run.coview_version,
            run.settings,
            run.versions,
            run.device,
        ],
    )
    for failure in sorted(failures, key=lambda f: (f.stage, f.recording_id, f.code)):
        con.execute(
            "INSERT INTO failures VALUES (?, ?, ?, ?, ?)",
            [failure.stage, failure.recording_id, failure.code, failure.message, failure.hint],
        )
    _insert_contexts(con, study.contexts)
    _insert_children(con, study)
    insert_imported_scores(con, study)
    insert_sound(con, study)
    fill_scores(con, shards.align, IMPORTED_TABLE)
    con.execute(f"DROP TABLE {IMPORTED_TABLE}")
    finish(con)


def _insert_contexts(con: duckdb.DuckDBPyConnection, contexts: Sequence[Context]) -> None:
    ordered = sorted(contexts, key=lambda c: (c.recording_id, c.onset_ms))
    table = pa.table(
        {
            "recording_id": pa.array([c.recording_id for c in ordered], pa.string()),
            "onset_ms": pa.array([c.onset_ms for c in ordered], pa.int32()),
            "offset_ms": pa.array([c.offset_ms for c in ordered], pa.int32()),
            "location": pa.array([c.location for c in ordered], pa.string()),
            "activity": pa.array([c.activity for c in ordered], pa.string()),
        }
    )
    con.register("contexts_read", table)
    con.execute("INSERT INTO contexts BY NAME SELECT * FROM contexts_read")
    con.unregister("contexts_read")


def _models(shards: ShardSet) -> list[ModelRef]:
    """The model of the vision shards; text and align shards are made with the same one."""
    return [shard_model(shards.vision[0])] if shards.vision else []


def _insert_recordings(con: duckdb.DuckDBPyConnection, study: Study, shards: ShardSet) -> None:
    """One row per recording with a speech or vision shard; counts are filled in from the shards."""
    speech = {str(read_meta(path)["recording_id"]): path for path in shards.speech}
    vision = {str(read_meta(path)["recording_id"]): path for path in shards.vision}
    texts = {str(read_meta(path)["recording_id"]): path for path in shards.text}
    for recording in study.recordings:
        paths = [
            by_id[recording.recording_id]
            for by_id in (speech, vision)
            if recording.recording_id in by_id
        ]
        if not paths:
            continue
        media = shard_media(paths[-1])
        if recording.recording_id in texts:
            paths.append(texts[recording.recording_id])
        notices = [notice.message for path in paths for notice in shard_notices(path)]
        source = (
            str(read_meta(speech[recording.recording_id])["source"])
            if recording.recording_id in speech
            else None
        )
        con.execute(
            "INSERT INTO recordings VALUES "
            "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, NULL, ?, ?, ?)",
            [
                recording.recording_id,
                recording.child_id,
                recording.date,
                recording.age_days,
                media.duration_ms,
                None if recording.media_path is None else str(recording.media_path),
                None if recording.frames_path is None else str(recording.frames_path),
                media.width_px,
                media.height_px,
                media.frame_rate_hz,
                media.video_codec,
                media.audio_codec,
                source,
                recording.permission.value,
                [*media.notes, *notices],
            ],
        )


def _insert_speech(con: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    if not paths:
        return
    files = [str(path) for path in paths]
    con.execute(
        """
        INSERT INTO words
        SELECT recording_id, utterance_id, word_index - 1, w.text, w.token,
               w.onset_ms, w.offset_ms, w.probability
        FROM (
            SELECT recording_id, utterance_id, unnest(words) AS w,
                   generate_subscripts(words, 1) AS word_index
            FROM read_parquet(?, union_by_name = true, hive_partitioning = false)
        )
        ORDER BY recording_id, utterance_id, word_index
        """,
        [files],
    )
    con.execute(
        """
        INSERT INTO utterances
        SELECT row_number() OVER (ORDER BY s.recording_id, s.onset_ms, s.utterance_id) - 1,
               s.recording_id, s.utterance_id, r.child_id, s.onset_ms, s.offset_ms, s.text,
               s.speaker, s.speaker_overlap, s.language, coalesce(w.n_words, 0),
               s.mean_logprob, s.no_speech_prob, s.compression_ratio, s.flags, s.source
        FROM read_parquet(?, union_by_name = true, hive_partitioning = false) s
        JOIN recordings r USING (recording_id)
        LEFT JOIN (
            SELECT recording_id, utterance_id, count(*) FILTER (token <> '') AS n_words
            FROM words GROUP BY ALL
        ) w USING (recording_id, utterance_id)
        ORDER BY s.recording_id, s.onset_ms, s.utterance_id
        """,
        [files],
    )
    con.execute(
        """
        UPDATE recordings SET n_utterances = c.n, first_utterance_number = c.first
        FROM (
            SELECT recording_id, count(*) AS n, min(utterance_number) AS first
            FROM utterances GROUP BY ALL
        ) c
        WHERE c.recording_id = recordings.recording_id
        """
    )


def _insert_frames(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], scorers: Sequence[str]
) -> None:
    if not paths:
        return
    files = [str(path) for path in paths]
    con.execute(
        """
        INSERT INTO frames SELECT recording_id, time_ms, grid_index
        FROM read_parquet(?, union_by_name = true, hive_partitioning = false)
        ORDER BY recording_id, time_ms
        """,
        [files],
    )
    con.execute(
        """
        UPDATE recordings SET n_frames = c.n
        FROM (SELECT recording_id, count(*) AS n FROM frames GROUP BY ALL) c
        WHERE c.recording_id = recordings.recording_id
        """
    )
    sub_crops = read_meta(paths[0])["sub_crops"]
    assert isinstance(sub_crops, dict)
    dim = shard_model(paths[0]).dim
    # Crop by crop, so that a search for one crop reads no other.
    for crop in sorted(sub_crops):
        selects = [
            f"SELECT recording_id, time_ms, {index} AS crop_index, "
            f"{Crop(crop).value}[{index * dim + 1}:{(index + 1) * dim}]::FLOAT[] AS embedding "
            "FROM shards"
            for index in range(int(sub_crops[crop]))
        ]
        con.execute(
            f"""
            INSERT INTO frame_embeddings
            WITH shards AS (
                SELECT * FROM read_parquet($files, union_by_name = true, hive_partitioning = false)
            )
            SELECT recording_id, time_ms, $scorer, $crop, crop_index, embedding
            FROM ({" UNION ALL ".join(selects)})
            ORDER BY recording_id, time_ms, crop_index
            """,
            {"files": files, "scorer": scorers[0], "crop": crop},
        )


def _insert_texts(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], scorers: Sequence[str]
) -> None:
    if paths:
        con.execute(
            """
            INSERT INTO utterance_embeddings
            SELECT recording_id, utterance_id, $scorer, embedding::FLOAT[]
            FROM read_parquet($files, union_by_name = true, hive_partitioning = false)
            ORDER BY recording_id, utterance_id
            """,
            {"files": [str(path) for path in paths], "scorer": scorers[0]},
        )


def _insert_children(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    for child in sorted(study.children, key=lambda c: c.child_id):
        con.execute(
            """
            INSERT INTO children
            SELECT ?, ?, count(*), coalesce(sum(n_utterances), 0), coalesce(sum(duration_ms), 0),
                   min(age_days), max(age_days)
            FROM recordings WHERE child_id = ?
            """,
            [child.child_id, child.sex, child.child_id],
        )
