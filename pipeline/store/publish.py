"""Build the DuckDB store from shards, then make it the current one.

The store is a build artefact: it is always made whole from shards under a new name and never
changed afterwards. Rows are inserted in each table's sort order, so equal shards give equal
tables.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb

from pipeline.errors import DiskFullError, StoreError
from pipeline.records import Notice, StageFailure
from pipeline.schema import SCHEMA_VERSION, TABLES
from pipeline.store.build_rules import delete_rules_of_build, rules_text, write_rules_of_build
from pipeline.store.fill import RunRecord, ShardSet, StoreIdentity, fill
from pipeline.store.fill_columns import write_columns
from pipeline.store.fill_imported import file_digest, score_files
from pipeline.store.fill_norms import norm_files
from pipeline.store.fill_probes import insert_probe_indices, probe_files
from pipeline.store.fill_sound import files_of_sound
from pipeline.store.frame_vectors import (
    delete_orphans,
    delete_vectors,
    keep_vectors,
    write_vectors,
)
from pipeline.store.layout import digest_of, forget
from pipeline.store.locate import current_store_path, stores_folder, switch_current_store
from pipeline.store.redaction_sweep import sweep_redacted
from pipeline.store.seals import damaged_among, delete_sums, write_sums
from pipeline.store.shards import damaged
from pipeline.study import Study

MEMORY_A_THREAD = 100_000_000
"""Bytes that DuckDB may keep for each of its threads; beyond it, it writes to disk what it can. It
takes all it may have, and hardly gains time by more."""
READING_MEMORY = 100_000_000
"""Bytes that it may keep where it only reads one row after the other."""
MORE_MEMORY = (1, 4, 16)
"""How many times as much as these it may have, one after the other while it needs more."""


def inputs_digest(
    study: Study,
    shards: ShardSet,
    failures: Iterable[StageFailure],
    notices: Iterable[Notice] = (),
) -> str:
    """Digest of everything a store is made from; equal digests give equal stores."""
    computed = [*files_of_sound(study), *probe_files(study.derived)]
    measured = measured_digest(study, shards, failures, notices)
    return digest_of(measured, *_contents(computed)) if computed else measured


def measured_digest(
    study: Study,
    shards: ShardSet,
    failures: Iterable[StageFailure],
    notices: Iterable[Notice] = (),
) -> str:
    """`inputs_digest` without what was computed from a store: it tells whether that still holds."""
    return digest_of(
        str(SCHEMA_VERSION),
        shards.digest(),
        study.settings.to_json(),
        repr(study.children),
        repr(study.recordings),
        repr(study.contexts),
        repr(sorted(repr(failure) for failure in failures)),
        repr(tuple(notices)),
        *_contents([*norm_files(study.root), *score_files(study.root)]),
        *study.redactions.splitlines(),
        *(f"{r.recording_id} wordless" for r in study.recordings if not r.permission.may_be_shown),
    )


def _contents(files: Iterable[Path]) -> list[str]:
    """Names and contents of files that change the store without a stage."""
    return [f"{path.name} {file_digest(path)}" for path in files if path.is_file()]


def published_inputs(study_root: Path) -> str | None:
    """Digest of what the current store was made from; None without a readable current store."""
    try:
        path = current_store_path(study_root)
        if path is None:
            return None
        with duckdb.connect(str(path), read_only=True) as con:
            row = con.execute("SELECT inputs, schema_version FROM store_info").fetchone()
    except (StoreError, duckdb.Error):
        return None
    return str(row[0]) if row and row[1] == SCHEMA_VERSION else None


def has_published_scores(study_root: Path) -> bool:
    """Whether the current store, of whatever schema, holds frame scores of the study's own."""
    try:
        path = current_store_path(study_root)
        if path is None:
            return False
        with duckdb.connect(str(path), read_only=True) as con:
            row = con.execute("SELECT count(*) FROM lags").fetchone()
    except (StoreError, duckdb.Error):
        return False
    return bool(row and row[0])


