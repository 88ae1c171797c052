"""The report on disk: a folder, or a zip of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from pipeline.errors import StoreError
from pipeline.exchange.bundle import BundledFile, write_bundle
from pipeline.exchange.export_folder import (
    ExportNote,
    check_target,
    new_folder,
    write_marker,
)
from pipeline.exchange.facts import StoreFacts
from pipeline.exchange.scored_recordings import ScoreChoice
from pipeline.exchange.table_export import Bundle
from pipeline.people.thresholds import thresholds_of_study
from pipeline.report.build import build_report
from pipeline.report.collect import OnStep
from pipeline.report.document import Report
from pipeline.report.request import ReportRequest, SettingWishes, resolve_setting
from pipeline.report.svg import standalone_svg
from pipeline.report.write_html import FIGURES, TABLES, html_text
from pipeline.spreadsheet import csv_text
from pipeline.store.opening import open_current_store

PAGE = "report.html"
_EXACT = "%.10g"


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """Where a report lies and how much it holds."""

    target: Path
    n_tables: int
    n_figures: int
    html_bytes: int

    @property
    def page(self) -> Path:
        return self.target / PAGE


def default_target(study_root: Path) -> Path:
    """Where a report goes when nothing else is said."""
    return study_root / "derived" / "report"


def report_study(
    study_root: Path,
    wishes: SettingWishes,
    target: Path,
    on_step: OnStep = lambda step, share: None,
    *,
    with_models: bool = True,
) -> WrittenReport:
    """Write the report of all utterances as the folder `target`, which appears only when it is
    whole.

    Raises StoreError without a store, when there is nothing to report on, and when the folder
    cannot or may not be written; SettingsError for wishes that cannot be.
    """
    check_target(target, study_root)
    with open_current_store(study_root) as con:
        facts, setting = resolve_setting(con, wishes, thresholds_of_study(study_root))
        request = ReportRequest(setting, with_models=with_models)
        report = build_report(con, study_root, facts, request, on_step)
    on_step("Writing", 0.95)
    with new_folder(target) as folder:
        n_bytes = write_report(report, folder)
        write_marker(folder, facts, _note(request))
    return WrittenReport(target, len(report.tables), len(report.figures), n_bytes)


def bundle_report(
    con: DuckDBPyConnection,
    study_root: Path,
    facts: StoreFacts,
    request: ReportRequest,
    target: Path,
    on_step: OnStep = lambda step, share: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Bundle:
    """Write the report as the zip `target`; its rows are utterances. Raises as `report_study`,
    and StoreError when it was stopped."""

    def step(what: str, share: float | None) -> None:
        if is_stopped():
            raise StoreError("The report was stopped.", hint="Start it again.")
        on_step(what, share)

    folder = target.with_suffix("")
    folder.mkdir()
    try:
        report = build_report(con, study_root, facts, request, step)
        write_report(report, folder)
        write_marker(folder, facts, _note(request))
        names = sorted(path for path in folder.rglob("*") if path.is_file())
        write_bundle(
            target,
            [BundledFile(path, path.relative_to(folder).as_posix()) for path in names],
            [],
            lambda n_done, n_total: on_step("Packing", n_done / max(1, n_total)),
        )
    except duckdb.InterruptException as problem:
        raise StoreError("The report was stopped.", hint="Start it again.") from problem
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Bundle(target, report.n_utterances)


def write_report(report: Report, folder: Path) -> int:
    """Write page, tables and figures into a folder; the size of the page in bytes."""
    for name in (TABLES, FIGURES):
        (folder / name).mkdir()
    page = html_text(report).encode()
    (folder / PAGE).write_bytes(page)
    for table in report.tables:
        (folder / TABLES / f"{table.name}.csv").write_text(csv_text(table.frame, _EXACT), "utf-8")
    for figure in report.figures:
        (folder / TABLES / f"{figure.name}.csv").write_text(csv_text(figure.frame, _EXACT), "utf-8")
        (folder / FIGURES / f"{figure.name}.svg").write_text(standalone_svg(figure.svg), "utf-8")
    return len(page)


def _note(request: ReportRequest) -> ExportNote:
    setting = request.setting
    return ExportNote(
        "a report",
        request.scope.selection.words,
        ScoreChoice(setting.scorer, setting.crop, setting.window),
    )
