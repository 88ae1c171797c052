"""Facts as a table that is read, not sorted: every text in it is shown as it was written."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from dashboard.plain import escaped

# Streamlit lets the names of rows shrink to their longest word, and sets what follows them apart
# from its title. On a phone the other columns would shrink, too, before the table is scrolled.
_STYLE = """<style>
[data-testid="stTable"] tbody th {min-width: 12rem;}
[data-testid="stTable"] tbody th:first-of-type + td {padding-left: 1rem;}
@media (max-width: 640px) {
[data-testid="stTable"] table {width: max-content; min-width: 100%;}
[data-testid="stTable"] tbody th {min-width: 8rem; max-width: 8rem;}
[data-testid="stTable"] td {max-width: 13rem;}
}</style>"""


def facts_table(facts: pd.DataFrame | Mapping[str, str]) -> None:
    """Draw texts: of a frame with its index as names of the rows, of a mapping with its keys."""
    rows = facts if isinstance(facts, pd.DataFrame) else pd.Series(dict(facts)).to_frame("")
    plain = rows.map(escaped).rename(index=escaped, columns=escaped)
    st.html(_STYLE)
    st.table(plain, border="horizontal", hide_header=not isinstance(facts, pd.DataFrame))
