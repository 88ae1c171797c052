"""What the Predictors page is asked: a prepared question, menus, or a formula. All in the URL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from dashboard import data
from dashboard.components.predictor_menus import family_choice, menus, unit_choice
from dashboard.components.url_choice import keep_in_url, url_choice, url_value
from dashboard.components.view import View
from dashboard.queries.predictors import prepared, score_choice
from pipeline.predictors.analysis import Analysis
from pipeline.predictors.columns import UTTERANCES, columns_of

OWN = "own"

_WAYS = {"prepared": "Prepared question", "menus": "Menus", "formula": "Formula"}
_FIRST_FORMULA = "share ~ speaker + age_months + (1 | child)"
_MOST_LETTERS = 400


def predictor_choice(view: View) -> tuple[Analysis, ...]:
    """Draw the controls; return the models to fit: all versions of a question, or one's own."""
    way = url_choice(
        "Ask by", tuple(_WAYS), param="ask", default="prepared", words=_WAYS.__getitem__
    )
    if way == "prepared":
        return _question(view)
    if way == "menus":
        formula, unit, family = menus()
        st.code(formula, language="r", wrap_lines=True)
    else:
        formula, unit, family = _formula()
    if unit != UTTERANCES:
        st.caption(
            f"One row for each of the {unit} and for each combination of the categories in the "
            "formula (speaker, voice, activity, location, language)."
        )
    choice = score_choice(view.filters, view.measure)
    return (Analysis(OWN, OWN, "Your model", "Your model", formula, unit, family, (), "", choice),)


def url_menu(
    label: str,
    choices: Sequence[str],
    *,
    param: str,
    default: str,
    words: Callable[[str], str],
    width: int | None = None,
) -> str:
    """A drop-down menu whose choice is kept in the address bar."""
    key = f"choice_{param}"
    current = url_value(param, default, lambda value: value in choices)
    st.session_state[key] = current
    st.selectbox(
        label,
        choices,
        key=key,
        format_func=words,
        width=width or "stretch",
        on_change=lambda: keep_in_url(param, str(st.session_state[key]), default),
    )
    return current


def _question(view: View) -> tuple[Analysis, ...]:
    analyses = data.load(view.store, prepared, view.filters, view.measure)
    asked = {one.question: one.asks for one in analyses}
    question = url_menu(
        "Question",
        tuple(asked),
        param="question",
        default="speaker",
        words=asked.__getitem__,
        width=620,
    )
    return tuple(one for one in analyses if one.question == question)


def _formula() -> tuple[str, str, str]:
    formula = url_value("formula", _FIRST_FORMULA, lambda text: 0 < len(text) <= _MOST_LETTERS)
    st.session_state["own_formula"] = formula
    st.text_input(
        "Formula, in the syntax of lme4",
        key="own_formula",
        max_chars=_MOST_LETTERS,
        on_change=lambda: keep_in_url(
            "formula", str(st.session_state["own_formula"]) or _FIRST_FORMULA, _FIRST_FORMULA
        ),
        help="response ~ predictors + (1 | group). For a binomial model of shares write "
        "cbind(n_high, n_low) on the left.",
    )
    with st.container(horizontal=True, gap="large"):
        unit, family = unit_choice(), family_choice()
    with st.expander(f"Columns of the table of {unit}"):
        st.dataframe(_column_table(unit), hide_index=True)
    return formula, unit, family


def _column_table(unit: str) -> pd.DataFrame:
    columns = columns_of(unit)
    return pd.DataFrame(
        {
            "Column": [column.name for column in columns],
            "Unit": [column.unit or column.kind for column in columns],
            "Meaning": [column.meaning for column in columns],
        }
    )
