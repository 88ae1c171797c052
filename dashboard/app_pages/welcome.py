"""Shown when there is no store to look at: how to open or build one."""

from __future__ import annotations

import streamlit as st

from dashboard import data
from dashboard.components.problems import told_kindly

root = data.study_root()
st.title("Coview", anchor=False)
st.markdown("For every word a child hears: did it match what was in view?")

with told_kindly():
    data.current_store()

st.subheader("See it with the example study", anchor=False)
st.markdown("A small made-up world, built on this computer in a few minutes.")
st.code("python -m pipeline demo demo-study\nstreamlit run dashboard/app.py", language="bash")

st.subheader("Open your own study", anchor=False)
st.markdown(
    "Make a study folder from your videos, run the pipeline, then name the folder to the "
    "dashboard. The pipeline can be stopped and started again at any time."
)
st.code(
    "python -m pipeline init my-study --videos /path/to/videos\n"
    "python -m pipeline run my-study\n"
    f"{data.STUDY_VARIABLE}=my-study streamlit run dashboard/app.py",
    language="bash",
)
st.caption(f"The dashboard looked for a store in the folder {root.name}.")
