"""A copy of a store with the rows of some children only, for people who may see no others.

Whoever may see some children asks a store in which the others are not: no query, link or filter
can reach what is not there. Every table is listed below with the way it is narrowed; a table that
is not, or has a column that is not known, is an error, so that nothing is carried over unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from pipeline.errors import StoreError
from pipeline.schema import SCORES_WIDE, TABLES
from pipeline.schema_sql import create_table_sql, create_type_sql
from pipeline.score_tables import NAME_TYPES
from pipeline.store.locate import current_store_path, stores_folder
from pipeline.store.stored_queries import refuse_foreign_queries

_FOLDER = "narrowed"
_MEMORY_LIMIT = "1GB"
_LOCK_S = 600.0
_LEAVES_BYTES = "fsst,dict_fsst,dictionary"
"""Ways of packing text whose blocks may end in bytes of what was in memory (duckdb issue 23382)."""

_BY_RECORDING = (
    *("recordings", "utterances", "words", "frames", "frame_embeddings"),
    *("utterance_embeddings", "lags", "sound_scores", "scored_texts", "failures", "contexts"),
)
_BY_CHILD = ("children", "hubs", "probe_indices")
_OF_WORDS = ("word_norms", "parts_of_speech")
_WHOLE = ("models", "runs")
_APART = ("store_info", "word_index", "norms", "sound_systems", "scores_wide")
_LEFT_OUT = ("sound_recall",)
"""Measured over all children; nothing of it can be said about some."""


def narrowed_store(source: Path, study_root: Path, children: Collection[str]) -> Path:
    """The copy of a build for these children, made when it is asked for first.

    Raises StoreError when it cannot be made; then these people see nothing.
    """
    # It brings what only writers of stores and searches need.
    from pipeline.store.frame_vectors import delete_orphans, keep_vectors

    folder = stores_folder(study_root) / _FOLDER
    name = hashlib.sha256("\x1f".join(sorted(children)).encode()).hexdigest()[:16]
    target = folder / f"{source.stem}-{name}.duckdb"
    if _is_of(target, source):
        return target  # not waiting for the copy of somebody else that is made now
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(folder / "lock", timeout=_LOCK_S, thread_local=False):
            if not _is_of(target, source):
                _forget_old(folder, study_root)
                delete_orphans(folder)
                partial = target.with_suffix(".partial")
                partial.unlink(missing_ok=True)
                try:
                    vectors = write_narrowed(source, partial, children, target)
                    keep_vectors(vectors)
                    partial.replace(target)
                finally:
                    partial.unlink(missing_ok=True)
                    Path(f"{partial}.wal").unlink(missing_ok=True)
    except (duckdb.Error, OSError, Timeout) as problem:
        raise StoreError(
            "What you may see of this study could not be made ready.",
            hint="Ask the person who runs the dashboard whether its disk is full.",
        ) from problem
    return target


def forget_narrowed(study_root: Path) -> list[Path]:
    """Delete all such copies, as when a child or a recording is withdrawn; which they were."""
    folder = stores_folder(study_root) / _FOLDER
    found = sorted(path for path in folder.glob("*") if path.is_file() and path.name != "lock")
    for path in found:
        path.unlink(missing_ok=True)
    return found


def _is_of(target: Path, source: Path) -> bool:
    """Whether the copy is there and no older than what it was made from."""
    return target.is_file() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns


def _forget_old(folder: Path, study_root: Path) -> None:
    """Delete copies of builds that are there no longer, or are not the current one."""
    current = current_store_path(study_root)
    for path in folder.glob("*.duckdb*"):  # their vectors are orphans then
        if current is None or not path.name.startswith(f"{current.stem}-"):
            path.unlink(missing_ok=True)


def write_narrowed(
    source: Path, partial: Path, children: Collection[str], target: Path
) -> list[Path]:
    """Write a store with the rows of these children to `partial`, which must not exist.

    The files beside it, which are returned, are for the name `target`. Utterances are
    numbered anew from 0. Raises StoreError for a store with a table that is not known here or with
    queries that are not Coview's, and duckdb.Error.
    """
    # It brings what only a writer of stores needs.
    from pipeline.store.fill_columns import write_columns
    from pipeline.store.fill_scores import finish
    from pipeline.store.frame_vectors import write_vectors

    with duckdb.connect(str(partial)) as con:
        con.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        con.execute(f"SET disabled_compression_methods = '{_LEAVES_BYTES}'")
        quoted = str(source).replace("'", "''")
        con.execute(f"ATTACH '{quoted}' AS whole (READ_ONLY)")
        refuse_foreign_queries(con, source.name, "whole")
        _check_tables(con)
        con.execute("CREATE TEMP TABLE allowed_children AS SELECT unnest(?) AS id", [[*children]])
        con.execute(
            "CREATE TEMP TABLE allowed AS SELECT recording_id AS id FROM whole.recordings "
            "WHERE child_id IN (SELECT id FROM allowed_children)"
        )
        con.execute(
            "CREATE TEMP TABLE numbers AS SELECT utterance_number AS old, "
            "(row_number() OVER (ORDER BY utterance_number) - 1)::INTEGER AS new "
            "FROM whole.utterances WHERE recording_id IN (SELECT id FROM allowed)"
        )
        for table in TABLES:
            # The flat table needs the names that the others will hold.
            if table is not SCORES_WIDE:
                con.execute(create_table_sql(table))
                _copy(con, table.name)
        for name in NAME_TYPES:
            con.execute(create_type_sql(name))
        con.execute(create_table_sql(SCORES_WIDE))
        _insert(con, SCORES_WIDE.name, _ALLOWED_RECORDINGS)
        finish(con)
        con.execute("DETACH whole")
        vectors = write_vectors(con, target)
        con.execute("CHECKPOINT")
    return [*vectors, *write_columns(partial, target)]


_ALLOWED_RECORDINGS = "t.recording_id IN (SELECT id FROM allowed)"
_HEARD = "t.lemma IN (SELECT DISTINCT lemma FROM word_index)"


def _copy(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Copy what may be seen of a table but `scores_wide`, in the order in which it lies there."""
    if name in _BY_RECORDING:
        _insert(con, name, _ALLOWED_RECORDINGS)
        if name == "recordings":
            con.execute(
                "UPDATE recordings SET first_utterance_number = (SELECT new FROM numbers "
                "WHERE old = first_utterance_number) WHERE first_utterance_number IS NOT NULL"
            )
    elif name in _BY_CHILD:
        _insert(con, name, "t.child_id IN (SELECT id FROM allowed_children)")
    elif name in _OF_WORDS:
        _insert(con, name, _HEARD)
    elif name in _WHOLE or name == "word_index":
        # Rows of the index whose utterance has no new number are left out.
        _insert(con, name, "TRUE")
    elif name == "store_info":
        # Its notices may be about anybody.
        _insert(con, name, "TRUE", {"notices": "[]::VARCHAR[]"})
    elif name == "norms":
        n_lemmas = (
            "(SELECT count(DISTINCT w.lemma) FROM word_norms w WHERE w.norm = t.norm "
            "AND w.source = t.source)::INTEGER"
        )
        _insert(con, name, "TRUE", {"n_lemmas": n_lemmas})
    elif name == "sound_systems":
        # How many were looked at and left out is told of all children together.
        changed = {
            "n_utterances": "NULL",
            "n_matched": f"(SELECT count(*) FROM whole.sound_scores t WHERE {_ALLOWED_RECORDINGS})",
            "left_out": "[]::VARCHAR[]",
        }
        _insert(con, name, "TRUE", changed)


