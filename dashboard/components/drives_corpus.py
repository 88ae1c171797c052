"""The answers of a probe for the whole study, and all its indices."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.components.drives_choice import sample_note, unit_note
from dashboard.components.drives_words import (
    INDEX_WORDS,
    VERDICTS,
    chance_text,
    gloss,
    interval_text,
    sentence,
    small_print,
    value_text,
    why_unknown,
)
from dashboard.components.facts_table import facts_table
from dashboard.components.url_choice import url_choice
from dashboard.plain import escaped
from dashboard.queries.probes import ScorerProbe
from pipeline.probe_tables import CORPUS
from pipeline.probes.findings import FindingAnswer, answers
from pipeline.probes.verdicts import Index
from pipeline.spreadsheet import csv_text

ALL = "All children"


def answer_cards(shown: Sequence[ScorerProbe]) -> None:
    """Three questions and their answers, for each scorer in a row of its own."""
    for one in shown:
        assert one.probe is not None
        st.markdown(f"**In this study, for {escaped(one.scorer)}**")
        for column, found in zip(st.columns(3), answers(one.probe.indices), strict=True):
            with column.container(border=True, height="stretch"):
                _card(found)
        _nothing_to_explain(one)
        st.caption(f"{sample_note(one)} {unit_note(one)}")


def _card(found: FindingAnswer) -> None:
    st.markdown(f"**{found.finding.question}**")
    st.subheader(found.answer.value, anchor=False)
    st.markdown(gloss(found))
    for index in (found.first, found.second):
        st.markdown(sentence(index))
        st.caption(small_print(index))


def _nothing_to_explain(one: ScorerProbe) -> None:
    """Say so where the utterances are not above chance."""
    assert one.probe is not None
    surplus = next(i for i in one.probe.indices if i.name == "surplus" and i.scope == CORPUS)
    if surplus.lower is None or surplus.lower > 0:
        return
    st.warning(
        f"The scores of these utterances are not above chance ({value_text(surplus)}; 95 %: "
        f"{interval_text(surplus)}), so there is nothing that words could explain.",
        icon=":material/hide_source:",
    )


def index_table(shown: Sequence[ScorerProbe]) -> None:
    """Every index with what it means, for all children or one, scorers side by side."""
    st.subheader("Every index", anchor=False)
    children = sorted(
        {
            index.scope
            for one in shown
            if one.probe is not None
            for index in one.probe.indices
            if index.scope != CORPUS
        }
    )
    scope = url_choice("Of", (ALL, *children), param="of", default=ALL)
    table = indices_of(shown, CORPUS if scope == ALL else scope)
    facts_table(table.set_index("Index"))
    st.download_button(
        "Save this table (CSV)",
        csv_text(table).encode(),
        file_name="what-drives-the-score.csv",
        mime="text/csv",
        icon=":material/download:",
    )
    st.caption(
        "Chance: what the index is where nothing drives the score. A finding holds, or does "
        "not, only if the whole interval lies on one side of the line. Below 20 "
        "utterances there is neither interval nor answer, as for most single children."
    )


def indices_of(shown: Sequence[ScorerProbe], scope: str) -> pd.DataFrame:
    """One row for each index: its words, then value, interval, chance, n and answer of each
    scorer."""
    rows = []
    by_scorer = [(one.scorer, _by_name(one, scope)) for one in shown]
    for name, words in INDEX_WORDS.items():
        row = {"Index": words.title, "What it is": words.meaning}
        for scorer, found in by_scorer:
            prefix = f"{scorer}: " if len(by_scorer) > 1 else ""
            row.update(
                {f"{prefix}{title}": cell for title, cell in _cells(found.get(name)).items()}
            )
        row["Holds if"] = words.line
        rows.append(row)
    return pd.DataFrame(rows)


def _by_name(one: ScorerProbe, scope: str) -> dict[str, Index]:
    assert one.probe is not None
    return {index.name: index for index in one.probe.indices if index.scope == scope}


def _cells(index: Index | None) -> dict[str, str]:
    if index is None:
        return dict.fromkeys(
            ("Value", "95 % interval", "Chance", "n", "Finding holds"), "not in its sample"
        )
    has_line = bool(INDEX_WORDS[index.name].line)
    why = why_unknown(index)
    return {
        "Value": value_text(index),
        "95 % interval": interval_text(index),
        "Chance": chance_text(index),
        "n": f"{index.n:,}",
        "Finding holds": VERDICTS[index.supports] if has_line else (why and f"({why})"),
    }
