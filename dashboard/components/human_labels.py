"""Experts' labels: scores of the moments of each label, and how far experts agree."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import labels
from dashboard.charts.human_detail import label_confusion, scores_by_label
from dashboard.components.figure import current_look, show_figure
from dashboard.components.human_choice import HumanChoice
from dashboard.components.human_words import setting_words
from pipeline.people.trial_records import MomentLabel
from pipeline.validation.labels import ALL_LABELS, LabelResults

WORDS = {
    MomentLabel.NOT: "Not in view",
    MomentLabel.PARTLY: "Partly",
    MomentLabel.ALIGNED: "Aligned",
    MomentLabel.CANNOT_TELL: "Cannot tell",
}


def label_view(choice: HumanChoice, results: LabelResults) -> None:
    """Everything that labels say."""
    n = (
        f"n = {labels.plural(results.n, 'label')} of {labels.plural(results.n_raters, 'rater')} "
        f"for {labels.plural(results.n_moments, 'moment')}"
    )
    simulated = " SIMULATED labels." if choice.is_simulated else ""
    aligned = results.rows[ALL_LABELS.index(MomentLabel.ALIGNED)]
    not_seen = results.rows[ALL_LABELS.index(MomentLabel.NOT)]
    st.markdown(
        f"### Moments called aligned score {_number(aligned.score.estimate)} on average, those "
        f"called not in view {_number(not_seen.score.estimate)}"
    )
    alpha, cohen = results.agreement.alpha, results.agreement.cohen
    kappa = "" if cohen is None else f"Cohen's kappa {_number(cohen.value)}. "
    st.caption(
        f"{n}. Krippendorff's alpha (ordinal: not, partly, aligned) {_number(alpha.estimate)}"
        f"{_between(alpha.low, alpha.high)}, 0 by chance; the same label in "
        f"{labels.percent(results.agreement.same.estimate)} of pairs of raters "
        f"({labels.plural(alpha.n_units, 'moment')} with two or more). {kappa}Cannot tell: "
        f"{labels.count(results.cannot_tell)}, left out of alpha.{simulated}"
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Score by label", anchor=False)
        rows = _scores(results)
        show_figure(
            scores_by_label(
                rows,
                overall=float(np.average(rows["mean"], weights=rows["n"])),
                x_title="Mean score (cosine)",
                look=current_look(),
            ),
            key="human_labels",
            title="Score of moments by experts' label",
            caption=f"{n}. Intervals: 95 %, clustered by rater and moment. Line: all labels. "
            f"{simulated}",
            setting=setting_words(choice),
            subject="",
            table=_table(results),
        )
    with right:
        st.subheader("Two raters of a moment", anchor=False)
        names = [WORDS[label] for label in ALL_LABELS]
        show_figure(
            label_confusion(results.confusion, names, look=current_look()),
            key="human_confusion",
            title="Labels of two raters of the same moment",
            caption="Pairs of raters by their labels; the colour is the share of the row. The "
            f"diagonal counts each pair twice.{simulated}",
            setting=setting_words(choice),
            subject="",
            table=pd.DataFrame(results.confusion, columns=names).assign(Label=names),
        )


def _scores(results: LabelResults) -> pd.DataFrame:
    rows = [one for one in results.rows if not math.isnan(one.score.estimate)]
    return pd.DataFrame(
        {
            "label": [WORDS[one.label] for one in rows],
            "mean": [one.score.estimate for one in rows],
            "low": [one.score.low for one in rows],
            "high": [one.score.high for one in rows],
            "n": [one.score.n for one in rows],
        }
    )


def _table(results: LabelResults) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Label": [WORDS[one.label] for one in results.rows],
            "Given": [one.n for one in results.rows],
            "Mean score": [one.score.estimate for one in results.rows],
            "95 % from": [one.score.low for one in results.rows],
            "95 % to": [one.score.high for one in results.rows],
            "Mean z": [one.z.estimate for one in results.rows],
            "z 95 % from": [one.z.low for one in results.rows],
            "z 95 % to": [one.z.high for one in results.rows],
        }
    )


def _number(value: float) -> str:
    return labels.NO_VALUE if math.isnan(value) else f"{value:.3f}"


def _between(low: float, high: float) -> str:
    return "" if math.isnan(low) else f" (95 % {low:.3f} to {high:.3f})"
