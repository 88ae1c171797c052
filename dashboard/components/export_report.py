"""The report: one page for reviewers with its tables and figures, as a zip."""

from __future__ import annotations

from datetime import datetime, timezone

import streamlit as st

from dashboard.components.export_job import Work, export_button
from dashboard.components.export_tables import counts_of, file_stem, selection_of
from dashboard.components.store_facts import store_facts
from dashboard.components.view import View
from dashboard.queries.exporting import report_scope, score_setting
from pipeline.exchange.table_export import Bundle
from pipeline.report.request import ReportRequest


def report_export(view: View) -> None:
    """What the report holds, and the button that makes it."""
    st.markdown(
        "One HTML page to read, print and send: answer, methods, sample, scores against chance, "
        "crops and windows, models, caveats, references; its tables as CSV and its figures as SVG. "
        "It quotes no utterance and shows no picture."
    )
    if not view.store.is_whole:
        st.caption("The report is about the whole study; you may see some of its children.")
        return
    selection = selection_of(view)
    request = ReportRequest(
        score_setting(view.measure),
        report_scope(view.filters, selection),
        made_on=datetime.now(timezone.utc).date(),
    )
    known = store_facts(view.store)

    def make(work: Work) -> Bundle:
        # Only who makes a report waits for what draws it.
        from pipeline.report.folder import bundle_report

        return bundle_report(
            work.cursor,
            view.store.study_root,
            known,
            request,
            work.folder / f"{file_stem(view, 'report')}.zip",
            work.on_step,
            work.stopped.is_set,
        )

    export_button(
        "Make the report",
        key="export_report",
        store=view.store,
        what=f"report: {selection.words}",
        identity=f"{view.store.key} {view.filters} {request.setting}",
        make=make,
        is_disabled=not counts_of(view).n_utterances,
    )
