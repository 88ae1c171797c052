"""Exports that are a dataset or a set of tables: ChildProject, Psych-DS, CSV, Parquet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from duckdb import DuckDBPyConnection

from pipeline.exchange import childproject, psychds
from pipeline.exchange.childproject import SET_NAME, SetEntry
from pipeline.exchange.export_folder import disk_error
from pipeline.exchange.export_request import Resolved, score_setting
from pipeline.exchange.methods import methods_text
from pipeline.exchange.scored_recordings import RecordingFacts, ScoredRecording
from pipeline.exchange.selection import ScoreSetting, Selection, SelectionCounts
from pipeline.exchange.store_tables import (
    LARGE_TABLES,
    Restriction,
    check_restriction,
    chosen_tables,
    restricted,
)
from pipeline.exchange.table_export import TableExport, sidecar
from pipeline.exchange.table_file import plain_columns, write_table
from pipeline.export_marker import EXPORT_MARKER
from pipeline.textfile import CsvTable, read_csv


@dataclass(frozen=True, slots=True)
class Filenames:
    """recording_filename of each recording of a study, as its metadata has them."""

    by_recording: Mapping[str, str]

    def of(self, facts: RecordingFacts) -> str:
        """The name; the path of the media, or the id, where the metadata has none."""
        return self.by_recording.get(facts.recording_id, facts.media_path or facts.recording_id)


def filenames_of(study_root: Path) -> Filenames:
    """Read them from metadata/recordings.csv; none when the study has no such file."""
    path = study_root / "metadata" / "recordings.csv"
    if not path.is_file():
        return Filenames({})
    names = {}
    for row in read_csv(path).rows:
        name = row.text("recording_filename")
        stem = Path(name.replace("\\", "/")).stem
        names[row.text("recording_id") or stem] = name
    return Filenames(names)


def experiment_of(study_root: Path, study_name: str) -> str:
    """ChildProject's name of the data collection: the study's own, or its name in one word."""
    path = study_root / "metadata" / "children.csv"
    if path.is_file():
        for row in read_csv(path).rows:
            if experiment := row.text("experiment"):
                return experiment
    return re.sub(r"[^A-Za-z0-9]+", "_", study_name).strip("_") or "study"


def write_segments(
    recordings: Iterable[ScoredRecording], resolved: Resolved, filenames: Filenames, folder: Path
) -> list[SetEntry]:
    """Write converted/*.csv and metannots.yml of the set into `folder`."""
    with_text = resolved.request.with_text
    (folder / "converted").mkdir(parents=True)
    entries = []
    for recording in recordings:
        name = childproject.annotation_filename(recording)
        with (folder / "converted" / name).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(childproject.segment_lines(recording, with_text=with_text))
        entries.append(
            SetEntry(recording.facts, filenames.of(recording.facts), name, recording.end_ms)
        )
    text = childproject.metannots_text(
        resolved.score, datetime.now(timezone.utc), version("coview"), with_text=with_text
    )
    _write_text(folder / "metannots.yml", text)
    return entries


def write_copy(
    recordings: Iterable[ScoredRecording],
    resolved: Resolved,
    filenames: Filenames,
    experiment: str,
    folder: Path,
) -> None:
    """Write a ChildProject dataset of its own: the set, and metadata without birth dates."""
    entries = write_segments(recordings, resolved, filenames, folder / "annotations" / SET_NAME)
    metadata = folder / "metadata"
    metadata.mkdir()
    made_at = datetime.now(timezone.utc)
    _write_text(metadata / "children.csv", childproject.children_text(entries, experiment))
    _write_text(metadata / "recordings.csv", childproject.recordings_text(entries, experiment))
    _write_text(metadata / "annotations.csv", childproject.index_text(entries, None, made_at))


def index_of(study_root: Path) -> CsvTable | None:
    """A study's metadata/annotations.csv, None where there is none.

    Raises StudyError when it cannot be read.
    """
    path = study_root / "metadata" / "annotations.csv"
    return read_csv(path) if path.is_file() else None


def write_index(study_root: Path, entries: Sequence[SetEntry], existing: CsvTable | None) -> None:
    """Put the set into a study's metadata/annotations.csv, whose other rows stay as they are.

    Raises StoreError when the file cannot be written.
    """
    path = study_root / "metadata" / "annotations.csv"
    text = childproject.index_text(entries, existing, datetime.now(timezone.utc))
    partial = path.with_name(f"{path.name}.partial")
    try:
        _write_text(partial, text)
        partial.replace(path)
    except OSError as problem:
        raise disk_error(problem, path) from problem


def write_psychds(con: DuckDBPyConnection, resolved: Resolved, folder: Path) -> SelectionCounts:
    """Write a Psych-DS dataset into `folder`; returns what it holds."""
    facts, made_at = resolved.facts, datetime.now(timezone.utc)
    query = psychds.data_query(
        resolved.recordings, resolved.score, with_text=resolved.request.with_text
    )
    name = psychds.data_file_name(facts.study_name)
    (folder / "data").mkdir()
    write_table(con, query.sql, query.params, query.columns, folder / "data" / name, "csv")
    setting = score_setting(facts, resolved.score)
    counts = _counts(con, resolved, query, setting)
    methods = "The Export page of Coview's dashboard writes the methods paragraph of this score."
    if setting is not None:
        methods = methods_text(facts, setting, Selection(resolved.request.words), counts)
    texts = {
        "dataset_description.json": psychds.description_text(
            facts, resolved.score, query.columns, made_at
        ),
        "README.md": psychds.readme_text(facts, name, counts.n_utterances, query.columns, methods),
        "CHANGES.md": psychds.changes_text(facts, made_at),
        psychds.IGNORE_NAME: f"{EXPORT_MARKER}\n",
    }
    for file_name, text in texts.items():
        _write_text(folder / file_name, text)
    return counts


def write_tables(
    con: DuckDBPyConnection,
    resolved: Resolved,
    folder: Path,
    on_progress: Callable[[int, int], None],
) -> tuple[int, tuple[str, ...]]:
    """Write tables of the store with a sidecar each; returns how many, and notes for people."""
    request = resolved.request
    tables = chosen_tables(request.tables)
    is_part = bool(request.children or request.recordings)
    restriction = Restriction(
        recordings=tuple(r.recording_id for r in resolved.recordings) if is_part else (),
        children=tuple(sorted({r.child_id for r in resolved.recordings})) if is_part else (),
        scorer=request.scorer and resolved.score.scorer,
        crop=request.crop,
        window=request.window,
    )
    check_restriction(tables, restriction)
    for n_done, table in enumerate(tables):
        on_progress(n_done, len(tables))
        query = restricted(table, restriction)
        export = TableExport(
            name=table.name,
            meaning=table.meaning,
            sql=query.sql,
            columns=plain_columns(table),
            file_format=request.export_format,
            params=query.params,
            selection=Selection(query.words),
        )
        file_name = f"{table.name}.{request.export_format}"
        n_rows = write_table(
            con, query.sql, query.params, export.columns, folder / file_name, export.file_format
        )
        note = sidecar(resolved.facts, export, file_name, n_rows)
        _write_text(folder / note.name, note.text)
    on_progress(len(tables), len(tables))
    if request.tables:
        return len(tables), ()
    left_out = " and ".join(f"--table {name}" for name in LARGE_TABLES)
    return len(tables), (f"Large tables are written only when they are named: {left_out}.",)


def _counts(
    con: DuckDBPyConnection,
    resolved: Resolved,
    query: psychds.DataQuery,
    setting: ScoreSetting | None,
) -> SelectionCounts:
    score = "max_z_sd" if setting is not None and setting.scale == "z" else "max_cosine"
    row = con.execute(
        f"""SELECT count(*), count({score}), count(*) FILTER ({score} >= $threshold::FLOAT)
            FROM ({query.sql})""",
        {**query.params, "threshold": setting.threshold if setting is not None else 0.0},
    ).fetchone()
    n_utterances, n_scored, n_high = row if row is not None else (0, 0, 0)
    heard = [facts for facts in resolved.recordings if facts.n_utterances]
    return SelectionCounts(
        n_children=len({facts.child_id for facts in heard}),
        n_recordings=len(heard),
        total_ms=sum(facts.duration_ms for facts in heard),
        n_utterances=n_utterances,
        n_scored=n_scored,
        n_high=n_high,
    )


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
