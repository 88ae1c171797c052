"""What is missing and why: nothing is left out without being counted here."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import data, labels, summaries
from dashboard.components.view import View
from dashboard.queries import missing


def missing_data(view: View, counts: pd.DataFrame) -> None:
    """Utterances without a score by reason, recordings that failed, and notices.

    counts: the frame of `shares.counts_by_recording`.
    """
    st.subheader("What is missing, and why", anchor=False)
    n_utterances = int(counts["n_utterances"].sum())
    reasons = summaries.missing_by_reason(counts)
    _scores(sum(reasons.values()), n_utterances)
    if reasons:
        st.markdown(
            "\n".join(
                f"- {labels.count(n)} ({labels.percent(n / n_utterances)}): "
                f"{labels.MISSING[reason]}"
                for reason, n in reasons.items()
            )
        )
    failures = data.load(view.store, missing.failures)
    if len(failures):
        n_failures = int(failures["n_all"].iloc[0])
        st.markdown(
            f"{labels.plural(n_failures, 'recording')} could not be finished "
            f"and have no part in the shares above.{_first_of(n_failures)}"
        )
        failures["stage"] = failures["stage"].map(lambda s: labels.STAGES.get(s, s))
        st.dataframe(
            failures.drop(columns="n_all"),
            hide_index=True,
            placeholder=labels.NO_VALUE,
            column_config={
                "stage": st.column_config.TextColumn("Stage", width="small"),
                "recording_id": st.column_config.TextColumn("Recording", width="small"),
                "message": st.column_config.TextColumn("What went wrong"),
                "hint": st.column_config.TextColumn("What to do"),
            },
        )
    else:
        st.markdown("Every recording of the study was finished.")
    notices = data.load(view.store, missing.notices)
    if len(notices):
        n_notices = int(notices["n_all"].iloc[0])
        with st.expander(f"{labels.plural(n_notices, 'notice')} about recordings"):
            st.dataframe(
                notices.drop(columns="n_all"),
                hide_index=True,
                column_config={"recording_id": "Recording", "notice": "Notice"},
            )
            st.caption(_first_of(n_notices))


def _first_of(n: int) -> str:
    if n <= missing.MAX_ROWS:
        return ""
    return f" The first {missing.MAX_ROWS} are listed; the page Quality has all."


def _scores(n_missing: int, n_utterances: int) -> None:
    if not n_missing:
        st.markdown(f"All {labels.plural(n_utterances, 'utterance')} have a score.")
        return
    st.markdown(
        f"{labels.count(n_missing)} of {labels.plural(n_utterances, 'utterance')} have no score "
        "under this setting. They count in no share and no mean."
    )
