"""The answers that a session looks at, read anew when somebody answered meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.data import StoreHandle
from dashboard.queries.human_answers import State, human_answers
from pipeline.people.store import PeopleStore

_TABLE_STATE = "human_answer_table"


def answers_of(
    store: StoreHandle, people: PeopleStore, state: State, set_ids: Sequence[int]
) -> pd.DataFrame:
    """The answer table of these sets. One is kept for each session: while raters work, every look
    is at another one, and they would fill the memory."""
    key = (store.key, state, tuple(set_ids))
    kept: tuple[object, pd.DataFrame] | None = st.session_state.get(_TABLE_STATE)
    if kept is not None and kept[0] == key:
        return kept[1]
    table = human_answers(store.cursor(), people, state, set_ids)
    st.session_state[_TABLE_STATE] = (key, table)
    return table
