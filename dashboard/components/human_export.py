"""The answers behind the page as a file, and the call that fits the same model in R."""

from __future__ import annotations

import re

import pandas as pd
import streamlit as st

from dashboard.components.human_choice import HumanChoice
from pipeline.spreadsheet import csv_text
from pipeline.validation.results import (
    HumanFits,
    ResultChoice,
    fitted_answers,
    mixed_formula,
    mixed_table,
)


def in_r(choice: HumanChoice, table: pd.DataFrame, fits: HumanFits) -> None:
    """The R call to copy, its table, and all answers as a file."""
    name = _file_name(choice)
    st.subheader("The same in R", anchor=False)
    st.code(r_call(choice.results, f"{name}-fitted.csv"), language=None, wrap_lines=True)
    answers = fitted_answers(table, choice.results)
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Fitted answers (CSV)",
            lambda: csv_text(mixed_table(answers, choice.results.scale)).encode(),
            file_name=f"{name}-fitted.csv",
            mime="text/csv",
            icon=":material/download:",
            key="human_fitted_csv",
            on_click="ignore",
            disabled=fits.mixed is None,
        )
        st.download_button(
            "All answers (CSV)",
            lambda: csv_text(table).encode(),
            file_name=f"{name}-answers.csv",
            mime="text/csv",
            icon=":material/download:",
            key="human_answers_csv",
            on_click="ignore",
        )
    st.caption(
        "Fitted answers: main trials of the kind chosen above, without raters left out; raters and "
        "items are numbered. All answers: every answer of the sets, catch and practice trials too."
    )


def r_call(choice: ResultChoice, file_name: str) -> str:
    """R code that fits the mixed model to the table of fitted answers."""
    return "\n".join(
        [
            "library(lme4)",
            f'd <- read.csv("{file_name}")',
            "d$rater <- factor(d$rater)",
            "d$item <- factor(d$item)",
            f"m <- glmer({mixed_formula(choice.scale)}, data = d, family = binomial)",
            "summary(m)",
        ]
    )


def _file_name(choice: HumanChoice) -> str:
    words = " ".join(one.set.name for one in choice.sets)
    if choice.is_simulated:
        words = f"simulated {words}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower())[:50].strip("-") or "answers"
