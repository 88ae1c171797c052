"""A model put together by menus, which write the formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.components.url_choice import keep_in_url, url_choice, url_value
from pipeline.predictors.columns import BY_NAME, RECORDINGS, UNITS, UTTERANCES, columns_of
from pipeline.stats.mixed.result import BINOMIAL, FAMILIES, GAUSSIAN

UNIT_WORDS = {
    "utterances": "Utterances",
    "recordings": "Recordings",
    "children": "Children",
}
FAMILY_WORDS = {"gaussian": "Linear", "binomial": "Binomial"}
_RANDOM_WORDS = {
    "child": "Children differ",
    "recording": "Recordings differ",
    "slope": "First predictor differs by child",
}
_MOST_PREDICTORS = 8


def menus() -> tuple[str, str, str]:
    """Draw the menus; return formula, table and family."""
    with st.container(horizontal=True, gap="large"):
        unit = unit_choice()
        share = "is_high" if unit == UTTERANCES else "share"
        outcomes = [share, *(c.name for c in columns_of(unit, "outcome") if c.name != share)]
        outcome = _menu("Outcome", outcomes)
        family = GAUSSIAN
        if outcome == share:
            family = family_choice()
    names = [column.name for column in columns_of(unit, "number", "category")]
    predictors = _several("Predictors", names, "x", ("speaker", "age_months"), _column_words)
    with st.container(horizontal=True, gap="large", vertical_alignment="bottom"):
        groups = ["child", *(["recording"] if unit != "children" else []), "slope"]
        random = _several("Random effects", groups, "random", ("child",), _RANDOM_WORDS.__getitem__)
        has_interaction = len(predictors) > 1 and _toggle("The first two interact", "interact")
    return (
        formula_of(outcome, unit, family, predictors, random, has_interaction=has_interaction),
        unit,
        family,
    )


def unit_choice() -> str:
    """What a row of the table is."""
    return url_choice(
        "One row is one of",
        UNITS,
        param="rows",
        default=RECORDINGS,
        words=UNIT_WORDS.__getitem__,
    )


def family_choice() -> str:
    """Linear or binomial."""
    return url_choice(
        "Model", FAMILIES, param="family", default=GAUSSIAN, words=FAMILY_WORDS.__getitem__
    )


def formula_of(
    outcome: str,
    unit: str,
    family: str,
    predictors: Sequence[str],
    random: Sequence[str],
    *,
    has_interaction: bool,
) -> str:
    """The choices in lme4's syntax."""
    is_counts = family == BINOMIAL and unit != UTTERANCES
    response = "cbind(n_high, n_low)" if is_counts else outcome
    fixed = list(predictors)
    if has_interaction and len(fixed) > 1:
        fixed = [f"{fixed[0]} * {fixed[1]}", *fixed[2:]]
    by_child = "1"
    if "slope" in random and predictors:
        by_child = f"1 + {predictors[0]}"
    terms = []
    if "child" in random or by_child != "1":
        terms.append(f"({by_child} | child)")
    if "recording" in random:
        terms.append("(1 | recording)")
    return f"{response} ~ {' + '.join([*(fixed or ['1']), *terms])}"


def _column_words(name: str) -> str:
    column = BY_NAME[name]
    unit = f" ({column.unit})" if column.unit not in ("", "count") else ""
    return f"{column.words[:1].upper()}{column.words[1:]}{unit}"


def _menu(label: str, choices: Sequence[str]) -> str:
    default = choices[0]
    current = url_value("outcome", default, lambda value: value in choices)
    st.session_state["choice_outcome"] = current
    st.selectbox(
        label,
        choices,
        key="choice_outcome",
        format_func=_column_words,
        width=340,
        on_change=lambda: keep_in_url("outcome", str(st.session_state["choice_outcome"]), default),
    )
    return current


def _several(
    label: str,
    choices: Sequence[str],
    param: str,
    default: tuple[str, ...],
    words: Callable[[str], str],
) -> list[str]:
    """Several of `choices`, in the order in which they were chosen; "none" in the URL is none."""
    fallback = ",".join(name for name in default if name in choices)
    text = url_value(
        param,
        fallback,
        lambda value: value == "none" or all(part in choices for part in value.split(",")),
    )
    current = [] if text in ("none", "") else list(dict.fromkeys(text.split(",")))
    key = f"choice_{param}"
    st.session_state[key] = current[:_MOST_PREDICTORS]
    st.multiselect(
        label,
        choices,
        key=key,
        format_func=words,
        max_selections=_MOST_PREDICTORS,
        on_change=lambda: keep_in_url(param, ",".join(st.session_state[key]) or "none", fallback),
    )
    return current[:_MOST_PREDICTORS]


def _toggle(label: str, param: str) -> bool:
    current = url_value(param, "0", lambda value: value in ("0", "1"))
    key = f"choice_{param}"
    st.session_state[key] = current == "1"
    st.toggle(
        label,
        key=key,
        on_change=lambda: keep_in_url(param, "1" if st.session_state[key] else "0", "0"),
    )
    return current == "1"
