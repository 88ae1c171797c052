"""Two scorers on the same utterances: do they agree, and on which moments do they not?"""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels, summaries
from dashboard.charts.agreement import agreement_by_child, joint_distribution
from dashboard.charts.shares import shares_before_after
from dashboard.components.agreement_headline import agreement_headline, differing_moments
from dashboard.components.captions import interval_note
from dashboard.components.figure import clicked_point, current_look, show_figure
from dashboard.components.model_pair import model_pair
from dashboard.components.view import open_view, stop_when_empty
from dashboard.navigation import open_moments_of_child
from dashboard.queries.agreement import agreement
from dashboard.queries.told import most_listed

view = open_view("Models")
if len(view.store.options.models) < 2:
    st.info(
        "This store has one scorer, so there is nothing to compare it with.",
        icon=":material/compare_arrows:",
    )
    st.markdown(
        "Add scores made elsewhere, such as those of another CLIP model, of a language model or "
        "of a rater, as a CSV file with recording_id, onset_ms, offset_ms and score (or the "
        "full_clip_results.csv of earlier scripts). They stand beside the study’s own from the "
        "next build on."
    )
    st.code(
        "python -m pipeline import-scores STUDY scores.csv --scorer my-scorer\n"
        "python -m pipeline run STUDY --stage publish",
        language=None,
    )
    st.stop()
a, b = model_pair(view)
found = data.load_given(view.store, view.store.arrays, agreement, view.filters, a, b)
stop_when_empty(found.n_both + found.n_only_a + found.n_only_b)
if not found.n_both:
    st.info("No chosen utterance has a score from both.", icon=":material/compare_arrows:")
    st.stop()
names, look = (a.scorer, b.scorer), current_look()
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

st.subheader("Share of each child under A and B", anchor=False)
shares = summaries.paired_shares(found.paired)
shares["label"] = shares["child_id"]
clicked = clicked or clicked_point(
    shares_before_after(shares, names=(f"A: {names[0]}", f"B: {names[1]}"), look=look),
    key="models_shares",
    title=f"Share of highly aligned utterances under {names[0]} and {names[1]}",
    hint="A click on a dot opens the moments of that child.",
    caption=f"{n_both} Each scorer with its own threshold. "
    f"{interval_note(summaries.share_change(found.paired))}",
)
if clicked:
    open_moments_of_child(view.filters, clicked[0])

st.subheader("Moments on which they differ most", anchor=False)
differing_moments(found)
st.caption(
    f"By the difference of ranks, at most {most_listed(view.store.arrays)} of each. "
    "Ranks are the share of these utterances that score lower. Choose a row to open the moment."
)
