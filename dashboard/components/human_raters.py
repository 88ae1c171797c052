"""Raters: how far they agree with each other and with the model, and who is left out."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.components.human_curve import threshold_words
from dashboard.components.human_words import share_words, size_words
from pipeline.stats.choice_agreement import Coefficient
from pipeline.validation.results import HumanFits, HumanResults


def agreement_part(results: HumanResults) -> None:
    """How far raters agree with each other, and with the model."""
    found = results.between_raters
    if found is None or not found.alpha.n_units:
        st.info("No item was answered by two raters, so their agreement is not known.")
    else:
        units = f"{labels.plural(found.alpha.n_units, 'item')}, "
        units += labels.plural(found.alpha.n_raters, "rater")
        rows = [
            (
                "Two raters chose the same option",
                _coefficient(found.same, is_share=True),
                "25 % if all chose at random",
                units,
            ),
            ("Krippendorff's alpha (nominal)", _coefficient(found.alpha), "0 by chance", units),
            (
                "Fleiss' kappa",
                _plain(found.fleiss.value),
                "0 by chance",
                labels.plural(found.fleiss.n_units, "item"),
            ),
        ]
        if found.cohen is not None:
            rows.append(
                (
                    "Cohen's kappa",
                    _plain(found.cohen.value),
                    "0 by chance",
                    labels.plural(found.cohen.n_units, "item"),
                )
            )
        if found.icc is not None:
            rows.append(
                (
                    "ICC of being right, one rater (2,1)",
                    _plain(found.icc.one_absolute),
                    "0 by chance",
                    labels.plural(found.icc.n_units, "item"),
                )
            )
            rows.append(
                (
                    "ICC of being right, mean of all (2,k)",
                    _plain(found.icc.mean_absolute),
                    "0 by chance",
                    labels.plural(found.icc.n_units, "item"),
                )
            )
        st.dataframe(
            pd.DataFrame(rows, columns=["Agreement", "Value (95 %)", "Chance", "n"]),
            hide_index=True,
            key="human_between",
        )
        st.caption(
            "Alpha and kappa compare agreement with what the totals of the four options give: they "
            "are low where raters guess, so look at hard and easy items apart before judging "
            "raters. Intervals: jackknife over items and raters."
            + (
                " The ICC needs every rater on every item, as here."
                if found.icc
                else " There is no ICC: not every rater saw every item."
            )
        )
    both = results.with_model
    st.dataframe(
        pd.DataFrame(
            {
                "Answers": ["Rater right", "Rater wrong"],
                "Model right": [both.both_right, both.only_model],
                "Model wrong": [both.only_people, both.neither],
            }
        ),
        hide_index=True,
        key="human_with_model",
    )
    st.caption(
        f"Answers by who was right. The same choice as the model: {share_words(both.same)}, chance "
        f"25 %; {size_words(both.same)}. Where both are wrong they choose the same wrong option in "
        f"{share_words(both.same_foil)}, chance 33 %; {size_words(both.same_foil)}."
    )


def exclusions_part(results: HumanResults, fits: HumanFits | None) -> None:
    """Before and after leaving raters out, and the raters."""
    found = results.exclusions
    rows = [
        ("Raters", labels.count(found.n_raters), labels.count(found.n_raters - found.n_excluded)),
        ("Right choices", share_words(results.before.people), share_words(results.after.people)),
        ("Answers", labels.count(results.before.people.n), labels.count(results.after.people.n)),
    ]
    if fits is not None and fits.curve is not None:
        before = fits.curve_before or (fits.curve if not found.n_excluded else None)
        rows.append(
            (
                "Implied threshold",
                threshold_words(before) if before is not None else "cannot be fitted",
                threshold_words(fits.curve),
            )
        )
    st.dataframe(
        pd.DataFrame(rows, columns=["Number", "Everybody", "After leaving out"]),
        hide_index=True,
        key="human_before_after",
    )
    rule = found.rule
    st.caption(
        f"Left out: raters right in fewer than {100 * rule.least_catch_share:.0f} % of their catch "
        "trials"
        + (
            f", or with a median time below {rule.least_median_ms:.0f} ms"
            if rule.least_median_ms
            else ""
        )
        + f". {labels.plural(found.n_without_catch, 'rater')} had no catch trial and cannot be "
        "judged by it. Catch and practice trials enter no result."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Rater": [one.rater for one in found.raters],
                "Set": [one.set_name for one in found.raters],
                "Answers": [one.n_main for one in found.raters],
                "Right (%)": [100 * one.n_right / one.n_main for one in found.raters],
                "Catch trials right": [
                    f"{one.n_catch_right} of {one.n_catch}" for one in found.raters
                ],
                "Median time (s)": [one.median_rt_ms / 1000 for one in found.raters],
                "Left out for": [one.reason for one in found.raters],
            }
        ),
        hide_index=True,
        placeholder=labels.NO_VALUE,
        key="human_raters",
        column_config={
            "Right (%)": st.column_config.NumberColumn(format="%.1f"),
            "Median time (s)": st.column_config.NumberColumn(format="%.2f"),
        },
    )


def _coefficient(found: Coefficient, *, is_share: bool = False) -> str:
    if math.isnan(found.estimate):
        return "not defined: nothing varies"
    show = labels.percent if is_share else _plain
    if math.isnan(found.low):
        return show(found.estimate)
    return f"{show(found.estimate)} ({show(found.low)} to {show(found.high)})"


def _plain(value: float) -> str:
    return labels.NO_VALUE if math.isnan(value) else f"{value:.3f}"