def publish(
    study: Study,
    shards: ShardSet,
    failures: Sequence[StageFailure],
    notices: Sequence[Notice],
    run: RunRecord,
) -> Path:
    """Write a new store from shards and switch to it; returns its path.

    Raises DiskFullError when the disk is full (nothing is left behind and the old store stays
    current) and StoreError when a shard is damaged.
    """
    inputs = inputs_digest(study, shards, failures, notices)
    measured = measured_digest(study, shards, failures, notices)
    folder = stores_folder(study.root)
    folder.mkdir(parents=True, exist_ok=True)
    build = f"{run.finished_at:%Y%m%dT%H%M%S}-{inputs[:8]}"
    target = folder / f"store-{build}.duckdb"
    partial = folder / f"{target.name}.partial"
    _delete_unfinished(folder)
    identity = StoreIdentity(build, inputs, measured, tuple(notices))

    def write(times: int) -> list[Path]:
        with duckdb.connect(str(partial)) as con:
            # No transaction around it all: what is not yet committed stays in memory. Nobody sees
            # the file before it is whole.
            con.execute(f"SET memory_limit = '{times * _least_memory(con)}B'")
            fill(con, study, shards, failures, run, identity)
            insert_probe_indices(con, study.derived, measured)
            con.execute("CHECKPOINT")
        # Opened anew, it holds nothing in memory of what was written.
        with duckdb.connect(str(partial), read_only=True) as con:
            con.execute(f"SET memory_limit = '{times * READING_MEMORY}B'")
            return write_vectors(con, target)

    try:
        vectors = _with_enough_memory(write, lambda: _delete_unfinished(folder))
        keep_vectors([*vectors, *write_columns(partial, target)])
        write_rules_of_build(target, rules_text(study))
        write_sums(target, partial)
        partial.replace(target)
    except StoreError:
        _delete_unfinished(folder)
        raise
    except (duckdb.Error, OSError) as problem:
        _delete_unfinished(folder)
        raise _write_error(problem, target, shards) from problem
    switch_current_store(study.root, target.name)
    clean_up(study, target, shards)
    return target


def _with_enough_memory(
    write: Callable[[int], list[Path]], delete_unfinished: Callable[[], None]
) -> list[Path]:
    """What `write` gives for the least share of memory that is enough (see MORE_MEMORY). Raises
    what it raises, with the largest share also that memory was short."""
    for times in MORE_MEMORY[:-1]:
        try:
            return write(times)
        except duckdb.OutOfMemoryException:
            delete_unfinished()
    return write(MORE_MEMORY[-1])


def _least_memory(con: duckdb.DuckDBPyConnection) -> int:
    """Bytes, the same for small and large studies."""
    row = con.execute("SELECT current_setting('threads')").fetchone()
    return MEMORY_A_THREAD * max(int(row[0]) if row else 1, 2)


def clean_up(study: Study, current: Path, shards: ShardSet) -> None:
    """Delete what a new build makes superfluous, and what a run that was cut off left of it."""
    folder = stores_folder(study.root)
    _prune(study, current)
    _delete_unfinished(folder)
    sweep_redacted(study, current, shards.paths())


def delete_build(store: Path) -> None:
    """Delete a build with all that lies beside it."""
    store.unlink(missing_ok=True)
    delete_vectors(store)
    delete_rules_of_build(store)
    delete_sums(store)


def store_digests(path: Path) -> dict[str, str]:
    """Digest of the content of every table but `runs` and the build name of `store_info`.

    Two stores made from the same inputs have the same digests, whenever they were built.
    """
    digests = {}
    with duckdb.connect(str(path), read_only=True) as con:
        for table in TABLES:
            if table.name == "runs":
                continue
            columns = [name for name in table.column_names if name != "build"]
            quoted = ", ".join(f'"{name}"' for name in columns)
            digest = hashlib.sha256()
            cursor = con.execute(f"SELECT {quoted} FROM {table.name}")
            while rows := cursor.fetchmany(10_000):
                digest.update(repr(rows).encode())
            digests[table.name] = digest.hexdigest()
    return digests


def _delete_unfinished(folder: Path) -> None:
    """What a run left that did not come to its end: files not finished (DuckDB's own folder for
    what does not fit in memory among them), and whole ones whose store is not there."""
    forget(folder.glob("*.partial*"))
    delete_orphans(folder)
    beside = (*folder.glob("store-*.rules"), *folder.glob("store-*.sums"))
    forget(path for path in beside if not path.with_suffix(".duckdb").is_file())


def _write_error(problem: Exception, target: Path, shards: ShardSet) -> StoreError:
    number = problem.errno if isinstance(problem, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(problem):
        return DiskFullError(
            f"The disk is full: {target.name} could not be written.",
            hint="Free some space and run again; the store before stays in use.",
        )
    if isinstance(problem, duckdb.OutOfMemoryException):
        return StoreError(
            f"There is too little memory to build the store {target.name}.",
            hint="Close other programs and free some space on the disk, or build it on a machine "
            "with more memory; the store before stays in use.",
        )
    with suppress(OSError):  # The disk may not answer any more.
        for path in damaged_among(shards.paths()):
            return damaged(path)
    return StoreError(
        f"The store {target.name} could not be built: {problem}.",
        hint="The store before stays in use; run again.",
    )


def _prune(study: Study, current: Path) -> None:
    """Delete the oldest builds beyond publish.keep_builds; a build still open stays readable."""
    builds = sorted(stores_folder(study.root).glob("store-*.duckdb"))
    others = [build for build in builds if build != current]
    for old in others[: max(0, len(builds) - study.settings.publish.keep_builds)]:
        try:
            delete_build(old)
        except OSError:
            # Windows keeps a file that the dashboard has open; the next run removes it.
            continue
