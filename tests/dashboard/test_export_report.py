"""The report from the Export page is about the utterances and the setting that the page shows."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.exchange.facts import read_facts
from pipeline.report.folder import bundle_report
from pipeline.report.request import ReportRequest, SettingWishes, resolve_setting
from tests.dashboard.conftest import Page
from tests.dashboard.small_store import small_store


def test_the_button_makes_a_report_of_what_is_chosen(open_page: Page):
    app = open_page("export", "one recording", speaker=["FEM"], crop="pad", threshold="0.2")
    app.button(key="export_report").click().run(timeout=120)
    assert not app.exception
    ((_, export),) = app.session_state["ready_exports"].values()
    assert export.what == "report: Speaker: Female adult"
    with zipfile.ZipFile(export.path) as bundle:
        names = bundle.namelist()
        page = bundle.read("report.html").decode()
    assert {"report.html", "coview-export.json", "tables/sample-by-child.csv"} <= set(names)
    assert sum(name.startswith("figures/") for name in names) >= 4
    assert "<dd>Speaker: Female adult</dd>" in page
    assert "padded crop, strict window, maximum; highly aligned from 0.2" in page
    assert "no child has two recordings" in page


def test_a_report_that_is_stopped_leaves_nothing(tmp_path: Path):
    with small_store() as con:
        _, setting = resolve_setting(con, SettingWishes())
        with pytest.raises(StoreError, match="was stopped"):
            bundle_report(
                con,
                tmp_path,
                read_facts(con),
                ReportRequest(setting),
                tmp_path / "report.zip",
                is_stopped=lambda: True,
            )
    assert list(tmp_path.iterdir()) == []
