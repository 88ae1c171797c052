"""Take a file of scores made elsewhere into a study, after checking what it matches."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.errors import StoreError, StudyError
from pipeline.score_file import read_scores
from pipeline.score_matching import match_scores
from pipeline.score_report import ScorerReport, score_reports
from pipeline.spreadsheet import CsvWriter
from pipeline.store.fill_imported import SCORES_FOLDER, recording_names, recordings_of_store
from pipeline.store.locate import current_store_path
from pipeline.store.shards import write_atomically
from pipeline.study import Study
from pipeline.textfile import read_csv_lines


@dataclass(frozen=True, slots=True)
class ScoreImport:
    """What was found. `target` is the copy in the study, None after a trial."""

    reports: tuple[ScorerReport, ...]
    target: Path | None


def import_scores(
    study: Study,
    file: Path,
    *,
    scorer: str = "",
    threshold: float | None = None,
    is_trial: bool = False,
) -> ScoreImport:
    """Match the file with the utterances of the study's store, then copy it into the study.

    scorer and threshold are written into the copy as columns. Nothing is copied in a trial, or
    when no row matches. Raises StudyError for a file that cannot be used and StoreError when
    the study has no store to match with.
    """
    if not file.is_file():
        raise StudyError(f"There is no file {file.name}.", hint="Name a CSV file of scores.")
    rows = read_scores(file, scorer=scorer, threshold=threshold)
    with _open_store(study) as con:
        own = {
            str(row[0])
            for row in con.execute(
                "SELECT scorer FROM models WHERE weights <> 'imported'"
            ).fetchall()
        }
        matches = match_scores(rows, recording_names(con), recordings_of_store(con))
    for name in rows.scorers:
        if name in own:
            raise StudyError(
                f"{file.name} calls its scorer {name}, like a model of this study.",
                hint="Give it another name with --scorer, or in its column scorer.",
            )
    reports = score_reports(rows, matches)
    if not any(report.n_matched for report in reports):
        reasons = "; ".join(count.sentence for report in reports for count in report.not_used)
        raise StudyError(
            f"No row of {file.name} matches an utterance of {study.name}: {reasons}.",
            hint="Check that its recordings are named as in metadata/recordings.csv and that its "
            "times count from the start of the recording.",
        )
    if is_trial:
        return ScoreImport(reports, None)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", scorer or file.stem).strip(".-") or "scores"
    target = study.root / SCORES_FOLDER / f"{name}.csv"
    if target.resolve() != file.resolve():
        write_atomically(target, lambda partial: _copy(file, partial, scorer, threshold))
    return ScoreImport(reports, target)


def _open_store(study: Study) -> duckdb.DuckDBPyConnection:
    path = current_store_path(study.root)
    if path is None:
        raise StoreError(
            f"{study.name} has no store yet, so its utterances are not known.",
            hint=f"First give: python -m pipeline run {study.root.name}",
        )
    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.Error as problem:
        raise StoreError(
            f"The store {path.name} cannot be opened.",
            hint="Wait until no other program writes to it.",
        ) from problem


def _copy(file: Path, partial: Path, scorer: str, threshold: float | None) -> None:
    added = {
        **({"scorer": scorer} if scorer else {}),
        **({"threshold": repr(threshold)} if threshold is not None else {}),
    }
    if not added:
        shutil.copyfile(file, partial)
        return
    lines = read_csv_lines(file)
    with partial.open("w", encoding="utf-8", newline="") as out:
        writer = CsvWriter(out)
        writer.writerow([*lines.columns, *added])
        for _, cells in lines.rows:
            row = cells[: len(lines.columns)]
            row += [""] * (len(lines.columns) - len(row))
            writer.writerow([*row, *added.values()])
