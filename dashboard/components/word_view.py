"""One word: its distribution, its moments, its children, and the frames nearest to it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import data, labels, summaries
from dashboard.charts.distribution import two_distributions
from dashboard.charts.readable import readable
from dashboard.charts.shares import shares_by_child
from dashboard.components.captions import interval_note, score_axis
from dashboard.components.figure import clicked_point, current_look, show_figure
from dashboard.components.view import View
from dashboard.components.word_frames import word_frames
from dashboard.components.word_state import open_lemma
from dashboard.navigation import open_child, open_moment, open_moments_with_word
from dashboard.queries import shares, words
from pipeline.stats import histogram

_ENDS = {"highest": "Best moments", "lowest": "Worst moments"}


def word_view(view: View, lemma: str, forms: tuple[str, ...]) -> None:
    """Draw everything about one lemma under the filters."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"“{lemma}”", anchor=False, width="stretch")
        if st.button("All its moments", icon=":material/list:"):
            open_moments_with_word(lemma)
        st.button("Close", icon=":material/close:", on_click=open_lemma, args=(None,))
    counts = data.load(view.store, words.word_counts, view.filters, view.measure, lemma)
    n_scored = int(counts["n_scored"].sum())
    heard = f"Heard as {', '.join(forms)}. " if forms and forms != (lemma,) else ""
    n_all = int(counts["n_utterances"].sum())
    st.caption(
        f"{heard}{labels.plural(n_all, 'utterance')} chosen, {labels.count(n_scored)} of them with "
        "a score."
    )
    if not n_scored:
        st.info("No chosen utterance with this word has a score.")
        return
    _distribution(view, lemma, counts, n_scored)
    _moments(view, lemma, "highest", words.N_MOMENTS)
    # A moment that is among the best is not shown again among the worst.
    _moments(view, lemma, "lowest", n_scored - words.N_MOMENTS)
    _children(view, counts)
    word_frames(view, lemma)


def _distribution(view: View, lemma: str, counts: pd.DataFrame, n_scored: int) -> None:
    measure = view.measure
    width = summaries.score_width(counts)
    all_bins = histogram.bins_of_all(
        data.count(view.store, shares.score_bins, view.filters, measure, width)
    )
    bins = data.count(view.store, words.word_bins, view.filters, measure, lemma, width)
    look = current_look()
    names = {f"“{lemma}”": bins, "All utterances": all_bins}
    rows = pd.concat(
        [
            pd.DataFrame(
                {"name": name, "bin_start": part["bin_start"], "share": part["n"] / part["n"].sum()}
            )
            for name, part in names.items()
        ]
    )
    show_figure(
        two_distributions(
            rows,
            width=width,
            threshold=measure.threshold,
            axis_title=score_axis(measure),
            colours=dict(zip(names, (look.accent, look.muted), strict=True)),
            look=look,
        ),
        key="word_distribution",
        title=f"Scores of utterances with “{lemma}”",
        caption=f"n = {labels.count(n_scored)} with the word, "
        f"{labels.count(int(all_bins['n'].sum()))} in all.",
        table=rows.rename(columns={"name": "Utterances", "bin_start": "From", "share": "Share"}),
    )


def _moments(view: View, lemma: str, end: str, n: int) -> None:
    if n <= 0:
        return
    rows = data.load(view.store, words.word_moments, view.filters, view.measure, lemma, end)
    rows = rows.head(n)
    st.markdown(f"**{_ENDS[end]}**")
    event = st.dataframe(
        pd.DataFrame({"Score": rows["score"], "Words": rows["text"], "Child": rows["child_id"]}),
        hide_index=True,
        height="content",
        key=f"word_{end}_{lemma}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Score": st.column_config.NumberColumn(format="%.3f", width="small"),
            "Words": st.column_config.TextColumn(width="large"),
            "Child": st.column_config.TextColumn(width="small"),
        },
    )
    chosen = event["selection"]["rows"]
    if chosen:
        row = rows.iloc[chosen[0]]
        open_moment(str(row["recording_id"]), str(row["utterance_id"]))


def _children(view: View, counts: pd.DataFrame) -> None:
    rows = summaries.shares_by(counts[counts["n_scored"] > 0], ["child_id"])
    rows["label"], rows["n"], rows["chance"] = rows["child_id"], rows["n_scored"], float("nan")
    overall = summaries.overall_share(counts)
    st.markdown("**By child**")
    clicked = clicked_point(
        shares_by_child(rows, overall=overall.estimate, reference=None, look=current_look()),
        key="word_children",
        title="Share of highly aligned utterances with this word, by child",
        hint="A click on a dot opens that child.",
        caption=f"Grey line: all children. {interval_note(overall)}",
        table=readable(rows, "child_id", "n_scored", "share", "low", "high"),
    )
    if clicked:
        open_child(clicked[0])
