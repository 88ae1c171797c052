"""The table of words; a chosen row opens the word."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard import labels
from dashboard.components.word_state import open_lemma
from dashboard.queries.selection import Measure
from dashboard.queries.word_index import WordIndex
from dashboard.queries.word_table import Shrinkage, WordPage
from dashboard.word_list import WordList

_KEY = "word_rows"
_MEAN = "95 % interval of the mean"
_SHRUNKEN = "95 % interval of the shrunken mean"


def word_rows(page: WordPage, measure: Measure, index: WordIndex, opened: str | None) -> None:
    """Draw one page of the table; see `queries.word_table.WordPage` for the columns."""
    rows = page.rows
    if rows.empty:
        st.info(
            "No word matches. Change the search, lower the minimum, or take off a filter.",
            icon=":material/filter_alt_off:",
        )
        return
    is_shrunk = "shrunken" in rows
    has_z = measure.scale == "raw" and rows["z"].notna().any()
    low, high = ("shrunken_low", "shrunken_high") if is_shrunk else ("low", "high")
    shown = pd.DataFrame(
        {
            "Word": rows["word"],
            **({} if opened else {"Heard as": rows["forms"]}),
            "n": rows["n"],
            "Children": rows["n_children"],
            "Mean": rows["mean"],
            **({"Shrunken": rows["shrunken"]} if is_shrunk else {}),
            "from": rows[low],
            "to": rows[high],
            **({"Own (%)": 100 * rows["own_weight"]} if is_shrunk else {}),
            **({"Mean z": rows["z"]} if has_z else {}),
            "High (%)": 100 * rows["share"].astype(float),
            **({"Part": rows["part"]} if rows["part"].any() and not opened else {}),
            **{norm: rows[norm] for norm in index.norms},
        }
    )
    event = st.dataframe(
        shown,
        hide_index=True,
        placeholder=labels.NO_VALUE,
        height="content",
        key=f"{_KEY}_{opened or ''}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Word": st.column_config.TextColumn(width="small", pinned=True),
            "Heard as": st.column_config.TextColumn(width=150),
            "Part": st.column_config.TextColumn(width=105, help="Most usual part of speech"),
            "n": st.column_config.NumberColumn(
                format="localized", width="small", help="Scored utterances with this word"
            ),
            "Children": st.column_config.NumberColumn(width="small"),
            "Mean": _number("%.3f", "Mean score of these utterances"),
            "Shrunken": _number("%.3f", "Best guess of the true mean; see below"),
            "from": _number("%.3f", _SHRUNKEN if is_shrunk else _MEAN),
            "to": _number("%.3f", _SHRUNKEN if is_shrunk else _MEAN),
            "Own (%)": _number("%.0f", "Weight of the word's own mean in its shrunken mean"),
            "Mean z": _number("%+.2f", "Mean z against the matched null; chance is 0"),
            "High (%)": _number("%.1f", "Share at or above the threshold"),
            **{norm: _number("%.2f", index.units.get(norm) or norm) for norm in index.norms},
        },
    )
    chosen = event["selection"]["rows"]
    if chosen:
        lemma = str(rows.iloc[chosen[0]]["word"])
        if lemma != opened:
            open_lemma(lemma)
            st.rerun()


def words_note(page: WordPage, listing: WordList) -> None:
    """How many words there are, and how their means and intervals were made."""
    hidden = (
        f" {labels.plural(page.n_hidden, 'more word')} heard in fewer than {listing.min_count} "
        "scored utterances hidden."
        if page.n_hidden
        else ""
    )
    note = (
        "Intervals of means: 95 %, linearised with recordings as clusters within children."
        if page.shrinkage is None or page.shrinkage.problem
        else _shrinkage_note(page.shrinkage)
    )
    st.caption(
        f"{labels.plural(page.n_listed, 'word')}, each counted once per utterance under its "
        f"dictionary form.{hidden} {note} A chosen row opens the word."
    )
    if page.shrinkage is not None and page.shrinkage.problem:
        st.info(f"Means are not shrunk. {page.shrinkage.problem}", icon=":material/info:")


def _shrinkage_note(found: Shrinkage) -> str:
    if not found.sd or math.isnan(found.sd):
        return (
            f"The means of {labels.plural(found.n_lemmas, 'word')} differ no more than by chance, "
            f"so all shrink to {found.overall:.3f}."
        )
    return (
        f"Shrunken towards {found.overall:.3f} [{found.low:.3f}, {found.high:.3f}], the mean of "
        f"{labels.plural(found.n_lemmas, 'word')}; the SD between their true means is "
        f"{found.sd:.3f} (REML). The variance of a word's mean counts utterances of one recording "
        "as alike as they are."
    )


def _number(form: str, text: str) -> ColumnConfig:
    return st.column_config.NumberColumn(format=form, width="small", help=text)
