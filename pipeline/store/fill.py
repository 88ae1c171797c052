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

from pipeline.records import Notice, StageFailure
from pipeline.schema import SCHEMA_VERSION, SCORES_WIDE, TABLES
from pipeline.schema_sql import create_table_sql
from pipeline.store.fill_imported import IMPORTED_TABLE, insert_imported_scores
from pipeline.store.fill_norms import insert_word_norms
from pipeline.store.fill_scores import fill_scores, finish
from pipeline.store.fill_settings import insert_models, insert_settings
from pipeline.store.fill_shards import (
    insert_frames,
    insert_recordings,
    insert_speech,
    insert_texts,
)
from pipeline.store.fill_sound import insert_sound
from pipeline.store.fill_words import insert_word_index
from pipeline.store.layout import digest_of
from pipeline.store.ordered_shards import in_order
from pipeline.store.shards import shard_model
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

    def paths(self) -> tuple[Path, ...]:
        """All shards of the set."""
        groups = (self.speech, self.vision, self.text, self.align, self.variants, self.hubs)
        return tuple(path for group in groups for path in group)

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
    speech, vision, texts = (in_order(p) for p in (shards.speech, shards.vision, shards.text))
    # Text and align shards are made with the model of the vision shards.
    models = [shard_model(vision[0].path)] if vision else []
    insert_recordings(con, study, speech, vision, texts)
    insert_speech(con, speech)
    insert_word_index(con, study.settings.speech.language)
    insert_word_norms(con, study.root, study.settings.speech.language)
    for model in models:
        insert_frames(con, vision, model.scorer, model.dim)
        insert_texts(con, texts, model.scorer)
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
    fill_scores(con, in_order(shards.align), IMPORTED_TABLE)
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
