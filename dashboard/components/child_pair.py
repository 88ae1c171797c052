"""Two children over each other, with the numbers of each."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import contrasts, labels
from dashboard.charts.distribution import two_distributions
from dashboard.charts.look import category_colours
from dashboard.charts.readable import readable
from dashboard.components.captions import p_words, score_axis
from dashboard.components.figure import current_look, show_figure
from dashboard.components.url_choice import keep_in_url, url_choice, url_value
from dashboard.components.view import View
from dashboard.plain import escaped

FEW_CHILDREN = 10
"""Up to so many, two are compared unasked; of more, hardly anybody looks for the same two."""


def child_pair(
    view: View, children: pd.DataFrame, counts: pd.DataFrame, bins: pd.DataFrame, width: float
) -> None:
    """Two children side by side, from the start where there are few, else when asked for.

    counts: `counts_by_recording`.
    """
    st.subheader("Two children side by side", anchor=False)
    default = "yes" if len(children) <= FEW_CHILDREN else "no"
    key, current = "choice_pair", url_value("pair", default, lambda value: value in ("yes", "no"))
    st.session_state[key] = current == "yes"

    def take() -> None:
        keep_in_url("pair", "yes" if st.session_state[key] else "no", default)

    if st.toggle("Compare two of the children", key=key, on_change=take):
        _compared(view, children, counts, bins, width)


def _compared(
    view: View, children: pd.DataFrame, counts: pd.DataFrame, bins: pd.DataFrame, width: float
) -> None:
    """Let the person choose two; the two most different are chosen first."""
    names = sorted(children["child_id"])
    first, second, _ = st.columns([1, 1, 3])
    # The children come from the smallest share to the largest.
    highest, lowest = str(children["child_id"].iloc[-1]), str(children["child_id"].iloc[0])
    left = url_choice("First child", names, param="first", default=highest, place=first)
    right = url_choice("Second child", names, param="second", default=lowest, place=second)
    chosen = [left] if left == right else [left, right]
    rows = bins[bins["child_id"].isin(chosen)]
    rows = rows.assign(
        name=rows["child_id"], share=rows["n"] / rows.groupby("child_id")["n"].transform("sum")
    )
    look = current_look()
    colours = category_colours(view.store.options.children, look)
    if left != right and colours[left] == colours[right]:
        # There are fewer colours than children.
        colours[right] = look.ink
    chart, numbers = st.columns([3, 2], gap="large", vertical_alignment="center")
    with chart:
        show_figure(
            two_distributions(
                rows,
                width=width,
                threshold=view.measure.threshold,
                axis_title=score_axis(view.measure),
                colours=colours,
                look=look,
            ),
            key="pair_chart",
            title=f"Scores of {' and '.join(chosen)}",
            table=readable(
                *(rows, "child_id", "bin_start", "n", "share"),
                bin_start=f"{score_axis(view.measure)}, from",
                share="Share of the child's utterances (0-1)",
            ),
        )
    with numbers:
        for column, child in zip(st.columns(2), chosen, strict=False):
            with column:
                _numbers(children[children["child_id"] == child].iloc[0])
        if left != right:
            st.markdown(_difference(counts, left, right))


def _difference(counts: pd.DataFrame, first: str, second: str) -> str:
    found = contrasts.children_difference(counts, first, second)
    interval = found.interval
    limits = "no interval, for want of recordings"
    if interval.is_known:
        limits = f"95 %: {100 * interval.low:+.1f} to {100 * interval.high:+.1f}"
    points = f"{100 * found.estimate:+.1f} points"
    return (
        f"{escaped(first)} minus {escaped(second)}: **{points}** ({limits}; p {p_words(found.p)})"
    )


def _limits(low: float, high: float) -> str:
    # NaN is the only value unequal to itself.
    return "" if low != low else f"({low:.3f} to {high:.3f})"


def _numbers(child: pd.Series) -> None:
    st.metric(
        f"{escaped(str(child['child_id']))}: highly aligned",
        labels.percent(child["share"]),
        delta=labels.percent_range(child["low"], child["high"]),
        delta_color="off",
        delta_arrow="off",
    )
    st.markdown(
        f"{labels.percent(child['chance'])} by chance  \n"
        f"mean score {child['mean']:.3f} {_limits(child['mean_low'], child['mean_high'])}  \n"
        f"{labels.plural(int(child['n_scored']), 'scored utterance')}  \n"
        f"{labels.plural(int(child['n_recordings']), 'recording')}  \n"
        f"{labels.age_range(child['min_age_days'], child['max_age_days'])}"
    )
