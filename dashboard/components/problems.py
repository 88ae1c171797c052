"""What the person sees when something cannot be shown: a sentence and a fix, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import streamlit as st

from pipeline.errors import CoviewError


@contextmanager
def told_kindly() -> Iterator[None]:
    """Turn what the person can mend into a message on the page."""
    try:
        yield
    except CoviewError as problem:
        show_problem(problem)
    except duckdb.IOException:
        st.error(
            "The store could not be read: its file was moved or the disk did not answer. "
            "Reload the page; if this stays, build the store again.",
            icon=":material/error:",
        )


def show_problem(problem: CoviewError) -> None:
    """The sentence and the fix of one problem."""
    st.error(problem.message, icon=":material/error:")
    if problem.hint:
        st.markdown(f"**What to do.** {problem.hint}")