def _insert(
    con: duckdb.DuckDBPyConnection,
    name: str,
    condition: str,
    changed: dict[str, str] | None = None,
) -> None:
    """Rows of a table that meet a condition over `t`, in their order, with columns changed."""
    columns = [row[0] for row in con.execute(f"DESCRIBE whole.{name}").fetchall()]
    values = {column: f't."{column}"' for column in columns} | (changed or {})
    joined = ""
    if "utterance_number" in columns:
        values["utterance_number"] = "n.new"
        joined = "JOIN numbers n ON n.old = t.utterance_number"
    if name == SCORES_WIDE.name:
        types = {column.name: column.type for column in SCORES_WIDE.columns}
        for column in columns:
            if types[column] in NAME_TYPES:
                values[column] = f't."{column}"::VARCHAR'
    selected = ", ".join(f'{sql} AS "{column}"' for column, sql in values.items())
    con.execute(
        f"INSERT INTO {name} BY NAME SELECT {selected} FROM whole.{name} t {joined} "
        f"WHERE {condition} ORDER BY t.rowid"
    )


def _check_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Refuse a store with a table whose rows nobody said how to narrow."""
    known = {*_BY_RECORDING, *_BY_CHILD, *_OF_WORDS, *_WHOLE, *_APART, *_LEFT_OUT}
    found = {
        str(row[0])
        for row in con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'whole'"
        ).fetchall()
    }
    strange = sorted(found - known)
    if strange:
        raise StoreError(
            f"This Coview cannot show some children of a store with the table {strange[0]}.",
            hint="Ask the person who runs the dashboard to bring Coview up to date.",
        )
