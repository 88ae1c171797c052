"""Where the numbers come from: models, settings, versions, runs, and the tables themselves."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.components import provenance_tables as tables
from dashboard.components.facts_table import facts_table
from dashboard.components.store_facts import store_facts
from dashboard.components.url_choice import url_choice
from dashboard.components.view import open_view
from dashboard.plain import escaped
from dashboard.queries.provenance import table_sizes
from pipeline.exchange.table_file import exportable_tables

view = open_view("Provenance")
known = store_facts(view.store)
run = known.run
st.caption(
    "Everything here is read from the store. Two stores with the same digest of inputs hold the "
    "same numbers. Filters do not change this page."
)
st.subheader("Store", anchor=False)
path = view.store.path
facts_table(tables.store_facts(known, path.name, path.stat().st_size, run))
for notice in known.notices:
    st.info(escaped(notice))
st.subheader("Models", anchor=False)
facts_table(tables.model_table(known.models))

st.subheader("Settings", anchor=False)
if run is None or run.settings is None:
    st.caption("The store was built by another version of Coview, whose settings differ.")
    if run is not None:
        st.code(run.settings_json, language=None, wrap_lines=True)
else:
    settings = tables.settings_table(run.settings)
    changed = int((settings["Default"] != "").sum())
    st.caption(
        f"As in study.toml at the last run; {changed} of {len(settings)} differ from the default."
    )
    st.dataframe(settings, hide_index=True)

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Versions", anchor=False)
    if run is not None:
        st.dataframe(tables.versions_table(run), hide_index=True)
with right:
    st.subheader("Runs", anchor=False)
    st.dataframe(tables.runs_table(known.runs), hide_index=True)

st.subheader("Tables", anchor=False)
every = exportable_tables()
st.dataframe(
    tables.tables_table(every, data.load(view.store, table_sizes)),
    hide_index=True,
    placeholder=labels.NO_VALUE,
)
st.subheader("Data dictionary", anchor=False)
name = url_choice("Table", [table.name for table in every], param="table", default="scores_wide")
st.dataframe(
    tables.columns_table(next(table for table in every if table.name == name)),
    hide_index=True,
    column_config={"Meaning": st.column_config.TextColumn(width="large")},
)
