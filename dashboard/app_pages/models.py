"""Two scorers on the same utterances: do they agree, and on which moments do they not?"""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels, summaries
from dashboard.charts.agreement import agreement_by_child, joint_distribution
from dashboard.charts.shares import shares_before_after
from dashboard.components.agreement_headline import (
    agreement_headline,
    chance_of_both,
    differing_moments,
)
from dashboard.components.captions import interval_note
from dashboard.components.figure import clicked_point, current_look, show_figure
from dashboard.components.model_pair import model_pair, stop_without_second_scorer
from dashboard.components.url_choice import url_choice
from dashboard.components.view import open_view, stop_when_empty
from dashboard.navigation import open_moments_of_child
from dashboard.queries.agreement import agreement
from dashboard.queries.told import most_listed

_PARTS = {
    "moments": "Moments on which they differ most",
    "shares": "Share of each child under A and B",
}

view = open_view("Models")
stop_without_second_scorer(view)
a, b = model_pair(view)
found = data.load_given(view.store, view.store.arrays, agreement, view.filters, a, b)
stop_when_empty(found.n_both + found.n_only_a + found.n_only_b)
if not found.n_both:
    st.info("No chosen utterance has a score from both.", icon=":material/compare_arrows:")
    st.stop()
names, look = (a.label, b.label), current_look()
agreement_headline(found, names)
n_both = f"n = {labels.plural(found.n_both, 'utterance')} scored by both."
clicked: list[str] | None = None

left, right = st.columns([6, 5], gap="large")
with left:
    st.subheader("The same utterances under both", anchor=False)
    show_figure(
        joint_distribution(
            found.joint.a,
            found.joint.b,
            found.joint.counts,
            names=names,
            thresholds=(a.threshold, b.threshold),
            look=look,
        ),
        key="joint",
        title=f"Scores of {names[0]} and {names[1]}",
        caption=f"{n_both} Dotted: the thresholds.",
        table=found.joint.table().rename(columns={"a": names[0], "b": names[1], "n": "Utterances"}),
    )
with right:
    st.subheader("Agreement by child", anchor=False)
    clicked = clicked_point(
        agreement_by_child(found.children, overall=found.rho.estimate, look=look),
        key="agreement_children",
        title="Rank correlation by child",
        hint="A click on a dot opens the moments of that child.",
        caption=f"{n_both} Ranked within the child; grey line: all children. Interval: 95 %, "
        "jackknife over recordings.",
        table=found.children.rename(
            columns={"child_id": "Child", "low": "95 % from", "high": "95 % to"}
        ),
    )

part = url_choice(
    "More about the difference",
    tuple(_PARTS),
    param="part",
    default="moments",
    words=_PARTS.__getitem__,
)
if part == "moments":
    differing_moments(found)
    st.caption(
        f"By the difference of ranks, at most {most_listed(view.store.arrays)} of each. Ranks are "
        "the share of these utterances that score lower. Choose a row to open the moment."
    )
else:
    rows = summaries.paired_shares(found.paired)
    rows["label"] = rows["child_id"]
    clicked = clicked or clicked_point(
        shares_before_after(rows, names=(f"A: {names[0]}", f"B: {names[1]}"), look=look),
        key="models_shares",
        title=f"Share of highly aligned utterances under {names[0]} and {names[1]}",
        hint="A click on a dot opens the moments of that child.",
        caption=f"{n_both} Each scorer with its own threshold.{chance_of_both(view, (a, b))} "
        f"{interval_note(summaries.share_change(found.paired))}",
    )
if clicked:
    open_moments_of_child(view.filters, clicked[0])
