"""Exports of tables: the chosen utterances with their scores, or a whole table of the store."""

from __future__ import annotations

import re
from dataclasses import asdict

import streamlit as st

from dashboard import data, labels
from dashboard.components.chips import filters_in_words
from dashboard.components.export_job import Work, export_button
from dashboard.components.store_facts import store_facts
from dashboard.components.view import View
from dashboard.queries.exporting import chosen_utterances, score_setting, selection_counts
from dashboard.queries.provenance import table_sizes
from pipeline.column import Table
from pipeline.exchange.methods import methods_text
from pipeline.exchange.selection import Selection, SelectionCounts
from pipeline.exchange.table_export import Bundle, TableExport, export_table
from pipeline.exchange.table_file import FORMATS, exportable_tables, plain_columns, table_sql

_FORMATS = {"csv": "CSV", "parquet": "Parquet"}


def selection_of(view: View) -> Selection:
    """The filters in force, in words and as fields."""
    fields = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(view.filters).items()
    }
    return Selection(filters_in_words(view.filters), fields)


def methods_of(view: View) -> str:
    """The methods paragraph of what the page shows."""
    return methods_text(
        store_facts(view.store),
        score_setting(view.measure),
        selection_of(view),
        counts_of(view),
    )


def counts_of(view: View) -> SelectionCounts:
    """How much the filters leave."""
    return data.load(view.store, selection_counts, view.filters, view.measure)


def file_stem(view: View, what: str) -> str:
    """Name of an exported file, without its ending."""
    words = f"{view.store.options.study_name} {what}".lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:80] or "export"


def format_choice() -> str:
    """CSV or Parquet."""
    chosen: str = st.segmented_control(
        "Format",
        FORMATS,
        default=FORMATS[0],
        key="export_format",
        format_func=_FORMATS.__getitem__,
        required=True,
        help="CSV opens anywhere; Parquet is smaller and keeps the types of the columns. Both come "
        "in a zip with a JSON file that says what the columns mean and where they come from.",
    )
    return chosen


def chosen_export(view: View, file_format: str) -> TableExport:
    """The utterances that the filters leave, with their scores."""
    selected = chosen_utterances(view.filters, view.measure)
    return TableExport(
        name=file_stem(view, "utterances"),
        meaning="One row per utterance that the filters leave, by recording and time, with its "
        "score.",
        sql=selected.query.sql,
        columns=selected.columns,
        file_format=file_format,
        params=selected.query.params,
        selection=selection_of(view),
        setting=score_setting(view.measure),
        methods=methods_of(view),
    )


def chosen_utterances_export(view: View, file_format: str) -> None:
    """The button for the chosen utterances."""
    counts = counts_of(view)
    st.markdown(
        f"{labels.plural(counts.n_utterances, 'utterance')} of "
        f"{labels.plural(counts.n_children, 'child')}, {labels.count(counts.n_scored)} with a "
        "score; one row each: who, when, the words, the score, its chance level."
    )
    export = chosen_export(view, file_format)
    known = store_facts(view.store)

    def make(work: Work) -> Bundle:
        return export_table(work.cursor, known, export, work.folder, work.on_step)

    export_button(
        "Export the chosen utterances",
        key="export_chosen",
        store=view.store,
        what=f"utterances: {filters_in_words(view.filters)}",
        identity=f"{view.store.key} {view.filters} {file_format}",
        make=make,
        is_disabled=not counts.n_utterances,
    )


def whole_table_export(view: View, file_format: str) -> None:
    """A menu of all tables, and the button."""
    tables = {table.name: table for table in exportable_tables()}
    sizes = data.load(view.store, table_sizes)

    def title(name: str) -> str:
        n = sizes.get(name)
        return f"{name} (view)" if n is None else f"{name} ({labels.plural(n, 'row')})"

    name = st.selectbox(
        "Table of the store", list(tables), format_func=title, key="export_table_name", width=420
    )
    table: Table = tables[name]
    st.caption(f"{table.meaning} All rows, whatever the filters are.")
    known = store_facts(view.store)
    export = TableExport(
        name=file_stem(view, name),
        meaning=table.meaning,
        sql=table_sql(table),
        columns=plain_columns(table),
        file_format=file_format,
    )

    def make(work: Work) -> Bundle:
        return export_table(work.cursor, known, export, work.folder, work.on_step)

    export_button(
        "Export the table",
        key="export_table",
        store=view.store,
        what=f"table {name}",
        identity=f"{view.store.key} {name} {file_format}",
        make=make,
    )
