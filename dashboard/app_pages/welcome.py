"""Shown when there is no store to look at: how to open or build one."""

from __future__ import annotations

import streamlit as st

from dashboard import data
from dashboard.components.problems import told_kindly
from dashboard.place import study_root

with st.container(width=760):
    st.title("Coview", anchor=False)
    st.markdown("For everything a child hears: did the words match what was in view?")

    with told_kindly():
        if data.find_store() is None:
            st.info(f"The folder {study_root().name} holds no finished study yet.")

    st.subheader("See it with the example study", anchor=False)
    st.markdown("A small made-up world. It is built on this computer and then opened.")
    st.code("python -m pipeline demo", language=None)

    st.subheader("Open your own study", anchor=False)
    st.markdown(
        "Make a study folder from your videos, run the pipeline, and open the result. "
        "A run that was stopped goes on where it was when the same command is given again."
    )
    st.code(
        "python -m pipeline init my-study --videos /path/to/videos\n"
        "python -m pipeline run my-study\n"
        "python -m pipeline serve my-study",
        language=None,
    )
