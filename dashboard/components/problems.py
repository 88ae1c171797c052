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
    except duckdb.Error as problem:
        if not _is_about_the_file(problem):
            raise
        st.error(
            "The store could not be read: its file was moved or damaged, or the disk did not "
            "answer. Reload the page; if this stays, give `python -m pipeline run STUDY`: it looks "
            "at every byte of the store and builds it anew where one is wrong.",
            icon=":material/error:",
        )


def _is_about_the_file(problem: duckdb.Error) -> bool:
    """Whether the file is at fault, not the question: DuckDB has no kind of error of its own for
    wrong checksums, nor for a database that it closed because of them."""
    text = str(problem)
    return isinstance(problem, duckdb.IOException) or any(
        sign in text for sign in ("Corrupt database", "database has been invalidated")
    )


def show_problem(problem: CoviewError) -> None:
    """The sentence and the fix of one problem."""
    st.error(problem.message, icon=":material/error:")
    if problem.hint:
        st.markdown(f"**What to do.** {problem.hint}")
