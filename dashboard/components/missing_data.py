"""What is missing and why: nothing is left out without being counted here."""

from __future__ import annotations

import streamlit as st

from dashboard import data, labels
from dashboard.components.view import View
from dashboard.queries import missing


def missing_data(view: View, n_utterances: int) -> None:
    """Utterances without a score by reason, recordings that failed, and notices."""
    st.subheader("What is missing, and why", anchor=False)
    scores = data.load(view.store, missing.missing_scores, view.filters, view.measure)
    failures = data.load(view.store, missing.failures)
    notices = data.load(view.store, missing.notices)
    _scores(int(scores["n"].sum()), n_utterances)
    if len(scores):
        st.markdown(
            "\n".join(
                f"- {labels.count(n)} ({labels.percent(n / n_utterances)}): "
                f"{labels.MISSING[reason]}"
                for reason, n in zip(scores["reason"], scores["n"], strict=True)
            )
        )
    if len(failures):
        st.markdown(
            f"{labels.plural(len(failures), 'recording')} could not be finished "
            "and have no part in the shares above."
        )
        failures["stage"] = failures["stage"].map(lambda s: labels.STAGES.get(s, s))
        st.dataframe(
            failures,
            hide_index=True,
            column_config={
                "stage": st.column_config.TextColumn("Stage", width="small"),
                "recording_id": st.column_config.TextColumn("Recording", width="small"),
                "message": st.column_config.TextColumn("What went wrong"),
                "hint": st.column_config.TextColumn("What to do"),
            },
        )
    else:
        st.markdown("Every recording of the study was finished.")
    if len(notices):
        with st.expander(f"{labels.plural(len(notices), 'notice')} about recordings"):
            st.dataframe(
                notices,
                hide_index=True,
                column_config={"recording_id": "Recording", "notice": "Notice"},
            )


def _scores(n_missing: int, n_utterances: int) -> None:
    if not n_missing:
        st.markdown(f"All {labels.plural(n_utterances, 'utterance')} have a score.")
        return
    st.markdown(
        f"{labels.count(n_missing)} of {labels.plural(n_utterances, 'utterance')} have no score "
        "under this setting. They count in no share and no mean."
    )
