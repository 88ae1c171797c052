"""The page of who waits until what they may see is ready."""

from __future__ import annotations

import streamlit as st

from dashboard import data
from dashboard.access.copies import BeingMadeError
from pipeline.errors import StoreError

_LOOK_EVERY_S = 3.0


def being_made_screen(problem: BeingMadeError) -> None:
    """Why there is nothing yet; the page opens by itself when there is."""
    st.title("Coview", anchor=False)
    st.write(
        "What you may see of this study is being made ready: a copy that holds your children "
        "alone. This is done once after each change of the study's data and takes up to a few "
        "minutes when the study is large. This page opens by itself; you may also close it and "
        "come back."
    )
    _look(problem.since_s)


@st.fragment(run_every=_LOOK_EVERY_S)
def _look(since_s: float) -> None:
    try:
        data.find_store()
    except BeingMadeError as problem:
        since_s = problem.since_s
    except StoreError:
        st.rerun()
    else:
        st.rerun()
    st.caption(f"For {since_s:.0f} s now.")
